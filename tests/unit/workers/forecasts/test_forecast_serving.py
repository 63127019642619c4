"""Which fits go on, and how forecasts turned out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from core.ids import JobId
from core.timeseries import Grain, TimeSeries
from forecasting.types import Forecast
from semantic.catalog.model import Catalog
from semantic.query import MetricRef
from semantic.states import OutputColumn
from workers.forecasts.data import ForecastData
from workers.forecasts.formula import Formula, Part
from workers.forecasts.goals import outlook
from workers.forecasts.partial import Coverage
from workers.forecasts.paths import unknown_dependence
from workers.forecasts.plan import Period, Plan
from workers.forecasts.scoring import score_series, together
from workers.forecasts.serving import carried, decide, fit_of
from workers.forecasts.totals import period_total, total_json
from workers.jobs.querying import Receipt
from workers.jobs.series import TOTAL, Segment
from workers.kinds import ForecastParams, GoalParams

FIRST = np.datetime64("2026-09-01", "ns")
DAY = np.timedelta64(1, "D")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def data(values: np.ndarray, steps: int = 21) -> ForecastData:
    times = FIRST + np.arange(len(values)) * DAY
    series = TimeSeries(TOTAL, times, np.asarray(values, dtype=np.float64), Grain.DAY)
    return ForecastData(
        formula=Formula((MetricRef(metric="revenue"),), Part(0), adds_up=True),
        order=(TOTAL,),
        segments={TOTAL: Segment(TOTAL, "Total", {})},
        parts=({TOTAL: series},),
        history={TOTAL: series},
        partial={},
        future=times[-1] + np.arange(1, steps + 1) * DAY,
        covered=Coverage(times[0], times[-1] + DAY, None),
        adds_up=False,
        measure=OutputColumn("revenue", "revenue", "measure"),
        catalog=Catalog(),
        receipt=Receipt((), "", 1, "", 0),
        left_out=0,
        notes=(),
    )


def flat(after: ForecastData, mean: float = 100.0, half: float = 10.0, steps: int = 21) -> Forecast:
    level = np.full(steps, mean)
    return Forecast(
        TOTAL, after.last + np.arange(1, steps + 1) * DAY, level, {80: level - half, 95: level - 1.53 * half},
        {80: level + half, 95: level + 1.53 * half}, model="theta",
    )  # fmt: skip


class TestDecide:
    OLD = data(np.full(60, 100.0))

    def decided(self, values: Any, *, refit_steps: int = 7, steps: int = 14) -> str | None:
        fit = fit_of(flat(self.OLD), self.OLD, metric="revenue", job=JobId("job_1"), before=None, now=NOW)
        return decide(data(np.concatenate([np.full(60, 100.0), values])), TOTAL, fit, flat(self.OLD), refit_steps, steps).reason

    def test_nothing_new_or_as_expected_goes_on(self) -> None:
        assert self.decided([]) is None
        assert self.decided([103.0, 96.0, 99.0, 104.0]) is None

    @pytest.mark.parametrize(("values", "reason"), [([100.0] * 8, "due"), ([140.0] * 4, "drifting"), ([100.0] * 7, None)])
    def test_due_after_its_steps_and_drifting_when_off_together(self, values: list[float], reason: str | None) -> None:
        assert self.decided(values) == reason

    def test_one_wild_day_is_no_drift(self) -> None:
        assert self.decided([100.0, 180.0, 100.0, 100.0]) is None

    def test_too_little_left_or_a_corrected_past_is_fitted_again(self) -> None:
        assert self.decided([100.0] * 5, steps=20) == "short"
        fit = fit_of(flat(self.OLD), self.OLD, metric="revenue", job=JobId("job_1"), before=None, now=NOW)
        corrected = np.full(61, 100.0)
        corrected[30] = 500.0
        assert decide(data(corrected), TOTAL, fit, flat(self.OLD), 7, 14).reason == "changed"
        assert decide(self.OLD, TOTAL, None, None, 7, 14).reason == "new"

    def test_what_is_carried_begins_after_the_data(self) -> None:
        now = data(np.full(64, 100.0))
        fit = fit_of(flat(self.OLD), self.OLD, metric="revenue", job=JobId("job_1"), before=None, now=NOW)
        found = carried(flat(self.OLD), now, fit, 14)
        assert found.times[0] == now.last + DAY
        assert len(found.mean) == 14
        assert found.notes[-1].startswith("The fit of 2026-11-01 goes on")


class TestScores:
    def test_errors_bands_and_the_last_season_repeated(self) -> None:
        week = np.array([10.0, 20, 30, 40, 50, 60, 70])
        actual = TimeSeries(TOTAL, FIRST + np.arange(14) * DAY, np.concatenate([week, week + 5]), Grain.DAY)
        mean = week + 5 + np.array([0.0, 0, 0, 0, 0, 0, 20])
        forecast = Forecast(TOTAL, actual.times[7:], mean, {80: mean - 1, 95: mean - 2}, {80: mean + 1, 95: mean + 2}, model="x")
        found = score_series(forecast, actual, Grain.DAY)
        assert found is not None
        assert (found.points, found.inside_80, found.inside_95) == (7, 6, 6)
        assert found.error == pytest.approx(20 / 315)
        assert found.naive_missed == pytest.approx(35)
        said = together({TOTAL: found}, headline=TOTAL)
        assert said["bias"] == pytest.approx(20 / 315)
        assert said["naive_error"] == pytest.approx(35 / 315)

    def test_only_known_steps_count_and_none_is_none(self) -> None:
        forecast = flat(data(np.full(10, 100.0)), steps=5)
        later = TimeSeries(TOTAL, forecast.times[:2], np.array([90.0, np.nan]), Grain.DAY)
        found = score_series(forecast, later, Grain.DAY)
        assert found is not None
        assert found.points == 1
        assert score_series(forecast, TimeSeries(TOTAL, FIRST + np.arange(3) * DAY, np.ones(3), Grain.DAY), Grain.DAY) is None
        assert score_series(forecast, TimeSeries(TOTAL, forecast.times[:0], np.ones(0), Grain.DAY), Grain.DAY) is None

    def test_the_headline_error_is_the_totals_but_bands_count_all(self) -> None:
        history = data(np.full(10, 100.0))
        forecast = flat(history, steps=3)
        good = score_series(forecast, TimeSeries("a", forecast.times, np.full(3, 100.0), Grain.DAY), Grain.DAY)
        bad = score_series(forecast, TimeSeries("b", forecast.times, np.full(3, 400.0), Grain.DAY), Grain.DAY)
        assert good is not None
        assert bad is not None
        said = together({TOTAL: good, "b": bad}, headline=TOTAL)
        assert (said["error"], said["coverage_80"]) == (0.0, 0.5)
        assert said["worst"][0]["series"] == "b"


class TestTotalsAndGoals:
    HISTORY = data(np.full(61, 100.0), steps=30)  # September and October 2026; November lies ahead
    NOVEMBER = Period(datetime(2026, 11, 1), datetime(2026, 12, 1), "this month: November")
    AUTUMN = Period(datetime(2026, 10, 1), datetime(2026, 12, 1), "autumn")

    def total(self, period: Period, *, ever: bool = False) -> Any:
        made = ({TOTAL: flat(self.HISTORY, steps=30)},)
        return period_total(self.HISTORY, made, TOTAL, period, unknown_dependence(1), ever=ever)

    def test_what_came_is_counted_and_the_rest_is_forecast(self) -> None:
        found = total_json(self.total(self.AUTUMN), TOTAL, "Total")
        assert (found["known"], found["expected"]) == (3100.0, 6100.0)
        alone = total_json(self.total(self.NOVEMBER), TOTAL, "Total")
        assert (alone["known"], alone["expected"]) == (None, 3000.0)
        assert alone["upper_80"] - alone["expected"] == pytest.approx(found["upper_80"] - found["expected"])
        assert total_json(self.total(self.NOVEMBER, ever=True), TOTAL, "Total")["expected"] == 9100.0

    def asked(self, target: float, direction: str = "at_least") -> Any:
        goal = GoalParams.model_validate({"target": target, "direction": direction})
        params = ForecastParams(metric="revenue", goal=goal)
        made = ({TOTAL: flat(self.HISTORY, steps=30)},)
        plan = Plan(params, 1, period=self.AUTUMN)
        return outlook(self.HISTORY, made, plan, unknown_dependence(1), self.total(self.AUTUMN))

    def test_the_chance_is_a_half_at_what_is_expected_and_the_date_is_in_between(self) -> None:
        middle = self.asked(6100.0)
        assert 0.4 < middle.probability < 0.6
        early = self.asked(4600.0)
        assert early.probability == 0.995
        assert early.reached_at is not None
        assert "2026-11-14" <= early.reached_at[:10] <= "2026-11-16"
        assert early.earliest <= early.reached_at <= early.latest
        assert (self.asked(9000.0).probability, self.asked(9000.0).reached_at) == (0.005, None)

    def test_reached_already_and_not_to_be_exceeded(self) -> None:
        assert self.asked(3000.0).already
        below = self.asked(6100.0, "at_most")
        assert not below.already
        assert below.probability == pytest.approx(1 - self.asked(6100.0).probability, abs=0.02)
        assert self.asked(3000.0, "at_most").probability == 0.005

    def test_the_line_goes_on_from_the_past(self) -> None:
        found = self.asked(6100.0)
        assert found.past[-1]["v"] == 3100.0
        assert found.line[0]["v"] == pytest.approx(3200.0, rel=0.01)
        assert found.line[0]["l"] <= found.line[0]["v"] <= found.line[0]["u"]
