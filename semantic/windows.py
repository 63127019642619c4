"""Time windows made absolute: [start, end) as instants, given `as_of` and the calendar.

All arithmetic is on wall-clock time in the calendar's zone, so a day may be 23 or 25 hours long.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import Invalid
from core.timeseries import Grain
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Absolute, Calendar_, Rolling, Unit, Window

_SUBDAY = {Unit.SECOND: dt.timedelta(seconds=1), Unit.MINUTE: dt.timedelta(minutes=1), Unit.HOUR: dt.timedelta(hours=1)}
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Bounds:
    """[start, end) as aware datetimes in the calendar's zone; None is open. `as_of` inside means the running period is included."""

    start: dt.datetime | None
    end: dt.datetime | None
    label: str
    includes_current: bool = False
    current_is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """A move in time by whole units; negative counts lead to the past."""

    unit: Unit
    count: int


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """Raises: Invalid `bad_time_zone`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"{name!r} is not an IANA time zone such as Europe/Berlin.", code="bad_time_zone") from error


def resolve_window(window: Window, calendar: CatalogCalendar, as_of: dt.datetime, label: str | None = None) -> Bounds:
    """The bounds of `window` seen from `as_of` (aware; naive is taken as UTC).

    Raises: Invalid `bad_window` when the end is not after the start or a date is out of range.
    """
    zone = zone_of(calendar.time_zone)
    now = local_now(calendar, as_of)
    try:
        if isinstance(window, Absolute):
            start, end = _wall(window.start, zone), _wall(window.end, zone)
            words = label or "from the given dates"
        elif isinstance(window, Rolling):
            start, end = _rolling(window, calendar, now)
            words = label or _rolling_words(window)
        else:
            start, end = _calendar(window, calendar, now)
            words = label or _calendar_words(window)
    except (OverflowError, ValueError) as error:
        raise Invalid("The time window lies outside the years 1 to 9999.", code="bad_window") from error
    if start is not None and end is not None and end <= start:
        raise Invalid(f"A time window ends after it starts; found {start} to {end}.", code="bad_window")
    return make_bounds(start, end, words, calendar, now)


def make_bounds(start: dt.datetime | None, end: dt.datetime | None, words: str, calendar: CatalogCalendar, now: dt.datetime) -> Bounds:
    """Bounds from wall-clock ends, with a label that says dates and whether today is inside."""
    inside = (start is None or start <= now) and (end is None or now < end)
    zone = zone_of(calendar.time_zone)
    return Bounds(
        start.replace(tzinfo=zone) if start else None,
        end.replace(tzinfo=zone) if end else None,
        _label(words, start, end, inside),
        includes_current=inside,
        current_is_partial=inside and end is not None,
    )


def local_now(calendar: CatalogCalendar, as_of: dt.datetime) -> dt.datetime:
    """`as_of` as naive wall-clock time in the calendar's zone."""
    aware = as_of if as_of.tzinfo else as_of.replace(tzinfo=dt.UTC)
    return aware.astimezone(zone_of(calendar.time_zone)).replace(tzinfo=None)


def floor_to(moment: dt.datetime, unit: Unit | Grain, calendar: CatalogCalendar, fiscal: bool = False) -> dt.datetime:
    """Start of the unit that holds this wall-clock moment."""
    unit = Unit(unit.value)
    if unit in _SUBDAY:
        second = moment.second if unit is Unit.SECOND else 0
        return moment.replace(microsecond=0, second=second, minute=0 if unit is Unit.HOUR else moment.minute)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit is Unit.DAY:
        return day
    if unit is Unit.WEEK:
        back = day.weekday() if calendar.week_start == "monday" else (day.weekday() + 1) % 7
        return day - dt.timedelta(days=back)
    first = day.replace(day=1)
    offset = calendar.fiscal_year_start_month - 1 if fiscal else 0
    return add_units(first, Unit.MONTH, -((first.month - 1 - offset) % _MONTHS[unit]))


def add_units(moment: dt.datetime, unit: Unit | Grain, count: int) -> dt.datetime:
    """Wall-clock addition; months clamp to the last day (31 January + 1 month = 28 or 29 February)."""
    unit = Unit(unit.value)
    if unit in _SUBDAY:
        return moment + _SUBDAY[unit] * count
    if unit in (Unit.DAY, Unit.WEEK):
        return moment + dt.timedelta(days=count * (7 if unit is Unit.WEEK else 1))
    months = moment.year * 12 + moment.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, 12)
    last = monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def shift_bounds(bounds: Bounds, shift: Shift, words: str, calendar: CatalogCalendar, now: dt.datetime) -> Bounds:
    """Both ends moved by `shift` on the wall clock."""
    start, end = (add_units(end.replace(tzinfo=None), shift.unit, shift.count) if end else None for end in (bounds.start, bounds.end))
    return make_bounds(start, end, words, calendar, now)


