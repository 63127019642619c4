"""Below an hour what lasts for some rows is stranger than a row that stays alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anomaly import State
from anomaly.kernel import enter
from anomaly.memory import ROWS, empty, seasons
from anomaly.persistence import persistent
from core.timeseries import FloatArray, TimeArray

AT = 4000
SEEDS = (1, 2, 3)


def rows(step_s: int, seed: int) -> tuple[TimeArray, FloatArray]:
    rng = np.random.default_rng(seed)
    t = (pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(5000) * step_s, unit="s")).to_numpy("datetime64[ns]")
    return t, 100.0 + 20.0 * np.sin(np.arange(5000) * step_s / 86_400 * 2 * np.pi) + rng.normal(0, 2.0, 5000)


def highest(step_s: int, seed: int, lasts: int) -> float:
    """The highest score of an event of that many rows."""
    t, y = rows(step_s, seed)
    y[AT : AT + lasts] += 16.0
    return float(np.nanmax(State(step_s).update(t, y)[AT : AT + lasts]))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_lasts_is_stranger_than_what_stays_alone(seed: int) -> None:
    assert highest(60, seed, 5) > highest(60, seed, 1) + 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hour_is_all_that_there_may_be_of_an_event(seed: int) -> None:
    assert highest(3600, seed, 1) > highest(300, seed, 1) + 0.5


def test_nothing_has_lasted_yet_after_a_gap() -> None:
    m = empty(seasons(60))
    alone = persistent(m, 4.0)
    for row in range(1, 6):
        m.scalars[ROWS] = row
        lasted = persistent(m, 4.0)
    m.scalars[ROWS] = 300
    enter(m, 5000)
    assert (alone, lasted) == (0.5 * 4.0 + 0.5 * (4.0 - 4 * 2.0) / 5, 4.0)
    assert persistent(m, 4.0) == alone
