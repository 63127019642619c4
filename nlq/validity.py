""" "Valid on 3 May": rows that say from when to when they hold, in two dates of one name."""

from __future__ import annotations

import datetime as dt

from nlq.frame import Condition
from nlq.text import words_of
from semantic.catalog.model import Catalog, FieldType
from semantic.expr import Absolute, And, FieldRef, InWindow, IsNull, Not, Or, Predicate
from semantic.windows import resolve_window, zone_of

_FROM = frozenset("from start starts begin begins since".split())
_TO = frozenset("to end ends until till through thru".split())
_DATES = (FieldType.DATE, FieldType.DATETIME)


def holding(condition: Condition, field: FieldRef, catalog: Catalog, as_of: dt.datetime) -> Predicate | None:
    """That rows hold at some time of the condition's window; None where what was said ("valid from", "delivered") is one date.

    An end that is not known has not come yet.
    """
    said, time = condition.mention.unit if condition.mention is not None else None, condition.time
    stem = tuple(words_of(said.text.lower())) if said is not None else ()
    if time is None or not stem or set(stem) & (_FROM | _TO):
        return None
    dates = [f for f in catalog.dataset(field.dataset).fields if f.type in _DATES and not f.hidden]
    named = {f.name: tuple(words_of(f.label.lower())) for f in dates}
    starts = [name for name, words in named.items() if words[:-1] == stem and words[-1] in _FROM]
    ends = [name for name, words in named.items() if words[:-1] == stem and words[-1] in _TO]
    if len(starts) != 1 or len(ends) != 1 or field.field not in (starts[0], ends[0]):
        return None
    bounds = resolve_window(time.window, catalog.calendar, as_of)
    zone = zone_of(catalog.calendar.time_zone)
    start, end = (FieldRef(dataset=field.dataset, field=name) for name in (starts[0], ends[0]))
    begun: Predicate = InWindow(field=start, window=Absolute(end=_plain(bounds.end, zone)))
    over: Predicate = InWindow(field=end, window=Absolute(start=_plain(bounds.start, zone)))
    if catalog.field(end).nullable:
        over = Or(items=(over, IsNull(field=end)))
    holds = And(items=(begun, over))
    return Not(item=holds) if condition.negate else holds


def _plain(moment: dt.datetime | None, zone: dt.tzinfo) -> dt.datetime | dt.date | None:
    """A midnight as its day, as people write it."""
    local = moment.astimezone(zone) if moment is not None else None
    return local.date() if local is not None and local.time() == dt.time() else moment
