"""How busy a day is: growth, the year, the week, and shopping days."""

from __future__ import annotations

import datetime as dt
import math

from workers.demo.world import Category, World


def black_friday(year: int) -> dt.date:
    """The day after the fourth Thursday of November."""
    first = dt.date(year, 11, 1)
    return first + dt.timedelta(days=(3 - first.weekday()) % 7 + 22)


def holiday_factor(day: dt.date) -> float:
    """How much busier (or quieter) a shop is on this date than on an ordinary day of its season."""
    friday = black_friday(day.year)
    if day == friday:
        return 2.6
    if friday < day <= friday + dt.timedelta(days=3):
        return 1.9
    if day.month == 12 and 5 <= day.day <= 20:
        return 1.35
    if day.month == 12 and day.day in (25, 26):
        return 0.45
    if day.month == 1 and day.day == 1:
        return 0.5
    return 1.0


def demand(world: World, day: dt.date, start: dt.date) -> float:
    """Sessions of the day relative to the world's average at its start; without noise."""
    years = (day - start).days / 365.25
    trend = math.pow(1 + world.yearly_growth, years)
    angle = 2 * math.pi * (day.timetuple().tm_yday - 15) / 365.25
    year = 1 - 0.13 * math.sin(angle) + 0.06 * math.cos(2 * angle)
    week = (world.weekend_factor if day.weekday() >= 5 else 1.0) * (1.06 if day.weekday() == 0 else 1.0)
    return trend * year * week * holiday_factor(day)


def category_season(category: Category, day: dt.date) -> float:
    """A category sells most around its peak month."""
    distance = 2 * math.pi * (day.month - category.peak_month) / 12
    return 1 + 0.22 * math.cos(distance)
