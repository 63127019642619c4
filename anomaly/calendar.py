"""Public holidays: a business that rests looks as on a Sunday."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from anomaly.prepare import IntArray
from core.errors import Invalid

MONDAY = date(1970, 1, 5)  # cell 0 of the grid


def sundays_back(grid: IntArray, slots_per_day: int, country: str | None) -> IntArray:
    """(n,) cells back to the same time on the last Sunday where the row lies on a public holiday, else 0.

    Raises: Invalid for a country whose holidays are not known.
    """
    back = np.zeros(len(grid), np.int64)
    if country is None or slots_per_day == 0 or not len(grid):
        return back
    import holidays

    days = np.floor_divide(grid, slots_per_day)
    years = range((MONDAY + timedelta(days=int(days.min()))).year, (MONDAY + timedelta(days=int(days.max()))).year + 1)
    try:
        found = holidays.country_holidays(country.upper(), years=years)
    except NotImplementedError as error:
        raise Invalid(f"Holidays of {country!r} are not known: expected an ISO 3166 code such as 'DE'.", code="bad_country") from error
    off = np.array(sorted((day - MONDAY).days for day in found), np.int64)
    on_holiday = np.isin(days, off)
    back[on_holiday] = (days[on_holiday] % 7 + 1) * slots_per_day
    return back
