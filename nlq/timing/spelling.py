"""Misspelt words of time ("last qarter", "febuary"): corrected before periods are looked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rapidfuzz import fuzz, process

from nlq.text import Token, lemma

_WORDS = tuple(
    "january february march april august september october november december monday tuesday wednesday thursday friday saturday sunday "
    "mondays tuesdays wednesdays thursdays fridays saturdays sundays weekends weekdays "
    "quarter quarters month months yesterday today tomorrow previous weekly monthly quarterly yearly annual weekend weekday".split()
)
_KNOWN = frozenset(_WORDS)
# "qarter" scores 92; "matter" beside "quarter" 62.
_LEAST = 85.0
_SHORTEST = 5


def corrected(tokens: Sequence[Token], known: Callable[[Token], bool]) -> tuple[Token, ...]:
    """The tokens with misspelt words of time put right; words that `known` knows stay, and so do places and texts."""
    return put_right(tokens, lambda t: _near(t.norm) if t.norm not in _KNOWN and len(t.norm) >= _SHORTEST else None, known)


def put_right(tokens: Sequence[Token], meant: Callable[[Token], str | None], known: Callable[[Token], bool]) -> tuple[Token, ...]:
    """The tokens with what is `meant` by words that `known` does not know; places and texts stay."""
    out: list[Token] = []
    for token in tokens:
        word = meant(token) if token.is_word else None
        out.append(replace(token, norm=word, key=lemma(word)) if word is not None and not known(token) else token)
    return tuple(out)


def _near(word: str) -> str | None:
    """A word of time with more letters after it is another word.

    >>> _near("qarter"), _near("febuary"), _near("martha"), _near("augusta")
    ('quarter', 'february', None, None)
    """
    found = process.extractOne(word, _WORDS, scorer=fuzz.ratio, score_cutoff=_LEAST)
    alike = found is not None and found[0][0] == word[0] and abs(len(found[0]) - len(word)) <= 1 and not word.startswith(found[0])
    return found[0] if found is not None and alike else None
