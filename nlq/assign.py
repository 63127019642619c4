"""Which catalog object each mention means: the assignment whose links score best and whose datasets lie close together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nlq.frame import Condition, Frame, Mention
from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.linking import ValueLink
from nlq.roles import says
from semantic.catalog.model import DatasetKind, FieldRole

_BEAM = 24
_CANDIDATES = 7
_STEP = 0.07
# A value that things are called by ("Danube" the river) before the same text as a label of something else.
_NAMED = 0.06
# And a little where rows name a thing by that text.
_NAMES = 0.02


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible meaning of one item."""

    dataset: str | None
    score: float
    target: Target | None = None
    value: ValueLink | None = None


@dataclass(slots=True)
class Assignment:
    """Meanings for all items. `margin` is how far the best choice of the most doubtful item lies above its second."""

    targets: dict[int, Target]
    values: dict[int, ValueLink]
    score: float

    def target(self, mention: Mention | None) -> Target | None:
        return self.targets.get(id(mention)) if mention is not None else None

    def value(self, condition: Condition) -> ValueLink | None:
        return self.values.get(id(condition))


def assignments(frame: Frame, kinds: Kinds, graph: JoinGraph, limit: int = 6) -> list[Assignment]:
    """The best assignments of a frame, best first. Empty only when a mention has no link at all."""
    items: list[tuple[object, list[Choice]]] = []
    aggregating = bool(frame.groups or frame.grain or frame.cycle or frame.transforms or frame.compare)
    for mention in frame.mentions:
        items.append((mention, _mention_choices(mention, kinds, aggregating)))
    for condition in _all_conditions(frame):
        if condition.kind == "value" and condition.values:
            items.append((condition, _value_choices(condition, kinds)))
    items.sort(key=lambda item: _doubt(item[1]))
    beam: list[tuple[float, tuple[Choice, ...]]] = [(0.0, ())]
    for _, choices in items:
        grown: list[tuple[float, tuple[Choice, ...]]] = []
        for score, chosen in beam:
            near: set[str | None] = {c.dataset for c in chosen if c.dataset}
            for choice in choices:
                grown.append((score + choice.score - _STEP * _distance(choice.dataset, near, graph), (*chosen, choice)))
        grown.sort(key=lambda pair: -pair[0])
        beam = grown[:_BEAM]
    ranked = sorted(((_rescore(items, chosen, graph, frame), n, chosen) for n, (_, chosen) in enumerate(beam)), key=lambda t: (-t[0], t[1]))
    out: list[Assignment] = []
    for score, _, chosen in ranked[:limit]:
        targets: dict[int, Target] = {}
        values: dict[int, ValueLink] = {}
        for (item, _), choice in zip(items, chosen, strict=True):
            if choice.target is not None:
                targets[id(item)] = choice.target
            if choice.value is not None:
                values[id(item)] = choice.value
        out.append(Assignment(targets, values, score))
    return out


def _focus(frame: Frame, by_item: dict[int, Choice]) -> str | None:
    """The thing that "their" refers to: what is grouped or listed, before what is counted."""
    named = [m for m in frame.mentions if id(m) in by_item and (t := by_item[id(m)].target) is not None and t.kind == "dataset"]
    for roles in (("group",), ("output", "focus"), ("context", "count"), ("related",)):
        for mention in named:
            if mention.role in roles:
                return by_item[id(mention)].dataset
    return None


def _all_conditions(frame: Frame) -> list[Condition]:
    found: list[Condition] = []
    stack = [*frame.conditions, *frame.having]
    for measure in [*frame.measures, *frame.rank_by]:
        todo = [measure]
        while todo:
            item = todo.pop()
            stack.extend(item.conditions)
            todo.extend(x for x in (item.left, item.right) if x is not None)
    if frame.superlative is not None and frame.superlative.measure is not None:
        stack.extend(frame.superlative.measure.conditions)
    for order in frame.orders:
        if order.measure is not None:
            stack.extend(order.measure.conditions)
    while stack:
        condition = stack.pop()
        if condition not in found:
            found.append(condition)
            stack.extend(condition.inner)
    return found


