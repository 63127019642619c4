"""Stored values beside the things that have them: what became of rows is a status, whatever else the word may mean."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.linking import Linker, ValueLink
from nlq.text import Token


def names_owner(value: ValueLink, after: Token | None, linker: Linker) -> bool:
    """Whether the word after a value is the thing that has it ("full professors" by rank)."""
    if after is None or not after.is_word:
        return False
    return any(k.target.kind == "dataset" and k.exact and k.target.dataset == value.dataset for k in linker.objects((after.key,)))


def undergone(tokens: Sequence[Token], i: int, j: int, linker: Linker) -> bool:
    """ "offers that were declined", "dropped calls": a status that they have, and nothing fell."""
    values, after = linker.values(tokens[i:j]), tokens[j] if j < len(tokens) else None
    being = i > 0 and tokens[i - 1].norm in _BEING
    return bool(values) and (being or (tokens[j - 1].norm.endswith("ed") and any(names_owner(v, after, linker) for v in values)))


_BEING = frozenset("was were been being be got is are".split())
