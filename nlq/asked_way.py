"""Which way a question takes it for granted that a measure went: "why did revenue drop?"."""

from __future__ import annotations

import re
from typing import Literal

_UP = re.compile(
    r"\b(?:rise|rises|rose|risen|rising|increas(?:e|es|ed|ing)|grow|grows|grew|grown|growing|jump(?:s|ed)?|surg(?:e|es|ed)|spik(?:e|es|ed)"
    r"|climb(?:s|ed)?|improv(?:e|es|ed)|gain(?:s|ed)?|soar(?:s|ed)?|up(?! to)|higher)\b",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"\b(?:fall|falls|fell|fallen|falling|drop(?:s|ped|ping)?|declin(?:e|es|ed|ing)|decreas(?:e|es|ed|ing)|shrink(?:s|ing)?|shrank|shrunk"
    r"|dip(?:s|ped)?|slump(?:s|ed)?|plung(?:e|es|ed)|plummet(?:s|ed)?|tank(?:s|ed)?|los(?:e|es|t)"
    r"|down(?! to)|lower)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\bnot\b|n['’]t\b|\bnever\b|\bwithout\b", re.IGNORECASE)


def asked_way(question: str) -> Literal["up", "down"] | None:
    """None where it is left open, denied, or both ways are named.

    >>> asked_way("why did revenue drop last month"), asked_way("Why were orders up in May?"), asked_way("why did revenue change")
    ('down', 'up', None)
    >>> asked_way("why did revenue not grow"), asked_way("why did revenue fall while orders rose")
    (None, None)
    """
    up, down = bool(_UP.search(question)), bool(_DOWN.search(question))
    if up == down or _DENIED.search(question):
        return None
    return "up" if up else "down"
