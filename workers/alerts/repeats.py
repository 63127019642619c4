"""Rows that were loaded twice look like a rise: what their keys say, asked only when a bucket has far more rows than it usually has."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import AppError
from core.timeseries import Grain
from insights.wording import begun
from insights.wording import bucket as bucket_name
from semantic.catalog.model import Dataset
from semantic.catalog.visible import visible_to
from semantic.expr import Expr, FieldRef, Text
from semantic.query import Aggregate, AggregateKind, SemanticQuery, TimeWindow
from workers.alerts.events import Event
from workers.alerts.history import History, RowCounts, as_utc, stretch, usual_rows
from workers.alerts.rule import AnyRule
from workers.alerts.timing import BUCKET
from workers.jobs.querying import Asking, run_query

log = logging.getLogger(__name__)
MANY_MORE = 1.3  # than the same slot of the weeks before; a table loaded twice has 2
REPEATED_SHARE = 0.2  # of the rows share their key with another; a key that is one has none
ELSEWHERE_SHARE = 0.05  # before, where keys repeat by nature
BUCKETS_BEFORE = 7
LATELY = 3  # buckets: what is older was told long ago
MAX_LOOKS = 4  # of one rule and run


@dataclass(frozen=True, slots=True)
class Keys:
    """Rows of a stretch, and how many different keys they have."""

    rows: float
    different: float

    @property
    def repeated_share(self) -> float:
        return 1.0 - self.different / self.rows if self.rows else 0.0


def repeats(asking: Asking, rule: AnyRule, history: History, found: Sequence[Event]) -> dict[dt.datetime, str | None]:
    """By the last bucket of each event, a sentence about a table whose rows are there twice, or None. What cannot be asked is left out: no
    alert waits for it."""
    said: dict[dt.datetime, str | None] = {event.end: None for event in found}
    looks = 0
    newest = max((rows.times[-1] for rows in history.rows if len(rows.times)), default=None)
    if newest is None or rule.grain is Grain.MONTH:
        return said
    since = as_utc(newest) - LATELY * BUCKET[Grain(rule.grain)]
    for at in sorted({event.end for event in found if event.end >= since and event.main.kind not in ("missing_data", "flat_line")}):
        for rows in history.rows:
            if looks < MAX_LOOKS and has_many_more(rows, at, history.grain):
                looks += 1
                try:
                    said[at] = said[at] or _sentence(asking, rows.dataset, at, Grain(rule.grain))
                except AppError as error:
                    log.info("keys of %s cannot be counted: %s", rows.dataset, error.code)
    return said


def has_many_more(rows: RowCounts, at: dt.datetime, grain: Grain) -> bool:
    """The bucket has so many rows more than usual that some may be there twice."""
    found, usual = usual_rows(rows, np.datetime64(at.replace(tzinfo=None), "ns"), grain)
    return bool(len(usual)) and found >= MANY_MORE * float(np.median(usual))


def twice(now: Keys, before: Keys) -> bool:
    """Rows share their keys as they did not before.

    >>> twice(Keys(200, 100), Keys(700, 700)), twice(Keys(200, 200), Keys(700, 700)), twice(Keys(200, 100), Keys(700, 350))
    (True, False, False)
    """
    return now.repeated_share >= REPEATED_SHARE and before.rows > 0 and before.repeated_share <= ELSEWHERE_SHARE


def _sentence(asking: Asking, name: str, at: dt.datetime, grain: Grain) -> str | None:
    """Raises: UserError for a key that cannot be asked for; Unavailable."""
    catalog = asking.services.catalog(asking.tenant)
    table = catalog.dataset(name)
    key = _key(table)
    if key is None:
        return None
    step = BUCKET[grain]
    now, before = (_counted(asking, name, key, stretch(grain, *ends)) for ends in ((at, at + step), (at - BUCKETS_BEFORE * step, at)))
    if not twice(now, before):
        return None
    when = bucket_name(at, grain.value)
    return f"{begun(table.label)} of {when}: {now.rows:,.0f} rows, but only {now.different:,.0f} different keys."


def _key(table: Dataset) -> Expr | None:
    fields = tuple(FieldRef(dataset=table.name, field=name) for name in table.primary_key if name != table.tenant_column)
    if not fields:
        return None
    return fields[0] if len(fields) == 1 else Text(function="concat", of=fields[0], others=fields[1:])


def _counted(asking: Asking, name: str, key: Expr, window: TimeWindow) -> Keys:
    catalog = asking.services.catalog(asking.tenant)
    measures = (
        Aggregate(aggregate=AggregateKind.COUNT, dataset=name, alias="rows"),
        Aggregate(aggregate=AggregateKind.COUNT_DISTINCT, dataset=name, of=key, alias="different"),
    )
    query = SemanticQuery(metrics=measures, time=window)
    result = run_query(asking, catalog, visible_to(catalog, asking.principal), query).result
    row = next(iter(result.rows()))
    rows, different = (row[i] for i, c in enumerate(result.columns) if c.role == "measure")
    return Keys(float(rows or 0), float(different or 0))
