"""Misspelt words of the grammar ("onyl", "wihtout", "averge"): put right where the catalog and its data do not have them as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from rapidfuzz.distance import OSA

from nlq.fillers import RELATING, SOFT, STOP
from nlq.phrases import FUNCTIONS
from nlq.text import Token
from nlq.timing.spelling import put_right

_WORDS = tuple(
    "only without excluding exclude except including include compare compared versus average total number highest lowest biggest smallest largest "
    "between before after since during more less most least last next previous which what where when percentage percent share growth ratio show list "
    "every each instead daily this than over above below under with bottom cumulative forecast remove".split()
)
_SHORT = {
    "wich": "which", "whcih": "which", "hwo": "how",
    "ths": "this", "thsi": "this", "wiht": "with",
    "teh": "the", "nto": "not", "adn": "and", "lst": "last", "yr": "year", "qtr": "quarter", "qtrs": "quarters", "yrs": "years", "wk": "week",
    "wks": "weeks",
    "mo": "month", "mos": "months", "pct": "percent", "mth": "month", "mths": "months", "mnth": "month", "mnths": "months", "mnoth": "month",
    "yday": "yesterday", "w/o": "without", "w/": "with",
}  # fmt: skip
_PROPER = frozenset(w for phrase in FUNCTIONS for w in phrase) | STOP | SOFT | RELATING
_SHORTEST = 4


def respelt(tokens: Sequence[Token], known: Callable[[Token], bool]) -> tuple[Token, ...]:
    """The tokens with words of the grammar put right; places and texts stay."""
    return put_right(tokens, lambda t: None if _is_name(t) else _meant(t.norm), known)


def _is_name(token: Token) -> bool:
    return token.start > 0 and token.text[:1].isupper() and not token.text.isupper()


@lru_cache(maxsize=20_000)
def _meant(word: str) -> str | None:
    """Two letters swapped, one left out or one doubled; never another letter, which is another word.

    >>> [_meant(w) for w in ("onyl", "wihtout", "averge", "totall", "form", "nest", "media", "qtr")]
    ['only', 'without', 'average', 'total', None, None, None, 'quarter']
    """
    if word in _SHORT:
        return _SHORT[word]
    if len(word) < _SHORTEST or word in _PROPER or not word.isalpha():
        return None
    near = [w for w in _WORDS if abs(len(w) - len(word)) <= 1 and OSA.distance(word, w, score_cutoff=1) == 1 and _slip(word, w)]
    return near[0] if len(near) == 1 else None


def _slip(word: str, meant: str) -> bool:
    if len(word) == len(meant):
        return sorted(word) == sorted(meant)
    if len(word) < len(meant):
        return len(meant) >= 6 and word[0] == meant[0]
    return any(word[:n] + word[n + 1 :] == meant and word[n] == word[n - 1] for n in range(1, len(word)))
