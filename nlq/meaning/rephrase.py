"""A question with words that nothing here is called, asked again with names that mean nearly the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nlq.meaning.nearest import LEAST, Meanings
from nlq.types import UnknownWord

MAX_UNKNOWN = 2
MAX_TRIES = 3
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


@dataclass(frozen=True, slots=True)
class Rephrased:
    """`question` with `names` in the place of `words`. score: the cosine of the least near replacement."""

    question: str
    words: tuple[str, ...]
    names: tuple[str, ...]
    score: float


def rephrased(question: str, unknown: Sequence[UnknownWord], meanings: Meanings) -> list[Rephrased]:
    """The question in known words, nearest first; none when a word has nothing near it or looks like somebody's name.

    At most two unknown places are replaced, and at most three rephrasings are made.
    """
    if not 1 <= len(unknown) <= MAX_UNKNOWN or any(_is_a_name(question, w) for w in unknown):
        return []
    if any(question[w.span.start : w.span.end].lower() != w.text.lower() for w in unknown):
        return []
    tried = [Rephrased(question, (), (), 1.0)]
    for word in sorted(unknown, key=lambda w: -w.span.start):
        start, end = _whole_expression(question, word, meanings)
        around = f"{question[:start]} {question[end:]}".lower()
        near = [n for n in meanings.near(question[start:end], MAX_TRIES) if n.name.lower() not in around]
        tried = [
            Rephrased(
                t.question[:start] + n.name + t.question[end:], (question[start:end], *t.words), (n.name, *t.names), min(t.score, n.score)
            )
            for t in tried
            for n in near
        ]
    tried.sort(key=lambda t: -t.score)
    return tried[:MAX_TRIES]


def sureness(score: float) -> float:
    """How much of a reading's confidence is left when a word was replaced by a name at that cosine: 0.3 at the least, 0.9 for the same word.

    >>> sureness(0.6), sureness(1.0)
    (0.3, 0.9)
    """
    return round(min(0.9, max(0.3, 0.3 + 0.6 * (score - LEAST) / (1.0 - LEAST))), 4)


def _whole_expression(question: str, word: UnknownWord, meanings: Meanings) -> tuple[int, int]:
    """The longest known expression around an unknown word ("money" in "money coming in"), else the word itself."""
    words = [(m.start(), m.end(), m.group()) for m in _WORD.finditer(question)]
    inside = [i for i, (s, e, _) in enumerate(words) if s < word.span.end and e > word.span.start]
    if not inside:
        return word.span.start, word.span.end
    first, last = inside[0], inside[-1]
    best = (word.span.start, word.span.end)
    longest = 0
    for a in range(max(0, first - 4), first + 1):
        for b in range(last, min(len(words), last + 4)):
            if b - a >= longest and meanings.expression([w for _, _, w in words[a : b + 1]]):
                longest, best = b - a + 1, (words[a][0], words[b][1])
    return best


def _is_a_name(question: str, word: UnknownWord) -> bool:
    """Digits, symbols, quoted text, and words with a capital inside a sentence are values, not names of measures."""
    text = question[word.span.start : word.span.end] or word.text
    if not _WORD.search(text) or any(c.isdigit() or c in "\"'=<>" for c in text):
        return True
    before = question[: word.span.start].rstrip()
    return text[:1].isupper() and bool(before) and not before.endswith((".", "?", "!", ":")) and not question.isupper()
