"""Follow-ups that show other rows of the answer before: the next five, the rest, which is highest, the period before, one group less."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from nlq.edits import figure_named
from nlq.numbers import ORDINALS, number_of
from nlq.text import keys_of
from nlq.timing.arithmetic import floor, shift, window_bounds
from nlq.wording import Wording
from semantic.catalog.model import Catalog
from semantic.expr import Absolute, Calendar_, Unit
from semantic.query import Aggregate, AggregateKind, MetricRef, Order, SemanticQuery, TimeWindow

_LEAD = r"^\s*(?:(?:and|ok(?:ay)?|now|then|please|show(?:\s+me)?|give\s+me|what\s+about|how\s+about|what\s+(?:is|are|was|were)|list|but)\b[,\s]*)*"
_END = r"(?:\s+(?:please|now|again|instead|then))*\s*[.!?]*\s*$"
_NEXT = re.compile(
    rf"{_LEAD}(?:the\s+)?(?:(?:next|following)\s+page|(?:some\s+)?more(?:\s+(?:rows|results|of\s+(?:them|those)))?|(?:next|following)(?:\s+(?P<n>\d+|[a-z]+))?(?:\s+(?:ones|of\s+them|rows))?){_END}",
    re.IGNORECASE,
)
_MORE = re.compile(rf"{_LEAD}(?:the\s+)?(?:next\s+page|(?:some\s+)?more(?:\s+(?:rows|results|of\s+(?:them|those)))?){_END}", re.IGNORECASE)
_REST = re.compile(
    rf"{_LEAD}(?:(?:all\s+)?(?:of\s+)?(?:the\s+)?(?:rest|others|remaining(?:\s+ones)?|remainder|other\s+ones)|(?:everyone|everything|everybody|all)\s+else){_END}",
    re.IGNORECASE,
)
_UNGROUP = re.compile(
    r"^\s*(?:(?:please|now|and|ok(?:ay)?|then)\s+)*(?:remove|drop|without|no|not|lose|ungroup|take\s+out|hide|skip)\s+(?:the\s+)?(?:by\s+)?"
    rf"(?P<what>[\w'-]+(?:\s+[\w'-]+){{0,2}}?)(?:\s+(?:split|breakdown|grouping|column|dimension))?{_END}",
    re.IGNORECASE,
)
_DRAWN = re.compile(
    rf"^\s*(?:(?:please|now|and|ok(?:ay)?|can\s+you|show|put|display|make|give)\s+)*(?:(?:me|it|that|this|them)\s+)?(?:(?:as|in|on|into)\s+)?(?:an?\s+|the\s+)?"
    rf"(?:(?:(?:bar|line|pie|column|area|donut)\s+)?(?:chart|graph|plot|table|diagram|visuali[sz]e|draw)|(?<=as\s)(?:pie|donut|bars?|lines?|columns?)|(?<=as\sa\s)(?:pie|donut|bar|line))(?:\s+(?:it|that|this|them))?{_END}",
    re.IGNORECASE,
)
_HIGHEST = "highest|biggest|largest|greatest|most|top|maximum|best|strongest|first|leading|priciest|most\\s+expensive"
_LOWEST = "lowest|smallest|least|fewest|minimum|worst|weakest|bottom|last|cheapest"
_WHICH = re.compile(
    rf"^\s*(?:and\s+|so\s+)?(?:(?:which|what)(?:\s+(?P<what>(?!(?:is|are|was|were|did|does|has|have|had|do)\b)[\w-]+))?\s+(?:(?:is|are|was|were|did|does|has|have|had|do)\s+)?|(?:who|where)\s+(?:is|was|did|does|has|had)\s+)?"
    rf"(?:the\s+)?(?:(?P<high>{_HIGHEST})|(?P<low>{_LOWEST}))(?:\s+(?P<kind>of\s+(?:them|these|those|all)|one|ones))?{_END}",
    re.IGNORECASE,
)
_WHO_HAS = re.compile(
    rf"^\s*(?:and\s+|so\s+)?(?:which|who|what)(?:\s+(?:one|ones|(?P<what>(?!(?:has|had|have)\b)[\w-]+)))?\s+(?:has|had|have)\s+the\s+(?:(?P<high>{_HIGHEST})|(?P<low>{_LOWEST}))"
    rf"\s+(?P<of>[\w%-]+(?:\s+[\w%-]+){{0,3}}?){_END}",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"^\s*(?:and\s+|so\s+)?(?:(?:which|what|who)\s+(?:(?!is\b|was\b|came\b)[\w-]+\s+)?(?:is|was|came)\s+)?(?:the\s+)?"
    rf"(?P<place>{'|'.join(w for w, n in ORDINALS.items() if n > 1)})"
    rf"(?:[\s-]+(?:(?P<high>{_HIGHEST})|(?P<low>{_LOWEST})))?(?:\s+(?:ones?|place|of\s+(?:them|these|those)))?{_END}",
    re.IGNORECASE,
)
_MOST_MOVED = re.compile(
    rf"^\s*(?:and\s+|so\s+)?(?:which|what|who)(?:\s+(?P<what>[\w-]+))?\s+(?:(?P<up>grew|rose|increased|gained|improved)|fell|dropped|declined|decreased|lost)"
    rf"\s+(?:the\s+)?(?:most|(?P<fast>fastest)){_END}",
    re.IGNORECASE,
)
_SHIFTED = re.compile(
    rf"{_LEAD}(?:in\s+|for\s+)?(?:the\s+)?(?:(?P<a>previous|prior|preceding|following|next)\s+(?P<u>day|week|month|quarter|year|one|period)"
    rf"|(?P<v>day|week|month|quarter|period)\s+(?P<b>before|earlier|after|later)(?:\s+(?:that|this|it))?){_END}",
    re.IGNORECASE,
)
_SAME = re.compile(
    rf"{_LEAD}(?:on\s+|in\s+)?(?:the\s+)?same\s+(?:day|time|date|week|month|quarter|period)\s+(?:of\s+)?(?:the\s+)?(?P<way>last|previous|prior|a)\s+(?P<u>week|month|quarter|year)"
    rf"(?:\s+(?:ago|before|earlier))?{_END}",
    re.IGNORECASE,
)
_KINDS = {
    "average": AggregateKind.AVG, "mean": AggregateKind.AVG, "avg": AggregateKind.AVG, "median": AggregateKind.MEDIAN, "maximum": AggregateKind.MAX,
    "max": AggregateKind.MAX, "minimum": AggregateKind.MIN, "min": AggregateKind.MIN, "sum": AggregateKind.SUM,
}  # fmt: skip
_AGGREGATE = re.compile(
    rf"{_LEAD}(?:no,?\s+)?(?:as\s+)?(?:the\s+|an?\s+)?(?P<kind>{'|'.join(_KINDS)})(?:\s+(?:value|of\s+(?:it|that|them)))?{_END}",
    re.IGNORECASE,
)
_BY_HOW_MUCH = re.compile(rf"^\s*(?:and\s+|so\s+)?by\s+how\s+much{_END}", re.IGNORECASE)
_CHANGE = re.compile(
    rf"{_LEAD}(?:in\s+(?:percent|%)|as\s+(?:a\s+)?percent(?:age)?|(?:the\s+)?(?:percent(?:age)?\s+|%\s*)?(?:change|growth|difference)(?:\s+in\s+(?:percent|%))?){_END}",
    re.IGNORECASE,
)
_UNIT = {"day": Unit.DAY, "week": Unit.WEEK, "month": Unit.MONTH, "quarter": Unit.QUARTER, "year": Unit.YEAR}


def last_is_meant(question: str, before: SemanticQuery, wording: Wording) -> bool:
    """ "which has the lowest?" under the five highest: the last of them, and not the lowest of all."""
    match = _WHICH.match(question) or _WHO_HAS.match(question)
    first = before.order[0] if before.order else None
    if (
        match is None
        or before.limit in (None, 1)
        or first is None
        or first.target != "metric"
        or first.descending == (match["low"] is None)
    ):
        return False
    of = match.groupdict().get("of")
    return of is None or set(keys_of(of)) <= set(keys_of(wording.measure(before.metrics[first.index])))


def more_of(question: str) -> bool:
    """Whether further rows of the answer before are wanted, however many."""
    return bool(_MORE.match(question))


def reshaped(question: str, before: SemanticQuery, catalog: Catalog, wording: Wording, as_of: dt.datetime) -> SemanticQuery | None:
    """`before` as the question shows it; None when the question is no such follow-up, or there is nothing of the kind to show."""
    if _DRAWN.match(question) or (_BY_HOW_MUCH.match(question) and before.compare is not None):
        return before
    changes = before.compare is not None or any(t.kind in ("growth", "difference") for t in before.transform)
    if changes and _CHANGE.match(question):
        return before
    rules: tuple[Callable[[], SemanticQuery | None], ...] = (
        lambda: _following(question, before),
        lambda: _with_rest(question, before),
        lambda: _without_group(question, before, wording),
        lambda: _without_measure(question, before, wording),
        lambda: _other_aggregate(question, before),
        lambda: _extreme(question, before, catalog, wording),
        lambda: _of_figure(question, before, wording),
        lambda: _placed(question, before),
        lambda: _most_moved(question, before, wording),
        lambda: _shifted(question, before, catalog, as_of),
    )
    return next((found for rule in rules if (found := rule()) is not None), None)


def _following(question: str, before: SemanticQuery) -> SemanticQuery | None:
    """ "and the next 5": the rows after those that were shown."""
    match = _NEXT.match(question)
    if match is None or before.limit is None or before.limit_by is not None:
        return None
    count = before.limit if match["n"] is None else number_of(match["n"])
    if count is None or not 1 <= count <= 10_000:
        return None
    return before.model_copy(update={"offset": before.offset + before.limit, "limit": int(count), "with_ties": False, "with_other": False})


def _placed(question: str, before: SemanticQuery) -> SemanticQuery | None:
    """ "and the second best?": the row at that place of the answer before, as it is ranked or from the end that is said."""
    match = _PLACE.match(question)
    if match is None or not before.by or not before.metrics or before.limit_by is not None:
        return None
    ranked = before.order if before.order and before.order[0].target in ("metric", "change") else (Order(target="metric"),)
    if match["high"] or match["low"]:
        ranked = (ranked[0].model_copy(update={"descending": match["low"] is None}),)
    place = ORDINALS[match["place"].lower()]
    return before.model_copy(update={"order": ranked, "limit": 1, "offset": place - 1, "with_ties": False, "with_other": False})


def _most_moved(question: str, before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    """ "which grew the most?", where the answer before compares two periods: ranked by that change."""
    match = _MOST_MOVED.match(question)
    if match is None or before.compare is None or not before.by or not before.metrics:
        return None
    what = set(keys_of(match["what"] or "")) - set(keys_of("one ones of them"))
    if what and not any(what <= set(keys_of(wording.group(g))) for g in before.by):
        return None
    order = Order(target="change", descending=match["up"] is not None, change="percent" if match["fast"] else "difference")
    return before.model_copy(update={"order": (order,), "limit_by": None, "with_other": False})


def _with_rest(question: str, before: SemanticQuery) -> SemanticQuery | None:
    """ "and the rest?": all that was cut off, as one row."""
    if not _REST.match(question) or before.limit is None or not before.by or not before.metrics or before.offset:
        return None
    return before.model_copy(update={"with_other": True, "with_ties": False})


def _without_group(question: str, before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    match = _UNGROUP.match(question)
    if match is None or len(before.by) < 1 or not before.metrics:
        return None
    wanted = set(keys_of(match["what"]))
    gone = [n for n, group in enumerate(before.by) if wanted and wanted <= set(keys_of(wording.group(group)))]
    if len(gone) != 1:
        return None
    by = tuple(g for n, g in enumerate(before.by) if n != gone[0])
    order = tuple(
        o.model_copy(update={"index": o.index - (o.target == "by" and o.index > gone[0])})
        for o in before.order
        if o.target != "by" or o.index != gone[0]
    )
    return before.model_copy(update={"by": by, "order": order if by else (), "limit": before.limit if by else None, "limit_by": None})


def _without_measure(question: str, before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    """ "drop orders", "remove the running total": one figure less, or the figures as they were before they were transformed."""
    match = _UNGROUP.match(question)
    if match is None:
        return None
    wanted = set(keys_of(match["what"]))
    left = tuple(t for t in before.transform if not wanted & set(keys_of(t.kind.replace("_", " "))))
    if len(left) < len(before.transform):
        return before.model_copy(update={"transform": left})
    kept = tuple(m for m in before.metrics if not wanted <= set(keys_of(wording.measure(m))))
    if len(kept) != len(before.metrics) - 1 or not kept or before.having or any(o.target != "by" for o in before.order):
        return None
    return before.model_copy(update={"metrics": kept})


def _other_aggregate(question: str, before: SemanticQuery) -> SemanticQuery | None:
    """ "median instead": the same number, put together in another way."""
    match = _AGGREGATE.match(question)
    first = before.metrics[0] if before.metrics else None
    if match is None or not isinstance(first, Aggregate) or first.of is None or first.aggregate not in _KINDS.values():
        return None
    kind = _KINDS[match["kind"].lower()]
    return before.model_copy(update={"metrics": (first.model_copy(update={"aggregate": kind}), *before.metrics[1:])})


def _extreme(question: str, before: SemanticQuery, catalog: Catalog, wording: Wording) -> SemanticQuery | None:
    """ "which is the biggest?": the first row of the answer before, by its first measure."""
    match = _WHICH.match(question)
    if (
        match is None
        or not before.by
        or not before.metrics
        or not (match["what"] or match["kind"] or question.lower().lstrip().startswith(_ASKING) or _other_end(question, before))
    ):
        return None
    what = set(keys_of(match["what"] or "")) - set(keys_of("one ones of them"))
    if what and not any(what <= set(keys_of(wording.group(g))) for g in before.by):
        return None
    metric = before.metrics[0]
    down = isinstance(metric, MetricRef) and catalog.metric(metric.metric).good_direction == "down"
    word = (match["high"] or match["low"]).lower()
    lowest = match["low"] is not None
    if word in ("best", "worst") and down:
        lowest = not lowest
    order = (Order(target="metric", index=0, descending=not lowest),)
    return before.model_copy(update={"order": order, "limit": 1, "offset": 0, "limit_by": None, "with_ties": True, "with_other": False})


def _of_figure(question: str, before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    """ "which one has the lowest margin?": the first of the rows by a figure, shown already or not; not of rows that another figure chose."""
    match = _WHO_HAS.match(question)
    if match is None or not before.by or not before.metrics or before.limit_by is not None:
        return None
    what = set(keys_of(match["what"] or ""))
    if what and not any(what <= set(keys_of(wording.group(g))) for g in before.by):
        return None
    named = frozenset(keys_of(match["of"]))
    shown = next((n for n, m in enumerate(before.metrics) if named and named <= frozenset(keys_of(wording.measure(m)))), None)
    other = figure_named(match["of"], wording) if shown is None else None
    first = before.order[0] if before.order else None
    ranked_so = first is not None and first.target == "metric" and first.index == shown
    if (shown is None and other is None) or (before.limit is not None and not ranked_so):
        return None
    metrics = before.metrics if other is None else (other,)
    order = Order(target="metric", index=shown or 0, descending=match["low"] is None)
    return before.model_copy(
        update={
            "metrics": metrics,
            "order": (order,),
            "limit": 1,
            "offset": 0,
            "having": (),
            "transform": (),
            "with_ties": True,
            "with_other": False,
        }
    )


def _other_end(question: str, before: SemanticQuery) -> bool:
    """ "and the worst?", after the best one was told."""
    return before.limit == 1 and question.lower().lstrip().startswith("and ")


_ASKING = ("which", "what", "who", "where", "and which", "and what", "so which")


def _shifted(question: str, before: SemanticQuery, catalog: Catalog, as_of: dt.datetime) -> SemanticQuery | None:
    """ "the day before?", "same day last year?": the window before, moved."""
    moved, same = _SHIFTED.match(question), _SAME.match(question)
    if (moved is None and same is None) or before.time is None or before.compare is not None:
        return None
    window = before.time.window
    calendar = catalog.calendar
    if moved is not None:
        back = (moved["a"] or moved["b"]).lower() not in ("following", "next", "after", "later")
        word = (moved["u"] or moved["v"]).lower()
        if not isinstance(window, Calendar_) or window.to_date or (word not in ("one", "period") and _UNIT[word] is not window.unit):
            return None
        return _at(before, window.model_copy(update={"offset": window.offset + (-1 if back else 1)}))
    assert same is not None
    start, end = window_bounds(window, as_of, calendar)
    if start is None or end is None:
        return None
    unit = _UNIT[same["u"].lower()]
    first = shift(start, unit, -1)
    whole = isinstance(window, Calendar_) and window.unit is not Unit.DAY and not window.to_date
    last = shift(first, window.unit, 1) if whole and isinstance(window, Calendar_) else first + (end - start)
    if whole and isinstance(window, Calendar_) and floor(first, window.unit, calendar, window.fiscal) != first:
        return None
    return _at(before, Absolute(start=first, end=last))


def _at(before: SemanticQuery, window: Absolute | Calendar_) -> SemanticQuery:
    assert before.time is not None
    return before.model_copy(update={"time": TimeWindow(window=window, field=before.time.field)})
