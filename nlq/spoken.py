"""Questions about a number by its adjective: "how high is", "how old are", "how many people live"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nlq.text import Token, lemma

# What an adjective asks for, by the names that the number may have.
_ASKED: dict[str, tuple[str, ...]] = {
    "high": ("height", "elevation", "altitude"),
    "tall": ("height",),
    "old": ("age",),
    "deep": ("depth",),
    "heavy": ("weight",),
    "wide": ("width",),
    "fast": ("speed",),
    "big": ("area", "size", "population"),
    "large": ("area", "size", "population"),
    "long": ("length",),
    "populous": ("population",),
    "expensive": ("price", "cost", "fare"),
}
_BEING = frozenset(("is", "are", "was", "were"))
_PEOPLE = frozenset(("people", "inhabitants", "residents", "citizens"))


def by_name(tokens: Sequence[Token], known: Callable[[str], bool]) -> tuple[Token, ...]:
    """The tokens with the name of the number in the place of the adjective, where the catalog `known`s it and not the adjective itself."""
    out = list(tokens)
    for i, token in enumerate(tokens[:-2]):
        if token.norm != "how":
            continue
        word, after = tokens[i + 1], tokens[i + 2]
        if word.norm == "many" and after.norm in _PEOPLE and not known(after.key) and known("population"):
            return (*out[:i], _said(token, "what"), _said(after, "population"), *out[i + 3 :])
        name = next((n for n in _ASKED.get(word.norm, ()) if known(lemma(n))), None)
        if name is not None and after.norm in _BEING and not known(word.key):
            return (*out[:i], _said(token, "what"), _said(after, after.norm), _said(word, name), *_of(word, out[i + 3 :]))
    return tuple(out)


def _of(at: Token, rest: list[Token]) -> list[Token]:
    """ "the Eiger" becomes "of the Eiger"."""
    return [_said(at, "of"), *rest]


def _said(token: Token, word: str) -> Token:
    return replace(token, text=word, norm=word, key=lemma(word))
