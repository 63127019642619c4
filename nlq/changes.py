"""Growth and change: beside a window of one step they compare that window with the one before; over several steps they run along time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from itertools import pairwise

from nlq.ends import settle_ends
from nlq.frame import Condition, Frame, MovedItem, MovedOrder
from nlq.phrases import WEEKDAYS
from nlq.predicates import Unbuildable
from nlq.timing.arithmetic import floor, shift, window_bounds
from nlq.timing.feasts import feasts, plain
from nlq.timing.phrases import TimePhrase
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Absolute, Calendar_, Rolling, Unit, Window
from semantic.query import ComparePeriod, Having, Measure, SemanticQuery

_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
_A_YEAR = {"day": 365, "week": 52, "month": 12, "quarter": 4}
_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "=", "!=": "!="}


def settle_changes(frame: Frame, as_of: dt.datetime, calendar: CatalogCalendar) -> None:
    """Turns growth into a comparison where the window is a single step of it ("yoy growth in Q1 2026"). Changes `frame`, a composer's own."""
    changes = [t for t in frame.transforms if t.kind in ("growth", "difference")]
    settle_ends(frame, as_of, stepped=not changes)
    _settle_periods(frame, as_of, calendar)
    if (frame.moved or frame.moved_order is not None) and any(t.grain == "year" for t in changes) and not frame.measures[1:]:
        # "grew the most yoy": the last whole month against that of the year before, where no period is named.
        frame.compare, frame.grain = "same_period_last_year", None
        frame.times = frame.times or [TimePhrase(0, 0, Calendar_(unit=Unit.MONTH, offset=-1), "last month")]
    if not frame.times and frame.compare is None and frame.grain in _A_YEAR and any(t.grain == "year" for t in changes):
        # "revenue by month yoy": each of the last twelve against the same one a year before, rather than against the one before it.
        unit, count = Unit(frame.grain), _A_YEAR[frame.grain]
        frame.compare = "same_period_last_year"
        frame.times = [TimePhrase(0, 0, Rolling(unit=unit, count=count, anchor="period"), f"last {count} {unit.value}s")]
        frame.grain_implied = False
    if (frame.moved or frame.moved_order is not None) and frame.compare is None:
        frame.compare = "previous_period"
    if frame.compare == "previous_period" and not frame.times and frame.grain is None and not frame.cycle:
        # No period is named: the last whole month against the one before it.
        frame.times = [TimePhrase(0, 0, Calendar_(unit=Unit.MONTH, offset=-1), "last month")]
    if changes and frame.times and frame.compare is None:
        frame.times = [_as_calendar(frame.times[0], as_of, calendar) or frame.times[0], *frame.times[1:]]
        frame.compare = _comparison(frame, next((t.grain for t in changes if t.grain), None), as_of, calendar)
    if changes and frame.compare is not None and frame.limit_asked and frame.rank_by:
        # "top 3 regions by revenue growth": the change ranks.
        frame.moved_order = MovedOrder(not frame.ascending_top)
        frame.measures, frame.rank_by = [*frame.measures, *frame.rank_by], []
    if frame.moved_order is not None and frame.rank_by:
        frame.measures, frame.rank_by = [*frame.measures, *frame.rank_by], []
    if changes and frame.compare is not None:
        frame.transforms = [t for t in frame.transforms if t not in changes]
        if frame.grain_implied:
            frame.grain = None
    if frame.compare in ("previous_period", "same_period_last_year") and frame.times and _runs(frame.times[0]):
        # Half a year is held against the same half of the year before.
        frame.times = [_to_date(frame.times[0]), *frame.times[1:]]


