"""Small words that say nothing in most questions, and change the answer in some: still, out, one way."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.linking import Linker
from nlq.phrases import FUNCTIONS
from nlq.text import Token

_BEING = frozenset("is are was were be currently still now".split())
_PARTS = frozenset(("way", "off", "time"))
_STATES = frozenset("active open there unpaid left remaining ongoing running available missing without".split())
# "who left", "have left": gone, and not what remains ("how many days are left").
_LEAVING = frozenset("who that have has had which already".split())
_LASTING = frozenset("much days hours weeks months budget stock".split())
_SOLD = frozenset("sold booked rented checked".split())
_REGULARLY = frozenset("daily weekly monthly quarterly yearly annual annually hourly".split())
_FAR = 4


def says_something(tokens: Sequence[Token], i: int, linker: Linker) -> bool:
    """Whether the word at i must find a place in the reading: "cars that are out", "how many do we still own", "one way rentals".

    "still" beside a state that is known ("still open") adds nothing to it.
    """
    word, after = tokens[i].norm, [t for t in tokens[i + 1 : i + 1 + _FAR] if t.is_word]
    if word == "out":
        return i > 0 and tokens[i - 1].norm in _BEING | _SOLD and not after
    if word == "one":
        return bool(after) and after[0].norm in _PARTS and tokens[i - 1 if i else 0].norm not in ("at", "in", "than")
    if word == "left":
        before = [t.norm for t in tokens[:i] if t.is_word][-_FAR:]
        if after[:1] and after[0].norm == "to":
            return True  # "left to pay": not done yet
        return bool(before) and before[-1] in _LEAVING and not any(k in _LASTING for k in before)
    if word != "still":
        return False
    return not any(_is_state(t, linker) for t in after)


def is_kind(tokens: Sequence[Token], i: int, linker: Linker) -> bool:
    """Whether a word of time at i is a stored label of the noun after it ("monthly pledges", where pledges are monthly or yearly)."""
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    if after is None or not after.is_word or tokens[i].norm not in _REGULARLY:
        return False
    homes = {k.target.dataset for k in linker.objects((after.key,))[:2] if k.target.kind == "dataset"}
    return any(v.score >= 1.0 and v.dataset in homes for v in linker.values((tokens[i],)))


def _is_state(token: Token, linker: Linker) -> bool:
    func = FUNCTIONS.get((token.norm,))
    if token.norm in _STATES or token.norm.startswith("un") or (func is not None and func.kind in ("neg", "null", "cmp")):
        return True
    if linker.values((token,)):
        return True
    return any(k.target.kind in ("segment", "unflag") or linker.is_flag(k.target) for k in linker.objects((token.key,))[:3])
