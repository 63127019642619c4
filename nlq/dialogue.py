"""Follow-ups: what a short question changes in the query before it ("and by channel?", "only EMEA", "last year?")."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlq.composing.transforms import within_periods
from nlq.conjunctions import conjunction, conjuncts
from nlq.frame import Frame
from nlq.types import DialogueState, Reading
from semantic.chosen import chosen
from semantic.expr import Comparison, Expr, FieldRef, In, InWindow, IsNull, Like, Not, Predicate, Scalar
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
_SUCH = "low|high|bad|good|odd|strange|weird|wrong|off|surprising|unusual|weak|strong|small|big|poor|great"
_REMARK = (
    r"(?:(?:that|this|it)(?:\s*(?:'s|is|was|looks?|seems?|looked|seemed))\s+(?:(?:so|too|very|quite|rather|really|surprisingly|unusually|a\s+bit)\s+)*"
    rf"(?:{_SUCH})[\s,.;:!?-]+(?:and\s+|so\s+)?)?"
)
_ONLY_WHY = re.compile(
    rf"^\s*(?:(?:but|and|hm+|ok(?:ay)?|so|wow|really)[\s,.!?]+)*{_REMARK}(?:why(?:\s+(?:is|was)\s+(?:that|this|it)(?:\s+(?:so|the\s+case|happening))?|\s+so)?"
    r"|what(?:\s+has)?\s+(?:happened(?:\s+(?:there|here))?|caused\s+(?:it|that|this)|(?:is|was)\s+the\s+(?:reason|cause)(?:\s+for\s+(?:it|that|this))?))\s*[?!.]*\s*$",
    re.IGNORECASE,
)
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
_NARROWS = re.compile(
    r"^\s*(?:and\s+|but\s+|now\s+)*(?:only|just|without|excluding|exclude|except|by|per|split|break|vs\.?|versus|compared)\b|\b(?:only|instead)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
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
        return ungrouped(before)
    if _COMPLETE.match(question) and before.metrics:
        return before.model_copy(update={"complete_periods_only": True})
    return None


def ungrouped(before: SemanticQuery) -> SemanticQuery:
    """One figure over everything that the answer before was about."""
    changes: dict[str, object] = {"by": (), "order": (), "limit": None, "limit_by": None, "transform": (), "having": ()}
    return before.model_copy(update=changes | {"offset": 0, "with_other": False, "with_ties": False, "keep_empty": False})


def only_narrows(question: str) -> bool:
    """Whether a question can be nothing but a change of the answer before it ("by category", "only active")."""
    return bool(_NARROWS.match(question)) and len(question.split()) <= 5


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
        or frame.moved
        or frame.moved_order is not None
    )
    if not measures_named and delta:
        return True
    return bool(_CUE.match(question)) and len(words) <= 8


def replaces_measure(question: str) -> bool:
    return bool(_REPLACES.search(question))


def asks_total(question: str) -> bool:
    return bool(_TOTAL.search(question))


def remember(state: DialogueState | None, question: str, readings: Sequence[Reading], offered: Sequence[Reading] = ()) -> DialogueState:
    """The next state: the newest reading first, five kept; or the readings to choose from beside what was understood before."""
    before = state or DialogueState()
    if not readings:
        return DialogueState(before.readings, before.questions, tuple(offered))
    return DialogueState((readings[0], *before.readings)[:_KEPT], (question, *before.questions)[:_KEPT])


def merge(
    before: SemanticQuery, delta: SemanticQuery, *, measures: bool, total: bool, adds: bool = False, against: bool = False
) -> SemanticQuery:
    """`before` with what `delta` says laid over it.

    measures: `delta` names its own measures, which take the place of the old ones. total: drop the groups. adds: its values and groups go
    beside those that are there. against: its values are shown beside them, each by itself.
    """
    changes: dict[str, object] = {}
    if measures and not delta.metrics and delta.rows_of is not None:
        delta = SemanticQuery(
            metrics=(Aggregate(aggregate=AggregateKind.COUNT, dataset=delta.rows_of),), where=delta.where, time=delta.time
        )
    if measures:
        more = tuple(m for m in delta.metrics if m not in before.metrics)
        measured = (*before.metrics, *more) if adds and before.metrics else delta.metrics
        changes["metrics"] = measured
        changes["order"] = tuple(o for o in before.order if o.target == "by" or o.index < len(measured))
        changes["having"], changes["transform"] = (), ()
    if delta.by:
        changes["by"] = (*before.by, *(b for b in delta.by if b not in before.by)) if adds else _groups(before.by, delta.by)
        changes["order"], changes["limit"], changes["limit_by"] = _order(changes["by"], delta), delta.limit, delta.limit_by  # type: ignore[arg-type]
    if total:
        changes |= {"by": (), "order": (), "limit": None, "limit_by": None, "transform": ()}
    if delta.where is not None:
        changes["where"] = conditions(before.where, delta.where, adds=adds)
        fields = [field_of(p) for p in conjuncts(delta.where)] if against and _joined(before.where, delta.where) is not None else []
        apart = tuple(ByField(field=f) for f in fields if f is not None)
        changes["by"] = (*apart, *(b for b in before.by if b not in apart)) if apart else changes.get("by", before.by)
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
    by, transforms = changes.get("by", before.by), changes.get("transform", before.transform)
    changes["transform"] = tuple(within_periods(t, by) for t in transforms)  # type: ignore[arg-type,attr-defined]
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


def conditions(before: Predicate | None, delta: Predicate, *, adds: bool = False) -> Predicate:
    """What a field is takes the place of what it was, or with `adds` goes beside it; what it is not is left out of that. The rest stays."""
    joined = _joined(before, delta) if adds else None
    if joined is not None:
        return joined
    new = conjuncts(delta)
    taken = {f for p in new if (f := _field(p)) is not None and not left_out(p)}
    kept = [p for p in conjuncts(before) if p not in new and _field(p) not in taken and not any(_emptied(p, n) for n in new)]
    return conjunction((*kept, *new))


def _emptied(old: Predicate, new: Predicate) -> bool:
    """Whether `new` leaves out all that `old` lets the same field be."""
    return _field(old) == _field(new) and bool(chosen_values(old)) and set(chosen_values(old)) <= set(left_out(new))


def left_out(predicate: Predicate) -> tuple[Scalar, ...]:
    """The values that a negative condition denies."""
    found = chosen(predicate)
    return found.values if found is not None and found.denied else ()


def _joined(before: Predicate | None, delta: Predicate) -> Predicate | None:
    """Values of `delta` beside the values that the same field has already; None where there are none."""
    new, old = conjuncts(delta), conjuncts(before)
    out = list(old)
    for predicate in new:
        values = chosen_values(predicate)
        at = next((n for n, p in enumerate(out) if field_of(p) == field_of(predicate) and chosen_values(p)), None)
        field = field_of(predicate)
        if at is None and values and field is not None:  # "exclude Returns", "and Sales too"
            at = next((n for n, p in enumerate(out) if field_of(p) == field and left_out(p)), None)
            if at is not None:
                out[at] = In(field=field, values=tuple(dict.fromkeys((*left_out(out[at]), *values))), negate=True)
                continue
        if at is None or not values or field is None:
            return None
        out[at] = In(field=field, values=tuple(dict.fromkeys((*chosen_values(out[at]), *values))))
    return conjunction(out)


def chosen_values(predicate: Predicate) -> tuple[Scalar, ...]:
    """The values that a condition lets a field have."""
    found = chosen(predicate)
    return () if found is None or found.denied else found.values


def field_of(predicate: Predicate) -> FieldRef | None:
    """The plain field that a condition is about."""
    expr = predicate.left if isinstance(predicate, Comparison) else predicate.field if isinstance(predicate, In) else None
    return expr if isinstance(expr, FieldRef) else None


def _field(predicate: Predicate) -> str | None:
    expr: Expr | None = None
    if isinstance(predicate, Comparison):
        expr = predicate.left
    elif isinstance(predicate, In | InWindow | IsNull | Like):
        expr = predicate.field
    elif isinstance(predicate, Not):
        return _field(predicate.item)
    return str(expr) if isinstance(expr, FieldRef) else None