def like_with_like(query: SemanticQuery, as_of: dt.datetime, calendar: CatalogCalendar) -> SemanticQuery:
    """A comparison that a follow-up asks for, as one question would read it: a running period goes with the same stretch of the one before."""
    compare, time = query.compare, query.time
    if not isinstance(compare, ComparePeriod) or time is None:
        return query
    main, to = TimePhrase(0, 0, time.window, time.label or ""), compare.to
    if to == "window" and compare.window is not None:
        if (_runs(main) or _runs_to_date(main)) and _one_before(main, compare.window):
            to = "previous_period"
        elif _is_last_year(compare.window) and (_days(main, as_of, calendar) or _DAYS["year"]) <= _DAYS["quarter"]:
            to = "same_period_last_year"
    if to not in ("previous_period", "same_period_last_year"):
        return query
    main = _to_date(main) if _runs(main) else main
    shown = time.changed(window=main.window, label=main.label or None)
    return query.model_copy(update={"compare": ComparePeriod(to=to), "time": shown})


def _is_last_year(window: Window) -> bool:
    return isinstance(window, Calendar_) and (window.unit.value, window.offset) == ("year", -1)


def _settle_periods(frame: Frame, as_of: dt.datetime, calendar: CatalogCalendar) -> None:
    """Several periods: the one after "versus" is compared with; "2024 and 2025" next to each other are both shown."""
    if frame.compare == "vs" and frame.versus is None and len(frame.times) == 2 and not frame.compare_values:
        # "compare this year and last year": the running one is held against the other.
        if _runs(frame.times[1]) and _one_before(frame.times[1], frame.times[0].window):
            frame.times = [frame.times[1], frame.times[0]]
        frame.versus = frame.times[1]
    if frame.compare == "vs" and frame.versus is not None:
        others = [t for t in frame.times if t is not frame.versus]
        against = frame.versus.window
        main = others[0] if others else _present(frame.versus)
        if main is None:
            return
        running = _running(main, frame.versus, as_of, calendar) or (others and _running(frame.versus, main, as_of, calendar))
        if running:
            frame.compare, frame.times = running
            return
        if main.window == against:
            # "summer vs last summer", where the last one is meant both times: the one of the year before.
            frame.compare, frame.times = "same_period_last_year" if isinstance(against, Absolute) else "previous_period", [main]
            return
        if (_runs(main) or _runs_to_date(main)) and _one_before(main, against):
            frame.compare, frame.times = "previous_period", [main]
            return
        days = _days(main, as_of, calendar)
        if _is_last_year(against) and days is not None and days <= _DAYS["quarter"]:
            frame.compare, frame.times = "same_period_last_year", [main]
        elif not others:
            frame.compare = (
                "same_period_last_year" if isinstance(against, Calendar_) and against.unit.value == "year" else "previous_period"
            )
            frame.times = [main]
        else:
            frame.times = [main, frame.versus]
    elif frame.compare is None and len({t.window for t in frame.times}) > 1:
        if _inside(frame, as_of, calendar):
            return
        listed = _side_by_side(frame.times, as_of, calendar)
        if listed is None:
            _settle_apart(frame, as_of, calendar)
            return
        if frame.grain is None:
            frame.grain = next((name for name, most in _DAYS.items() if (listed[1] - listed[0]).days / len(frame.times) <= most), "year")
        window = Absolute(start=listed[0], end=listed[1])
        frame.times = [replace(frame.times[0], window=window, label=" and ".join(t.label for t in frame.times))]


def _running(main: TimePhrase, against: TimePhrase, as_of: dt.datetime, calendar: CatalogCalendar) -> tuple[str, list[TimePhrase]] | None:
    """ "2026 vs 2025" within 2026: what has passed of the running period, and the same stretch of the one just before or a year before."""
    now = None if _WHOLE.search(f"{main.label} {against.label}") else _as_calendar(main, as_of, calendar)
    if now is None or not isinstance(now.window, Calendar_):
        return None
    unit, to = now.window.unit, window_bounds(against.window, as_of, calendar)
    for compare, before in (
        ("previous_period", _shifted(now, unit, as_of, calendar)),
        ("same_period_last_year", _shifted(now, Unit.YEAR, as_of, calendar)),
    ):
        if to == before:
            return compare, [now]
    return None


