"""Each look of a scan finds what it looks for, calls it by its name, and says it in proven words."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest

from benchmarks.worlds import CHANNELS, REGIONS, company, pasts
from core.timeseries import FloatArray, Grain
from insights.kinds import KINDS
from insights.lagged import lagged_pairs
from insights.looks.events import event_effect
from insights.looks.goals import look_at_goals
from insights.looks.loads import look_at_loads
from insights.looks.value import look_at_value
from insights.looks.within import look_within
from insights.narrative import narrate, told_anew
from insights.past import Days, Event, Goal, MetricPast, expectations
from insights.periods import period_of
from insights.ranking import ranked, worth_sending
from insights.reader import Reader, Vote
from insights.scan import scan_all
from insights.settings import words_settings
from insights.stored import fact_from_json
from insights.types import Fact, FactKind, Quantity
from insights.verify import NotProven, verify
from insights.yearly import came_last_year

LAST = dt.date(2026, 5, 20)


def told(world: object, grain: Grain) -> tuple[Fact, ...]:
    made = pasts(world, grain)  # type: ignore[arg-type]
    return ranked(scan_all(made), parts={p.quantity.name: p.parts for p in made}).told


def days(seed: int, n: int = 480, weekly: float = 0.2) -> FloatArray:
    rng = np.random.default_rng(seed)
    at = np.arange(n)
    return np.asarray(1000 * (1 + weekly * np.sin(2 * np.pi * at / 7)) * rng.lognormal(0, 0.03, n), np.float64)


class TestPlanted:
    def test_an_outage_of_one_day_is_seen_in_its_month(self) -> None:
        found = 0
        for seed in range(900, 903):
            world = company(seed, Grain.MONTH)

            def broken(cells: FloatArray) -> FloatArray:
                cells[-12] *= 0.15
                return cells

            facts = told(world.changed("orders", broken), Grain.MONTH)
            found += any(f.period.start == dt.datetime(2026, 5, 20) and f.kind == "unusual_value" for f in facts)
            narrate(facts)
        assert found == 3

    def test_a_segment_that_fell_alone_is_the_exception_or_stands_out(self) -> None:
        found = 0
        for seed in range(910, 914):

            def lost(cells: FloatArray) -> FloatArray:
                cells[-7:, :, 1] *= 0.4
                return cells

            facts = told(company(seed, Grain.WEEK).changed("sessions", lost), Grain.WEEK)
            found += any(f.scope == (("channel", CHANNELS[1]),) for f in facts)
            narrate(facts)
        assert found >= 3

    def test_a_region_that_was_not_loaded_is_late(self) -> None:
        found = 0
        for seed in range(920, 924):

            def late(cells: FloatArray) -> FloatArray:
                cells[-1, 2] *= 0.1
                return cells

            facts = told(company(seed, Grain.DAY).changed("sessions", late), Grain.DAY)
            found += bool(facts) and facts[0].kind == "late_data" and facts[0].scope == (("region", REGIONS[2]),)
        assert found >= 3

    def test_a_day_that_was_loaded_twice_is_called_so(self) -> None:
        found = 0
        for seed in range(930, 934):

            def twice(cells: FloatArray) -> FloatArray:
                cells[-1] *= 2
                return cells

            facts = told(company(seed, Grain.DAY).changed("sessions", twice), Grain.DAY)
            found += "doubled_data" in {f.kind for f in facts}
            assert not any(
                f.kind == "unusual_value" and f.quantity.name == "sessions" for f in facts if "doubled_data" in {g.kind for g in facts}
            )
        assert found >= 3


class TestLooks:
    def past(self, values: FloatArray, grain: Grain = Grain.DAY, **more: object) -> MetricPast:
        step = {Grain.DAY: 1, Grain.WEEK: 7}[grain]
        start = dt.datetime.combine(LAST, dt.time()) + dt.timedelta(days=1 - step * len(values))
        bounds = [start + dt.timedelta(days=step * k) for k in range(len(values) + 1)]
        periods = tuple(period_of(a, b, "") for a, b in pairwise(bounds))
        return MetricPast(Quantity("orders", name="orders"), grain, periods, values, **more)  # type: ignore[arg-type]

    def test_a_day_without_data_is_seen_without_a_test(self) -> None:
        past = self.past(days(1, 60), missing_since=period_of(dt.datetime(2026, 5, 21), dt.datetime(2026, 5, 22), ""))
        (fact,) = look_at_loads(past)
        assert fact.kind == "missing_data"
        assert fact.test is None
        assert ranked([fact]).told
        assert narrate([fact]) == ["There is no orders on 21 May 2026, the first gap in 61 periods: a load seems to be missing."]

    def test_a_gap_after_many_gaps_is_no_news(self) -> None:
        values = days(2, 60)
        values[::6] = np.nan
        past = self.past(values, missing_since=period_of(dt.datetime(2026, 5, 21), dt.datetime(2026, 5, 22), ""))
        assert look_at_loads(past) == []

    def test_what_is_expected_of_a_count_is_whole(self) -> None:
        counts = np.round(days(5, 120))
        counts[-1] *= 3
        for values, whole in ((counts, True), (counts + 0.25, False)):
            fact = next(f for f in look_at_value(self.past(values)) if f.kind == "unusual_value")
            assert fact.values["expected"].is_integer() is whole

    def test_what_came_last_year_too_is_the_season(self) -> None:
        values = days(3)
        values[-1] *= 2.5
        assert not came_last_year(values, len(values) - 1)
        values[-1 - 364] *= 2.4
        assert came_last_year(values, len(values) - 1)
        values[-1] *= 20  # far beyond what it was
        assert not came_last_year(values, len(values) - 1)

    def test_an_odd_day_counts_for_the_days_that_were_looked_at(self) -> None:
        values = days(4, 300)
        values[-3] *= 0.3
        past = self.past(days(4, 40), Grain.WEEK, days=Days(LAST, values))
        facts = look_within(past)
        assert facts[0].period.start == dt.datetime(2026, 5, 18)
        assert facts[0].test is not None
        assert facts[0].test.p < 1e-6
        assert facts[1].test is not None
        assert facts[1].test.p > 0.01

    def test_the_structural_model_finds_what_a_dated_event_did(self) -> None:
        values = days(5, 240)
        values[-10:-3] *= 1.3
        start = LAST - dt.timedelta(days=9)
        found = event_effect(Days(LAST, values), Event("Sale", start, start + dt.timedelta(days=6)))
        assert found is not None
        effect, test, _ = found
        assert effect == pytest.approx(0.3, abs=0.08)
        assert test.p < 1e-4
        nothing = event_effect(Days(LAST, days(6, 240)), Event("Sale", start, start + dt.timedelta(days=6)))
        assert nothing is not None
        assert nothing[1].p > 0.01

    def test_a_goal_out_of_reach_is_told_and_one_on_course_is_not(self) -> None:
        values = days(7, 300)
        period = period_of(dt.datetime(2026, 5, 1), dt.datetime(2026, 6, 1), "")
        so_far = float(values[-20:].sum())
        past = self.past(values, days=Days(LAST, values))
        for goal, worth in ((60_000.0, True), (31_000.0, False)):
            (fact,) = look_at_goals(replace(past, goals=(Goal(period, goal, so_far, LAST),)))
            assert fact.values["forecast"] == pytest.approx(31_000, rel=0.06)
            assert bool(ranked([fact]).told) == worth

    def test_the_forecasts_own_word_on_a_goal_is_taken(self) -> None:
        values = days(8, 300)
        period = period_of(dt.datetime(2026, 5, 1), dt.datetime(2026, 6, 1), "")
        goal = Goal(period, 40_000.0, 1.0, LAST, forecast=35_000.0, probability=0.001)
        (fact,) = look_at_goals(self.past(values, days=Days(LAST, values), goals=(goal,)))
        assert fact.values["forecast"] == 35_000.0

    def test_a_metric_that_moves_ahead_is_found_with_its_lag(self) -> None:
        rng = np.random.default_rng(9)
        lead = 1000 * np.exp(rng.normal(0, 0.1, 200))
        follow = 500 * np.exp(0.8 * np.log(np.roll(lead, 3) / 1000) + rng.normal(0, 0.05, 200))
        one = replace(self.past(lead), quantity=Quantity("clicks", name="clicks"), parts=frozenset({"clicks"}))
        two = replace(self.past(follow), parts=frozenset({"orders"}))
        facts = {(f.names[0], f.quantity.label): f for f in lagged_pairs([one, two])}
        ahead = facts["clicks", "orders"]
        assert ahead.values["lag"] == 3.0
        assert ranked(list(facts.values())).told == (ahead,)
        assert "an association, not a cause" in narrate([ahead])[0]
        assert not worth_sending([ahead])

    def test_two_views_of_one_thing_do_not_lead_each_other(self) -> None:
        world = pasts(company(3, Grain.WEEK), Grain.WEEK)
        assert not ranked(lagged_pairs(world)).told


class TestExpectations:
    def test_one_odd_week_does_not_make_the_next_one_odd(self) -> None:
        values = np.tile([10.0, 20, 30, 40, 50, 60, 70], 12)
        values[-8] = 1.0
        assert expectations(values, 7, 4)[-1] == pytest.approx(70.0)
        assert expectations(values, 7, 1)[-1] == pytest.approx(1.0, abs=0.5)


@lru_cache
def fact(seed: int = 940) -> Fact:
    world = company(seed, Grain.DAY)

    def fell(cells: FloatArray) -> FloatArray:
        cells[-1] *= 0.3
        return cells

    return next(f for f in told(world.changed("revenue", fell), Grain.DAY) if f.kind == "unusual_value")


class TestReader:
    def test_votes_move_the_score_and_say_so_and_can_be_taken_back(self) -> None:
        one = fact()
        vote = Vote(one.topic, one.kind, "revenue", "not_useful")
        lowered = Reader((vote,)).judged(one)
        assert lowered.score is not None
        assert one.score is not None
        assert lowered.score.value == pytest.approx(one.score.value * 0.3)
        assert lowered.score.reasons == ("you found this not useful",)
        assert Reader(()).judged(one) == one

    def test_a_vote_on_the_like_counts_a_little(self) -> None:
        one = fact()
        raised = Reader((Vote("another", one.kind, "revenue", "useful"),)).judged(one)
        assert raised.score is not None
        assert raised.score.reader == pytest.approx(1.05)

    def test_what_was_told_before_is_no_reason_to_write_again(self) -> None:
        one = fact()
        assert worth_sending(ranked([one]).told)
        assert not worth_sending(ranked([one], reader=Reader(seen={one.key: 1, one.topic: 1})).told)

    def test_what_was_muted_is_not_told(self) -> None:
        one = fact()
        found = ranked([one], reader=Reader((Vote(one.topic, one.kind, "revenue", "mute"),)))
        assert found.told == ()
        assert found.passed[0].score is not None
        assert found.passed[0].score.reader == 0.0


class TestKept:
    def test_a_fact_comes_back_from_json_as_it_was(self) -> None:
        one = fact()
        assert fact_from_json(json.loads(json.dumps(one.as_json()))) == replace(one, values=dict(one.values))

    def test_every_kind_is_declared_once(self) -> None:
        assert set(KINDS) == set(get_args(FactKind))

    def test_the_registered_words_hold_templates_and_thresholds(self) -> None:
        settings = words_settings()
        json.dumps(settings)
        assert settings["templates"]["unusual_value.beside"].startswith("{Label} came to")
        assert settings["thresholds"]["ranking"]["FALSE_DISCOVERIES"] == 0.02

    def test_an_old_narrative_is_made_with_its_own_templates(self) -> None:
        one = fact()
        old = {"unusual_value.beside": "{Label} was {value} {now}, {side} {expected}, which was expected."}
        assert narrate([one], old)[0].endswith("which was expected.")

    def test_other_words_are_taken_only_where_they_are_proven(self) -> None:
        one = fact()
        (own,) = narrate([one])
        better = own.replace("came to", "was")
        assert told_anew([own], [one], [better]) == ([better], (0,))
        for bad in (
            own.replace("below", "above"), own.replace("expected", "usual"), own + " This was caused by rain.", own.replace("came to", "lost"),
            own.replace(" the expected", " all the expected"), own + " " + own, "", "x" * 500, None, 7, {"a": own}, own.replace(", below", ", not below"),
        ):  # fmt: skip
            assert told_anew([own], [one], [bad]) == ([own], ())
        assert told_anew([own], [one], [better, better]) == ([own], ())

    def test_words_that_tie_numbers_together_stay_where_they_are(self) -> None:
        period, baseline = (period_of(dt.datetime(2026, m, 1), dt.datetime(2026, m + 1, 1), "") for m in (10, 9))
        change = Fact("period_change", Quantity("orders"), period, baseline, values={"before": 100.0, "after": 112.0})
        (own,) = narrate([change])
        assert own == "Orders rose 12% to 112 in Oct 2026 (from 100 in Sep 2026)."
        assert told_anew([own], [change], ["Orders grew by 12% to 112 in Oct 2026, from 100 in Sep 2026."])[1] == (0,)
        for bad in (
            "Orders rose 12% from 112 in Oct 2026 (to 100 in Sep 2026).",
            "Orders rose 12% to 112 since Oct 2026 (from 100 in Sep 2026).",
        ):
            assert told_anew([own], [change], [bad])[1] == ()

    def test_a_cause_is_never_named(self) -> None:
        period, baseline = (period_of(dt.datetime(2026, m, 1), dt.datetime(2026, m + 1, 1), "") for m in (10, 9))
        values = {"difference": -50.0, "share": 0.5, "whole": -100.0}
        driver = Fact("driver", Quantity("orders"), period, baseline, (("region", "EMEA"),), values)
        with pytest.raises(NotProven):
            verify(["EMEA is the cause of 50% of the fall (-50)."], [driver])
