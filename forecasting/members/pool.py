"""The members, in the order of their cost."""

from __future__ import annotations

from forecasting.members.member import Member
from forecasting.members.naive import naive, repeat_season, seasonal_naive
from forecasting.members.smoothing import complex_smoothing, dynamic_theta, ets, on_adjusted
from forecasting.prepare import Prepared


def _always(series: Prepared) -> bool:
    return True


def _has_season(series: Prepared) -> bool:
    return repeat_season(series) > 1


def _eight_points(series: Prepared) -> bool:
    return bool(series.y.shape[0] >= 8)


POOL: tuple[Member, ...] = (
    Member("naive", naive, _always),
    Member("seasonal_naive", seasonal_naive, _has_season),
    Member("dynamic_theta", on_adjusted(dynamic_theta), _eight_points),
    Member("ets", on_adjusted(ets), _eight_points),
    Member("complex_smoothing", on_adjusted(complex_smoothing), _eight_points),
)
