"""Edits of a query as chips make them, and drilling down."""

from __future__ import annotations

import datetime as dt

import pytest

from api.web import edits
from api.web.chip_editing import additions, editable_chips
from api.web.drilling import drilled
from core.errors import Invalid, NotFound
from core.timeseries import Grain
from semantic.expr import Absolute, And, Calendar_, Comparison, FieldRef, In, IsNull, Like, Literal_, Unit
from semantic.query import ByField, ByTime, ComparePeriod, MetricRef, Order, SemanticQuery, TimeWindow, Transform
from workers.boards import narrowing
from workers.demo.catalog import demo_catalog
from workers.demo.world import WORLDS

CATALOG = demo_catalog(WORLDS[0])
REGION = FieldRef(dataset="countries", field="region")
COUNTRY = FieldRef(dataset="countries", field="country")
STATUS = FieldRef(dataset="orders", field="status")
EMEA = In(field=REGION, values=("EMEA",))
COMPLETED = Comparison(op="=", left=STATUS, right=Literal_(value="completed"))
LAST_QUARTER = TimeWindow(window=Calendar_(unit=Unit.QUARTER, offset=-1))


def query(**changes: object) -> SemanticQuery:
    return SemanticQuery(**({"metrics": (MetricRef(metric="revenue"),), "by": (ByField(field=REGION),)} | changes))  # type: ignore[arg-type]


class TestRemoved:
    def test_takes_one_of_two_conditions_and_keeps_the_other_plain(self) -> None:
        assert edits.removed(query(where=And(items=(EMEA, COMPLETED))), "/where/items/0").where == COMPLETED

    def test_takes_the_only_condition(self) -> None:
        assert edits.removed(query(where=EMEA), "/where").where is None

    def test_a_group_takes_its_order_along_and_moves_the_others(self) -> None:
        full = query(
            by=(ByField(field=REGION), ByTime(grain=Grain.MONTH)),
            order=(Order(target="by", index=0), Order(target="by", index=1)),
            transform=(Transform(kind="share", per=(0,)),),
        )
        left = edits.removed(full, "/by/0")
        assert left.by == (ByTime(grain=Grain.MONTH),)
        assert left.order == (Order(target="by", index=0),)
        assert left.transform == (Transform(kind="share"),)

    def test_the_last_group_takes_limit_and_order_along(self) -> None:
        left = edits.removed(query(limit=5, order=(Order(target="metric"),)), "/by/0")
        assert (left.by, left.limit, left.order) == ((), None, ())

    def test_a_metric_moves_the_indices_of_the_others(self) -> None:
        two = query(
            metrics=(MetricRef(metric="revenue"), MetricRef(metric="orders")),
            order=(Order(target="metric", index=1),),
            transform=(Transform(kind="rank", metric=1),),
        )
        left = edits.removed(two, "/metrics/0")
        assert left.metrics == (MetricRef(metric="orders"),)
        assert left.order == (Order(target="metric", index=0),)
        assert left.transform == (Transform(kind="rank", metric=0),)

    def test_a_comparison_takes_the_order_by_its_change_along(self) -> None:
        compared = query(time=LAST_QUARTER, compare=ComparePeriod(to="previous_period"), order=(Order(target="change"),))
        left = edits.removed(compared, "/compare")
        assert (left.compare, left.order) == (None, ())

    def test_refuses_to_leave_nothing(self) -> None:
        with pytest.raises(Invalid, match="Nothing would be left"):
            edits.removed(query(by=()), "/metrics/0")

    @pytest.mark.parametrize("path", ["", "/by", "/by/x", "/version", "/by/-1", "/rows_of", "/by/" + "9" * 5000])
    def test_refuses_a_path_that_is_none(self, path: str) -> None:
        with pytest.raises(Invalid):
            edits.removed(query(), path)


