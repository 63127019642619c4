"""The backtest and the gate: same folds for all, fresh candidates in time order, each criterion with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.errors import NotEnoughData
from core.timeseries import Grain
from forecasting.types import Forecast, ForecastInput
from models.conformance.made_up import times, values
from models.gate.backtest import LEVEL, Backtest, SeriesScore, Task, origins, run
from models.gate.injected import FALSE_ALARMS, inject, recall
from models.gate.verdict import judge, paired_p
from models.serving import Ready

GOOD = Backtest(
    metric="revenue",
    grain="day",
    horizon_steps=28,
    champion="own",
    folds=tuple(f"fold {k}" for k in range(8)),
    by_fold=tuple((0.5 + 0.01 * k, 0.7 + 0.01 * k, 0.9) for k in range(8)),
    series=(SeriesScore("total", 0.5, 0.7, 0.9),),
    coverage_80=0.8,
    coverage_95=0.95,
    champion_coverage_80=0.8,
    leveled=0.5,
    plain=0.5,
    seconds_per_series=0.1,
    peak_bytes=10**8,
    plot={},
)


class TestOrigins:
    def test_folds_spread_over_a_year_ascending(self) -> None:
        found = origins(900, 28, Grain.DAY, 60)
        assert len(found) == 8
        assert found[-1] == 872
        assert list(found) == sorted(found)
        assert 300 < found[-1] - found[0] <= 365

    def test_short_histories_have_folds_that_overlap_less_than_three_quarters(self) -> None:
        found = origins(160, 28, Grain.DAY, 30)
        assert min(np.diff(found)) >= 7

    @pytest.mark.parametrize("n", [40, 80])
    def test_too_few_rows_are_refused_with_what_is_needed(self, n: int) -> None:
        with pytest.raises(NotEnoughData, match=f"there are {n}") as caught:
            origins(n, 28, Grain.DAY, 30)
        assert caught.value.code == "too_few_rows"


def forecasts(inputs: Sequence[ForecastInput], factor: float = 1.0, learned: dict[str, float] | None = None) -> list[Forecast]:
    made = []
    for item in inputs:
        assert item.future_times is not None
        mean = np.resize(item.series.values[-7:], len(item.future_times)) * factor
        if learned is not None:
            mean = np.array([learned[str(t)] for t in item.future_times])
        wide = np.full(len(mean), 10.0)
        bounds = {80: mean - wide, 95: mean - 2 * wide}, {80: mean + wide, 95: mean + 2 * wide}
        made.append(Forecast(item.series.series_id, item.future_times, mean, *bounds, model="m"))
    return made


class TestBacktest:
    def task(self, n: int = 500, series: int = 2) -> Task:
        ready = tuple(
            Ready(f"s{k}", times("day", n).astype("datetime64[ns]"), values(n, 7, seed=k), np.empty(0, "datetime64[ns]"))
            for k in range(series)
        )
        return Task("revenue", Grain.DAY, 14, 30, ready, None, None, "own")

    def test_nobody_is_given_what_comes_later_and_candidates_are_fresh(self) -> None:
        seen: list[tuple[str, int]] = []

        def candidate(inputs: Sequence[ForecastInput]) -> Sequence[Forecast]:
            seen.append(("asked", len(inputs[0].series)))
            assert all(item.future_times is not None and item.series.times[-1] < item.future_times[0] for item in inputs)
            return forecasts(inputs)

        run(self.task(), candidate, forecasts, fresh=lambda: seen.append(("fresh", 0)), peak_bytes=lambda: 0)
        lengths = [length for what, length in seen if what == "asked"]
        assert lengths[:8] == sorted(lengths[:8])
        assert seen[0][0] == "fresh"
        assert all(seen[place - 1][0] == "fresh" for place, (what, _) in enumerate(seen) if what == "asked")

    def test_the_same_forecasts_have_the_same_errors(self) -> None:
        found = run(self.task(), forecasts, forecasts, fresh=lambda: None, peak_bytes=lambda: 7)
        assert all(ours == theirs for ours, theirs, _ in found.by_fold)
        assert found.peak_bytes == 7
        assert found.leveled == pytest.approx(found.plain)
        assert not judge(found).passed

    def test_numbers_learned_by_heart_show_at_another_level(self) -> None:
        task = self.task()
        learned = {str(t): v for t, v in zip(task.series[0].times, task.series[0].values, strict=True)}

        def cheat(inputs: Sequence[ForecastInput]) -> Sequence[Forecast]:
            return forecasts(inputs, learned=learned)

        found = run(replace(task, series=task.series[:1]), cheat, forecasts, fresh=lambda: None, peak_bytes=lambda: 0)
        assert found.plain == pytest.approx(0.0)
        assert found.leveled > 1.0
        assert any("known by heart" in reason for reason in judge(found).reasons)

    def test_level_is_not_one(self) -> None:
        assert LEVEL != 1.0


class TestVerdict:
    def test_a_better_one_passes(self) -> None:
        assert judge(GOOD).passed
        assert judge(GOOD).reasons == ()

    @pytest.mark.parametrize(
        ("change", "failed"),
        [
            ({"by_fold": tuple((0.695, 0.7, 0.9) for _ in range(8))}, ["Better than who serves now"]),
            ({"by_fold": tuple((0.9, 0.7, 0.95) for _ in range(8))}, ["Better than who serves now", "Better by more than chance"]),
            ({"by_fold": ((0.1, 0.9, 0.9), *((0.71, 0.7, 0.9) for _ in range(7)))}, ["Better by more than chance"]),
            ({"by_fold": tuple((0.5, 0.7, 0.4) for _ in range(8))}, ["Better than repeating the last season"]),
            ({"coverage_80": 0.4}, ["80 % intervals hold"]),
            ({"coverage_80": 1.0}, ["80 % intervals hold"]),
            ({"coverage_95": 0.7}, ["95 % intervals hold"]),
            ({"series": (SeriesScore("total", 0.5, 0.7, 0.9), SeriesScore("APAC", 0.9, 0.7, 0.9))}, ["No segment much worse"]),
            ({"seconds_per_series": 9.0}, ["Quick enough"]),
            ({"peak_bytes": 3 * 1024**3}, ["Small enough"]),
            ({"leveled": 2.0}, ["Follows the history it is given"]),
        ],
    )
    def test_each_criterion_refuses_for_itself(self, change: dict[str, object], failed: list[str]) -> None:
        verdict = judge(replace(GOOD, **change))  # type: ignore[arg-type]
        assert [item.name for item in verdict.criteria if not item.passed] == failed
        assert all("was required; found" in reason for reason in verdict.reasons)

    def test_no_difference_is_chance(self) -> None:
        assert paired_p([0.0] * 8) == 1.0
        assert paired_p([0.1, 0.2]) == 1.0
        assert paired_p([0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.25, 0.15]) < 0.01


class TestInjected:
    def test_events_lie_in_the_last_half_and_are_large(self) -> None:
        one = Ready("a", times("day", 400).astype("datetime64[ns]"), values(400, 7), np.empty(0, "datetime64[ns]"))
        changed, rows = inject(one, 7, seed=3)
        assert len(rows) == 6
        assert rows.min() >= 200
        assert (changed.values[rows] != one.values[rows]).all()
        assert np.delete(changed.values, rows) == pytest.approx(np.delete(one.values, rows))

    def test_recall_counts_what_is_above_usual_rows(self) -> None:
        score = np.zeros(1000)
        rows = np.array([600, 700, 800, 900])
        score[rows[:3]] = 5.0
        assert recall(score, rows) == 0.75
        assert recall(np.full(1000, np.nan), rows) == 0.0
        assert 0 < FALSE_ALARMS < 0.1
