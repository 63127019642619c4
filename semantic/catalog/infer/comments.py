"""What a column's comment says: its values, what codes mean, units."""

from __future__ import annotations

import re
from collections.abc import Mapping

from semantic.catalog.infer.vocabulary import UNITS
from semantic.catalog.infer.words import short_unit

_LIST = re.compile(
    r"(?:possible values?(?: are)?|allowed values?(?: are)?|valid values?(?: are)?|values?|one of|either|can only be|only|e\.?g\.?,?|for example,?|such as)\s*[:=]?\s*"
    r"(?P<list>[^.;()\[\]]+)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"['\"‘’“”]([^'\"‘’“”]{1,60})['\"‘’“”]")
_CODED = re.compile(
    r"(?<![\w.])(?P<code>[A-Z]{1,4}|-?\d{1,4}|[a-z]|'[^']{1,20}')\s*(?:=|:|->|→| means | for | if | is )\s*"
    r"(?P<meaning>[A-Za-z][A-Za-z &/-]{1,40}?)(?=\s*(?:[,;.)\]]|$| and | or ))"
)
_IN_UNIT = re.compile(r"\b(?:in|measured in|unit:?|units:?)\s+(?:the\s+)?(?P<unit>[a-z]+(?: [a-z]+){0,2})", re.IGNORECASE)


def listed_values(comment: str) -> tuple[str, ...]:
    """The values that a comment lists, in its order.

    >>> listed_values("possible values: buy, sell")
    ('buy', 'sell')
    >>> listed_values("Can only be 'Core' or 'Elective'")
    ('Core', 'Elective')
    """
    match = _LIST.search(comment)
    if not match:
        return ()
    quoted = _QUOTED.findall(comment[match.start() :])
    if quoted:
        return tuple(dict.fromkeys(quoted))
    if not re.match(r"(possible|allowed|valid|one of|values?|either|e\.?g)", match[0], re.IGNORECASE):
        return ()
    parts = [p.strip(" '\"`") for p in re.split(r",|\bor\b|\band\b|\|", match["list"])]
    parts = [p for p in parts if p and p.lower() not in ("etc", "...") and len(p.split()) <= 4]
    return tuple(dict.fromkeys(parts)) if len(parts) > 1 else ()


def coded_values(comment: str) -> Mapping[str, str]:
    """Codes and what they mean.

    >>> coded_values("order side: B = buy, S = sell")
    {'B': 'buy', 'S': 'sell'}
    >>> coded_values("season (1:winter, 2:spring, 3:summer, 4:fall)")
    {'1': 'winter', '2': 'spring', '3': 'summer', '4': 'fall'}
    """
    found = {m["code"].strip("'"): m["meaning"].strip() for m in _CODED.finditer(comment)}
    return found if len(found) > 1 else {}


def unit_of(words: tuple[str, ...], comment: str) -> str | None:
    """The unit that a name ends in, or a comment states ("in square kilometers")."""
    for size in (2, 1):
        tail = " ".join(words[-size:])
        if len(words) > size - 1 and tail in UNITS and not (len(words) == 1 and tail in ("minutes", "seconds", "hours", "days")):
            return UNITS[tail]
    if short := short_unit(words):
        return short
    if "usd" in words or "eur" in words or "gbp" in words:
        return next(UNITS[x] for x in words if x in ("usd", "eur", "gbp"))
    for match in _IN_UNIT.finditer(comment):
        unit = match["unit"].lower()
        for candidate in (unit, " ".join(unit.split()[:2]), unit.split()[0]):
            if candidate in UNITS:
                return UNITS[candidate]
    return None


_PHRASE = re.compile(r"\s*(?:the\s+|an?\s+)?(?P<said>[A-Za-z][A-Za-z' -]{2,60}?)\s*(?:[.;,(\[]|$)", re.IGNORECASE)
_NO_NAME = frozenset(
    "unique uniquely identifier id foreign primary key indicates indicate whether if flag any first last format type of the date timestamp time when "
    "date stores contains internal value".split()
)
_NO_PHRASE = frozenset("assigned each actual one short brief given provided associated url".split())
_RELATIVE = re.compile(r"\s(?:that|which|where|when|who|whose|at|during|on|is|was|are)\s", re.IGNORECASE)


def spoken_name(comment: str, table: tuple[str, ...]) -> str:
    """What the comment's first clause calls the column, without the table it is of; empty when it names nothing short.

    >>> spoken_name("Manufacturer of the car", ("car",)), spoken_name("The cost of a one-way trip for this fare", ("fare",))
    ('manufacturer', 'cost of a one-way trip')
    >>> spoken_name("Unique identifier for each car", ("car",)), spoken_name("Number of students who liked it", ("course",))
    ('', '')
    """
    match = _PHRASE.match(comment)
    if not match:
        return ""
    said = match["said"].lower().strip()
    if _RELATIVE.search(said):
        return ""  # half of a statement says something else
    noun = " ".join(table)
    said = re.sub(rf"\s+(?:of|for|in|by)\s+(?:the|this|each|an?|every)\s+{re.escape(noun)}s?\s*$", "", said)
    words = said.split()
    if (
        not words
        or len(words) > 5
        or words[0] in _NO_NAME
        or set(words) & _NO_PHRASE
        or words[-1] in ("of", "for", "the", "in", "to", "by")
    ):
        return ""
    return said
