"""Holds a text to its facts: every number, name, date and direction in it belongs to a statement that a fact allows.

The text is read from scratch (it shares no code with the templates). Names and periods of the facts are found first, longest first; then
numbers with sign, currency, size letter, percent and unit; then words. A word is a direction, one of the words that sentences are
built from, or unknown, and an unknown word fails the text. What is left must read as a row of whole statements.

The rounding rule: a number may be off by half a unit of the last digit that it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.errors import InternalError
from core.formats import CURRENCIES, USUAL
from insights.claims import Claim, Direction, Element, Name, Number, Way
from insights.kinds import claims_of
from insights.types import Fact

_UP = "rose rise rising up increase increased grew climbed above higher high highest gained more upward"
_DOWN = "fell fall falling down decrease decreased decline declined dropped slipped shrank below lower low lowest lost less downward"
_FLAT = "flat steady"
_NOT = "no not never none nothing"
_WAYS: dict[str, Way] = {
    **dict.fromkeys(_UP.split(), "up"),
    **dict.fromkeys(_DOWN.split(), "down"),
    **dict.fromkeys(_FLAT.split(), "flat"),
    **dict.fromkeys(_NOT.split(), "not"),
}
_WORDS = frozenset(
    (
        "a accounts across against alike all already also although an and are as at be between but by change changed come comes compared did each "
        "earlier else even every everything expected for from had has have held holding in into is it its itself largest loaded longest made "
        "metric mix move moved moves of on one only or other others out over own part parts period periods point points rate rates record "
        "came exceeds loaded late row same seem seems segment segments share since so spread stands stood straight than that the their then there these they this to "
        "together total typically usual usually value values was went were what when where which while whole with within without yet "
        "accounted associated shift shifted Simpson reversal reversed s about run any year data late level holds all month quarter week day hour "
        "ordinary weeks time association correlation cause tended double times alike before been course given would own gap first reach "
        "goal loaded load missing model forecasts hours days months quarters there"
    ).split()
)
_SIZES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_NUMBER = (
    r"(?P<sign>[+\-])?(?P<currency>{symbols})?\s?(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<size>[KMBT])?(?P<percent>%)?"
    r"(?:\s(?P<unit>{units}))?(?!\w)"
)
_WORD = re.compile(r"[^\W\d_]+")
_CAUSE = re.compile(r"\bcause\b(?<!not a cause)", re.IGNORECASE)
# What may come and go without a change of meaning; any other word between two tokens must stay where it is when a text is told anew.
_NEUTRAL = frozenset(
    "a an the it its itself is was were are been be has have had this these those also then there they so came come comes went by did".split()
)
_CAME_TO = re.compile(r"\b(?:came|comes|come) to\b")  # as "was"
_ALIKE = {"on": "in", "over": "in", "at": "in", "against": "with", "versus": "with", "accounted": "accounts", "typically": "usually"}
_BETWEEN = frozenset(" ,.;:()'’–")


class NotProven(InternalError):
    """A text says something that its facts do not; it must not leave."""

    code = "text_not_proven"


@dataclass(frozen=True, slots=True)
class _Token:
    """One meaningful part of the text. A name made of digits may also be read as a number, one that is a direction's word as that direction,
    and one of plain words ("segment", "change") as those words."""

    text: str
    name: str | None = None
    way: Way | None = None
    value: float | None = None
    tolerance: float = 0.0
    percent: bool = False
    signed: bool = False
    currency: str = ""
    unit: str = ""
    place: int = 0
    is_plain: bool = False


def verify(sentences: Iterable[str], facts: Sequence[Fact]) -> None:
    """Raises: NotProven at the first sentence that is not a row of statements about these facts."""
    claims = [claim for fact in facts for claim in claims_of(fact)]
    reader = _Reader(claims)
    for sentence in sentences:
        tokens = reader.read(sentence)
        reached = _reached(tokens, claims)
        if reached < len(tokens):
            raise NotProven(f"No fact allows {tokens[reached].text!r} where it stands in {sentence!r}.")
        if not tokens:
            raise NotProven(f"The sentence {sentence!r} says nothing that a fact could prove.")
        if _CAUSE.search(sentence):
            raise NotProven(f"The sentence {sentence!r} names a cause.")


def verify_anew(sentence: str, own: str, fact: Fact) -> None:
    """Holds other words for `own`, a proven sentence, to the same fact: names, directions and numbers, and the words that tie them together.

    Raises: NotProven.
    """
    verify([sentence], [fact])
    reader = _Reader(claims_of(fact))
    said, meant = reader.read(sentence), reader.read(own)
    if [_meaning(token) for token in said] != [_meaning(token) for token in meant]:
        raise NotProven(f"The sentence {sentence!r} says not all, or not only, what {own!r} says.")
    if _ties(sentence, said) != _ties(own, meant):
        raise NotProven(f"The sentence {sentence!r} ties together otherwise what {own!r} says.")


def _meaning(token: _Token) -> object:
    if token.name is not None:
        return token.name
    return (token.way, token.text.endswith("est")) if token.way is not None else token.text


def _ties(sentence: str, tokens: Sequence[_Token]) -> list[list[str]]:
    """The words before each token and after the last that say how they belong together."""
    ends = [0, *(token.place + len(token.text) for token in tokens)]
    starts = [*(token.place for token in tokens), len(sentence)]
    gaps = [_WORD.findall(_CAME_TO.sub(" ", sentence[end:start].lower())) for end, start in zip(ends, starts, strict=True)]
    return [[_ALIKE.get(word, word) for word in gap if word not in _NEUTRAL] for gap in gaps]


class _Reader:
    """Reads sentences; knows the names, currencies and units that the claims speak of."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        elements = [element for claim in claims for element in claim]
        self._names = sorted({e.text for e in elements if isinstance(e, Name) and e.text}, key=lambda name: (-len(name), name))
        numbers = [e for e in elements if isinstance(e, Number)]
        symbols = {symbol for e in numbers if (symbol := _symbol(e))}
        units = {e.unit for e in numbers if e.unit and not _symbol(e)} | {"points"}
        self._number = re.compile(_NUMBER.format(symbols=_either(symbols), units=_either(units)))

    def read(self, sentence: str) -> list[_Token]:
        """Raises: NotProven for a word or sign that sentences are not made of."""
        found: list[_Token] = []
        at = 0
        while at < len(sentence):
            token, end = self._next(sentence, at)
            if token is not None:
                found.append(replace(token, place=at))
            at = end
        return found

    def _next(self, sentence: str, at: int) -> tuple[_Token | None, int]:
        if sentence[at] == " ":
            return None, at + 1
        number = self._number.match(sentence, at) if at == 0 or not sentence[at - 1].isalnum() else None
        name = self._name_at(sentence, at)
        if name is not None:
            same = number is not None and number.end() == at + len(name)
            token = _number_token(number) if same and number is not None else _Token(name)
            return _Token(
                sentence[at : at + len(name)],
                name,
                _WAYS.get(name.lower()),
                token.value,
                token.tolerance,
                token.percent,
                token.signed,
                token.currency,
                token.unit,
                is_plain=_is_plain(name),
            ), at + len(name)
        if number is not None:
            return _number_token(number), number.end()
        word = _WORD.match(sentence, at)
        if word is not None:
            text = word.group()
            way = _WAYS.get(text.lower())
            if way is None and text not in _WORDS and text.lower() not in _WORDS:
                raise NotProven(f"The word {text!r} in {sentence!r} is neither a name of a fact nor a word that sentences are made of.")
            return (_Token(text, way=way) if way else None), word.end()
        if sentence[at] in _BETWEEN:
            return None, at + 1
        raise NotProven(f"The sign {sentence[at]!r} in {sentence!r} stands where no number or name of a fact is.")

    def _name_at(self, sentence: str, at: int) -> str | None:
        if at and sentence[at - 1].isalnum():
            return None
        for name in self._names:
            end = at + len(name)
            written = sentence[at:end]
            if (written == name or (at == 0 and written == name[:1].upper() + name[1:])) and not (
                end < len(sentence) and sentence[end].isalnum() and name[-1].isalnum()
            ):
                return name
        return None