class TestChanged:
    def test_another_metric(self) -> None:
        assert edits.with_metric(query(), "/metrics/0", "orders", CATALOG).metrics == (MetricRef(metric="orders"),)

    def test_an_unknown_metric_is_named(self) -> None:
        with pytest.raises(NotFound, match="revenu"):
            edits.with_metric(query(), "/metrics/0", "revenu", CATALOG)

    def test_a_group_is_added_once(self) -> None:
        once = edits.with_group(query(), "/by/-", "grain:month", CATALOG)
        assert once.by[1] == ByTime(grain=Grain.MONTH)
        assert edits.with_group(once, "/by/-", "grain:month", CATALOG) == once
        assert edits.with_group(once, "/by/-", "grain:week", CATALOG).by[1] == ByTime(grain=Grain.WEEK)

    def test_both_days_count(self) -> None:
        window = edits.with_dates(query(), "2026-01-01", "2026-01-31").time
        assert window is not None
        assert window.window == Absolute(start=dt.date(2026, 1, 1), end=dt.date(2026, 2, 1))

    @pytest.mark.parametrize(("first", "last"), [("2026-02-02", "2026-02-01"), ("soon", ""), ("", "9999-12-31")])
    def test_dates_that_are_none(self, first: str, last: str) -> None:
        with pytest.raises(Invalid):
            edits.with_dates(query(), first, last)

    def test_values_of_a_condition(self) -> None:
        changed = edits.with_values(query(where=And(items=(EMEA, COMPLETED))), "/where/items/0", ["APAC", "AMER"], CATALOG)
        assert changed.where == And(items=(In(field=REGION, values=("APAC", "AMER"), ignore_case=True), COMPLETED))

    def test_no_value_takes_the_condition_away(self) -> None:
        assert edits.with_values(query(where=EMEA), "/where", [], CATALOG).where is None

    def test_a_filter_is_typed(self) -> None:
        changed = narrowing.with_filter(query(), "order_lines.quantity", "is", "3", CATALOG)
        assert changed.where == In(field=FieldRef(dataset="order_lines", field="quantity"), values=(3,))
        with pytest.raises(Invalid, match="integer"):
            narrowing.with_filter(query(), "order_lines.quantity", "is", "three", CATALOG)

    def test_a_filter_by_part_of_a_text(self) -> None:
        assert narrowing.with_filter(query(), "orders.status", "contains", "comp", CATALOG).where == Like(
            field=STATUS, match="contains", value="comp"
        )

    def test_limits_are_whole_and_bounded(self) -> None:
        assert edits.with_limit(query(), "10").limit == 10
        for text in ("0", "-1", "1.5", "10001", "9" * 5000, "\u0663x", ""):
            with pytest.raises(Invalid):
                edits.with_limit(query(), text)


class TestDrilled:
    def test_a_level_of_a_hierarchy_leads_to_the_next(self) -> None:
        down = drilled(query(time=LAST_QUARTER), {0: "EMEA"}, CATALOG)
        assert down.by == (ByField(field=COUNTRY),)
        assert down.where == In(field=REGION, values=("EMEA",))
        assert down.time == LAST_QUARTER

    def test_the_last_level_leads_to_time(self) -> None:
        down = drilled(query(by=(ByField(field=COUNTRY),)), {0: "Germany"}, CATALOG)
        assert len(down.by) == 1
        assert isinstance(down.by[0], ByTime)

    def test_a_month_becomes_its_days(self) -> None:
        down = drilled(query(by=(ByTime(grain=Grain.MONTH),)), {0: "2026-12-01"}, CATALOG)
        assert down.by == (ByTime(grain=Grain.DAY),)
        assert down.time is not None
        assert down.time.window == Absolute(start=dt.date(2026, 12, 1), end=dt.date(2027, 1, 1))

    def test_two_marks_narrow_both(self) -> None:
        down = drilled(query(by=(ByField(field=REGION), ByField(field=STATUS))), {0: "EMEA", 1: "completed"}, CATALOG)
        assert down.by == (ByField(field=COUNTRY),)
        assert isinstance(down.where, And)

    def test_a_missing_value_is_asked_as_missing(self) -> None:
        assert drilled(query(), {0: "\u2013"}, CATALOG).where == IsNull(field=REGION)

    def test_a_date_that_is_none(self) -> None:
        with pytest.raises(Invalid):
            drilled(query(by=(ByTime(grain=Grain.MONTH),)), {0: "EMEA"}, CATALOG)


class TestChips:
    def test_every_part_has_a_chip_whose_removal_is_valid(self) -> None:
        full = query(
            where=And(items=(EMEA, COMPLETED)), time=LAST_QUARTER, compare=ComparePeriod(to="previous_period"),
            order=(Order(target="metric"),), limit=5,
        )  # fmt: skip
        chips = editable_chips(full, CATALOG)
        assert [c.kind for c in chips] == ["metric", "group", "filter", "filter", "time", "compare", "order", "limit"]
        for chip in chips:
            if chip.removable:
                assert edits.removed(full, chip.path) != full

    def test_values_are_offered_with_the_chosen_ones_ticked(self) -> None:
        chip = next(c for c in editable_chips(query(where=EMEA), CATALOG) if c.kind == "filter")
        assert {o.label: o.selected for o in chip.options}["EMEA"]
        assert sum(o.selected for o in chip.options) == 1

    def test_times_are_early_or_late_not_high_or_low(self) -> None:
        monthly = query(by=(ByTime(grain=Grain.MONTH),), order=(Order(target="by", descending=False),))
        assert editable_chips(monthly, CATALOG)[-1].label == "earliest first"

    def test_what_is_there_is_not_offered_again(self) -> None:
        more = additions(query(time=LAST_QUARTER), CATALOG)
        assert "field:countries.region" not in [o.value for o in more.groups]
        assert (more.compare, more.period) == (True, False)
