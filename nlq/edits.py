"""Follow-ups that edit the answer before: remove a filter, sort by a column, drop the limit, the comparison or the grouping."""

from __future__ import annotations

import re

from nlq.conjunctions import conjunction, conjuncts
from nlq.dialogue import field_of, left_out, ungrouped
from nlq.text import keys_of
from nlq.wording import Wording
from semantic.expr import In
from semantic.query import ByCycle, ByTime, MetricRef, Order, SemanticQuery

_VERB = r"(?:remove|clear|drop|delete|take\s+off|take\s+out|lose|reset|cancel|without|no|ignore)"
_LEAD = r"^\s*(?:please\s+|now\s+|and\s+|ok(?:ay)?,?\s+|then\s+)*"
_END = r"(?:\s+(?:please|now|again|instead))*\s*[.!?]*\s*$"
_FILTERS = re.compile(
    rf"{_LEAD}{_VERB}\s+(?:all\s+|any\s+)?(?:the\s+|my\s+|that\s+|this\s+|those\s+)?(?P<which>(?:[\w'&-]+\s+){{0,4}}?)(?:filters?|conditions?|restrictions?){_END}",
    re.IGNORECASE,
)
_TIME = re.compile(rf"{_LEAD}(?:(?:for|over|of)\s+)?(?:all|any)\s+time{_END}", re.IGNORECASE)
_WINDOWS = frozenset(("date", "dates", "time", "period", "window", "time period", "date range", "time range", "range"))
_LIMIT = re.compile(
    rf"{_LEAD}(?:{_VERB}\s+(?:the\s+)?(?:limit|top\s*\d*)|(?:show|give|list)\s+(?:me\s+)?(?:all\s+of\s+them|them\s+all|everything|all\s+rows|all)){_END}",
    re.IGNORECASE,
)
_BACK_IN = re.compile(
    rf"{_LEAD}(?:include|bring|put|add|take|count)\s+(?P<what>[\w'&. -]+?)\s+(?:(?:back|again|in)\s*)+{_END}", re.IGNORECASE
)
_THEM = frozenset(("it", "them", "that", "those", "this", "these"))
_COMPARISON = re.compile(rf"{_LEAD}{_VERB}\s+(?:the\s+)?(?:comparison|compare){_END}", re.IGNORECASE)
_GROUPING = re.compile(rf"{_LEAD}{_VERB}\s+(?:the\s+)?(?:grouping|groups?|breakdown|split){_END}", re.IGNORECASE)
_SORT = re.compile(
    rf"{_LEAD}(?:(?:re)?sort(?:ed)?|order(?:ed)?|rank(?:ed)?|arrange)(?:\s+(?:it|them|this|these|the\s+results?|the\s+list|the\s+table))?"
    rf"(?:\s+(?:by|on)\s+(?P<what>.+?))?(?:\s*,?\s*(?P<way>(?:in\s+)?(?:ascending|descending|asc|desc|alphabetically|alphabetical|reverse)(?:\s+order)?"
    rf"|(?:from\s+)?(?:low(?:est)?\s+to\s+high(?:est)?|high(?:est)?\s+to\s+low(?:est)?)|(?:low|high|small|larg|bigg|new|old)\w*\s+first))?{_END}",
    re.IGNORECASE,
)
_BY_FIGURE = re.compile(
    rf"{_LEAD}(?:(?:what|how)\s+about\s+)?(?:ranked\s+|rank\s+them\s+)?by\s+(?:the\s+)?(?P<what>[\w -]+?){_END}", re.IGNORECASE
)
_UP = re.compile(
    r"\b(?:asc\w*|alphabetical\w*|low(?:est)?\s+to|lowest\s+first|smallest\s+first|oldest\s+first|low\s+first)\b", re.IGNORECASE
)
_VALUE_WORDS = frozenset(("value", "values", "amount", "number", "numbers", "total", "result", "count", "size", "it"))
_LAST_WORDS = frozenset(("that", "this", "that one", "this one", "the last", "the last one", "that column"))
_NAME_WORDS = frozenset(("name", "names", "label", "alphabet", "title"))