def cut_at_complete(
    bounds: Bounds | None, grain: Unit | Grain, calendar: CatalogCalendar, now: dt.datetime, fiscal: bool = False
) -> Bounds:
    """The bounds without the running `grain`: they end where it starts, at the latest."""
    running = floor_to(now, grain, calendar, fiscal).replace(tzinfo=zone_of(calendar.time_zone))
    if bounds is None:
        return Bounds(None, running, f"complete {grain.value}s before {running:%Y-%m-%d}")
    if bounds.end is not None and bounds.end <= running:
        return bounds
    if bounds.start is not None and bounds.start >= running:
        raise Invalid(
            f"The window {bounds.label} holds no complete {grain.value} yet; ask for the running one or an earlier one.", code="bad_window"
        )
    start = bounds.start.replace(tzinfo=None) if bounds.start else None
    cut = make_bounds(start, running.replace(tzinfo=None), bounds.label.split(":")[0], calendar, now)
    return replace(cut, label=f"{cut.label}, complete {grain.value}s only")


def period_shift(window: Window | None, bounds: Bounds) -> Shift:
    """How far back the period of the same length just before lies: in calendar units where the window is made of them, else in days.

    Raises: Invalid `open_window`.
    """
    if isinstance(window, Calendar_):
        return Shift(window.unit, -1)
    if bounds.start is None or bounds.end is None:
        raise Invalid("The previous period of an open-ended window is not defined; give the window both ends.", code="open_window")
    start, end = bounds.start.replace(tzinfo=None), bounds.end.replace(tzinfo=None)
    if isinstance(window, Rolling) and window.unit in _SUBDAY:
        return Shift(Unit.SECOND, -int((end - start).total_seconds()))
    months = (end.year - start.year) * 12 + end.month - start.month
    whole_months = start.day == 1 and end.day == 1 and start.time() == end.time() == dt.time()
    if whole_months and months:
        return Shift(Unit.MONTH, -months)
    if start.time() == end.time() == dt.time():
        return Shift(Unit.DAY, -(end - start).days)
    return Shift(Unit.SECOND, -int((end - start).total_seconds()))


def _wall(moment: dt.datetime | dt.date | None, zone: ZoneInfo) -> dt.datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, dt.datetime):
        return dt.datetime.combine(moment, dt.time())
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def _rolling(window: Rolling, calendar: CatalogCalendar, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    past = window.direction == "past"
    if window.anchor == "now":
        if window.unit in _SUBDAY:
            far = add_units(now, window.unit, -window.count if past else window.count)
            return (far, now) if past else (now, far)
        today = floor_to(now, Unit.DAY, calendar)
        far = add_units(today, window.unit, -window.count if past else window.count)
        day = dt.timedelta(days=1)
        start, end = (far, today + day) if past else (today, far + day)
        return (start if window.inclusive_start else start + day), end
    running = floor_to(now, window.unit, calendar, window.fiscal)
    others = window.count - 1 if window.include_current and window.current_counts else window.count
    following = add_units(running, window.unit, 1)
    if past:
        return add_units(running, window.unit, -others), following if window.include_current else running
    return running if window.include_current else following, add_units(following, window.unit, others)


def _calendar(window: Calendar_, calendar: CatalogCalendar, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    start = add_units(floor_to(now, window.unit, calendar, window.fiscal), window.unit, window.offset)
    end = add_units(start, window.unit, 1)
    if window.to_date:
        tomorrow = floor_to(now, Unit.DAY, calendar) + dt.timedelta(days=1)
        end = min(end, add_units(tomorrow, window.unit, window.offset)) if window.unit not in _SUBDAY else end
    return start, end


def _rolling_words(window: Rolling) -> str:
    side = "last" if window.direction == "past" else "next"
    whole = "complete " if window.anchor == "period" and not window.include_current else ""
    return f"{side} {window.count} {whole}{'fiscal ' if window.fiscal else ''}{window.unit.value}{'s' if window.count > 1 else ''}"


def _calendar_words(window: Calendar_) -> str:
    unit = ("fiscal " if window.fiscal else "") + window.unit.value
    known = {0: f"this {unit}", -1: f"last {unit}", 1: f"next {unit}"}
    words = known.get(window.offset) or f"{abs(window.offset)} {unit}s {'ago' if window.offset < 0 else 'ahead'}"
    return f"{words} to date" if window.to_date else words


def _label(words: str, start: dt.datetime | None, end: dt.datetime | None, inside: bool) -> str:
    first = _moment(start) if start else None
    last = _last(end) if end else None
    if first and last:
        span = first if first == last else f"{first} to {last}"
    else:
        span = f"from {first} on" if first else f"up to {last}" if last else "all time"
    return f"{words}: {span}{', including today' if inside and end is not None else ''}"


def _moment(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == dt.time() else f"{moment:%Y-%m-%d %H:%M}"


def _last(end: dt.datetime) -> str:
    return _moment(end - dt.timedelta(days=1)) if end.time() == dt.time() else f"before {_moment(end)}"
