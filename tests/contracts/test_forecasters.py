"""Every member of the pool is found here and run through the same checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.timeseries import FloatArray, TimeSeries
from forecasting.backtests import points
from forecasting.members.member import Member
from forecasting.members.pool import THOROUGH_POOL
from forecasting.prepare import Prepared, prepare
from forecasting.types import ForecastInput

H = 10


def prepared(y: FloatArray, *, unit: str = "D", horizon: int = H, **options: Any) -> Prepared:
    times = (np.datetime64("2023-01-02", unit) + np.arange(len(y))).astype("datetime64[ns]")
    return prepare(ForecastInput(TimeSeries("s", times, np.asarray(y, dtype=np.float64)), horizon, **options))


def seasonal(n: int = 300, seed: int = 0) -> FloatArray:
    at = np.arange(n)
    return np.asarray(100 + 15 * np.sin(2 * np.pi * at / 7) + np.random.default_rng(seed).normal(0, 2, n))


def intermittent(n: int = 300) -> FloatArray:
    rng = np.random.default_rng(0)
    return np.where(rng.random(n) < 0.4, rng.poisson(4, n), 0).astype(np.float64)


SERIES = {
    "seasonal": seasonal(),
    "short": seasonal(12),
    "constant": np.full(60, 5.0),
    "zeros": np.zeros(60),
    "negative": seasonal() - 200,
    "huge": seasonal() * 1e15,
    "tiny": seasonal() * 1e-12,
    "intermittent": intermittent(),
    "gaps": np.where(np.arange(300) % 11 < 3, np.nan, seasonal()),
    "one spike": np.where(np.arange(300) == 150, 1e6, seasonal()),
    "level shift": seasonal() + 80 * (np.arange(300) > 250),
    "trend": np.arange(200.0),
}
SLOW = ("averaged_smoothing", "damped_trend", "trend", "dynamic_theta", "classical_theta", "pretrained")
members = pytest.mark.parametrize("member", THOROUGH_POOL, ids=lambda m: m.name)


def said(member: Member, series: Prepared) -> FloatArray | None:
    return points(series, (member,)).get(member.name)


def unit_of(member: Member) -> str:
    """Months for members that are not asked about days."""
    return "M" if member.name in SLOW else "D"


class TestEveryMember:
    @members
    @pytest.mark.parametrize("name", SERIES)
    def test_gives_finite_points_of_the_horizon_or_stays_out(self, member, name):
        series = prepared(SERIES[name], unit=unit_of(member))
        point = said(member, series)
        if point is None:
            return
        assert point.shape == (H,)
        assert np.isfinite(point).all()
        known = series.raw[np.isfinite(series.raw)]
        assert np.abs(point - np.median(known)).max() <= 4.5 * (known.max() - known.min()) + 1e-9 * np.abs(known).max()

    @members
    def test_speaks_where_it_applies(self, member):
        series = prepared(intermittent() if "croston" in member.name or "teunter" in member.name else seasonal(), unit=unit_of(member))
        if member.name in ("seasonal_naive_short", "direct_regression_week"):
            series = prepared(seasonal(24 * 21), unit="h")
        if member.name == "prophet":
            series = prepared(SERIES["gaps"])
        if member.name == "last_year":
            series = prepared(seasonal(500))
        assert member.applies(series)
        assert said(member, series) is not None

    @members
    def test_is_deterministic(self, member):
        series = prepared(seasonal(), unit=unit_of(member))
        first, second = said(member, series), said(member, series)
        assert (first is None and second is None) or np.array_equal(first, second)

    @members
    def test_does_not_change_its_input(self, member):
        series = prepared(seasonal(), unit=unit_of(member))
        before = series.y.copy(), series.filled.copy()
        said(member, series)
        np.testing.assert_array_equal(series.y, before[0])
        np.testing.assert_array_equal(series.filled, before[1])

    @members
    def test_does_not_look_ahead(self, member):
        y = seasonal()
        other = y.copy()
        other[250:] += 1000
        cut, same = (prepared(values, unit=unit_of(member)).cut(250) for values in (y, other))
        first, second = said(member, cut), said(member, same)
        assert (first is None and second is None) or np.array_equal(first, second)

    @members
    def test_follows_the_unit(self, member):
        one, thousand = (said(member, prepared(seasonal() * unit, unit=unit_of(member))) for unit in (1, 1000))
        if one is not None and thousand is not None:
            np.testing.assert_allclose(thousand, one * 1000, rtol=0.02)

    @members
    def test_is_better_than_nothing_on_an_easy_series(self, member):
        at = np.arange(310)
        easy = 100 + 15 * np.sin(2 * np.pi * at / (12 if member.name in SLOW else 7))
        point = said(member, prepared(easy[:300], unit=unit_of(member)))
        if point is not None and member.name != "naive":
            assert np.abs(point - easy[300:]).mean() < 9.55
