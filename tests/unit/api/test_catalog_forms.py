"""The catalog's objects go through their forms and back without losing anything, also what no form shows."""

from __future__ import annotations

import datetime as dt

import pytest

from api.web.catalog_form_pages import KINDS
from api.web.catalog_forms.kind import Kind
from api.web.forms import Fields
from core.errors import Conflict, Invalid, NotFound
from semantic.catalog.model import CalendarEvent, Catalog, Clearance, GlossaryTerm, RowPolicy, SimpleMetric, VerifiedQuestion
from semantic.catalog.versions import check
from semantic.compile import compile_query
from semantic.expr import And, Comparison, DateDiff, FieldRef, Has, Literal_, Or
from semantic.query import AggregateKind, MetricRef, SemanticQuery
from semantic.resolve import resolve
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
            "calendar": demo.calendar.model_copy(
                update={"events": (*demo.calendar.events, CalendarEvent(name="fair", dates=(dt.date(2026, 5, 12),), length_days=3))}
            ),
        }
    )


def filled(kind: Kind, known: Catalog, item: object, **over: str) -> Fields:
    """The form of an object as a browser sends it."""
    values = kind.values(known, item, {})
    one: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for put in kind.inputs(known, item, ["viewer", "manager", "analyst"]):
        value = values.get(put.name, "")
        texts = list(value) if put.shape in ("ticks", "several") else ["yes"] if value is True else [] if value is False else [str(value)]
        many[put.name] = texts
        if texts:
            one[put.name] = texts[-1]
    return Fields(one | over, many)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_nothing_is_lost_on_the_way_through_the_form(name: str) -> None:
    kind, known = KINDS[name], catalog()
    items = list(kind.keyed(known))
    assert items
    for key, item in items:
        same = kind.read(filled(kind, known, item), known, item)
        assert same == item
        assert kind.put(known, key, same) == known


def test_one_word_changes_one_thing() -> None:
    kind, known = KINDS["metric"], catalog()
    item = known.metric("days_open")
    new = kind.read(filled(kind, known, item, label="days until paid"), known, item)
    assert new == item.model_copy(update={"label": "days until paid"})
    assert kind.beyond(item, known) == ["what it is computed of", "its condition"]


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
            ({"type": "ratio", "numerator": "revenue", "denominator": "orders", "scale": "many"}, "is not a number"),
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


class TestStructure:
    """Joins, things, levels, segments, the calendar: what is wrong is said, what is right compiles."""

    NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

    @pytest.mark.parametrize(
        ("kind", "one", "many", "said"),
        [
            ("join", {"name": "x"}, {"from": ["orders.order_id"], "to": []}, "as many fields on both sides"),
            (
                "join",
                {"name": "x"},
                {"from": ["orders.order_id", "products.product_name"], "to": ["customers.customer_name"]},
                "fields of one table",
            ),
            ("thing", {"label": "x"}, {"key": ["orders.order_id"], "display": ["products.product_name"]}, "must be of"),
            ("thing", {"label": "x"}, {}, "tells them apart"),
            ("levels", {"label": "x"}, {"levels": ["orders.status", ""]}, "at least two"),
            ("segment", {"label": "x", "dataset": "orders"}, {}, "which rows"),
            ("segment", {"label": "x", "dataset": "orders", "where": "statuz = 1"}, {}, "cannot be read"),
            ("calendar", {"time_zone": "Mars/Base", "week_start": "monday"}, {}, "time zone"),
            ("calendar", {"time_zone": "UTC", "week_start": "monday", "country": "XX"}, {}, "public holidays"),
            ("event", {"name": "black friday", "dates": "2026-01-01"}, {}, "already"),
            ("event", {"name": "x", "rule": "dates", "dates": "12.5.2026"}, {}, "written like"),
            ("event", {"name": "x", "rule": "day", "month": "2", "day": "40"}, {}, "Day"),
            ("dataset", {"label": "x"}, {}, "come with data"),
        ],
    )
    def test_what_cannot_be_is_said(self, kind: str, one: dict[str, str], many: dict[str, list[str]], said: str) -> None:
        with pytest.raises((Invalid, NotFound), match=said):
            KINDS[kind].read(Fields(one, many), catalog(), None)

    @pytest.mark.parametrize("name", sorted(name for name, kind in KINDS.items() if kind.runs))
    def test_what_there_is_can_be_computed(self, name: str) -> None:
        known = catalog()
        made = [query for _, item in KINDS[name].keyed(known) if (query := KINDS[name].query(item, known)) is not None]
        assert made
        for query in made[:40]:
            compile_query(resolve(query, known, as_of=self.NOW))

    def test_a_calendar_says_what_it_means_now(self) -> None:
        kind, known = KINDS["calendar"], catalog()
        form = Fields({"time_zone": "Europe/Berlin", "week_start": "sunday", "fiscal_year_start_month": "2", "country": "DE"}, {})
        made = kind.read(form, known, None)
        assert made.events == known.calendar.events
        week, year, ahead = kind.says(made, self.NOW)
        assert (week, year) == ("This week is 22 to 28 Nov 2026.", "This fiscal year is Feb 2026 to Jan 2027.")
        assert "25 Dec 2026" in ahead
        for country, said in (("de", "Next holidays"), ("XX", "are not known")):  # as a file may have it
            assert said in kind.says(made.model_copy(update={"country": country}), self.NOW)[-1]

    def test_events_come_next(self) -> None:
        kind, known = KINDS["event"], catalog()
        friday = kind.read(
            Fields({"name": "x", "rule": "weekday", "nth": "4", "weekday": "thursday", "month": "11", "offset_days": "1"}, {}), known, None
        )
        assert kind.says(friday, self.NOW)[0].startswith("It comes next on 27 Nov 2026, 26 Nov 2027")
        assert kind.says(kind.find(known, "fair"), self.NOW) == ["It does not come again within three years."]


def test_a_word_is_explained_once() -> None:
    kind, known = KINDS["term"], catalog()
    assert isinstance(kind.read(Fields({"term": "GMV", "definition": "All that was sold."}, {}), known, None), GlossaryTerm)
    with pytest.raises(Invalid, match="explained already"):
        kind.read(Fields({"term": "CHURN", "definition": "x"}, {}), known, None)