def _as_calendar(phrase: TimePhrase, as_of: dt.datetime, calendar: CatalogCalendar) -> TimePhrase | None:
    """The running month, quarter or year, named by its number ("2026" within 2026), as the one that runs; None for any other period."""
    start, end = window_bounds(phrase.window, as_of, calendar)
    unit = _unit_of(start, end, calendar) if isinstance(phrase.window, Absolute) and start is not None and end is not None else None
    if unit is None or unit is Unit.DAY or start is None or end is None or not start <= as_of.date() < end:
        return None
    return replace(phrase, window=Calendar_(unit=unit))


def _shifted(phrase: TimePhrase, unit: Unit, as_of: dt.datetime, calendar: CatalogCalendar) -> tuple[dt.date | None, dt.date | None]:
    start, end = window_bounds(phrase.window, as_of, calendar)
    return (shift(start, unit, -1) if start is not None else None, shift(end, unit, -1) if end is not None else None)


def _of_week(phrase: TimePhrase, first: dt.date, last: dt.date) -> Absolute | None:
    """ "Monday last week": that day of the week [first, last)."""
    name = _BEFORE_A_DAY.sub("", phrase.label).lower()
    if name not in WEEKDAYS or (last - first).days != 7:
        return None
    day = first + dt.timedelta(days=(WEEKDAYS.index(name) - first.weekday()) % 7)
    return Absolute(start=day, end=day + dt.timedelta(days=1))


_BEFORE_A_DAY = re.compile(r"^(?:(?:and|on|at|over|during|for|in|the)\s+)+", re.IGNORECASE)
_WHOLE = re.compile(r"\b(?:all|full|whole|entire|complete)\b", re.IGNORECASE)


def _inside(frame: Frame, as_of: dt.datetime, calendar: CatalogCalendar) -> bool:
    """ "Black Friday last year", "Easter sales this year": of two periods the one inside the other. Raises: Unbuildable when they stand side by side
    with no word between and neither is.
    """
    times = frame.times
    joined = len(times) == 2 and times[1].label.lower().split()[:1] in (["and"], ["or"], ["&"])
    if len(times) != 2 or joined or isinstance(times[0].window, Calendar_ | Rolling):
        return False
    beside = times[0].end == times[1].start
    bounds = [window_bounds(t.window, as_of, calendar) for t in times]
    (start, end), (first, last) = bounds
    if start is None or end is None or first is None or last is None:
        return False
    feast = _of_year(times[0], first, last, calendar) or _of_week(times[0], first, last)
    if feast is not None:
        frame.times = [
            replace(times[0], window=feast, end=times[1].end if beside else times[0].end, label=f"{times[0].label} {times[1].label}")
        ]
        return True
    if not first <= start < end <= last:
        if not beside:
            return False
        raise Unbuildable("Two periods are named that have no day in common.")
    frame.times = [replace(times[0], end=times[1].end if beside else times[0].end, label=f"{times[0].label} {times[1].label}")]
    return True


def _of_year(phrase: TimePhrase, first: dt.date, last: dt.date, calendar: CatalogCalendar) -> Absolute | None:
    """The days of a feast in the year [first, last) that is named apart from it; None for other periods."""
    if (first.month, first.day) != (1, 1) or last != dt.date(first.year + 1, 1, 1):
        return None
    days = feasts(calendar, first.year).get(plain(_BEFORE_A_DAY.sub("", phrase.label)))
    return Absolute(start=days[0], end=days[1]) if days is not None else None


def _settle_apart(frame: Frame, as_of: dt.datetime, calendar: CatalogCalendar) -> None:
    """ "in January and in March": rows in any of the windows, each period shown when all are of one length."""
    spans = [_days(t, as_of, calendar) for t in frame.times]
    if any(s is None for s in spans):
        raise Unbuildable("several periods at once")
    grains = {next((name for name, most in _DAYS.items() if (s or 0) <= most), "year") for s in spans}
    if frame.grain is None and not frame.cycle and len(grains) == 1 and (frame.measures or frame.outputs):
        frame.grain = grains.pop()
    unique = list({t.window: t for t in frame.times}.values())
    frame.conditions = [*frame.conditions, *(Condition("time", None, time=t, or_previous=n > 0) for n, t in enumerate(unique))]
    frame.times = []


