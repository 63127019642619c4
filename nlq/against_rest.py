""" "Germany vs the rest": what is said of one value's rows, beside all others'."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from nlq.chips import chips_of, paraphrase
from nlq.conjunctions import conjunction, conjuncts
from nlq.types import Reading, Understanding
from nlq.wording import Wording
from semantic.expr import Case, Comparison, FieldRef, Literal_
from semantic.query import ByExpr

_REST = re.compile(
    r"\s+(?:vs\.?|versus|against|(?:when\s+)?compared?\s+(?:to|with)|and)\s+(?:the\s+)?"
    r"(?:rest|(?:all\s+)?(?:the\s+)?others?|everything\s+else|everyone\s+else|everywhere\s+else)(?:\s+of\s+(?:the\s+)?[\w-]+)?(?=\s|\W*$)",
    re.IGNORECASE,
)


def against_rest(
    question: str, ask: Callable[[str], Understanding], wording: Wording, before: Reading | None = None
) -> Understanding | None:
    """The figures of one value's rows and of all others; None where the question holds no value against the rest.

    before: the answer that a question without a figure of its own ("and vs the rest?") goes on from.
    """
    text = f" {question}"
    matches = list(_REST.finditer(text))
    if len(matches) != 1:
        return None
    found = matches[0]
    if before is not None and re.fullmatch(r"\W*(?:and|so|now)?\W*", text[: found.start()], re.IGNORECASE):
        whole = _split(before, "", wording)
        return Understanding(question, "answer", (whole,)) if whole is not None else None
    value = (re.findall(r"[\w&'-]+", text[: found.start()]) or [""])[-1].lower()
    answer = ask(f"{text[: found.start()]}{text[found.end() :]}".strip())
    readings = tuple(split for r in answer.readings if (split := _split(r, value, wording)) is not None)
    return replace(answer, readings=readings, dialogue=None) if readings and answer.outcome in ("answer", "clarify") else None


def _split(reading: Reading, value: str, wording: Wording) -> Reading | None:
    query = reading.query
    equal = [p for p in conjuncts(query.where) if isinstance(p, Comparison) and p.op == "="]
    told = [p for p in equal if _of_value(p, value)] or equal
    if len(told) != 1 or not query.metrics or query.limit is not None:
        return None
    part = told[0]
    if not isinstance(part.left, FieldRef) or not isinstance(part.right, Literal_):
        return None
    name = Case(branches=((part, part.right),), otherwise=Literal_(value="rest"))
    group = ByExpr(dataset=part.left.dataset, expr=name, alias=wording.field(part.left))
    kept = [p for p in conjuncts(query.where) if p != part]
    query = query.model_copy(update={"where": conjunction(kept) if kept else None, "by": (*query.by, group)})
    chips = chips_of(query, wording, reading.intent, {})
    return replace(reading, query=query, chips=chips, paraphrase=paraphrase(chips))


def _of_value(part: Comparison, value: str) -> bool:
    words = re.findall(r"[\w&'-]+", str(part.right.value).lower()) if isinstance(part.right, Literal_) else []
    return bool(words) and words[-1].rstrip("s") == value.rstrip("s")
