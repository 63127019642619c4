"""Turns that name a part of the answer before and leave the rest unsaid: "which channel?", "and cancelled", "how many were refunded", "their margin"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from nlq.text import keys_of
from semantic.catalog.model import Catalog, Metric, SimpleMetric
from semantic.query import Aggregate, AggregateKind, ByEntity, MetricRef, SemanticQuery

_WHICH = re.compile(
    r"^\s*(?:and\s+|but\s+|so\s+)?(?:(?:in|from|for|on|by|at)\s+)?(?:which|what)\s+(?P<x>(?!(?:is|are|was|were|did|does|do|has|have|about|if|else|one|ones|of|grew|fell|rose|dropped|declined|increased|decreased)\b)[\w-]+(?:\s+(?!(?:is|are|was|were|did|does|do|has|have|had|grew|fell)\b)[\w-]+)?)\s*\?*\s*$",
    re.IGNORECASE,
)
_OTHER = re.compile(r"^\s*(?P<lead>and|what\s+about|how\s+about|and\s+the)\s+(?P<word>[\w-]+)\s*\?*\s*$", re.IGNORECASE)
_TOO = re.compile(
    r"^\s*(?:and\s+)?(?:show\s+(?:me\s+)?)?(?:the\s+)?(?P<p>(?:last|previous|prior)\s+(?:year|quarter|month|week)|the\s+(?:year|quarter|month|week)\s+before)\s+(?:too|as\s+well|also)\W*$",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"^\s*(?:and\s+|so\s+)?(?:how\s+much|what\s+(?:share|percentage|percent|part|proportion|fraction|%))\s+of\s+(?:our\s+|the\s+|all\s+)?(?:total\s+|whole\s+|overall\s+)?"
    r"[\w\s]*?\s*(?:is|are|was|were)\s+(?:that|this|it|those|these|they)\W*$",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"^\s*(?:and\s+|so\s+)?(?:is|was|are|were)\s+(?:that|this|it|they|those|these)\s+(?:any\s+|much\s+|a\s+lot\s+)?(?:more|less|fewer|better|worse|higher|lower|bigger|smaller|up|down)\s+"
    r"(?:than|from|on|compared\s+(?:to|with))\s+(?P<p>(?:the\s+)?(?:same\s+)?(?:last|previous|prior|month|week|quarter|year|day|time|period)\b[\w\s]*?)\W*$",
    re.IGNORECASE,
)
_END = re.compile(
    r"^\s*(?:and\s+|so\s+)?(?:which|what)\s+(?P<x>(?!(?:is|are|was|were|one|ones|of)\b)[\w-]+(?:\s[\w-]+)?)\s+(?:is|was|are|were|has|had)\s+(?:the\s+)?(?P<end>biggest|highest|largest|top|most"
    r"|lowest|smallest|least|fewest)(?:\s+one)?\W*$",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"^\s*(?:and\s+|so\s+)?(?:how\s+(?:does|do|did|is|was)\s+(?:that|this|it|they|those)\s+(?:compare|doing|changed?)(?:\s+(?:to|with)\s+before)?"
    r"|(?:is|was|are|were)\s+(?:that|this|it|they)\s+(?:(?:up|down|better|worse|higher|lower|growing|shrinking|going\s+(?:up|down))(?:\s+or\s+(?:up|down|better|worse|higher|lower|growing|shrinking))?))\W*$",
    re.IGNORECASE,
)
_OF_THEM = re.compile(r"^\s*(?:and\s+)?(?:which|how\s+many|what|who)\s+of\s+(?:them|these|those)\b", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"^\s*(?:and\s+)?how\s+many\s+(?:of\s+(?:them|those|these)\s+)?(?P<rest>(?:were|are|was|is|had|have|has|got|did)\b(?!\s+(?:there|they|that|those|we|you|i)\b).+?)\s*$",
    re.IGNORECASE,
)
_THEY = re.compile(r"\b(?:they|them|their|theirs)\b", re.IGNORECASE)
_ITSELF = re.compile(r"\b(?:of|between|with|among)\s+them(?:selves)?\b", re.IGNORECASE)


_LEAST = frozenset(("lowest", "smallest", "least", "fewest"))


def respoken(question: str, before: SemanticQuery, catalog: Catalog) -> str | None:
    """The turn with what it leaves out said; None where it leaves nothing out that is known."""
    which = _WHICH.match(question)
    if which is not None and before.metrics:
        return f"by {which['x']}"
    if before.metrics and _SHARE.match(question):
        return "as a percentage of total"
    more = _MORE.match(question)
    if more is not None and before.metrics:
        return f"compared to {more['p']}"
    if before.metrics and before.time is not None and before.compare is None and _COMPARES.match(question):
        return "compared to the previous period"
    end = _END.match(question)
    if end is not None and before.metrics:
        return f"{'bottom' if end['end'].lower() in _LEAST else 'top'} {end['x']}"
    again = _TOO.match(question)
    if again is not None and before.time is not None and before.compare is None:
        return f"compared to {again['p']}"
    other = _OTHER.match(question)
    if other is not None:
        named = _same_noun(other["word"], before, catalog)
        return f"{other['lead']} {named}" if named is not None else None
    return None


def of_a_part(question: str, before: SemanticQuery) -> bool:
    """ "which of them are in Germany" after a top 10: of those ten, and not the ten of Germany."""
    return before.limit is not None and _OF_THEM.match(question) is not None


def counted_rows(question: str, before: SemanticQuery, catalog: Catalog) -> str | None:
    """ "how many were refunded" after an answer about orders: how many orders were. None for another turn, or another kind of answer."""
    found = _HOW_MANY.match(question)
    home = before.rows_of or next((_counted(m, catalog) for m in before.metrics), None) if found is not None else None
    if found is None or home is None or before.limit is not None:
        return None
    return f"how many {catalog.dataset(home).label} {found['rest']}"


def whose_is_unsaid(question: str, named_before: Callable[[str], bool]) -> bool:
    """Whether "they" and "their" go back to what an answer showed: nothing is named before them in the question itself.

    >>> whose_is_unsaid("what did they buy?", lambda text: False), whose_is_unsaid("customers and their orders", lambda text: True)
    (True, False)
    """
    found = _THEY.search(question)
    return found is not None and _ITSELF.search(question) is None and not named_before(question[: found.start()])


def _counted(measure: object, catalog: Catalog) -> str | None:
    """The rows that a measure counts, one each."""
    if isinstance(measure, Aggregate):
        return measure.dataset if measure.aggregate is AggregateKind.COUNT and measure.where is None else None
    metric = catalog.metric(measure.metric) if isinstance(measure, MetricRef) else None
    plain = isinstance(metric, SimpleMetric) and metric.aggregate is AggregateKind.COUNT and metric.where is None
    return metric.dataset if isinstance(metric, SimpleMetric) and plain else None


def _same_noun(word: str, before: SemanticQuery, catalog: Catalog) -> str | None:
    """ "and cancelled" after new subscriptions: the figure of that name for the same things; None where there is not exactly one."""
    first = before.metrics[0] if len(before.metrics) == 1 else None
    if not isinstance(first, MetricRef) or any(_called((word,), m) for m in catalog.metrics):
        return None
    label = catalog.metric(first.metric).label.split()
    found = [m.label for m in catalog.metrics if not m.hidden and len(label) > 1 and _called((word, label[-1]), m)]
    return found[0] if len(found) == 1 else None


def _called(words: Sequence[str], metric: Metric) -> bool:
    wanted = keys_of(" ".join(words))
    return any(wanted == keys_of(name) for name in (metric.label, *metric.synonyms))


def things_of(before: SemanticQuery, catalog: Catalog) -> frozenset[str]:
    """The things that an answer shows one by one."""
    grouped = {catalog.entity(b.entity).dataset for b in before.by if isinstance(b, ByEntity)}
    return frozenset(grouped | ({before.rows_of} if before.rows_of is not None else set()))
