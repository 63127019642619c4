"""A figure asked of a time that has not come ("revenue next month"): its forecast, where the data know nothing of that time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from api import schemas
from core.errors import Invalid
from nlq.types import Intent, Reading
from nlq.understand import Understander
from semantic.catalog.model import CatalogCalendar
from semantic.query import SemanticQuery
from semantic.windows import local_now, resolve_window


def is_ahead(query: SemanticQuery, answer: schemas.Answer, calendar: CatalogCalendar, as_of: dt.datetime) -> bool:
    """Whether all of the asked time is to come and no row tells of it (bookings to come do)."""
    if query.time is None or query.compare is not None or not query.metrics:
        return False
    try:
        start = resolve_window(query.time.window, calendar, as_of).start
    except Invalid:
        return False
    if start is None or start.replace(tzinfo=None) <= local_now(calendar, as_of):
        return False
    figures = [i for i, column in enumerate(answer.columns) if column.role == "measure"]
    return not any(row[i] for row in answer.rows or () for i in figures)


def forecast_instead(understander: Understander, reading: Reading, question: str, as_of: dt.datetime) -> Reading | None:
    """The forecast of the same figures; None where that is understood as anything else."""
    found = understander.understand(f"forecast {question}", as_of=as_of)
    ahead = found.readings[0] if found.outcome == "answer" and found.readings else None
    if ahead is None or ahead.intent is not Intent.FORECAST or ahead.query.metrics != reading.query.metrics:
        return None
    return replace(ahead, chips=tuple(replace(c, span=None) for c in ahead.chips))
