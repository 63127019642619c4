"""The members, in the order of their cost."""

from __future__ import annotations

from forecasting.members.autoregression import autoregression, is_long
from forecasting.members.intermittent import croston, is_intermittent, teunter_syntetos_babai
from forecasting.members.member import Member
from forecasting.members.naive import naive, recent_mean, repeat_season, seasonal_naive, seasonal_naive_short, short_season
from forecasting.members.smoothing import complex_smoothing, damped_trend, dynamic_theta, level, on_adjusted
from forecasting.prepare import Prepared


def _always(series: Prepared) -> bool:
    return True


def _has_season(series: Prepared) -> bool:
    return repeat_season(series) > 1


def _is_within_week(series: Prepared) -> bool:
    """Is there a season of a day or a week? A mean over years would say little."""
    season = short_season(series)
    return season > 1 and season * series.step.approximate_seconds <= 8 * 86_400


def _has_two_seasons(series: Prepared) -> bool:
    return _is_within_week(series) and short_season(series) < repeat_season(series)


def _eight_points(series: Prepared) -> bool:
    return bool(series.y.shape[0] >= 8)


POOL: tuple[Member, ...] = (
    Member("naive", naive, _always),
    Member("seasonal_naive", seasonal_naive, _has_season),
    Member("seasonal_naive_short", seasonal_naive_short, _has_two_seasons),
    Member("recent_mean", recent_mean, _is_within_week),
    Member("croston", croston, is_intermittent),
    Member("teunter_syntetos_babai", teunter_syntetos_babai, is_intermittent),
    Member("level", on_adjusted(level), _eight_points),
    Member("complex_smoothing", on_adjusted(complex_smoothing), _eight_points),
    Member("autoregression", autoregression, is_long),
    Member("damped_trend", on_adjusted(damped_trend), _eight_points),
    Member("dynamic_theta", on_adjusted(dynamic_theta), _eight_points),
)
