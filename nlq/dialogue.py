"""Follow-ups: what a short question changes in the query before it ("and by channel?", "only EMEA", "last year?")."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlq.frame import Frame
from nlq.types import DialogueState, Reading
from semantic.expr import And, Comparison, Expr, FieldRef, In, InWindow, IsNull, Like, Not, Predicate
from semantic.query import Aggregate, AggregateKind, ByEntity, ByField, ByTime, GroupBy, Order, SemanticQuery

_CUE = re.compile(
    r"^\s*(?:and|also|now|then|but|ok(?:ay)?|what about|how about|only|just|without|excluding|except|not|no|instead"
    r"|same|again|by|per|for|in|on|show|make it|split|group|break|sort|order|top|bottom|compare|compared|versus|vs"
    r"|as|with|add|remove|drop|their|its|them|those|these|it)\b",
    re.IGNORECASE,
)
_RESET = re.compile(
    r"^\s*(?:start (?:over|again|afresh)|reset|clear|new (?:question|topic)|forget (?:it|that|everything))\s*[.!]*\s*$", re.IGNORECASE
)
_ONLY_WHY = re.compile(r"^\s*(?:but\s+)?why(?:\s+(?:is|was)\s+(?:that|this|it)|\s+so)?\s*[?!.]*\s*$", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"^\s*(?:and\s+)?how many(?:\s+(?:of\s+)?(?:them|those|these))?(?:\s+(?:are|is|were)\s+(?:there|they|that|those))?\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_THEIR_TOTAL = re.compile(
    r"^\s*(?:and\s+)?(?:what(?:'s| is| are)|show(?: me)?|give(?: me)?)?\s*(?:their|its|the|that in)?\s*(?:grand\s+|overall\s+)?total\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_COMPLETE = re.compile(
    r"^\s*(?:only\s+complete\s+\w+|(?:but\s+)?(?:excluding|without|not including|exclude"
    r"|ignore)\s+(?:the\s+)?(?:current|this|running|incomplete)\s+(?:day|week|month|quarter|year"
    r"|period))\s*[.!]*\s*$",
    re.IGNORECASE,
)
_REPLACES = re.compile(r"\b(?:instead|rather|what about|how about|switch to|replace)\b", re.IGNORECASE)
_TOTAL = re.compile(r"\b(?:total|overall|altogether|sum)\b", re.IGNORECASE)
_KEPT = 5


def is_reset(question: str) -> bool:
    return bool(_RESET.match(question))


def only_why(question: str) -> bool:
    return bool(_ONLY_WHY.match(question))


def special(question: str, before: SemanticQuery) -> SemanticQuery | None:
    """Follow-ups that are about the whole answer: its total, how many rows it has, complete periods only."""
    if _HOW_MANY.match(question) and before.rows_of is not None:
        count = Aggregate(aggregate=AggregateKind.COUNT, dataset=before.rows_of)
        return SemanticQuery(metrics=(count,), where=before.where, time=before.time)
    if _THEIR_TOTAL.match(question) and before.metrics:
        return before.model_copy(
            update={
                "by": (),
                "order": (),
                "limit": None,
                "limit_by": None,
                "transform": (),
                "having": (),
                "with_ties": False,
                "keep_empty": False,
            }
        )
    if _COMPLETE.match(question) and before.metrics:
        return before.model_copy(update={"complete_periods_only": True})
    return None


def continues(question: str, frame: Frame, measures_named: bool) -> bool:
    """Whether a question leans on the one before: it names nothing to compute, or opens like an afterthought and is short."""
    words = question.split()
    if not words or len(words) > 14:
        return False
    delta = bool(
        frame.groups
        or frame.grain
        or frame.cycle
        or frame.conditions
        or frame.times
        or frame.limit_asked
        or frame.orders
        or frame.transforms
        or frame.compare
    )
    if not measures_named and delta:
        return True
    return bool(_CUE.match(question)) and len(words) <= 8


def replaces_measure(question: str) -> bool:
    return bool(_REPLACES.search(question))


def asks_total(question: str) -> bool:
    return bool(_TOTAL.search(question))


def remember(state: DialogueState | None, question: str, readings: Sequence[Reading]) -> DialogueState:
    """The next state: the newest reading first, five kept."""
    before = state or DialogueState()
    if not readings:
        return before
    return DialogueState((readings[0], *before.readings)[:_KEPT], (question, *before.questions)[:_KEPT])


def merge(before: SemanticQuery, delta: SemanticQuery, *, measures: bool, total: bool) -> SemanticQuery:
    """`before` with what `delta` says laid over it.

    measures: `delta` names its own measures, which take the place of the old ones. total: drop the groups.
    """
    changes: dict[str, object] = {}
    if measures and not delta.metrics and delta.rows_of is not None:
        delta = SemanticQuery(
            metrics=(Aggregate(aggregate=AggregateKind.COUNT, dataset=delta.rows_of),), where=delta.where, time=delta.time
        )
    if measures:
        changes["metrics"] = delta.metrics
        changes["order"] = tuple(o for o in before.order if o.target == "by" or o.index < len(delta.metrics))
        changes["having"], changes["transform"] = (), ()
    if delta.by:
        changes["by"] = _groups(before.by, delta.by)
        changes["order"], changes["limit"], changes["limit_by"] = _order(changes["by"], delta), delta.limit, delta.limit_by  # type: ignore[arg-type]
    if total:
        changes |= {"by": (), "order": (), "limit": None, "limit_by": None, "transform": ()}
    if delta.where is not None:
        changes["where"] = _conditions(before.where, delta.where)
    for name in ("time", "compare"):
        value = getattr(delta, name)
        if value is not None:
            changes[name] = value
    if delta.transform:
        changes["transform"] = delta.transform
    if delta.limit is not None:
        changes["limit"] = delta.limit
        changes["order"] = delta.order or before.order or (Order(target="metric", index=0),)
    elif delta.order and not delta.by:
        changes["order"] = delta.order
    if delta.having:
        changes["having"] = (*before.having, *delta.having)
    return SemanticQuery.model_validate(before.model_dump() | {k: _plain(v) for k, v in changes.items()})


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_plain(v) for v in value)
    return value.model_dump() if hasattr(value, "model_dump") else value


def _groups(before: Sequence[GroupBy], delta: Sequence[GroupBy]) -> tuple[GroupBy, ...]:
    """A new dimension takes the old dimension's place, a new grain the old grain's; the other kind stays."""
    timed = any(isinstance(b, ByTime) for b in delta)
    plain = any(isinstance(b, ByField | ByEntity) for b in delta)
    kept = [b for b in before if not (isinstance(b, ByTime) and timed) and not (isinstance(b, ByField | ByEntity) and plain)]
    return (*[b for b in kept if b not in delta], *delta)


def _order(by: Sequence[GroupBy], delta: SemanticQuery) -> tuple[Order, ...]:
    if any(o.target == "metric" for o in delta.order):
        return delta.order
    return tuple(Order(target="by", index=i, descending=False) for i, b in enumerate(by) if isinstance(b, ByTime))


def _conditions(before: Predicate | None, delta: Predicate) -> Predicate:
    """New conditions on a field take the place of old ones on it; the rest stay."""
    new = list(delta.items) if isinstance(delta, And) else [delta]
    old = [] if before is None else list(before.items) if isinstance(before, And) else [before]
    fields = {f for p in new if (f := _field(p)) is not None}
    kept = [p for p in old if _field(p) is None or _field(p) not in fields]
    items = (*kept, *new)
    return items[0] if len(items) == 1 else And(items=items)


def _field(predicate: Predicate) -> str | None:
    expr: Expr | None = None
    if isinstance(predicate, Comparison):
        expr = predicate.left
    elif isinstance(predicate, In | InWindow | IsNull | Like):
        expr = predicate.field
    elif isinstance(predicate, Not):
        return _field(predicate.item)
    return str(expr) if isinstance(expr, FieldRef) else None