def _is_plain(name: str) -> bool:
    """Whether it reads as words that sentences are built from, so that it may also stand for those."""
    return name.replace(" ", "").isalpha() and all(word in _WORDS for word in name.lower().split())


def _reached(tokens: Sequence[_Token], claims: Sequence[Claim]) -> int:
    """How many leading tokens can be read as whole statements; when not all, up to where the best attempt came."""
    starts = {0}
    furthest = 0
    for at in range(len(tokens)):
        if at not in starts:
            continue
        if tokens[at].is_plain:
            starts.add(at + 1)
        for claim in claims:
            read, whole = _matched(tokens[at:], claim)
            furthest = max(furthest, min(at + read, len(tokens) - 1))
            if whole:
                starts.add(at + read)
    return len(tokens) if len(tokens) in starts else furthest


def _matched(tokens: Sequence[_Token], claim: Claim) -> tuple[int, bool]:
    """How many tokens were read, and whether that is the whole claim. Names of plain words may stand between its elements."""
    found = 0
    for read, token in enumerate(tokens):
        if found == len(claim):
            return read, True
        if _fits(token, claim[found]):
            found += 1
        elif not token.is_plain:
            return read, False
    return len(tokens), found == len(claim)


def _fits(token: _Token, element: Element) -> bool:
    if isinstance(element, Name):
        return token.name == element.text
    if isinstance(element, Direction):
        return token.way == element.way
    return _number_fits(token, element)


def _number_fits(token: _Token, number: Number) -> bool:
    if token.value is None or token.percent != (number.format in ("percent", "percent_points")):
        return False
    if token.currency != _symbol(number) or token.unit != ("" if _symbol(number) else number.unit or ""):
        return False
    if number.signed and not token.signed and number.value != 0:
        return False
    value = number.value * 100 if number.format == "percent" else number.value
    return abs(token.value - value) <= token.tolerance * 1.0001 + abs(value) * 1e-9


def _number_token(found: re.Match[str]) -> _Token:
    size = _SIZES.get(found["size"] or "", 1.0)
    digits = found["digits"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    value = float(digits) * size * (-1 if found["sign"] == "-" else 1)
    return _Token(
        text=found.group(),
        value=value,
        tolerance=0.5 * 10.0**-decimals * size,
        percent=found["percent"] is not None,
        signed=found["sign"] is not None,
        currency=found["currency"] or "",
        unit=found["unit"] or "",
    )


def _symbol(number: Number) -> str:
    """The currency symbol that must be written before the number; empty for none."""
    kind = f"currency:{number.unit}" if not number.format and number.unit in CURRENCIES else number.format or ""
    return USUAL.symbol(kind.split(":", 1)[1]) if kind.startswith("currency:") else ""


def _either(texts: set[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=lambda t: (-len(t), t))) or r"(?!)"
