"""An alert rule as a form: what the fields say becomes a definition; what the form does not show stays as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from api.web.forms import Fields
from core.errors import Invalid
from core.formats import current
from core.timeseries import Grain
from core.typed_numbers import typed
from semantic.catalog.model import Catalog, FieldRole
from semantic.query import ByField, ByTime, MetricRef, SemanticQuery
from workers.alerts.rule import (
    MOST_TOGETHER,
    AnomalyRule,
    AnyRule,
    ForecastRule,
    GoalRule,
    NoDataRule,
    ThresholdRule,
    as_definition,
    parse_rule,
)

GRAINS = ("hour", "day", "week", "month")
EVERY = {"15": "every 15 minutes", "60": "every hour", "360": "every 6 hours", "1440": "once a day"}
KINDS = {
    "anomaly": ("Something unusual", "Querent learns what is normal and tells you when it is not."),
    "threshold": ("A limit is crossed", "Above or below a figure that you set."),
    "forecast_breach": ("A forecast is missed", "The figure leaves the range that your own forecasts gave for it before."),
    "goal": ("Behind a goal", "The month or quarter falls behind its pace."),
    "no_data": ("No data", "Nothing arrived."),
}
_RULES: Mapping[str, type[BaseModel]] = {
    "anomaly": AnomalyRule, "threshold": ThresholdRule, "forecast_breach": ForecastRule, "goal": GoalRule, "no_data": NoDataRule,
}  # fmt: skip
MAX_SENSITIVITY = 60.0


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str


def default_rule(catalog: Catalog, metric: str = "", query: SemanticQuery | None = None) -> AnyRule:
    """What a new rule begins with: an anomaly rule on the metric, with the filter, grain and group of the answer it comes from."""
    made: dict[str, Any] = {"kind": "anomaly"}
    known = [m for m in catalog.metrics if not m.hidden]
    if not known:
        raise Invalid("The catalog has no metric to watch.", code="no_metric")
    if query is not None:
        named = [m.metric for m in query.metrics if isinstance(m, MetricRef)]
        grain = next((g.grain.value for g in query.by if isinstance(g, ByTime)), None)
        fields = [g.field.model_dump(mode="json") for g in query.by if isinstance(g, ByField) and g.bins is None]
        made |= {
            "metric": named[0] if named else "",
            "where": query.where.model_dump(mode="json") if query.where is not None else None,
            "segments": fields[:2],
        }
        if grain in GRAINS:
            made["grain"] = grain
    chosen = made.get("metric") or metric
    made["metric"] = chosen if any(m.name == chosen for m in known) else next((m.name for m in known if m.certified), known[0].name)
    if "grain" not in made:
        usual = catalog.metric(made["metric"]).default_grain or Grain.DAY
        made["grain"] = usual.value if usual.value in GRAINS else Grain.DAY.value
    return parse_rule(made)


def definition_of(form: Fields) -> dict[str, Any]:
    """The definition that the fields say. `base`: the definition the form was made of, as JSON. Raises: Invalid."""
    base = _base(form("base"))
    kind = form("kind", "anomaly")
    if kind not in KINDS:
        raise Invalid(f"There is no kind of rule {kind[:20]!r}.", code="bad_rule")
    made = {name: value for name, value in base.items() if name in _RULES[kind].model_fields}
    if base.get("metric") != form("metric"):
        made.pop("where", None)
    made |= {"kind": kind, "metric": form("metric"), "grain": form("grain", "day")}
    if base.get("kind") != kind:
        made.pop("direction", None)  # of a limit and of no data the form asks for none
    made["segments"] = [_field(text) for text in dict.fromkeys(form.all("segments")) if text]
    made["schedule"] = {"every_minutes": form.whole("every_minutes", "How often", 60), "at": form("at") or None}
    made["min_volume"] = form.number("min_volume", "Smallest volume") or 0.0
    if form.has("quiet_start") or form.has("quiet_end"):
        made["quiet_hours"] = [{"start": form("quiet_start"), "end": form("quiet_end")}, *list(base.get("quiet_hours") or [])[1:]]
    else:
        made["quiet_hours"] = []
    return made | _of_kind(kind, form)


def _of_kind(kind: str, form: Fields) -> dict[str, Any]:
    if kind == "anomaly":
        return {
            "direction": form("direction", "both"),
            "sensitivity": form.measured("sensitivity", "Sensitivity") or AnomalyRule.model_fields["sensitivity"].default,
            "min_effect_share": (form.number("min_effect_percent", "Smallest effect") or 0.0) / 100,
            "yearly": form.has("yearly"),
            "together": _together(form),
        }
    if kind == "threshold":
        return {
            "upper": form.number("upper", "Above"),
            "lower": form.number("lower", "Below"),
            "buckets": form.whole("buckets", "In a row", 1),
        }
    if kind == "forecast_breach":
        return {
            "level": form.whole("level", "The range", 95),
            "direction": form("breach_direction", "both"),
            "buckets": form.whole("breach_buckets", "In a row", 1),
        }
    if kind == "no_data":
        return {"buckets": form.whole("silent_buckets", "In a row", 1)}
    return {
        "goal": form.number("goal", "The goal") or 0.0,
        "period": form("period", "month"),
        "tolerance": (form.number("tolerance_percent", "Tolerance") or 90.0) / 100,
        "direction": form("goal_direction", "down"),
        "grain": "day",
    }


def _together(form: Fields) -> list[str]:
    """The other metrics that are chosen. Raises: Invalid."""
    chosen = [name for name in dict.fromkeys(form.all("together")) if name and name != form("metric")]
    if len(chosen) > MOST_TOGETHER:
        raise Invalid(f"Judged together with: choose up to {MOST_TOGETHER} metrics; found {len(chosen)}.", code="bad_rule")
    return chosen


def shown(rule: AnyRule) -> dict[str, Any]:
    """The rule's values under the names of the form's fields."""
    made = as_definition(rule)
    first = rule.quiet_hours[0] if rule.quiet_hours else None
    usual = AnomalyRule.model_fields["sensitivity"].default
    return made | {
        "base": json.dumps(made),
        "sensitivity": getattr(rule, "sensitivity", usual),
        "max_sensitivity": max(MAX_SENSITIVITY, getattr(rule, "sensitivity", usual)),
        "min_effect_percent": _typed(getattr(rule, "min_effect_share", 0.0) * 100),
        "yearly": getattr(rule, "yearly", True),
        "upper": _typed(getattr(rule, "upper", None)),
        "lower": _typed(getattr(rule, "lower", None)),
        "buckets": getattr(rule, "buckets", 1),
        "together": list(getattr(rule, "together", ())),
        "level": getattr(rule, "level", 95),
        "goal": _typed(getattr(rule, "goal", None)),
        "period": getattr(rule, "period", "month"),
        "tolerance_percent": _typed(getattr(rule, "tolerance", 0.9) * 100),
        "every_minutes": str(rule.schedule.every_minutes),
        "at": rule.schedule.at or "",
        "quiet_start": first.start if first else "",
        "quiet_end": first.end if first else "",
        "min_volume": _typed(rule.min_volume or None),
        "segments": [f"{s.dataset}.{s.field}" for s in rule.segments],
    }


def segment_options(catalog: Catalog) -> list[Option]:
    """The categories that a rule can also watch one by one."""
    found: list[Option] = []
    for dataset in catalog.datasets:
        if dataset.hidden:
            continue
        for field in dataset.fields:
            if field.role is FieldRole.CATEGORY and not field.hidden and not field.pii:
                found.append(Option(f"{dataset.name}.{field.name}", f"{field.label} ({dataset.label})"))
    return sorted(found, key=lambda o: o.label.casefold())


def _base(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Invalid("The form was changed on its way; open the rule again.", code="bad_form") from error
    if not isinstance(found, Mapping):
        raise Invalid("The form was changed on its way; open the rule again.", code="bad_form")
    return dict(found)


def _field(text: str) -> dict[str, str]:
    dataset, dot, field = text.partition(".")
    if not dot:
        raise Invalid(f"Expected dataset.field; found {text[:60]!r}.", code="bad_field")
    return {"dataset": dataset, "field": field}


def _typed(value: float | None) -> str:
    return "" if value is None else typed(float(f"{value:.10g}"), current())
