"""The tenant's real data that a candidate is tried on: through the guard, with the rights of who registered it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from core.errors import NotEnoughData, UserError
from core.timeseries import Grain
from forecasting.engine import forecast_many
from forecasting.types import Forecast, ForecastInput
from models.gate.backtest import Task
from models.sdk.card import ANY_METRIC, ModelCard
from models.serving import Ready, ready
from semantic.catalog.model import Catalog, CatalogCalendar
from semantic.catalog.visible import visible_to
from semantic.expr import FieldRef
from semantic.query import MetricRef
from workers.context import JobContext
from workers.forecasts.events import event_flags
from workers.jobs.dimensions import telling_dimensions
from workers.jobs.querying import Receipt
from workers.jobs.series import Fetched, fetch_series
from workers.kinds import SeriesParams

HORIZONS = {Grain.HOUR: 48, Grain.DAY: 28, Grain.WEEK: 12, Grain.MONTH: 6, Grain.QUARTER: 4, Grain.YEAR: 2, Grain.MINUTE: 60}
MAX_SEGMENTS = 5
MAX_SEGMENT_VALUES = 12
METRICS_OF_ANY = 3
G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class Ground:
    """One metric to compare on. series: the total first, then the largest segments, all ending with the same whole bucket."""

    metric: str
    grain: Grain
    series: tuple[Ready, ...]
    fetched: Fetched
    zone: str | None

    @property
    def receipt(self) -> Receipt:
        return self.fetched.receipt

    def task(self, card: ModelCard, champion_label: str) -> Task:
        calendar = self.fetched.catalog.calendar
        steps = min(card.horizon, HORIZONS[self.grain])
        return Task(self.metric, self.grain, steps, card.min_history, self.series, calendar.country, self.zone, champion_label)


def metrics_of(catalog: Catalog, card: ModelCard) -> tuple[str, ...]:
    """The metrics to compare on: the card's; for a model of all metrics three, certified ones first."""
    if card.metric != ANY_METRIC:
        return (card.metric,)
    shown = [metric for metric in catalog.metrics if not metric.hidden]
    return tuple(metric.name for metric in sorted(shown, key=lambda m: not m.certified)[:METRICS_OF_ANY])


def fetch_ground(context: JobContext, card: ModelCard, metric: str, *, segments: bool = True) -> Ground:
    """Raises: UserError for what cannot be asked; NotEnoughData without a value; Unavailable."""
    grain = Grain(card.grains[0])
    catalog = visible_to(context.services.catalog(context.tenant), context.principal)
    fields = _segments(catalog, metric) if segments else ()
    fetched = fetch_series(context, SeriesParams(metric=metric, grain=grain, segments=fields, max_series=MAX_SEGMENTS))
    zone = catalog.calendar.time_zone if grain in (Grain.MINUTE, Grain.HOUR) else None
    grids = [ready(ForecastInput(one, 1, as_of=context.as_of, country=catalog.calendar.country, time_zone=zone)) for one in fetched.series]
    total = grids[0]
    return Ground(metric, grain, (total, *(_onto(total, one) for one in grids[1:])), fetched, zone)


def own_engine(calendar: CatalogCalendar, inputs: Sequence[ForecastInput]) -> list[Forecast]:
    """What Querent's own forecast job would say, with the calendar's events."""
    return forecast_many([_with_events(calendar, item) for item in inputs])


def _with_events(calendar: CatalogCalendar, item: ForecastInput) -> ForecastInput:
    if item.series.grain is None or item.future_times is None:
        return item
    flags = event_flags(calendar.events, item.series.times, item.future_times, item.series.grain)
    past, ahead = {name: pair[0] for name, pair in flags.items()}, {name: pair[1] for name, pair in flags.items()}
    return replace(item, regressors=past, future_regressors=ahead)


def _segments(catalog: Catalog, metric: str) -> tuple[FieldRef, ...]:
    """The nearest category with few values, or none."""
    for ref in telling_dimensions(catalog, MetricRef(metric=metric), (), 5):
        field = next((f for f in catalog.dataset(ref.dataset).fields if f.name == ref.field), None)
        values = (field.cardinality if field.cardinality is not None else len(field.values)) if field else 0
        if 1 < values <= MAX_SEGMENT_VALUES:
            return (ref,)
    return ()


def _onto(total: Ready, one: Ready) -> Ready:
    """A segment on the total's grid; NaN where it has nothing."""
    values = np.full(len(total.times), np.nan)
    place = np.searchsorted(total.times, one.times)
    inside = (place < len(total.times)) & (total.times[np.minimum(place, len(total.times) - 1)] == one.times)
    values[place[inside]] = one.values[inside]
    return Ready(one.name, total.times, values, total.ahead)


def usable(context: JobContext, card: ModelCard, fetch: Callable[[JobContext, ModelCard, str], G]) -> list[G]:
    """What `fetch` gives for each of the card's metrics that has data. Raises: NotEnoughData when none has; UserError when the card's metric cannot be asked."""
    catalog = visible_to(context.services.catalog(context.tenant), context.principal)
    names = metrics_of(catalog, card)
    found: list[G] = []
    last: UserError | None = None
    for name in names:
        try:
            found.append(fetch(context, card, name))
        except UserError as error:
            if card.metric != ANY_METRIC:
                raise
            last = error
    if not found:
        raise NotEnoughData("No metric of the catalog has data to compare on.", code="no_rows") from last
    return found
