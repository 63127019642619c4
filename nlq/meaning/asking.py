"""Asking back with the names that mean nearly what unknown words mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nlq.meaning.nearest import Meanings
from nlq.meaning.rephrase import rephrased, sureness
from nlq.meaning.short_forms import short_for
from nlq.refusals import needs_definition, not_understood
from nlq.rewording import unmarked
from nlq.types import Reading, Understanding

_QUALIFYING = frozenset(("net", "gross"))  # of a figure, and no name of one


def by_meaning(question: str, refused: Understanding, meanings: Meanings, ask: Callable[[str], Understanding]) -> Understanding:
    """The question asked back with such names in the place of its unknown words; the refusal itself when there are none. ask: reads a question."""
    if any(w.text.lower() in _QUALIFYING for w in refused.unknown):
        return refused
    if needs_definition(refused.unknown, question):
        return replace(refused, message=not_understood(refused.unknown, question))
    written_out = _written_out(question, refused, meanings, ask)
    if written_out is not None:
        return written_out
    readings: list[Reading] = []
    meant: list[str] = []
    for again in rephrased(question, refused.unknown, meanings):
        found = ask(again.question)
        if found.outcome not in ("answer", "clarify") or not found.readings:
            continue
        best = found.readings[0]
        if any(best.query == r.query for r in readings):
            continue
        readings.append(replace(unmarked(best), confidence=round(best.confidence * sureness(again.score), 4)))
        meant.append(" and ".join(again.names))
    if not readings:
        return refused
    words = ", ".join(f"“{w.text}”" for w in refused.unknown)
    message = f"Nothing here is called {words}. Do you mean {' or '.join(meant)}?"
    return replace(refused, outcome="clarify", readings=tuple(readings), message=message)


def _written_out(question: str, refused: Understanding, meanings: Meanings, ask: Callable[[str], Understanding]) -> Understanding | None:
    """ "gp by dev" asked back in full; None where a word is no short form of one name."""
    text, names = question, []
    for word in sorted(refused.unknown, key=lambda w: -w.span.start):
        name = short_for(word.text, text[: word.span.start], meanings.catalog)
        if name is None or text[word.span.start : word.span.end].lower() != word.text.lower():
            return None
        text = text[: word.span.start] + name + text[word.span.end :]
        names.append(name)
    found = ask(text) if names else refused
    if found.outcome != "answer":
        return None
    message = f"Do you mean {' and '.join(reversed(names))}?"
    return replace(refused, outcome="clarify", readings=tuple(unmarked(r) for r in found.readings[:1]), message=message)
