"""What a turn of a conversation does before anything is read: it goes back, corrects, or adds to what was asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from nlq.types import DialogueState
from semantic.expr import Calendar_, Unit
from semantic.query import ComparePeriod, SemanticQuery

_BACK = re.compile(
    r"^\s*(?:(?:please|ok(?:ay)?|no|now),?\s+)*(?:(?:go|take\s+me|step)\s+back(?:\s+(?:one|a)\s+step)?|back|undo(?:\s+(?:that|it|this|the\s+last\s+(?:one|step|change)))?|revert(?:\s+(?:that|it))?"
    r"|(?:back\s+to\s+)?the\s+(?:previous|last)\s+(?:answer|one|question|result)|previous\s+(?:answer|question|result))\s*(?:please)?\s*[.!?]*\s*$",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"^\s*(?:(?:no|nope|sorry|oops|wait|actually|hm+|i\s+mean(?:t)?|i\s+wanted|rather|make\s+that|correction|my\s+mistake|that(?:'s|\s+is)\s+wrong)\s*[,.:;!-]*\s+)+"
    r"(?:not\s+[\w' -]+?\s*(?:,|but)\s+)?",
    re.IGNORECASE,
)
_SURE = re.compile(
    r"^\s*(?:sorry|oops|wait|actually|hm+|i\s+mean|i\s+wanted|make\s+that|correction|my\s+mistake|no\s*[,.:;!-]|nope|.*\bi\s+mean)",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(r"^\s*(?:no,?\s+)?not\s+[\w' -]+?\s*(?:,|\bbut)\s+(?=\w)", re.IGNORECASE)
_SWITCH = re.compile(
    r"^\s*(?:(?:and|now|then|ok(?:ay)?|please|can\s+you)\s+)*(?:(?:switch|change|go|swap)(?:\s+(?:it|that|this))?(?:\s+over)?\s+to|(?:make|use|take)(?:\s+(?:it|that|this))?|replace\s+(?:it|that|this)\s+(?:with|by)"
    r"|(?:break|split|cut|slice|group|drill)(?:\s+(?:it|that|this|them|these|those))?(?:\s+(?:down|up|out))?(?=\s+(?:by|per|into|in)\b)(?:\s+(?:into|in)\b)?)\s+(?=\S)",
    re.IGNORECASE,
)
_THEM = re.compile(
    r"^\s*(?:and\s+|so\s+)?(?:(?:please\s+)?compare\s+(?:them|those|these|the\s+two|both|these\s+two|those\s+two)|(?:what(?:'s|\s+is)\s+)?(?:the\s+)?difference(?:\s+between\s+(?:them|the\s+two|those|these))?"
    r"|(?:(?:show|put)\s+)?(?:(?:them|both|the\s+two)\s+)?(?:side\s+by\s+side|next\s+to\s+each\s+other)|how\s+do\s+(?:they|those|these|the\s+two)\s+compare)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_ADDS = re.compile(
    r"^\s*(?:and\s+|also\s+)?(?:(?:show|give|list|what\s+(?:is|are|was|were)|what's)(?:\s+me)?\s+)?(?:their|its)\s|^\s*(?:and\s+|but\s+)?(?:also|plus|add|include|including|as\s+well\s+as)\b|\b(?:too|as\s+well|also)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    r"^\s*(?:and\s+)?(?:vs\.?|versus|against|compared?\s+(?:it\s+|that\s+|this\s+)?(?:to|with|against))\s+", re.IGNORECASE
)
_TRAILING = re.compile(r"\b(?:instead|only|too|as\s+well|also)\s*[?.!]*\s*$", re.IGNORECASE)
_SHORT = 6


@dataclass(frozen=True, slots=True)
class Turn:
    """`text`: what is left to read, in its place (as long as the question). leans: it is about the answer before, whatever it names.

    adds: values go beside those that are there. against: they are held against them.
    """

    text: str
    leans: bool = False
    adds: bool = False
    against: bool = False


PLAIN = Turn("")


def is_back(question: str) -> bool:
    """Whether the answer before the last one is wanted again."""
    return bool(_BACK.match(question))


def stepped_back(dialogue: DialogueState) -> DialogueState | None:
    """The conversation without its last answer; None when there is no other."""
    if len(dialogue.readings) < 2:
        return None
    return replace(dialogue, readings=dialogue.readings[1:], questions=dialogue.questions[1:])


def is_both(question: str) -> bool:
    """Whether the last two answers are to be held against each other."""
    return bool(_THEM.match(question))


def held_together(dialogue: DialogueState) -> SemanticQuery | None:
    """The last answer beside the same figures of the answer before it, which was of another period. None where that differs in more."""
    if len(dialogue.readings) < 2:
        return None
    now, then = dialogue.readings[0].query, dialogue.readings[1].query
    if (
        now.time is None
        or then.time is None
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


def turn_of(question: str) -> Turn:
    """How a question leans on the answer before it.

    >>> turn_of("no, I meant gross margin").text.strip(), turn_of("not orders, refunds").text.strip()
    ('gross margin', 'refunds')
    """
    found = _NOT_BUT.match(question) or (_CORRECTION.match(question) if _SURE.match(question) else None)
    if found and found.end() < len(question):
        return Turn(" " * found.end() + question[found.end() :], leans=True)
    switch = _SWITCH.match(question)
    if switch and len(question.split()) <= _SHORT + 2:
        return Turn(" " * switch.end() + question[switch.end() :], leans=True)
    short = len(question.split()) <= _SHORT
    against = bool(_AGAINST.match(question))
    return Turn(question, leans=short and bool(_TRAILING.search(question)), adds=bool(_ADDS.search(question)) or against, against=against)
