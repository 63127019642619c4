"""A query as chips (its parts, for people to see and edit) and as one sentence."""

from __future__ import annotations

from collections.abc import Mapping

from core.formats import current
from nlq.types import Chip, Intent, Span
from nlq.wording import Wording, said, where_said
from semantic.expr import And, Predicate
from semantic.query import Aggregate, ByEntity, ByField, CompareGroup, ComparePeriod, Having, Measure, MetricRef, SemanticQuery

_TRANSFORMS = {
    "share": "share of total",
    "running_total": "running total",
    "moving_average": "moving average",
    "moving_sum": "rolling total",
    "growth": "growth in percent",
    "difference": "change",
    "rank": "rank",
    "lag": "previous value",
}


def chips_of(query: SemanticQuery, wording: Wording, intent: Intent, spans: Mapping[str, Span]) -> tuple[Chip, ...]:
    """Chips in reading order. `spans`: places in the question by catalog object (`metric:revenue`, `field:countries.country`, `time`)."""
    chips: list[Chip] = []
    if intent is not Intent.ASK:
        chips.append(Chip("intent", intent.value, "", spans.get("intent")))
    for i, measure in enumerate(query.metrics):
        source = _source(measure)
        chips.append(Chip("metric", wording.measure(measure), f"/metrics/{i}", spans.get(source or ""), source))
    if query.rows_of is not None:
        source = f"dataset:{query.rows_of}"
        chips.append(Chip("entity", wording.plural(query.rows_of), "/rows_of", spans.get(source), source))
        for i, output in enumerate(query.fields):
            name = f"field:{output.expr.dataset}.{output.expr.field}" if output.expr.kind == "field" else None
            chips.append(Chip("entity", wording.expr(output.expr), f"/fields/{i}", spans.get(name or ""), name))
    for i, group in enumerate(query.by):
        name = (
            f"field:{group.field.dataset}.{group.field.field}"
            if isinstance(group, ByField)
            else f"entity:{group.entity}"
            if isinstance(group, ByEntity)
            else None
        )
        chips.append(Chip("group", f"by {wording.group(group)}", f"/by/{i}", spans.get(name or ""), name))
    for path, predicate in _conditions(query.where):
        chips.append(Chip("filter", wording.predicate(predicate), path))
    for i, having in enumerate(query.having):
        right = (
            wording.bound(having.measure, having.value)
            if having.value is not None
            else f"the {having.versus}"
            if having.versus
            else wording.measure(having.other)
            if having.other
            else ""
        )
        label = (
            _moved(wording.measure(having.measure), having) if having.change else f"{wording.measure(having.measure)} {having.op} {right}"
        )
        chips.append(Chip("having", label, f"/having/{i}"))
    if query.time is not None:
        chips.append(Chip("time", wording.window(query.time.window), "/time", spans.get("time")))
    if query.compare is not None:
        label = _beside(query.compare, wording)
        chips.append(Chip("compare", f"vs {label}", "/compare"))
    for i, transform in enumerate(query.transform):
        size = f" over {transform.size}" if transform.size else ""
        of = f"share of each {wording.group(query.by[transform.per[0]])}" if transform.per else _TRANSFORMS[transform.kind]
        chips.append(Chip("transform", of + size, f"/transform/{i}"))
    chips.extend(_order(query, wording))
    if query.limit_by is not None:
        chips.append(Chip("limit", f"top {query.limit_by.limit} for each {wording.group(query.by[query.limit_by.index])}", "/limit_by"))
    elif query.limit is not None:
        shown = f"first {query.limit}" if not query.offset else f"rows {query.offset + 1} to {query.offset + query.limit}"
        shown = f"number {query.offset + 1}" if query.offset and query.limit == 1 else shown
        chips.append(
            Chip("limit", shown + (" and ties" if query.with_ties else "") + (" and the rest" if query.with_other else ""), "/limit")
        )
    return tuple(chips)


def paraphrase(chips: tuple[Chip, ...]) -> str:
    """One line that says what is computed."""
    parts: dict[str, list[str]] = {}
    for chip in chips:
        parts.setdefault(chip.kind, []).append(chip.label)
    lead = ", ".join(parts.get("metric", [])) or ": ".join(
        filter(None, (parts.get("entity", [""])[0], ", ".join(parts.get("entity", [])[1:])))
    )
    rest = [*parts.get("group", []), *(where_said(p) for p in parts.get("filter", [])), *(f"having {p}" for p in parts.get("having", []))]
    rest += [
        *parts.get("time", []),
        *parts.get("compare", []),
        *parts.get("transform", []),
        *parts.get("order", []),
        *parts.get("limit", []),
    ]
    return ", ".join([lead, *rest]) if lead else ", ".join(rest)


