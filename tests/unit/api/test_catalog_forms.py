"""The catalog's objects go through their forms and back without losing anything, also what no form shows."""

from __future__ import annotations

import pytest

from api.web.catalog_form_pages import KINDS
from api.web.catalog_forms.kind import Kind
from api.web.forms import Fields
from core.errors import Conflict, Invalid
from semantic.catalog.model import Catalog, Clearance, GlossaryTerm, RowPolicy, SimpleMetric, VerifiedQuestion
from semantic.catalog.versions import check
from semantic.expr import And, Comparison, DateDiff, FieldRef, Has, Literal_, Or
from semantic.query import AggregateKind, MetricRef, SemanticQuery
from workers.demo.catalog import demo_catalog
from workers.demo.world import WORLDS

STATUS = FieldRef(dataset="orders", field="status")
PAID = Comparison(op="=", left=STATUS, right=Literal_(value="completed"))


def catalog() -> Catalog:
    """The demo's, with what the forms cannot show as well."""
    demo = demo_catalog(WORLDS[0])
    ordered = FieldRef(dataset="orders", field="ordered_at")
    beyond = SimpleMetric(
        name="days_open", label="days open", dataset="orders", aggregate=AggregateKind.AVG,
        of=DateDiff(unit="day", start=ordered, end=ordered), where=Has(dataset="refunds", via=()), non_additive=(STATUS,), source="dbt",
    )  # fmt: skip
    nested = SimpleMetric(
        name="few",
        label="few",
        dataset="orders",
        aggregate=AggregateKind.COUNT,
        where=And(items=(PAID, Or(items=(PAID, PAID)))),
        synonyms=("a few",),
    )
    return demo.model_copy(
        update={
            "metrics": (*demo.metrics, beyond, nested),
            "verified": (
                VerifiedQuestion(question="how many orders?", query=SemanticQuery(metrics=(MetricRef(metric="orders"),)), note="x"),
            ),
            "row_policies": (
                *demo.row_policies,
                RowPolicy(name="paid_only", dataset="orders", roles=("viewer",), where=Has(dataset="refunds")),
            ),
            "clearances": (Clearance(role="auditor", up_to="restricted"),),
        }
    )


def filled(kind: Kind, known: Catalog, item: object, **over: str) -> Fields:
    """The form of an object as a browser sends it."""
    values = kind.values(known, item, {})
    one: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for put in kind.inputs(known, item, ["viewer", "manager", "analyst"]):
        value = values.get(put.name, "")
        texts = list(value) if put.shape == "ticks" else ["yes"] if value is True else [] if value is False else [str(value)]
        many[put.name] = texts
        if texts:
            one[put.name] = texts[-1]
    return Fields(one | over, many)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_nothing_is_lost_on_the_way_through_the_form(name: str) -> None:
    kind, known = KINDS[name], catalog()
    items = [f for d in known.datasets for f in d.fields] if name == "field" else list(getattr(known, kind.part))
    assert items
    for item in items:
        assert kind.read(filled(kind, known, item), known, item) == item


def test_one_word_changes_one_thing() -> None:
    kind, known = KINDS["metric"], catalog()
    item = known.metric("days_open")
    new = kind.read(filled(kind, known, item, label="days until paid"), known, item)
    assert new == item.model_copy(update={"label": "days until paid"})
    assert kind.beyond(item, known) == ["what it is computed of", "its condition", "the fields that it does not add up over"]


class TestMetrics:
    def form(self, **over: str) -> Fields:
        usual = {"type": "simple", "label": "Net sales", "dataset": "order_lines", "aggregate": "sum", "of": "net_amount - cost_amount"}
        return Fields(usual | over, {})

    def test_a_new_one_is_named_after_its_label_and_fits_the_catalog(self) -> None:
        kind, known = KINDS["metric"], catalog()
        made = kind.read(self.form(where="region = 'EMEA' AND quantity > 1"), known, None)
        assert (made.name, made.label) == ("net_sales", "Net sales")
        check(kind.put(known, "", made))

    @pytest.mark.parametrize(
        ("over", "said"),
        [
            ({"of": "no_such_field"}, "cannot be read"),
            ({"of": ""}, "Of what"),
            ({"where": "quantity >"}, "cannot be read"),
            ({"where": "1; DROP TABLE x"}, "cannot be read"),
            ({"label": ""}, "what people call it"),
            ({"type": "magic"}, "no type of metric"),
            ({"type": "ratio", "numerator": "revenue", "denominator": "orders", "scale": "many"}, "must be a number"),
            ({"name": "1st"}, "Name"),
        ],
    )
    def test_what_cannot_be_is_said(self, over: dict[str, str], said: str) -> None:
        with pytest.raises(Invalid, match=said):
            KINDS["metric"].read(self.form(**over), catalog(), None)

    def test_another_type_keeps_what_both_have(self) -> None:
        kind, known = KINDS["metric"], catalog()
        item = known.metric("revenue")
        form = filled(kind, known, item, type="ratio", numerator="gross_profit", denominator="orders")
        made = kind.read(form, known, item)
        assert (made.type, made.synonyms, made.owner) == ("ratio", item.synonyms, item.owner)


class TestFields:
    def test_a_column_is_not_removed_and_a_computed_one_is(self) -> None:
        kind, known = KINDS["field"], catalog()
        with pytest.raises(Invalid, match="hidden, not removed"):
            kind.drop(known, "orders.status")
        form = Fields({"dataset": "orders", "label": "is paid", "expression": "CASE WHEN status = 'completed' THEN 'yes' ELSE 'no' END",
                       "role": "category", "type": "string", "data_class": "internal"}, {})  # fmt: skip
        made = kind.read(form, known, None)
        with_it = kind.put(known, "orders", made)
        check(with_it)
        assert with_it.dataset("orders").field("is_paid") == made
        with pytest.raises(Conflict):
            kind.put(with_it, "orders", made)
        assert kind.drop(with_it, "orders.is_paid") == known


class TestPolicies:
    def test_a_field_of_another_table_is_refused(self) -> None:
        form = Fields(
            {"name": "p", "dataset": "orders", "by": "field", "field": "refunds.region", "attribute": "regions"}, {"roles": ["viewer"]}
        )
        with pytest.raises(Invalid, match="choose one of"):
            KINDS["policy"].read(form, catalog(), None)

    def test_nobody_chosen_is_refused(self) -> None:
        with pytest.raises(Invalid, match="whose rows"):
            KINDS["policy"].read(Fields({"name": "p", "dataset": "orders"}, {}), catalog(), None)


def test_a_word_is_explained_once() -> None:
    kind, known = KINDS["term"], catalog()
    assert isinstance(kind.read(Fields({"term": "GMV", "definition": "All that was sold."}, {}), known, None), GlossaryTerm)
    with pytest.raises(Invalid, match="explained already"):
        kind.read(Fields({"term": "CHURN", "definition": "x"}, {}), known, None)