def edited(question: str, before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    """`before` as the question edits it; None when the question is no edit, or edits what is not there."""
    if _TIME.match(question):
        return before.model_copy(update={"time": None, "compare": None}) if before.time is not None else None
    filters = _FILTERS.match(question)
    if filters:
        return _without(filters["which"].strip().lower(), before, wording)
    if _LIMIT.match(question) and (before.limit is not None or before.limit_by is not None):
        return before.model_copy(update={"limit": None, "offset": 0, "limit_by": None, "with_ties": False, "with_other": False})
    back = _BACK_IN.match(question)
    if back:
        return _back_in(back["what"].lower(), before)
    if _COMPARISON.match(question) and before.compare is not None:
        return before.model_copy(update={"compare": None, "order": tuple(o for o in before.order if o.target != "change")})
    if _GROUPING.match(question) and before.by:
        return ungrouped(before)
    sort = _SORT.match(question)
    if sort:
        return _sorted(sort, before, wording)
    figure = _BY_FIGURE.match(question)
    return _ranked_by(figure["what"], before, wording) if figure else None


def without_any(question: str, before: SemanticQuery) -> bool:
    """Whether all filters of an answer are to go that has none."""
    match = _FILTERS.match(question)
    return match is not None and not match["which"].strip() and before.where is None and not before.having


def _back_in(what: str, before: SemanticQuery) -> SemanticQuery | None:
    """ "include EMEA again", after it was excluded: the filter without that value."""
    items = conjuncts(before.where)
    for item in items:
        values = left_out(item)
        named = [v for v in values if str(v).lower() == what] or (list(values) if what in _THEM else [])
        if not named:
            continue
        rest = tuple(v for v in values if v not in named)
        kept = tuple(p for p in items if p is not item)
        field = field_of(item)
        if rest and field is not None:
            kept = (*kept, In(field=field, values=rest, negate=True))
        return before.model_copy(update={"where": conjunction(kept) if kept else None})
    return None


def _ranked_by(what: str, before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    """ "and by profit", after the first few by another figure: the first few by that one."""
    first = before.order[0] if before.order else None
    ranked = before.by and len(before.metrics) == 1 and first is not None and first.target == "metric"
    other = figure_named(what, wording) if ranked and (before.limit is not None or before.limit_by is not None) else None
    return before.model_copy(update={"metrics": (other,), "having": ()}) if other is not None else None


def figure_named(what: str, wording: Wording) -> MetricRef | None:
    """The metric that these words name; None where they name none, or part of several."""
    words = frozenset(keys_of(what)) - {"the"}
    names = [(m.name, frozenset(keys_of(said))) for m in wording.catalog.metrics if not m.hidden for said in (m.label, m.name, *m.synonyms)]
    exact = dict.fromkeys(name for name, said in names if said == words)
    found = exact or dict.fromkeys(name for name, said in names if words and words < said)
    return MetricRef(metric=next(iter(found))) if len(found) == 1 else None


def _without(which: str, before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    """The query without all its conditions, without its window, or without the conditions that a word names."""
    if which in _WINDOWS:
        return before.model_copy(update={"time": None, "compare": None}) if before.time is not None else None
    items = conjuncts(before.where)
    if not which:
        return before.model_copy(update={"where": None, "having": ()}) if items or before.having else None
    wanted = set(keys_of(which))
    kept = [p for p in items if not wanted <= set(keys_of(wording.predicate(p)))]
    if len(kept) == len(items):
        return None
    return before.model_copy(update={"where": conjunction(kept) if kept else None})


def _sorted(match: re.Match[str], before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    """The same rows in another order: by a measure, by a group, or by the first of them."""
    what, way = (match["what"] or "").strip().lower(), (match["way"] or "").lower()
    if before.rows_of is not None or not before.by:
        return None
    if "reverse" in way and not what:
        return (
            before.model_copy(update={"order": tuple(o.model_copy(update={"descending": not o.descending}) for o in before.order)})
            if before.order
            else None
        )
    groups = [n for n, b in enumerate(before.by) if not isinstance(b, ByTime | ByCycle)]
    words = set(keys_of(what)) - {"the"}
    target: tuple[str, int] | None = None
    if (not what and "alphabet" in way) or what in _NAME_WORDS:
        target = ("by", groups[0]) if groups else None
    elif what in _LAST_WORDS:
        target = ("metric", len(before.metrics) - 1)
    elif not what or what in _VALUE_WORDS:
        target = ("metric", 0)
    else:
        metrics = [n for n, m in enumerate(before.metrics) if words <= set(keys_of(wording.measure(m)))]
        named = [n for n, b in enumerate(before.by) if words <= set(keys_of(wording.group(b)))]
        if metrics:
            target = ("metric", metrics[0])
        elif named:
            target = ("by", named[0])
        elif words and words <= set(keys_of("change difference growth")) and before.compare is not None:
            target = ("change", 0)
    other = figure_named(what, wording) if target is None and what and before.limit is None and before.limit_by is None else None
    if other is not None:  # a figure that is not shown yet comes beside
        before, target = before.model_copy(update={"metrics": (*before.metrics, other)}), ("metric", len(before.metrics))
    if target is None:
        return None
    first = before.order[0] if before.order else None
    if (before.limit is not None or before.limit_by is not None) and (first is None or (first.target, first.index) != target):
        return None  # another order would choose other rows
    descending = not _UP.search(way) if way else target[0] != "by"
    return before.model_copy(update={"order": (Order(target=target[0], index=target[1], descending=descending),)})
