"""Follow-ups that name values of the columns on screen: "email only" under an answer by channel is the channel, whatever else is called so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlq.conjunctions import conjunction, conjuncts
from nlq.dialogue import conditions
from nlq.linking import Linker
from nlq.text import keys_of, tokenise
from nlq.turns import Turn
from nlq.wording import Wording
from semantic.catalog.model import Catalog, FieldRole
from semantic.expr import FieldRef, In, Predicate
from semantic.query import Aggregate, ByField, SemanticQuery

_LEAD = re.compile(
    r"^\s*(?:(?:and|but|ok(?:ay)?|now|also|plus|add|include|only|just|for|in|on|from|what\s+about|how\s+about|show(?:\s+me)?|the|vs\.?|versus|against"
    r"|(?P<out>without|excluding|exclude|except(?:\s+for)?|not|ignore|leave\s+out|remove|drop|minus))\b[\s,]*)+",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\s*\b(?:only|too|as\s+well|also|instead|please|alone)\s*$", re.IGNORECASE)
_ALL = re.compile(
    r"^\s*(?:(?:and|now|ok(?:ay)?|show(?:\s+me)?|for|in|across|over|again)\s+)*(?:all|any|every)\s+(?:the\s+)?(?P<what>[\w-]+(?:\s+[\w-]+)?)(?:\s+again)?\s*[.?!]*\s*$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:,|\band\b|\bor\b|&)\s*", re.IGNORECASE)
_EXACT = 0.97


def narrowed(turn: Turn, before: SemanticQuery, linker: Linker, wording: Wording, catalog: Catalog) -> SemanticQuery | None:
    """`before` for the values that the turn names, or without the filter that "all channels" takes away; None when it says anything else."""
    text = turn.text.strip(" ?!.\t\n")
    widened = _ALL.match(text)
    if widened:
        return _widened(widened["what"], before, wording)
    lead = _LEAD.match(text)
    if lead is None and not turn.leans:
        return None
    names = [n for n in _BETWEEN.split(_TAIL.sub("", text[lead.end() if lead else 0 :])) if n]
    if not 1 <= len(names) <= 6:
        return None
    for field in _fields(before, catalog):
        values = [_value(name, field, linker) for name in names]
        if all(v is not None for v in values):
            out = lead is not None and lead["out"] is not None
            adds = turn.adds or (text.lower().startswith("and ") and _held_apart(before, field))
            chosen = In(field=field, values=tuple(v for v in values if v is not None), negate=out)
            return before.model_copy(update={"where": conditions(before.where, chosen, adds=adds and not out), "offset": 0})
    return None


def _held_apart(before: SemanticQuery, field: FieldRef) -> bool:
    """Whether several values of the column are shown beside each other, so that "and Spain" is one more."""
    chosen = (p for p in conjuncts(before.where) if isinstance(p, In) and p.field == field and not p.negate)
    return any(len(p.values) > 1 for p in chosen) and any(isinstance(g, ByField) and g.field == field for g in before.by)


def _widened(what: str, before: SemanticQuery, wording: Wording) -> SemanticQuery | None:
    wanted = set(keys_of(what))
    items = conjuncts(before.where)
    kept: list[Predicate] = [
        p for p in items if not isinstance(p, In) or not isinstance(p.field, FieldRef) or not wanted <= set(keys_of(wording.field(p.field)))
    ]
    if len(kept) == len(items):
        return before if any(wanted <= set(keys_of(wording.group(g))) for g in before.by) else None
    return before.model_copy(update={"where": conjunction(kept) if kept else None})


def _fields(before: SemanticQuery, catalog: Catalog) -> Iterator[FieldRef]:
    """The columns on screen, then the labels of the rows that are listed or counted."""
    yield from (group.field for group in before.by if isinstance(group, ByField))
    counted = {m.dataset for m in before.metrics if isinstance(m, Aggregate)} | {before.rows_of}
    for dataset in catalog.datasets:
        if dataset.name in counted:
            yield from (
                FieldRef(dataset=dataset.name, field=f.name) for f in dataset.fields if f.role is FieldRole.CATEGORY and not f.hidden
            )


def _value(name: str, field: FieldRef, linker: Linker) -> str | None:
    tokens = tokenise(name)
    found = linker.values(tokens) if tokens else []
    return next((v.value for v in found if (v.dataset, v.field) == (field.dataset, field.field) and v.score >= _EXACT), None)
