"""Live error of custom models, and drift of what goes into them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from core.store.model_runs import ModelRun
from core.timeseries import Grain, TimeSeries
from models.conformance.made_up import times, values
from workers.live import Score, drift, score, together

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def run(found: Score | None) -> ModelRun:
    return ModelRun("r", "v", "champion", "m", "day", "j", {}, found.as_json() if found else None, NOW, None)


class TestScore:
    def test_compares_the_steps_that_are_known(self) -> None:
        when = times("day", 4).astype("datetime64[ns]")
        points = {
            "t": [str(t) for t in when.astype("datetime64[ms]")],
            "custom": [1.0, 2.0, 3.0, 4.0],
            "own": [2.0, 3.0, 4.0, 5.0],
            "scale": 2.0,
        }
        actual = TimeSeries("total", when[:3], np.array([1.0, 2.0, np.nan]), Grain.DAY)
        found = score(points, actual)
        assert found is not None
        assert (found.custom, found.own, found.points) == (0.0, 0.5, 2)

    def test_nothing_known_is_none(self) -> None:
        points = {"t": ["2030-01-01T00:00:00.000"], "custom": [1.0], "own": [1.0], "scale": 1.0}
        assert score(points, TimeSeries("total", times("day", 2).astype("datetime64[ns]"), np.ones(2), Grain.DAY)) is None

    @pytest.mark.parametrize(("custom", "points", "breaches"), [(1.0, 10, False), (1.2, 10, False), (1.3, 10, True), (9.0, 4, False)])
    def test_a_quarter_worse_over_enough_steps_breaches(self, custom: float, points: int, breaches: bool) -> None:
        assert Score(custom, 1.0, points).breaches is breaches

    def test_runs_count_by_their_steps(self) -> None:
        found = together([run(Score(1.0, 1.0, 1)), run(None), run(Score(3.0, 1.0, 3))])
        assert found == Score(2.5, 1.0, 4)
        assert together([run(None)]) is None


class TestDrift:
    def test_growth_alone_is_none(self) -> None:
        seen = values(400, 7) * np.linspace(1, 3, 400)
        found = drift(seen, np.arange(400) >= 340, 7)
        assert found is not None
        assert found < 0.25

    def test_wilder_values_are(self) -> None:
        seen = values(400, 7)
        seen[340:] *= 1 + 0.5 * np.random.default_rng(0).standard_normal(60)
        found = drift(seen, np.arange(400) >= 340, 7)
        assert found is not None
        assert found > 0.5

    def test_too_few_values_say_nothing(self) -> None:
        assert drift(values(400, 7), np.arange(400) >= 390, 7) is None
        assert drift(values(5, 7), np.arange(5) >= 3, 7) is None