def as_choice(chips: tuple[Chip, ...]) -> str:
    """A reading as one of several to choose from: "revenue by country, the 5 highest"."""
    of: dict[str, list[str]] = {}
    for chip in chips:
        of.setdefault(chip.kind, []).append(chip.label)
    metrics, groups = of.get("metric", []), [g.removeprefix("by ") for g in of.get("group", [])]
    if not metrics:
        return paraphrase(chips)
    lead = " and ".join(metrics) + (f" by {' and '.join(groups)}" if groups else "")
    order = [o.removeprefix(f"{metrics[0]}, ") if len(metrics) == 1 else o for o in of.get("order", [])]
    limit = of.get("limit", [])
    if len(limit) == len(order) == 1 and limit[0].startswith("first ") and order[0] in ("highest first", "lowest first"):
        end, count = order[0].removesuffix(" first"), limit[0].split()[1]
        order, limit = [f"the {end}" if count == "1" else f"the {count} {end}"], []
    intent = {"why": "why ", "forecast": "forecast of ", "unusual": "anything unusual in "}.get("".join(of.get("intent", [])), "")
    conditions = [*(where_said(p) for p in of.get("filter", [])), *(f"having {p}" for p in of.get("having", []))]
    return ", ".join([intent + lead, *conditions, *of.get("time", []), *of.get("compare", []), *of.get("transform", []), *order, *limit])


def _source(measure: Measure) -> str | None:
    if isinstance(measure, MetricRef):
        return f"metric:{measure.metric}"
    if isinstance(measure, Aggregate):
        return (
            f"field:{measure.of.dataset}.{measure.of.field}"
            if measure.of is not None and measure.of.kind == "field"
            else f"dataset:{measure.dataset}"
        )
    return None


def _conditions(where: Predicate | None) -> list[tuple[str, Predicate]]:
    if where is None:
        return []
    if isinstance(where, And):
        return [(f"/where/items/{i}", p) for i, p in enumerate(where.items)]
    return [("/where", where)]


def _beside(compare: ComparePeriod | CompareGroup, wording: Wording) -> str:
    if isinstance(compare, CompareGroup):
        return compare.label
    if compare.to == "offset" and compare.unit is not None and compare.count:
        return f"{compare.count} {compare.unit.value}{'s' if compare.count > 1 else ''} before"
    return wording.window(compare.window) if compare.window is not None else compare.to.replace("_", " ")


def _moved(name: str, having: Having) -> str:
    """ "revenue fell by more than 20%", from the condition on its change."""
    value = having.value or 0.0
    falls = having.op in ("<", "<=")
    amount = said(abs(value), grouped=True)
    amount = current().share(amount) if having.change == "percent" else amount
    if not value:
        moved = {"<": "fell", "<=": "did not rise", ">=": "did not fall"}.get(having.op, "rose")
        return f"{name} {moved}"
    if having.op not in ("<", "<=", ">", ">=") or falls != (value < 0):
        return f"change of {name} {having.op} {'-' if value < 0 else ''}{amount}"  # a rise of less than so much may be a fall
    return f"{name} {'fell' if falls else 'rose'} by {'more than' if having.op in ('<', '>') else 'at least'} {amount}"


def _order(query: SemanticQuery, wording: Wording) -> list[Chip]:
    chips: list[Chip] = []
    for i, order in enumerate(query.order):
        name = ""
        if order.target == "metric" and order.index < len(query.metrics):
            name = wording.measure(query.metrics[order.index])
        elif order.target == "by" and order.index < len(query.by):
            name = wording.group(query.by[order.index])
        elif order.target == "field" and order.index < len(query.fields):
            name = wording.expr(query.fields[order.index].expr)
        direction = "highest first" if order.descending else "lowest first"
        if order.target == "change":
            direction = "largest rise first" if order.descending else "largest fall first"
            name = wording.measure(query.metrics[order.index]) if order.index < len(query.metrics) else ""
        chips.append(Chip("order", f"{name}, {direction}" if name else direction, f"/order/{i}"))
    return chips
