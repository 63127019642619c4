"""Asking back with the names that mean nearly what unknown words mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nlq.meaning.nearest import Meanings
from nlq.meaning.rephrase import rephrased, sureness
from nlq.rewording import unmarked
from nlq.types import Reading, Understanding

_QUALIFYING = frozenset(("net", "gross"))  # of a figure, and no name of one


def by_meaning(question: str, refused: Understanding, meanings: Meanings, ask: Callable[[str], Understanding]) -> Understanding:
    """The question asked back with such names in the place of its unknown words; the refusal itself when there are none. ask: reads a question."""
    if any(w.text.lower() in _QUALIFYING for w in refused.unknown):
        return refused
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
