"""The answer before, as a short follow-up changes it: held against another, edited, shown otherwise, narrowed, counted again, broken down."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from nlq import dialogue as talk
from nlq.candidates import Candidates
from nlq.chips import chips_of, paraphrase
from nlq.conjunctions import conjunction, conjuncts
from nlq.edits import edited, without_any
from nlq.held_together import held_together, is_both
from nlq.linking import Linker
from nlq.narrowing import narrowed
from nlq.referring import counted_rows
from nlq.reshaping import last_is_meant, more_of, reshaped
from nlq.turns import Turn
from nlq.types import DialogueState, Intent, Reading, Understanding
from semantic.query import SemanticQuery

_DOWN = re.compile(
    r"^\s*(?:(?:and|ok(?:ay)?|now|please|can\s+you|could\s+you)[\s,]+)*(?:(?:break|split|drill|slice|cut)\s+(?:(?:it|that|this|them|these|those)\s+)?(?:down|up|further|apart)?"
    r"|(?:give|show)\s+me\s+(?:more\s+)?(?:the\s+)?(?:details?|breakdown)|more\s+details?|(?:the\s+|a\s+)?breakdown|drill\s+down)(?:\s+(?:please|further|more))*\s*[.!?]*\s*$",
    re.IGNORECASE,
)
_WAYS = 4
NOT_TOGETHER = "The last two answers differ in more than their period, one value or their figure. Say which figures to compare."
NO_FILTER = "The answer before has no filter but its period; say “all time” to drop that."
NO_MORE = "The answer before already holds all rows there are."

Understand = Callable[[str, DialogueState | None], Understanding]


def changed(question: str, turn: Turn, dialogue: DialogueState, of: Candidates, linker: Linker, as_of: dt.datetime) -> Understanding | None:
    """None where the question is no such follow-up, or would come to what cannot be computed."""
    before = dialogue.readings[0]
    query, text = before.query, turn.text
    both = held_together(dialogue) if is_both(text) else None
    if is_both(text) and both is None:
        return Understanding(question, "refuse", message=NOT_TOGETHER)
    if more_of(text) and query.limit is None:
        return Understanding(question, "refuse", message=NO_MORE)
    if last_is_meant(text, query, of.wording):
        return Understanding(question, "define", message=f"Of the {query.limit} in the answer before, it is the last one.")
    if without_any(text, query):
        return Understanding(question, "refuse", message=NO_FILTER)
    whole = (
        both
        or talk.special(text, query)
        or edited(text, query, of.wording)
        or reshaped(text, query, of.catalog, of.wording, as_of)
        or narrowed(turn, query, linker, of.wording, of.catalog)
    )
    if whole is None or of.problem(whole, as_of) is not None:
        return None
    return _answer(question, of, whole, before)


def counted_again(question: str, before: Reading, of: Candidates, as_of: dt.datetime, understand: Understand) -> Understanding | None:
    """ "how many were refunded": of the rows that the answer before was about, within all that it was narrowed to."""
    text = counted_rows(question, before.query, of.catalog)
    found = understand(text, None) if text is not None else None
    if found is None or found.outcome != "answer":
        return None
    query = found.readings[0].query
    kept = tuple(p for p in conjuncts(before.query.where) if p not in conjuncts(query.where))
    where = conjunction((*kept, *conjuncts(query.where))) if kept else query.where
    query = query.model_copy(update={"where": where, "time": query.time or before.query.time})
    return _answer(question, of, query, None) if of.problem(query, as_of) is None else None


def by_what(question: str, before: Reading, suggested: Callable[[Reading], Iterable[str]], understand: Understand) -> Understanding | None:
    """ "break it down": the groups that the figures before can be split by, to choose from."""
    if not _DOWN.match(question) or not before.query.metrics:
        return None
    state = DialogueState((before,), ("",))
    found = [understand(text, state) for text in suggested(before) if text.startswith("and by ")]
    readings = [f.readings[0] for f in found if f.outcome == "answer" and f.readings[0].intent is Intent.ASK][:_WAYS]
    return Understanding(question, "clarify", tuple(readings), message="By what?") if len(readings) > 1 else None


def _answer(question: str, of: Candidates, query: SemanticQuery, before: Reading | None) -> Understanding:
    chips = chips_of(query, of.wording, Intent.ASK if before is None else before.intent, {})
    if before is None:
        return Understanding(question, "answer", (Reading(Intent.ASK, query, chips, 0.85, paraphrase(chips)),))
    return Understanding(question, "answer", (replace(before, query=query, chips=chips, confidence=0.9, paraphrase=paraphrase(chips)),))