def _present(phrase: TimePhrase) -> TimePhrase | None:
    """The running period that "versus last month" is held against when no other is named."""
    window = phrase.window
    if not isinstance(window, Calendar_) or window.offset >= 0:
        return None
    now = window.model_copy(update={"offset": 0, "to_date": True})
    return replace(phrase, window=now, label=f"this {window.unit.value} to date")


def _runs(phrase: TimePhrase) -> bool:
    """Whether a phrase names the running period as a whole ("this year")."""
    return (
        isinstance(phrase.window, Calendar_)
        and phrase.window.offset == 0
        and not phrase.window.to_date
        and phrase.window.unit.value != "day"
    )


def _runs_to_date(phrase: TimePhrase) -> bool:
    return isinstance(phrase.window, Calendar_) and phrase.window.offset == 0 and phrase.window.to_date


def _one_before(phrase: TimePhrase, against: Window) -> bool:
    window = phrase.window
    return (
        isinstance(window, Calendar_)
        and isinstance(against, Calendar_)
        and (against.unit, against.offset, against.fiscal) == (window.unit, window.offset - 1, window.fiscal)
    )


def _to_date(phrase: TimePhrase) -> TimePhrase:
    window = phrase.window
    if not isinstance(window, Calendar_) or window.unit.value == "day":
        return phrase
    return replace(phrase, window=window.model_copy(update={"to_date": True}), label=f"{phrase.label} to date")


def _days(phrase: TimePhrase, as_of: dt.datetime, calendar: CatalogCalendar) -> int | None:
    start, end = window_bounds(phrase.window, as_of, calendar)
    return (end - start).days if start is not None and end is not None else None


def _side_by_side(times: list[TimePhrase], as_of: dt.datetime, calendar: CatalogCalendar) -> tuple[dt.date, dt.date] | None:
    """From the first to the last of periods that follow each other without a gap, or None."""
    bounds = sorted({window_bounds(t.window, as_of, calendar) for t in times}, key=str)
    for (_, end), (start, _) in pairwise(bounds):
        if end is None or end != start:
            return None
    first, last = bounds[0][0], bounds[-1][1]
    return (first, last) if first is not None and last is not None else None


def _comparison(frame: Frame, grain: str | None, as_of: dt.datetime, calendar: CatalogCalendar) -> str | None:
    start, end = window_bounds(frame.times[0].window, as_of, calendar)
    if start is None or end is None:
        return None
    days = (end - start).days
    stated = None if frame.grain_implied else frame.grain
    if grain == "year":
        return "same_period_last_year" if days <= _DAYS["year"] or stated not in (None, "year") else None
    if grain is not None:
        return "previous_period" if days <= _DAYS[grain] else None
    whole = isinstance(frame.times[0].window, Calendar_) or _unit_of(start, end, calendar) is not None
    return "previous_period" if stated is None and (frame.groups or frame.limit_asked or days <= _DAYS["month"] or whole) else None


def _unit_of(start: dt.date, end: dt.date, calendar: CatalogCalendar) -> Unit | None:
    """The calendar unit that these days are one of."""
    units = (Unit(name) for name in _DAYS)
    return next((u for u in units if floor(start, u, calendar, False) == start and shift(start, u, 1) == end), None)


def runs_past(frame: Frame, as_of: dt.datetime, calendar: CatalogCalendar) -> bool:
    """Whether the window reaches beyond now, so that empty buckets in it are not yet there rather than empty."""
    if not frame.times:
        return False
    end = window_bounds(frame.times[0].window, as_of, calendar)[1]
    return end is not None and end > as_of.date() + dt.timedelta(days=1)


def moved_having(item: MovedItem, measure: Measure) -> Having:
    """ "fell more than 20 %": the change in percent lies below -20."""
    op, value = (item.op, item.value) if item.rising else (_MIRRORED[item.op], -item.value or 0.0)
    return Having(measure=measure, op=op, value=value, change="percent" if item.percent else "difference")
