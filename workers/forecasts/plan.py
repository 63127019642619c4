"""What exactly is to be forecast: the asked period as dates, the grain to work in, how far."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.errors import UserError
from core.timeseries import Grain
from semantic.catalog.model import Catalog, CatalogCalendar, SimpleMetric
from semantic.expr import Calendar_, FieldRef, Rolling
from semantic.query import Aggregate, AggregateKind, MetricRef
from semantic.windows import Bounds, add_units, floor_to, local_now, resolve_window
from workers.forecasts.formula import Formula
from workers.kinds import ForecastParams

DAYS_AHEAD = 200
"""A period that ends within so many days is forecast by day, which uses all of the running month; later ones by month."""
GOAL_STEPS = {Grain.DAY: 400, Grain.WEEK: 156, Grain.MONTH: 60, Grain.QUARTER: 20, Grain.YEAR: 5, Grain.HOUR: 400, Grain.MINUTE: 400}
"""How far a goal without a period is looked for."""


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) wall-clock; label as asked ("next quarter: 2027-01-01 to 2027-03-31")."""

    start: dt.datetime
    end: dt.datetime
    label: str


@dataclass(frozen=True, slots=True)
class Plan:
    """params: with the grain to work in. horizon_steps at least; until: forecast up to here. period: what the answer is summed to."""

    params: ForecastParams
    horizon_steps: int
    until: dt.datetime | None = None
    period: Period | None = None
    running_total: bool = False


def plan_of(params: ForecastParams, formula: Formula, catalog: Catalog, as_of: dt.datetime) -> Plan:
    """Raises: UserError `period_over`, `open_period`, `bad_period`; Invalid for a bad window."""
    asked = params.goal is not None or params.period is not None
    running = asked and params.running_total is not False and (params.running_total or _accumulates(params, catalog))
    if params.running_total and not formula.adds_up:
        raise UserError("Only counts and sums have a running total.", code="not_forecastable", status=422)
    if params.period is None:
        steps = params.horizon_steps if params.goal is None else max(params.horizon_steps, GOAL_STEPS[params.grain])
        return Plan(params, steps, running_total=running)
    calendar = catalog.calendar
    period = _period(resolve_window(params.period.window, calendar, as_of, params.period.label))
    now = local_now(calendar, as_of)
    if period.end <= now:
        raise UserError(f"The period {period.label} is over; ask what it was instead of forecasting it.", code="period_over", status=422)
    grain = _grain(params, formula, catalog, period, now)
    return Plan(params.model_copy(update={"grain": grain}), 1, until=period.end, period=period, running_total=running)


def _accumulates(params: ForecastParams, catalog: Catalog) -> bool:
    """Whether reaching a number means all there ever were: things are counted ("1 million customers") in the table that lists them."""
    measure = params.asked
    if isinstance(measure, MetricRef):
        metric = catalog.metric(measure.metric)
        if not isinstance(metric, SimpleMetric) or params.metric is not None:
            return False  # a declared flow such as "new customers" is reached within a period
        measure = Aggregate(aggregate=metric.aggregate, dataset=metric.dataset, of=metric.of)
    if not isinstance(measure, Aggregate) or measure.aggregate not in (AggregateKind.COUNT, AggregateKind.COUNT_DISTINCT):
        return False
    keys = {e.dataset: e.key for e in catalog.entities}
    if measure.dataset not in keys:
        return False
    return measure.of is None or (isinstance(measure.of, FieldRef) and (measure.of.field,) == keys[measure.dataset])


def _period(bounds: Bounds) -> Period:
    if bounds.start is None or bounds.end is None:
        raise UserError("A forecast's period needs a start and an end, such as next quarter.", code="open_period", status=422)
    return Period(bounds.start.replace(tzinfo=None), bounds.end.replace(tzinfo=None), bounds.label)


def _grain(params: ForecastParams, formula: Formula, catalog: Catalog, period: Period, now: dt.datetime) -> Grain:
    if not formula.adds_up:
        return _own_grain(params, period, catalog.calendar)
    whole_months = period.start.day == 1 and period.end.day == 1 and period.start.time() == period.end.time() == dt.time()
    coarse = params.metric is not None and catalog.metric(params.metric).default_grain in (Grain.MONTH, Grain.QUARTER, Grain.YEAR)
    if whole_months and (coarse or (period.end - now).days > DAYS_AHEAD):
        return Grain.MONTH
    return Grain.HOUR if (period.end - period.start) < dt.timedelta(days=1) else Grain.DAY


def _own_grain(params: ForecastParams, period: Period, calendar: CatalogCalendar) -> Grain:
    """A measure that cannot be added up is forecast in buckets of the period's own length."""
    window = params.period.window if params.period is not None else None
    units = {g.value for g in (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)}
    if isinstance(window, Calendar_ | Rolling) and window.unit.value in units:
        return Grain(window.unit.value)
    for grain in (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR):
        if floor_to(period.start, grain, calendar) == period.start and add_units(period.start, grain, 1) == period.end:
            return grain
    return params.grain
