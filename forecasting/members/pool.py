"""The members, in the order of their cost."""

from __future__ import annotations

from forecasting.members.additive_prophet import is_worth_it, prophet
from forecasting.members.autoregression import autoregression, is_long
from forecasting.members.averaged_smoothing import averaged_smoothing
from forecasting.members.direct_regression import direct_regression
from forecasting.members.intermittent import croston, is_intermittent, teunter_syntetos_babai
from forecasting.members.last_year import is_second_year, last_year
from forecasting.members.level_regression import level_regression
from forecasting.members.member import Member
from forecasting.members.naive import naive, recent_mean, repeat_season, seasonal_naive, seasonal_naive_short, short_season
from forecasting.members.pretrained import is_foreseen, pretrained
from forecasting.members.recent_shape import recent_shape
from forecasting.members.smoothing import classical_theta, complex_smoothing, damped_trend, dynamic_theta, level, on_adjusted, trend
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


def _is_slow(series: Prepared) -> bool:
    """Weeks or longer: a trend seen in days or hours does not last. On days, damped trend and theta were two thirds of all members' time, and
    without them errors were 0 to 1 % less on generated days and hours and on two public sets."""
    return series.step.approximate_seconds > 6 * 86_400 and series.y.shape[0] >= 8


def _eight_points(series: Prepared) -> bool:
    return bool(series.y.shape[0] >= 8)


def _forty_points(series: Prepared) -> bool:
    return bool(series.y.shape[0] >= 40)


def _has_classical_season(series: Prepared) -> bool:
    """Is the season that of months or quarters? Days and hours have several, which one decomposition does not see."""
    return series.step.months > 0 and series.y.shape[0] >= 8


POOL: tuple[Member, ...] = (
    Member("naive", naive, _always),
    Member("seasonal_naive", seasonal_naive, _has_season),
    Member("seasonal_naive_short", seasonal_naive_short, _has_two_seasons),
    Member("recent_mean", recent_mean, _is_within_week),
    Member("recent_shape_3", recent_shape(3), _is_within_week),
    Member("recent_shape_7", recent_shape(7), _is_within_week),
    Member("direct_regression_3", direct_regression(3), _is_within_week),
    Member("direct_regression_8", direct_regression(8), _is_within_week),
    Member("direct_regression_week", direct_regression(8, long_seasons=True), _has_two_seasons),
    Member("last_year", last_year, is_second_year),
    Member("level_regression", level_regression, _forty_points),
    Member("croston", croston, is_intermittent),
    Member("teunter_syntetos_babai", teunter_syntetos_babai, is_intermittent),
    Member("level", on_adjusted(level), _eight_points),
    Member("complex_smoothing", on_adjusted(complex_smoothing), _eight_points),
    Member("autoregression", autoregression, is_long),
    Member("averaged_smoothing", averaged_smoothing, _is_slow),
    Member("damped_trend", on_adjusted(damped_trend), _is_slow),
    Member("trend", on_adjusted(trend), _is_slow),
    Member("dynamic_theta", on_adjusted(dynamic_theta), _is_slow),
    Member("classical_theta", classical_theta, _has_classical_season),
    Member("pretrained", pretrained, is_foreseen),
)

THOROUGH_POOL: tuple[Member, ...] = (*POOL, Member("prophet", prophet, is_worth_it))
"""With Prophet, which takes as long as all others together."""
