"""Questions about the future as parameters of a forecast job: the period to sum up, the goal, the scenario."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rapidfuzz import fuzz, process

from api.catalogs import VisibleCatalog
from api.investigations import job_params
from api.services import Services
from core.errors import Invalid, UserError
from core.formats import current
from core.principal import Principal
from core.store import goals
from core.store.goals import Goal
from core.timeseries import Grain
from nlq.chips import chips_of, paraphrase
from nlq.outlook import Outlook, find_outlook, find_period
from nlq.types import Intent, Reading, Understanding
from nlq.wording import Wording
from nlq.written_numbers import as_usual
from semantic.catalog.model import Catalog, RatioMetric
from semantic.expr import Absolute, Rolling, Window
from semantic.query import ByTime, MetricRef, SemanticQuery
from semantic.windows import add_units, floor_to, local_now, resolve_window
from workers.forecasts.goal_params import goal_params

CHOICES = 4
SURE = 88  # of 100: a driver's name with a typo
_STEPS = re.compile(
    r"\b(?:by|per|each|every|a)\s+(?:hour|day|week|month|quarter|year)\b(?!\s*-?end)|\b(?:hourly|daily|weekly|monthly|quarterly|yearly)\b",
    re.IGNORECASE,
)


def forecast_params(
    services: Services, principal: Principal, catalog: Catalog, reading: Reading, question: str, as_of: dt.datetime
) -> dict[str, Any]:
    """What the forecast job of this reading is to do. Raises: Invalid; UserError `unknown_driver`, `no_goal`."""
    query, question = reading.query, as_usual(question, current())
    asked = find_outlook(question)
    period = find_period(question, as_of, catalog.calendar)
    if asked is not None and asked.asks_goal and asked.target is None:
        return goal_params(_stored_goal(services, principal, catalog, query, as_of))
    own_grain = next((g.grain for g in query.by if isinstance(g, ByTime)), None)
    params = job_params("forecast", query, catalog, reading.horizon_steps)
    grain = Grain(params["grain"])
    if period is not None and _is_one_figure(period[0], question):
        params["period"] = _window(period[0], period[1], services, catalog, as_of)
    elif period is not None:
        params["horizon_steps"] = _steps_until(period[0], grain, catalog, as_of)
    if asked is None:
        return params
    if asked.asks_goal and asked.target is not None:
        params["goal"] = {"target": _scaled(asked, query, catalog), "direction": "at_most" if asked.at_most else "at_least"}
        params["running_total"] = True if asked.total else None
        if "period" not in params and own_grain is None:
            params["grain"] = (Grain.DAY if asked.total or _counts_entities(query, catalog) else Grain.MONTH).value
            params["horizon_steps"] = 1
    if asked.scenario is not None:
        params["scenario"] = {"driver": driver_named(asked.scenario.driver, catalog), "change_percent": asked.scenario.change_percent}
    return params


def with_measure(
    services: Services, principal: Principal, visible: VisibleCatalog, question: str, understood: Understanding, as_of: dt.datetime
) -> Understanding:
    """A goal question that names no measure ("are we on track for 5M this year?"): the stored goal it fits, else which measure is meant."""
    asked = find_outlook(as_usual(question, current()))
    if understood.outcome != "refuse" or understood.unknown or asked is None or not asked.asks_goal:
        return understood
    catalog = visible.catalog
    day = local_now(catalog.calendar, as_of).date()
    known = [g for g in _seen_goals(services, principal, catalog, day) if asked.target is None or g.asked.target == asked.target]
    names = list(dict.fromkeys(g.asked.metric for g in known))
    if not names and asked.target is None:
        return replace(understood, message="There is no goal yet. Set one, or ask with a number, such as: will revenue reach 5M this year?")
    if not names:
        shown = [m for m in catalog.metrics if not m.hidden and (isinstance(m, RatioMetric) == asked.is_percent)]
        names = [m.name for m in sorted(shown, key=lambda m: (not m.certified, m.good_direction != "up"))][:CHOICES]
    readings = tuple(_reading(name, visible) for name in names[:CHOICES])
    if not readings:
        return understood
    return replace(
        understood,
        outcome="answer" if len(readings) == 1 and known else "clarify",
        readings=readings,
        message="Which measure is the goal about?",
        suggestions=(),
    )


def driver_named(words: str, catalog: Catalog) -> str:
    """The metric that these words name. Raises: UserError `unknown_driver` with the nearest metrics."""
    names = {
        name.strip().lower().replace("_", " "): m.name for m in catalog.metrics if not m.hidden for name in (m.name, m.label, *m.synonyms)
    }
    wanted = words.strip().lower().replace("_", " ").removeprefix("the ").removeprefix("our ")
    if wanted in names:
        return names[wanted]
    typo = process.extractOne(wanted, names.keys(), scorer=fuzz.ratio, score_cutoff=SURE)  # a part of a name is no typo of it
    if typo is not None:
        return names[typo[0]]
    near = process.extract(wanted, names.keys(), scorer=fuzz.WRatio, limit=3)
    raise UserError(
        f"I know no metric {words[:60]!r} that could be changed in a scenario.",
        code="unknown_driver",
        status=422,
        suggestions=list(dict.fromkeys(names[n] for n, _, _ in near)),
    )


def _stored_goal(services: Services, principal: Principal, catalog: Catalog, query: SemanticQuery, as_of: dt.datetime) -> Goal:
    measure = query.metrics[0] if query.metrics else None
    name = measure.metric if isinstance(measure, MetricRef) else None
    day = local_now(catalog.calendar, as_of).date()
    found = [g for g in _seen_goals(services, principal, catalog, day) if g.asked.metric == name]
    if not found:
        label = catalog.metric(name).label if name else "this measure"
        raise UserError(
            f"There is no goal for {label} yet. Set one, or ask with a number, such as: will {label} reach 5M this year?",
            code="no_goal",
            status=422,
        )
    return min(found, key=lambda g: (g.asked.starts_on > day, g.asked.ends_on))


def _seen_goals(services: Services, principal: Principal, catalog: Catalog, day: dt.date) -> Sequence[Goal]:
    visible = {m.name for m in catalog.metrics}
    with services.store.read() as connection:
        return [g for g in goals.list_all(connection, principal.tenant, on=day, limit=1000) if g.asked.metric in visible]


def _reading(metric: str, visible: VisibleCatalog) -> Reading:
    query = SemanticQuery(metrics=(MetricRef(metric=metric),))
    chips = chips_of(query, Wording(visible.catalog), Intent.FORECAST, {})
    return Reading(Intent.FORECAST, query, chips, 0.6, paraphrase(chips))


def _is_one_figure(window: Window, question: str) -> bool:
    """Whether one figure of the whole window is asked, not its steps ("next quarter", but neither "by month next year" nor "next 3 months")."""
    return not _STEPS.search(question) and not (isinstance(window, Rolling) and window.count > 1)


def _window(window: Window, label: str, services: Services, catalog: Catalog, as_of: dt.datetime) -> dict[str, Any]:
    """The job counts from now; a question that counts as asked on another day gets its window as dates."""
    if as_of.date() != services.clock.now().date():
        bounds = resolve_window(window, catalog.calendar, as_of)
        if bounds.start is not None and bounds.end is not None:
            window = Absolute(start=bounds.start.date(), end=bounds.end.date())
    return {"window": window.model_dump(mode="json"), "label": label}


def _steps_until(window: Window, grain: Grain, catalog: Catalog, as_of: dt.datetime) -> int:
    """Steps of `grain` from the running one to the end of the window."""
    end = resolve_window(window, catalog.calendar, as_of).end
    if end is None:
        raise Invalid("A forecast needs an end, such as next quarter.", code="open_period")
    start = floor_to(local_now(catalog.calendar, as_of), grain, catalog.calendar)
    count = 1
    while add_units(start, grain, count) < end.replace(tzinfo=None) and count < 1000:
        count += 1
    return count


def _scaled(asked: Outlook, query: SemanticQuery, catalog: Catalog) -> float:
    measure = query.metrics[0] if query.metrics else None
    metric = catalog.metric(measure.metric) if isinstance(measure, MetricRef) else None
    target = float(asked.target or 0.0)
    return target / 100 if asked.is_percent and metric is not None and metric.format == "percent" else target


def _counts_entities(query: SemanticQuery, catalog: Catalog) -> bool:
    measure = query.metrics[0] if query.metrics else None
    return (
        measure is not None
        and not isinstance(measure, MetricRef)
        and getattr(measure, "dataset", "") in {e.dataset for e in catalog.entities}
    )
