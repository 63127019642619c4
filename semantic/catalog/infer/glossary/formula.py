"""Arithmetic over phrases: "(total revenue - total cost) / total cost * 100", "total loss divided by premium", "the sum of A, B and C"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from core.errors import Invalid

Op = Literal["+", "-", "*", "/"]
_WORDED = (
    (r"\bdivided by\b|\bover the (?=total|number|sum|count)", " / "),
    (r"\b(?:multiplied by|times)\b", " * "),
    (r"\bminus\b|\bless\b", " - "),
    (r"\bplus\b", " + "),
    (r"[×∗]", " * "),
    (r"[÷]", " / "),
    (r"[–—−]", " - "),
)
_TOKEN = re.compile(r"\s*(?:(?P<num>\d+(?:\.\d+)?)(?![\w.])|(?P<op>[()*/+]|-(?=\s|\()|(?<=[\s)])-)|(?P<word>[^\s()*/+]+))")


@dataclass(frozen=True, slots=True)
class Phrase:
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Operation:
    op: Op
    left: Node
    right: Node


Node = Phrase | Number | Operation


def parse_formula(text: str) -> Node:
    """The tree of a formula. A text without operators is one Phrase.

    >>> parse_formula("(total sales - total cost) / total sales")
    Operation(op='/', left=Operation(op='-', left=Phrase(text='total sales'), right=Phrase(text='total cost')), right=Phrase(text='total sales'))

    Raises: Invalid when parentheses or operators do not fit.
    """
    listed = _listed_sum(text)
    if listed is not None:
        return listed
    for pattern, replacement in _WORDED:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    parser = _Parser(_tokens(text))
    node = parser.sum()
    parser.end()
    return node


def _listed_sum(text: str) -> Node | None:
    """ "the sum of loss payment, loss reserve and expense amount": a shared last word goes to all items."""
    match = re.fullmatch(r"\s*(?:the\s+)?(?:sum|total)\s+of\s+(?:the\s+|all\s+)?(?P<items>[^()/*+]+?)\.?\s*", text, re.IGNORECASE)
    if not match or ("," not in match["items"] and " and " not in match["items"]) or re.search(r"\b(where|whose)\b", match["items"]):
        return None
    items = [x.strip() for x in re.split(r",\s*(?:and\s+)?|\s+and\s+", match["items"]) if x.strip()]
    last = items[-1].split()[-1] if len(items[-1].split()) > 1 else ""
    spread = last.lower() in ("amount", "amounts", "cost", "costs", "price", "count", "fees", "revenue", "sales") and not any(
        x.split()[-1].lower() == last.lower() for x in items[:-1]
    )
    phrases: list[Node] = [Phrase(f"{x} {last}" if spread and i < len(items) - 1 else x) for i, x in enumerate(items)]
    node = phrases[0]
    for phrase in phrases[1:]:
        node = Operation("+", node, phrase)
    return node


def phrases_of(node: Node) -> list[str]:
    if isinstance(node, Phrase):
        return [node.text]
    return [*phrases_of(node.left), *phrases_of(node.right)] if isinstance(node, Operation) else []


def _tokens(text: str) -> list[str | float]:
    tokens: list[str | float] = []
    position = 0
    text = text.rstrip(" .;")
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match or match.end() == position:
            break
        position = match.end()
        if match["num"] is not None:
            tokens.append(float(match["num"]))
        elif match["op"] is not None:
            tokens.append("\0" + match["op"])
        elif tokens and isinstance(tokens[-1], str) and not tokens[-1].startswith("\0"):
            tokens[-1] += " " + match["word"]
        else:
            tokens.append(match["word"])
    return tokens


class _Parser:
    def __init__(self, tokens: list[str | float]) -> None:
        self._tokens, self._at = tokens, 0

    def _peek(self) -> str | float | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *ops: str) -> str | None:
        token = self._peek()
        if isinstance(token, str) and token[:1] == "\0" and token[1:] in ops:
            self._at += 1
            return token[1:]
        return None

    def sum(self) -> Node:
        node = self._product()
        while op := self._take("+", "-"):
            node = Operation("+" if op == "+" else "-", node, self._product())
        return node

    def _product(self) -> Node:
        node = self._atom()
        while op := self._take("*", "/"):
            node = Operation("*" if op == "*" else "/", node, self._atom())
        return node

    def _atom(self) -> Node:
        if self._take("("):
            node = self.sum()
            if not self._take(")"):
                raise Invalid("The formula opens a parenthesis that it does not close.", code="bad_formula")
            return node
        token = self._peek()
        if token is None or (isinstance(token, str) and token.startswith("\0")):
            raise Invalid(f"The formula expects a term after part {self._at}; found {token!r}.", code="bad_formula")
        self._at += 1
        return Number(token) if isinstance(token, float) else Phrase(token.strip(" ,.;"))

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise Invalid(f"The formula goes on after its end: {self._tokens[self._at]!r}.", code="bad_formula")
