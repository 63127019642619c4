"""Questions that an analyst approved, found again: word for word, or with the same content in slightly other words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from nlq.fillers import STOP
from nlq.lexicon import Lexicon
from nlq.text import Token, tokenise
from semantic.catalog.model import Catalog, VerifiedQuestion

_TYPO_RATIO = 82.0
_MIN_TYPO_LENGTH = 5
_SAME_WORD = 0.85
# Short words that change the answer; they never count as filler.
_MEANINGFUL = frozenset(
    """not no without never except excluding other than more less over under above below between before after since until by of per each and or
    all any both either neither only same up down out off vs this that last next first""".split()
)
_FILLERS = STOP - _MEANINGFUL | frozenset("show give tell list display what whats is are was were there".split())


@dataclass(frozen=True, slots=True)
class Match:
    """A verified question that says the same. `differences`: what is worded otherwise, for people; empty for an exact match."""

    verified: VerifiedQuestion
    differences: tuple[str, ...]


class VerifiedBook:
    """The verified questions of one visible catalog."""

    def __init__(self, catalog: Catalog, lexicon: Lexicon) -> None:
        self._exact = {plain(v.question): v for v in catalog.verified}
        self._content = [(_content(v.question), v) for v in catalog.verified]
        self._lexicon = lexicon

    def find(self, question: str) -> Match | None:
        """The verified question that this one is, or nearly is. Content words must agree one by one and in order: a number, a date, a name, a
        negation or any other known word that differs is another question.
        """
        exact = self._exact.get(plain(question))
        if exact is not None:
            return Match(exact, ())
        if not self._content:
            return None
        asked = _content(question)
        for known, verified in self._content:
            differences = self._differences(known, asked)
            if differences is not None:
                return Match(verified, tuple(differences) or ("other words around it",))
        return None

    def _differences(self, known: Sequence[Token], asked: Sequence[Token]) -> list[str] | None:
        if len(known) != len(asked) or len(known) < 2:
            return None
        found = []
        for a, b in zip(known, asked, strict=True):
            if a.norm == b.norm or (a.key == b.key and a.kind == b.kind == "word"):
                continue
            if not self._same_meaning(a, b):
                return None
            found.append(f"“{b.text}” for “{a.text}”")
        return found if len(found) <= max(1, len(known) // 3) else None

    def _same_meaning(self, a: Token, b: Token) -> bool:
        """A synonym, or a word that nothing here is called and that looks like the other one misspelt."""
        if not (a.kind == b.kind == "word") or {a.norm, b.norm} & _MEANINGFUL or not (a.norm.isalpha() and b.norm.isalpha()):
            return False
        if a.text[:1].isupper() or b.text[:1].isupper():
            return False
        if self._is_value(a) or self._is_value(b):
            return False
        if self._lexicon.synonyms.get(a.key, {}).get(b.key, 0.0) >= _SAME_WORD and b.key not in self._lexicon.by_key:
            return True
        return (
            b.key not in self._lexicon.by_key
            and min(len(a.norm), len(b.norm)) >= _MIN_TYPO_LENGTH
            and a.norm[0] == b.norm[0]
            and fuzz.ratio(a.norm, b.norm) >= _TYPO_RATIO
        )

    def _is_value(self, token: Token) -> bool:
        return token.norm in self._lexicon.values or token.key in self._lexicon.values


def plain(question: str) -> str:
    """Lower case, single spaces, no mark at the end."""
    return " ".join(question.lower().strip(" ?.!").split())


def _content(question: str) -> list[Token]:
    return [t for t in tokenise(question) if any(c.isalnum() for c in t.norm) and t.norm not in _FILLERS]
