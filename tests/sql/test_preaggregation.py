"""Aggregating by foreign keys before joining gives the rows that joining first gives: NULL keys, orphans, filters, compared periods and all."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import UserError
from semantic.catalog.model import Catalog
from semantic.compile import blocks, compile_query, preaggregation
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from tests.sql import engine
from tests.sql.generate import Maker
from tests.sql.shorthand import expand

_CUSTOMER_NAME = "@customers.name"
_MIN_MAX = [{"kind": "aggregate", "aggregate": kind, "dataset": "orders", "of": "@orders.total"} for kind in ("min", "max")]
_PAID_SUM = {"kind": "aggregate", "aggregate": "sum", "dataset": "orders", "of": "@orders.total", "where": ["@orders.status", "=", "paid"]}
_SHIPPED = {"kind": "aggregate", "aggregate": "count", "dataset": "orders", "of": "@orders.shipped_on"}
_QUERIES: dict[str, dict[str, Any]] = {
    "a key that is NULL and one that leads nowhere": {"metrics": ["#revenue", "#order_count"], "by": [_CUSTOMER_NAME]},
    "two joins beyond the key": {"metrics": ["#revenue"], "by": ["@regions.country"]},
    "extremes": {"metrics": _MIN_MAX, "by": [_CUSTOMER_NAME]},
    "a sum and a ratio under conditions": {"metrics": [_PAID_SUM, "#average_order", _SHIPPED], "by": ["@customers.vip"]},
    "with keys of its own": {"metrics": ["#revenue"], "by": ["@regions.country", "month", "@orders.status"]},
    "a filter on the dimension": {"metrics": ["#revenue"], "by": [_CUSTOMER_NAME], "where": ["@regions.country", "=", "Germany"]},
    "a negated filter on the dimension": {
        "metrics": ["#revenue"],
        "by": [_CUSTOMER_NAME],
        "where": {"kind": "in", "field": "@customers.name", "values": ["Ann"], "negate": True},
    },
    "compared with the period before": {
        "metrics": ["#revenue"],
        "by": [_CUSTOMER_NAME],
        "time": {"window": {"kind": "calendar", "unit": "year"}},
        "compare": {"kind": "period", "to": "previous_period"},
    },
    "two foreign keys to one dimension": {
        "metrics": [{"kind": "aggregate", "aggregate": "sum", "dataset": "shipments", "of": "@shipments.weight"}],
        "by": ["@departs>regions.name", "@arrives>regions.name"],
    },
    "a dimension's date": {"metrics": ["#order_count"], "by": [{"kind": "time", "grain": "year", "field": "@customers.signed_up"}]},
    "the best of them": {"metrics": ["#revenue"], "by": [_CUSTOMER_NAME], "order": [{"target": "metric"}], "limit": 2},
}


def _made(query: SemanticQuery) -> tuple[str, list[list[Any]]]:
    compiled = compile_query(resolve(query, engine.catalog(), as_of=engine.AS_OF))
    text = compiled.tree.sql("clickhouse")
    return text, engine.run_sql(text, compiled.params)


def _both(query: SemanticQuery, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, list[list[Any]], list[list[Any]]]:
    """Whether the SQL differed, the rows with and the rows without aggregating first."""
    with monkeypatch.context() as patch:
        patch.setattr(preaggregation, "_is_worth_it", lambda *_: True)
        first, rows = _made(query)
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "preaggregated", lambda *_: None)
        second, expected = _made(query)
    return first != second, sorted(engine.plain(rows), key=repr), sorted(engine.plain(expected), key=repr)


@pytest.mark.parametrize("name", _QUERIES)
def test_the_rows_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    differed, rows, expected = _both(SemanticQuery.model_validate(expand(_QUERIES[name])), monkeypatch)
    assert rows == expected
    assert rows
    assert differed == (name != "a negated filter on the dimension"), "a filter that needs the joined row keeps the join first"


def test_the_rows_are_the_same_for_random_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    differed = 0
    for seed in range(1000, 1300):
        query = SemanticQuery.model_validate(Maker(seed).aggregates())
        try:
            changed, rows, expected = _both(query, monkeypatch)
        except UserError:
            continue
        assert rows == expected, query.model_dump_json(exclude_defaults=True)
        differed += changed
    assert differed >= 15


class TestWhenItIsDone:
    def _aggregates_first(self, query: dict[str, Any], row_count: int | None, cardinality: int | None) -> bool:
        plain = engine.catalog()
        datasets = [
            d.model_copy(
                update={
                    "row_count": row_count,
                    "fields": tuple(
                        f.model_copy(update={"cardinality": cardinality if f.name == "customer_id" else 3 if f.name == "status" else None})
                        for f in d.fields
                    ),
                }
            )
            if d.name == "orders"
            else d
            for d in plain.datasets
        ]
        catalog = Catalog.model_validate(plain.model_copy(update={"datasets": tuple(datasets)}).model_dump())
        text = compile_query(resolve(SemanticQuery.model_validate(expand(query)), catalog, as_of=engine.AS_OF)).tree.sql("clickhouse")
        return "GROUP BY orders.customer_id" in text

    def test_when_a_key_has_many_rows(self) -> None:
        assert self._aggregates_first({"metrics": ["#revenue"], "by": [_CUSTOMER_NAME]}, 1_000_000, 50_000)

    def test_not_when_nearly_every_row_has_its_own_key(self) -> None:
        assert not self._aggregates_first({"metrics": ["#revenue"], "by": [_CUSTOMER_NAME]}, 1_000_000, 900_000)

    def test_further_keys_count(self) -> None:
        by = [_CUSTOMER_NAME, "@orders.status", "month"]
        assert not self._aggregates_first({"metrics": ["#revenue"], "by": by}, 1_000_000, 5_000)
        assert self._aggregates_first({"metrics": ["#revenue"], "by": by}, 1_000_000, 500)

    def test_without_counts_one_dimension_alone(self) -> None:
        assert self._aggregates_first({"metrics": ["#revenue"], "by": [_CUSTOMER_NAME]}, None, None)
        assert not self._aggregates_first({"metrics": ["#revenue"], "by": [_CUSTOMER_NAME, "month"]}, None, None)

    def test_never_for_distinct_counts_and_medians(self) -> None:
        for kind in ("count_distinct", "median", "avg"):
            measure = {"kind": "aggregate", "aggregate": kind, "dataset": "orders", "of": "@orders.total"}
            assert not self._aggregates_first({"metrics": [measure], "by": [_CUSTOMER_NAME]}, 1_000_000, 50_000)
