"""What a turn of a conversation does before anything is read: it goes back, corrects, or adds to what was asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from nlq.types import DialogueState

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
    r"|(?:zoom|drill|dig|dive)(?:\s+down)?\s+(?:in(?:\s+(?:on|to))?|into|to|on)|(?:focus|concentrate)\s+on|(?:narrow|limit|restrict|filter)(?:\s+(?:it|that|this|them))?(?:\s+down)?\s+(?:to|on|by|for)"
    r"|(?:break|split|cut|slice|group|drill)(?:\s+(?:it|that|this|them|these|those))?(?:\s+(?:down|up|out))?(?=\s+(?:by|per|into|in)\b)(?:\s+(?:into|in)\b)?)\s+(?=\S)",
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