def _doubt(choices: Sequence[Choice]) -> float:
    """Small for items with one clear choice: they are settled first and guide the others."""
    if len(choices) <= 1:
        return 0.0
    scores = sorted((c.score for c in choices), reverse=True)
    datasets = {c.dataset for c in choices if c.score >= scores[0] - 0.1}
    return len(datasets) - (scores[0] - scores[1])


def _mention_choices(mention: Mention, kinds: Kinds, aggregating: bool) -> list[Choice]:
    choices: list[Choice] = []
    words = mention.unit.text.lower().split()
    named = any(link.target.kind == "dataset" and link.exact and link.score >= 0.98 for link in mention.links) and not {
        "date",
        "time",
        "day",
    } & set(words)
    exact = any(link.exact and link.score >= 0.98 for link in mention.links)
    for link in mention.links[:12]:
        target = link.target
        if exact and link.score < 0.9:
            continue
        if named and kinds.is_time(target) and mention.role in ("output", "count", "group", "aggregate", "context"):
            continue
        score = link.score + _fit(mention, target, kinds, link.exact and link.score >= 0.99)
        if target.kind == "metric" and link.exact and mention.role == "output":
            score += 0.12 if aggregating or mention.sole else -0.1
        choices.append(Choice(target.dataset or kinds.metric_dataset(target), score, target))
    choices.sort(key=lambda c: (-c.score, str(c.target)))
    return _without_copies(choices, kinds)[:_CANDIDATES] or [Choice(None, -1.0)]


def _without_copies(choices: list[Choice], kinds: Kinds) -> list[Choice]:
    """Keys that only repeat another candidate's primary key (foreign keys) are left out: "customer id" is the customer's."""
    owners: dict[str, float] = {}
    for choice in choices:
        target = choice.target
        if target is None or target.kind != "field" or target.dataset is None:
            continue
        if kinds.catalog.dataset(target.dataset).primary_key == (target.field,):
            owners[target.dataset] = max(owners.get(target.dataset, -9.0), choice.score)
    if not owners:
        return choices
    copies = {
        (r.from_dataset, r.from_fields[0]): r.to_dataset
        for r in kinds.catalog.relationships
        if len(r.from_fields) == 1 and r.to_dataset in owners
    }
    kept = []
    for choice in choices:
        target = choice.target
        owner = copies.get((target.dataset or "", target.field or "")) if target is not None and target.kind == "field" else None
        if owner is None or owner == (target.dataset if target else None) or choice.score > owners[owner] + 0.08:
            kept.append(choice)
    return kept


def _fit(mention: Mention, target: Target, kinds: Kinds, exact: bool = False) -> float:
    """How well an object suits the part that the mention plays."""
    field = kinds.field(target)
    role = mention.role
    if target.kind == "dataset":
        base = {
            "count": 0.15,
            "related": 0.1,
            "context": 0.05,
            "focus": 0.06,
            "output": 0.04,
            "group": 0.04,
            "aggregate": -0.12,
            "order": -0.1,
            "condition": -0.1,
        }.get(role, 0.0)
        dataset = kinds.catalog.dataset(target.dataset or "")
        return base - (0.12 if dataset.kind in (DatasetKind.BRIDGE,) and role != "related" else 0.0)
    if target.kind == "metric":
        if role == "count" and kinds.is_money(target):
            return -0.5  # "number of refunds" is not the amount that was refunded
        return {
            "count": 0.2 if exact else -0.05,
            "aggregate": 0.02,
            "output": 0.0,
            "order": 0.0,
            "group": -0.5,
            "condition": 0.0,
            "related": -0.5,
            "context": -0.3,
        }.get(role, -0.1)
    if target.kind == "display":
        return 0.05 if role in ("output", "group", "order", "condition") else -0.4
    if target.kind == "unflag":
        return 0.0 if role == "condition" else -0.5
    if target.kind in ("segment", "term"):
        return 0.0
    if field is None:
        return -1.0
    if role == "count" and mention.plural and kinds.is_time(target):
        return 0.05  # "hires", "terminations": events that a date tells of
    if role == "count":
        return -0.12 if field.role is FieldRole.KEY else -0.04 if field.role is FieldRole.MEASURE else -0.12
    if role == "aggregate":
        if field.role is FieldRole.MEASURE:
            return 0.05
        if kinds.is_time(target):
            return -0.05
        return 0.0 if kinds.is_number(target) else -0.3
    if role == "related":
        return -0.15
    if role == "group":
        return -0.25 if field.role is FieldRole.MEASURE else 0.02 if field.role in (FieldRole.CATEGORY, FieldRole.NAME) else 0.0
    if role in ("start", "end"):
        return 0.1 if kinds.is_time(target) else -0.4
    if role in ("output", "group", "focus") and field.role is FieldRole.KEY:
        dataset = kinds.catalog.dataset(target.dataset or "")
        return 0.06 if target.field in dataset.primary_key and len(dataset.primary_key) == 1 else 0.0
    return 0.0


