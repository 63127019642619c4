"""What a dated event did to a metric: a structural model of its days with a regressor for the event."""

from __future__ import annotations

import datetime as dt
import math
import warnings

import numpy as np

from core.timeseries import FloatArray
from insights.looks.made import made
from insights.past import Days, Event, MetricPast
from insights.periods import period_of
from insights.types import Evidence, Fact

MAX_EVENTS = 3  # per metric: a fit takes about half a second
MAX_DAYS = 240
MIN_BEFORE = 56
LEAST = 0.01  # of the metric


def look_at_events(past: MetricPast) -> list[Fact]:
    """One fact per event that touches the last period."""
    period = past.periods[-1]
    if past.days is None or period.start is None or period.end is None:
        return []
    first, last = period.start.date(), (period.end - dt.timedelta(seconds=1)).date()
    near = [e for e in past.events if e.start <= last and (e.end >= first or (e.lasting and (first - e.start).days <= 31))]
    return [fact for event in near[:MAX_EVENTS] if (fact := effect_fact(past, past.days, event)) is not None]


def effect_fact(past: MetricPast, days: Days, event: Event) -> Fact | None:
    found = event_effect(days, event)
    if found is None:
        return None
    relative, test, share_of_days = found
    start = dt.datetime.combine(event.start, dt.time())
    end = dt.datetime.combine(min(event.end, days.last), dt.time()) + dt.timedelta(days=1)
    value = float(np.nansum(_inside(days, event) * np.nan_to_num(days.values)))
    rate = past.kind == "rate"
    usual = value / max(int(_inside(days, event).sum()), 1) / (1 + relative) if rate else value / (1 + relative)
    effect = usual * relative if rate else relative
    size = min(1.0, abs(relative)) * (1.0 if abs(relative) >= LEAST else 0.0) * min(1.0, 0.5 + share_of_days)
    impact = usual * relative
    return made(
        past, "event_effect", {"effect": effect}, test, size, impact, names=(event.name,), period=period_of(start, end, event.name),
        receipts=days.receipts,
    )  # fmt: skip


def event_effect(days: Days, event: Event) -> tuple[float, Evidence, float] | None:
    """(relative effect, test, share of days inside): of a local level with a weekly season and the event as a regressor, on logarithms.

    None without eight weeks before it or without a day inside. Source: Harvey (1989), as statsmodels' UnobservedComponents.
    """
    values = days.values[-MAX_DAYS:]
    inside = _inside(days, event)[-MAX_DAYS:]
    if not inside.any() or int(np.argmax(inside)) < MIN_BEFORE or not np.isfinite(values).all() or (values <= 0).any():
        return None
    from statsmodels.tools.sm_exceptions import ConvergenceWarning
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    logs = np.log(values)
    centre = float(logs.mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        model = UnobservedComponents(logs - centre, level="local level", seasonal=7, exog=inside.astype(np.float64), mle_regression=True)
        fit = model.fit(disp=False, maxiter=60)
    place = fit.model.param_names.index("beta.x1")
    beta, p = float(fit.params[place]), float(fit.pvalues[place])
    if not math.isfinite(beta) or not math.isfinite(p):
        return None
    return (
        math.expm1(beta),
        Evidence("z of the event in a structural model", float(fit.zvalues[place]), p, len(values)),
        float(inside.mean()),
    )


def _inside(days: Days, event: Event) -> FloatArray:
    """(n,) 1 on the event's days."""
    n = len(days.values)
    first = n - 1 - (days.last - event.start).days
    last = n - 1 if event.lasting else n - 1 - (days.last - event.end).days
    at = np.arange(n)
    return np.asarray((at >= first) & (at <= last), np.float64)
