"""From a history to events: one per happening, none for what is no news."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from core.timeseries import Grain, TimeSeries
from tests.unit.workers.alerts.made_up_history import NOW, history, usual
from workers.alerts.evaluate import Judge
from workers.alerts.events import Event, events
from workers.alerts.preview import headline, told_since
from workers.alerts.rule import parse_rule
from workers.alerts.signals import Signal
from workers.alerts.yearly import came_last_year
from workers.jobs.series import TOTAL


def found(made: Any, **rule: Any) -> list[Event]:
    parsed = parse_rule({"metric": "revenue", **rule})
    return Judge(made, NOW).events(parsed, sensitivity=getattr(parsed, "sensitivity", 0.0))


def since(events_: list[Event], days: int = 60) -> list[Event]:
    return [event for event in events_ if event.known_at > NOW - timedelta(days=days)]


class TestAnomaly:
    def test_a_fall_in_the_whole_and_in_two_segments_is_one_event(self) -> None:
        parts = {name: usual(400, seed=n, level=300.0) for n, name in enumerate(("EMEA", "APAC", "AMER"))}
        for name in ("EMEA", "APAC"):
            parts[name][-10] *= 0.1
        made = since(found(history(sum(parts.values()), segments=parts)))  # type: ignore[arg-type]
        assert len(made) == 1
        assert made[0].main.series_id == "total"
        assert {"EMEA", "APAC"} <= {s.series_id for s in made[0].signals}

    def test_a_fall_of_one_small_segment_is_an_event_of_that_segment(self) -> None:
        parts = {"EMEA": usual(400, seed=1, level=2000.0), "APAC": usual(400, seed=2, level=100.0)}
        parts["APAC"][-3] *= 0.05
        made = since(found(history(parts["EMEA"] + parts["APAC"], segments=parts)))
        assert [(e.main.series_id, e.direction) for e in made] == [("APAC", "down")]

    def test_a_segment_below_the_minimum_volume_is_not_watched(self) -> None:
        parts = {"EMEA": usual(400, seed=1, level=2000.0), "APAC": usual(400, seed=2, level=100.0)}
        parts["APAC"][-3] *= 0.05
        assert since(found(history(parts["EMEA"] + parts["APAC"], segments=parts), min_volume=500)) == []

    def test_a_small_effect_is_left_out_when_asked(self) -> None:
        values = usual(400)
        values[-5] *= 0.2
        assert len(since(found(history(values), min_effect_share=0.5))) == 1
        assert since(found(history(values), min_effect_share=0.95)) == []
        assert since(found(history(values), min_effect=5000)) == []

    def test_a_level_shift_is_one_event_with_a_new_normal_and_nothing_for_weeks(self) -> None:
        values = usual(500)
        values[-60:] *= 0.5
        made = since(found(history(values)), 70)
        assert len(made) == 1
        assert made[0].new_normal_at is not None
        assert not made[0].is_open

    @pytest.mark.parametrize("name", ["nothing", "partial last bucket", "late load", "gap", "constant"])
    def test_no_event_for(self, name: str) -> None:
        values, rows = usual(450), np.full(450, 900.0)
        if name == "late load":
            values[-1] *= 0.6
            rows[-1] = 540
        made = history(values, rows=rows)
        if name == "partial last bucket":
            made = history(np.r_[values, 20.0], rows=np.r_[rows, 30.0])
            times = made.series[0].times
            assert times[-1] < np.datetime64(NOW.replace(tzinfo=None))
            series = made.series[0]
            shifted = times + np.timedelta64(1, "D")  # the last bucket is today's, an hour old
            moved = TimeSeries("total", shifted, series.values, Grain.DAY)
            made = replace(made, series=(moved,), rows=())
        if name == "gap":
            values[-30:-27] = np.nan
            made = history(values, rows=rows)
        if name == "constant":
            made = history(np.full(450, 7.0))
        assert since(found(made), 40) == []

    def test_late_rows_are_waited_for_one_bucket_and_no_longer(self) -> None:
        values, rows = usual(450), np.full(450, 900.0)
        values[-2] *= 0.2
        rows[-2] = 180
        assert len(since(found(history(values, rows=rows)))) == 1

    def test_what_came_last_year_too_is_no_news(self) -> None:
        values = usual(760)
        values[-20] *= 2.4
        values[-20 - 364] *= 2.6
        assert since(found(history(values))) == []
        assert len(since(found(history(values), yearly=False))) == 1

    @pytest.mark.parametrize(("weeks_ago", "is_known"), [(52, True), (51, True), (53, True), (40, False)])
    def test_a_week_that_was_alike_a_year_ago_is_no_news(self, weeks_ago: int, is_known: bool) -> None:
        weeks = np.arange("2023-01-02", "2026-01-05", 7, dtype="datetime64[D]").astype("datetime64[ns]")
        values = 1000 * np.exp(np.random.default_rng(4).normal(0, 0.03, len(weeks)))
        values[-1] *= 2.0
        values[-1 - weeks_ago] *= 2.2
        assert came_last_year(TimeSeries(TOTAL, weeks, values, Grain.WEEK), weeks[-1], "up") is is_known

    def test_what_is_told_on_the_day_is_told_in_a_preview_a_month_later(self) -> None:
        values = usual(500)
        values[-30] *= 0.2
        later = since(found(history(values)), 40)
        then = NOW - timedelta(days=29)
        judge = Judge(history(values), then)
        on_the_day = judge.events(parse_rule({"metric": "revenue"}), sensitivity=24.0)
        assert [e.start for e in later] == [e.start for e in on_the_day if e.known_at > then - timedelta(days=5)]


class TestMaintenance:
    def test_what_begins_in_a_planned_window_is_left_out(self) -> None:
        values = usual(400)
        values[-5] *= 0.1
        day = NOW.replace(hour=0) - timedelta(days=5)
        window = {"start": day.isoformat(), "end": (day + timedelta(hours=2)).isoformat()}
        assert since(found(history(values), maintenance=[window])) == []


class TestThreshold:
    def test_a_breach_that_began_before_the_previewed_year_is_in_the_preview_and_said_to_be_the_case_now(self) -> None:
        made = found(history(np.full(500, 20.0)), kind="threshold", upper=12)
        year = NOW - timedelta(days=365)
        assert [event.known_at < year for event in told_since(made, year)] == [True]
        assert headline(told_since(made, year), year, NOW) == (
            "This rule would have fired once in the last year. It is the case now, so you would be told at once."
        )
        over = found(history(np.r_[np.full(100, 20.0), np.full(400, 10.0)]), kind="threshold", upper=12)
        assert headline(told_since(over, year), year, NOW) == "This rule would not have fired in the last year."

    def test_a_line_that_was_always_crossed_counts_from_when_the_rule_was_made(self) -> None:
        rule = parse_rule({"metric": "revenue", "kind": "threshold", "upper": 12, "buckets": 2})
        judge = Judge(history(np.full(500, 20.0)), NOW)
        for made_at, days in ((NOW - timedelta(days=10), 13), (NOW, 3), (NOW + timedelta(days=90), 3)):
            (event,) = judge.events(rule, sensitivity=0.0, made_at=made_at)
            assert (event.is_open, event.end - event.start) == (True, timedelta(days=days - 1))
            assert event.main.impact == pytest.approx(8.0 * days)

    def test_counts_buckets_in_a_row_and_ends_with_a_margin(self) -> None:
        values = np.full(30, 10.0)
        values[[10, 15, 16, 17]] = 20.0
        values[18] = 11.5
        made = found(history(values), kind="threshold", upper=12, buckets=2, recovery_margin=1, cooldown_buckets=0)
        assert len(made) == 1
        assert (made[0].end - made[0].start).days == 3  # 15 to 18: not back by the margin yet
        assert made[0].direction == "up"

    def test_lower_and_upper_are_told_apart(self) -> None:
        values = np.full(30, 10.0)
        values[10], values[11] = 20.0, 1.0
        made = found(history(values), kind="threshold", upper=12, lower=5)
        assert sorted(e.direction for e in made) == ["down", "up"]
        assert [e.direction for e in found(history(values), kind="threshold", upper=12, lower=5, direction="up")] == ["up"]

    def test_what_was_held_up_comes_through_and_is_the_outage_still(self) -> None:
        values = np.full(40, 10.0)
        values[10:13], values[14:16], values[30] = 0.0, 30.0, 30.0
        outage, later = found(history(values), kind="threshold", upper=12, lower=5)
        assert (outage.direction, len(outage.signals), (outage.end - outage.start).days) == ("down", 2, 5)
        assert (later.direction, later.start) == ("up", later.end)

    def test_what_lasted_long_may_pause_for_half_as_long(self) -> None:
        for lasted, events_ in ((4, 2), (12, 1)):
            values = np.full(60, 10.0)
            values[10 : 10 + lasted] = values[14 + lasted : 18 + lasted] = 20.0
            assert len(found(history(values), kind="threshold", upper=12)) == events_
            assert len(found(history(values), kind="threshold", upper=12, cooldown_buckets=0)) == 2

    def test_nan_is_neither_above_nor_below(self) -> None:
        assert found(history(np.full(30, np.nan)), kind="threshold", upper=12, lower=5) == []


class TestNoData:
    def test_tells_of_a_gap_and_of_silence_now(self) -> None:
        values = usual(100)
        values[-3:] = np.nan
        values[40:43] = np.nan
        made = found(history(values), kind="no_data", buckets=2)
        assert [e.is_open for e in made] == [False, True]
        assert made[1].start == NOW.replace(hour=0) - timedelta(days=3)

    def test_a_day_that_is_not_over_is_not_missing(self) -> None:
        rule = parse_rule({"metric": "revenue", "kind": "no_data"})
        for hours in (1.2, 12.0):  # ten to midnight and noon, with rows of the day and without
            for values in (usual(100), np.r_[usual(99), np.nan]):
                assert Judge(history(values), NOW - timedelta(hours=1 + hours)).events(rule, sensitivity=0.0) == []
        (event,) = Judge(history(np.r_[usual(99), np.nan]), NOW).events(rule, sensitivity=0.0)
        assert event.is_open

    def test_a_month_is_missing_when_it_is_over(self) -> None:
        rule = parse_rule({"metric": "revenue", "kind": "no_data", "grain": "month"})
        months = np.arange(np.datetime64(NOW.date(), "M") - 20, np.datetime64(NOW.date(), "M") + 1)
        for gone, told in ((0, 0), (1, 0), (2, 1)):  # the last is the month that goes on
            times = months[: len(months) - gone].astype("datetime64[ns]")
            series = TimeSeries("total", times, usual(len(times)), Grain.MONTH)
            judge = Judge(replace(history(usual(9)), series=(series,), grain=Grain.MONTH), NOW + timedelta(days=1))
            assert len(judge.events(rule, sensitivity=0.0)) == told

    def test_one_missing_bucket_is_not_two(self) -> None:
        values = usual(100)
        values[-1] = np.nan
        assert found(history(values), kind="no_data", buckets=2) == []


class TestGoal:
    def test_tells_once_a_month_that_it_is_behind(self) -> None:
        values = np.full(70, 100.0)
        values[-20:] = 10.0
        made = found(history(values), kind="goal", goal=3000, direction="down", cooldown_buckets=0)
        assert len(made) == 1
        assert made[0].start.month == 5
        assert made[0].main.actual < made[0].main.expected

    def test_beyond_the_goal(self) -> None:
        made = found(history(np.full(60, 100.0)), kind="goal", goal=1500, direction="up", cooldown_buckets=0)
        assert [e.start.day for e in made][-1] == 15


def signal(series: str, day: int, direction: str = "down", kind: str = "value", impact: float = -5.0, days: int = 0) -> Signal:
    start = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=day)
    end = start + timedelta(days=days)
    return Signal(series, series, kind, direction, start, end, end + timedelta(days=1), 50.0, impact, 10.0, 5.0, False)  # type: ignore[arg-type]


class TestMerge:
    rule = parse_rule({"metric": "m", "cooldown_buckets": 1})

    def test_opposite_directions_are_two_events(self) -> None:
        assert len(events(self.rule, [signal("a", 1), signal("b", 1, "up")])) == 2

    def test_close_ones_are_one_and_far_ones_two(self) -> None:
        assert len(events(self.rule, [signal("a", 1), signal("a", 3)])) == 1
        assert len(events(self.rule, [signal("a", 1), signal("a", 4)])) == 2

    def test_the_order_of_signals_does_not_matter(self) -> None:
        mixed = [signal("a", 1), signal("b", 2), signal("total", 2), signal("c", 9), signal("d", 3, "up")]
        forward, backward = events(self.rule, mixed), events(self.rule, mixed[::-1])
        assert [(e.start, e.end, e.main.series_id, len(e.signals)) for e in forward] == [
            (e.start, e.end, e.main.series_id, len(e.signals)) for e in backward
        ]

    def test_what_comes_after_a_new_normal_is_another_event_also_when_the_segment_stays_odd_for_months(self) -> None:
        new, normal, outage = (
            signal("new channel", 1, "up", days=90),
            signal("new channel", 1, "up", "level_shift", days=10),
            signal("total", 60),
        )
        first, second = events(self.rule, [replace(new, direction="both"), normal, outage])
        assert (first.main.series_id, first.is_open, first.end) == ("new channel", False, normal.known_at - timedelta(days=1))
        assert (second.main.series_id, second.start) == ("total", outage.start)
        assert len(events(self.rule, [replace(new, direction="both"), outage])) == 2  # weeks into a long event
        assert len(events(self.rule, [signal("a", 1, days=9), signal("total", 5, days=3)])) == 1  # the whole shows it some days later

    def test_level_shifts_of_several_segments_are_one_event(self) -> None:
        shifts = [signal(name, 1, "down", "level_shift", days=4) for name in ("a", "b")]
        assert len(events(self.rule, shifts)) == 1
