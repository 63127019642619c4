"""Words that say several figures equally well: "total cost" where there are cost of goods and ad spend, revenue "excluding refunds"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from nlq.candidates import Candidate, Candidates
from nlq.frame import Condition, Mention
from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.reading import Prepared
from nlq.rewording import unmarked
from nlq.types import Reading, Understanding
from semantic.catalog.model import SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind

# A link by a word that only means nearly the same scores less than this.
_LOOSE = 0.75
_EQUALLY = 0.2
_OFFERED = 4
_THEIRS = re.compile(r"\band\s+(?:their|its)\b", re.IGNORECASE)
_LEAVING_OUT = ("excluding", "without", "except", "exclude", "not including")


@dataclass(frozen=True, slots=True)
class Ways:
    """Questions of which one is meant, and what to ask. kept: the question as it was read is one of the ways."""

    questions: tuple[str, ...]
    message: str
    kept: bool = False


def asked_back(
    question: str, as_read: Reading, best: Candidate, prepared: Prepared, of: Candidates, ask: Callable[[str], Understanding]
) -> Understanding | None:
    """Asks which is meant where a word says several figures, or a ranking none; None where nothing is open, or only one way can be answered."""
    ways = _open_words(best, prepared, question, of.kinds)
    if ways is None:
        return None
    readings = [as_read] if ways.kept else []
    for text in ways.questions:
        found = ask(text)
        if found.outcome == "answer" and all(found.readings[0].query != r.query for r in readings):
            readings.append(replace(unmarked(found.readings[0]), confidence=0.5))
    return Understanding(question, "clarify", tuple(readings[:_OFFERED]), message=ways.message) if len(readings) > 1 else None


def _open_words(best: Candidate, prepared: Prepared, question: str, kinds: Kinds) -> Ways | None:
    """What the question leaves open, said in full each way; None where nothing is open. Some of the ways may not be answerable."""
    named = _said_in_full(best, prepared, question, kinds)
    if named:
        return Ways(tuple(named), "Which of these do you mean?")
    money = _money_off(best, prepared, question, kinds)
    if money is not None:
        return Ways((money,), "Leave out the rows that have any, or take the amount off?", kept=True)
    ranked = _by_each(best, question, kinds)
    return Ways(tuple(ranked), "By which measure?", kept=True) if ranked else None


def _by_each(best: Candidate, question: str, kinds: Kinds) -> list[str]:
    """ "top 3 channels and their conversion rates": what is told of them need not be what makes them the top."""
    f = best.frame
    said = f.limit_asked and f.top_asked and len(f.outputs) == 2 and _THEIRS.search(question) is not None
    if not said or f.rank_by or f.measures or f.orders or f.superlative is not None:
        return []
    told = best.assignment.target(f.outputs[1])
    others = [m for m in kinds.catalog.metrics if not m.hidden and m.certified and m.good_direction == "up"]
    named = [m.label for m in others if told is None or m.name != told.name]
    return [f"{question.rstrip(' ?!.')} by {name}" for name in named[: _OFFERED - 1]]


def _said_in_full(best: Candidate, prepared: Prepared, question: str, kinds: Kinds) -> list[str]:
    for mention in best.frame.mentions:
        names = _figures(mention, best.assignment.target(mention), kinds)
        span = prepared.span(mention.unit.start, mention.unit.end)
        if len(names) > 1 and question[span.start : span.end].lower() == mention.unit.text.lower():
            return [question[: span.start] + name + question[span.end :] for name in names]
    return []


def _figures(mention: Mention, chosen: Target | None, kinds: Kinds) -> list[str]:
    """What the figures are called that one word may be, by different columns."""
    links = mention.unit.links
    if chosen is None or not links or mention.unit.end - mention.unit.start != 1 or any(k.exact for k in links):
        return []
    if not kinds.is_measure(chosen) or links[0].score >= _LOOSE or mention.role == "context":
        return []
    names: dict[tuple[str, str], str] = {}
    for link in links:
        column = _summed(link.target, kinds)
        if column is not None and link.score >= links[0].score - _EQUALLY:
            names.setdefault(column, _called(column, kinds))
    return list(names.values())


def _summed(target: Target, kinds: Kinds) -> tuple[str, str] | None:
    """The column that a figure adds up: a metric's, or a number's own."""
    if target.kind == "metric":
        metric = kinds.catalog.metric(target.name)
        if not isinstance(metric, SimpleMetric) or metric.aggregate is not AggregateKind.SUM or metric.where is not None:
            return None
        return (metric.of.dataset, metric.of.field) if isinstance(metric.of, FieldRef) else None
    field = kinds.field(target)
    added = field is not None and kinds.is_amount(target) and field.aggregate is AggregateKind.SUM and field.additive
    return (target.dataset, target.field) if added and target.dataset is not None and target.field is not None else None


def _called(column: tuple[str, str], kinds: Kinds) -> str:
    metric = next((m for m in kinds.catalog.metrics if not m.hidden and _summed(Target("metric", m.name), kinds) == column), None)
    return metric.label if metric is not None else kinds.catalog.dataset(column[0]).field(column[1]).label


def _money_off(best: Candidate, prepared: Prepared, question: str, kinds: Kinds) -> str | None:
    """ "revenue excluding refunds" with the money taken off instead of the rows left out; None where only one of both can be meant."""
    measured = [m for m in best.frame.mentions if m.role in ("output", "aggregate")]
    denied = [c for c in best.frame.conditions if _leaves_out(c)]
    if len(measured) != 1 or len(denied) != 1 or _column_of(measured[0], best, kinds) is None:
        return None
    thing = denied[0].mention
    if thing is None or not any(k.exact and _summed(k.target, kinds) is not None for k in thing.unit.links):
        return None
    span = prepared.span(thing.unit.start, thing.unit.end)
    before = question[: span.start].rstrip()
    word = next((w for w in _LEAVING_OUT if before.lower().endswith(w)), None)
    return None if word is None else f"{before[: -len(word)]}minus {question[span.start :]}"


def _leaves_out(condition: Condition) -> bool:
    return condition.kind == "related" and condition.negate and all(c.kind == "time" for c in condition.inner)


def _column_of(mention: Mention, best: Candidate, kinds: Kinds) -> tuple[str, str] | None:
    target = best.assignment.target(mention)
    return None if target is None else _summed(target, kinds)
