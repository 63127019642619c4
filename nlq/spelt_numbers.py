"""Numbers in several words ("fifteen hundred", "two thousand and five", "half a million") as one number token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nlq.numbers import ONES, TENS
from nlq.text import Token

_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_PARTS = {
    ("half", "a"): 0.5,
    ("quarter", "of", "a"): 0.25,
    ("a", "quarter", "of", "a"): 0.25,
    ("a",): 1.0,
    ("one", "and", "a", "half"): 1.5,
}


def joined(tokens: Sequence[Token], known: Callable[[Sequence[Token]], bool]) -> tuple[Token, ...]:
    """The tokens with numbers of several words as one; what `known` knows as it is written stays."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        end, value = _number_at(tokens, at)
        if end - at < 2 or known(tokens[at:end]):
            out.append(tokens[at])
            at += 1
            continue
        written = f"{value:g}" if value != int(value) else str(int(value))
        first, last = tokens[at], tokens[end - 1]
        out.append(replace(first, text=written, norm=written, key=written, end=last.end, kind="number", value=value))
        at = end
    return tuple(out)


def _number_at(tokens: Sequence[Token], at: int) -> tuple[int, float]:
    """Where the number that begins at `at` ends (`at` itself where none does), and its value."""
    for words, part in _PARTS.items():
        end = at + len(words)
        if tuple(t.norm for t in tokens[at:end]) == words and end < len(tokens):
            scale = _SCALES.get(tokens[end].norm) or (100.0 if tokens[end].norm == "hundred" else None)
            if scale is not None:
                return end + 1, part * scale
    total, current, end, n = 0.0, None, at, at
    while n < len(tokens):
        word = tokens[n].norm
        if word in ("and", "-") and n > at and n + 1 < len(tokens) and (word == "-" or tokens[n - 1].norm in ("hundred", *_SCALES)):
            if tokens[n + 1].norm not in ONES and tokens[n + 1].norm not in TENS:
                break
            n += 1
            continue
        if word in TENS and (current is None or current % 100 == 0):
            current = (current or 0.0) + TENS[word]
        elif word in ONES and (current is None or current % 100 == 0 or (current % 10 == 0 and current % 100 >= 20 and ONES[word] < 10)):
            current = (current or 0.0) + ONES[word]
        elif word == "hundred" and current is not None and 0 < current < 100:
            current *= 100
        elif word == "dozen" and current is not None and 0 < current < 100:
            current *= 12
        elif word in _SCALES and current is not None and current > 0:
            total, current = total + current * _SCALES[word], 0.0
        else:
            break
        n += 1
        end = n
    return end, total + (current or 0.0)
