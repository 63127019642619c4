"""Answers of a conversation held against each other: of two periods, of several values of one field, or two figures of the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlq.conjunctions import conjunction, conjuncts
from nlq.dialogue import chosen_values
from nlq.types import DialogueState
from semantic.chosen import Chosen, chosen
from semantic.expr import Calendar_, In, Predicate, Unit
from semantic.query import ByField, ComparePeriod, SemanticQuery

_THEM = re.compile(
    r"^\s*(?:and\s+|so\s+|now\s+)?(?:(?:please\s+)?compare\s+(?:them|those|these|the\s+two|both|these\s+two|those\s+two|the\s+three|all(?:\s+of\s+them)?|them\s+all)"
    r"|(?:what(?:'s|\s+is)\s+)?(?:the\s+)?difference(?:\s+between\s+(?:them|the\s+two|those|these))?"
    r"|(?:(?:show|put)\s+)?(?:me\s+)?(?:(?:them|both|the\s+two|all)\s+)?(?:side\s+by\s+side|next\s+to\s+each\s+other|together|in\s+one\s+(?:table|chart|view))"
    r"|(?:show|give|put)\s+(?:me\s+)?both|how\s+do\s+(?:they|those|these|the\s+two)\s+compare)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_MOST_FIGURES = 5


def is_both(question: str) -> bool:
    """Whether the last answers are to be held against each other."""
    return bool(_THEM.match(question))


def held_together(dialogue: DialogueState) -> SemanticQuery | None:
    """The last answer beside the answers before it that differ in one thing only; None where they differ in more."""
    if len(dialogue.readings) < 2:
        return None
    queries = [r.query for r in dialogue.readings]
    return _of_periods(queries[0], queries[1]) or _of_values(queries) or _of_figures(queries[0], queries[1])


def _of_periods(now: SemanticQuery, then: SemanticQuery) -> SemanticQuery | None:
    if (
        now.time is None
        or then.time is None
        or now == then
        or now.model_copy(update={"time": then.time}) != then
        or now.compare is not None
        or not now.metrics
    ):
        return None
    for main, other in ((now, then), (then, now)):
        window, against = (q.time.window if q.time is not None else None for q in (main, other))
        runs = isinstance(window, Calendar_) and window.unit is not Unit.DAY and window.offset == 0
        earlier = window.model_copy(update={"offset": -1, "to_date": False}) if runs and window is not None else None
        if earlier is not None and against == earlier and main.time is not None and window is not None:
            time = main.time.model_copy(update={"window": window.model_copy(update={"to_date": True})})  # like with like
            return main.model_copy(update={"time": time, "compare": ComparePeriod(to="previous_period")})
    return now.model_copy(update={"compare": ComparePeriod(to="window", window=then.time.window)})


def _of_values(queries: Sequence[SemanticQuery]) -> SemanticQuery | None:
    """ "revenue in Germany", "and France", "and the UK": by country, of the three."""
    now, parts = queries[0], conjuncts(queries[0].where)
    for part in parts:
        held = _one_of(part)
        if held is None or not now.metrics:
            continue
        field, rest, values = held.field, tuple(p for p in parts if p is not part), list(held.values)
        for earlier in queries[1:]:
            others = conjuncts(earlier.where)
            other = next((p for p in others if (o := _one_of(p)) is not None and o.field == field), None)
            alike = now.model_copy(update={"where": None}) == earlier.model_copy(update={"where": None})
            if other is None or not alike or tuple(p for p in others if p is not other) != rest:
                break
            values = [*chosen_values(other), *values]
        together = tuple(dict.fromkeys(values))
        if len(together) > len(held.values):
            by = now.by if ByField(field=field) in now.by else (ByField(field=field), *now.by)
            return now.model_copy(update={"where": conjunction((*rest, In(field=field, values=together))), "by": by})
    return None


def _of_figures(now: SemanticQuery, then: SemanticQuery) -> SemanticQuery | None:
    """ "revenue last month", "and orders": both."""
    if now.metrics == then.metrics or not now.metrics or not then.metrics or now.model_copy(update={"metrics": then.metrics}) != then:
        return None
    both = tuple(dict.fromkeys((*then.metrics, *now.metrics)))
    return then.model_copy(update={"metrics": both}) if len(both) <= _MOST_FIGURES else None


def _one_of(predicate: Predicate) -> Chosen | None:
    found = chosen(predicate)
    return None if found is None or found.denied else found
