"""Filters in the words after a figure: all of them, or none."""

from __future__ import annotations

import pytest

from insights.scope import scope_of
from semantic.expr import And, Comparison, FieldRef, In, Literal_, Predicate
from semantic.query import ByField, MetricRef, SemanticQuery
from workers.demo.catalog import demo_catalog
from workers.demo.world import ACME

CATALOG = demo_catalog(ACME)
COUNTRY = FieldRef(dataset="customers", field="country")
CHANNEL = FieldRef(dataset="orders", field="channel")


def _one_of(field: FieldRef, *values: str, negate: bool = False) -> Predicate:
    return In(field=field, values=values, negate=negate)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (None, ""),
        (_one_of(COUNTRY, "Germany"), " for Germany"),
        (_one_of(COUNTRY, "Germany", "France", "Japan"), " for Germany, France and Japan"),
        (_one_of(CHANNEL, "email"), " for channel email"),
        (_one_of(COUNTRY, "Germany", negate=True), " excluding Germany"),
        (And(items=(_one_of(COUNTRY, "Germany"), _one_of(CHANNEL, "email"))), " for Germany, channel email"),
        (And(items=(_one_of(COUNTRY, "Germany"), _one_of(CHANNEL, "email", negate=True))), " for Germany excluding channel email"),
        (Comparison(op="=", left=COUNTRY, right=Literal_(value="Germany")), " for Germany"),
        (Comparison(op="=", left=COUNTRY, right=Literal_(value=None)), ""),
        (Comparison(op=">", left=COUNTRY, right=Literal_(value="Germany")), ""),
        (And(items=(_one_of(COUNTRY, "Germany"), Comparison(op=">", left=CHANNEL, right=Literal_(value="a")))), ""),
        (_one_of(COUNTRY, *(f"A place with a long name {n}" for n in range(9))), ""),
    ],
)
def test_all_filters_or_none(where: Predicate | None, said: str) -> None:
    assert scope_of(SemanticQuery(metrics=(MetricRef(metric="revenue"),), where=where), CATALOG) == said


def test_values_that_a_column_shows_are_not_repeated() -> None:
    query = SemanticQuery(metrics=(MetricRef(metric="revenue"),), by=(ByField(field=COUNTRY),), where=_one_of(COUNTRY, "Germany"))
    assert scope_of(query, CATALOG) == ""