def _value_choices(condition: Condition, kinds: Kinds) -> list[Choice]:
    owner = condition.mention
    allowed: set[tuple[str | None, str | None]] = set()
    datasets: set[str | None] = set()
    if owner is not None:
        allowed = {(link.target.dataset, link.target.field) for link in owner.links if link.target.kind == "field"}
        datasets = {link.target.dataset for link in owner.links if link.target.kind == "dataset" and link.score >= 0.8}
    choices = []
    for value in condition.values[:10]:
        label = kinds.catalog.dataset(value.dataset).field(value.field).label if condition.hint else ""
        end = 0.12 if label and says(label, condition.hint) else 0.0
        end += (
            _NAMED
            if kinds.is_name_of_thing(value.dataset, value.field)
            else _NAMES
            if kinds.names_thing(value.dataset, value.field)
            else 0.0
        )
        bonus = end + 0.15 if (value.dataset, value.field) in allowed else end + 0.1 if value.dataset in datasets else end
        choices.append(Choice(value.dataset, value.score + bonus, None, value))
    choices.sort(key=lambda c: -c.score)
    return choices[:_CANDIDATES]


def _distance(dataset: str | None, near: set[str | None], graph: JoinGraph) -> float:
    """How far a dataset lies from the nearest other one, in steps; steps that only look things up count a third."""
    if dataset is None or not near:
        return 0.0
    best = 6.0
    for other in near:
        if other is None:
            continue
        if other == dataset:
            return 0.0
        best = min(best, graph.nearness(other, dataset))
    return best


def _rescore(items: Sequence[tuple[object, list[Choice]]], chosen: Sequence[Choice], graph: JoinGraph, frame: Frame) -> float:
    total = sum(c.score for c in chosen)
    datasets = [c.dataset for c in chosen]
    by_item = {id(item): choice for (item, _), choice in zip(items, chosen, strict=True)}
    focus = _focus(frame, by_item)
    for i, (item, _) in enumerate(items):
        here = datasets[i]
        if here is None:
            continue
        others: set[str | None] = {d for j, d in enumerate(datasets) if j != i and d is not None}
        total -= _STEP * _distance(here, others, graph)
        if isinstance(item, Mention):
            if item.after_of is not None and id(item.after_of) in by_item and by_item[id(item.after_of)].dataset == here:
                total += 0.2
            if item.owner and focus is not None and here == focus:
                total += 0.3
            if item.holder is not None and id(item.holder) in by_item and by_item[id(item.holder)].dataset == here:
                total += 0.3
            if item.links and chosen[i].target is not None and chosen[i].target.kind == "field" and focus == here:  # type: ignore[union-attr]
                total += 0.04
    same: dict[tuple[str, ...], Target] = {}
    for (item, _), choice in zip(items, chosen, strict=True):
        if isinstance(item, Mention) and choice.target is not None and choice.target.kind == "field":
            first = same.setdefault(item.unit.keys, choice.target)
            total += 0.05 if first == choice.target else -0.1
    spread = {d for d in datasets if d is not None}
    return total - 0.06 * len(spread)
