"""Asks a language model for a SemanticQuery and believes nothing: form, names, types and joins are checked; a failed repair is a refusal."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from core.errors import AppError
from nlq.llm.prompt import messages
from semantic.catalog.model import Catalog
from semantic.compile import compile_query
from semantic.query import SemanticQuery
from semantic.resolve import resolve

MAX_REPAIRS = 2
MAX_REPLY_CHARS = 20_000
_MAX_DEPTH = 40


class Complete(Protocol):
    """One call of a chat model. Raises: ModelAway when there is no usable reply in time."""

    def __call__(self, conversation: Sequence[dict[str, str]], *, timeout_s: float) -> str: ...


class ModelAway(Exception):
    """The model gave no reply that could be read. The text is short and holds no secret."""


@dataclass(frozen=True, slots=True)
class ModelReading:
    """query None: it refused, or nothing it said could be used; `why` says which, for people. calls: how often it was asked."""

    query: SemanticQuery | None
    why: str
    calls: int


def read(
    question: str,
    catalog: Catalog,
    complete: Complete,
    *,
    as_of: dt.datetime,
    with_values: bool = False,
    budget_s: float = 20.0,
    stopwatch: Callable[[], float] = time.monotonic,
) -> ModelReading:
    """A query over the visible `catalog` that resolves and compiles, or none. At most three calls and `budget_s` seconds in all."""
    started = stopwatch()
    conversation: list[dict[str, str]] = messages(question, catalog, as_of, with_values=with_values)
    problem = ""
    for call in range(1, MAX_REPAIRS + 2):
        left_s = budget_s - (stopwatch() - started)
        if left_s <= 0:
            return ModelReading(None, "The language model took too long.", call - 1)
        try:
            reply = complete(conversation, timeout_s=left_s)
        except ModelAway as error:
            return ModelReading(None, str(error), call)
        said = json_object(reply)
        if said is not None and isinstance(said.get("refuse"), str):
            return ModelReading(None, "The language model found no way to answer this from the catalog.", call)
        query, problem = _checked(said, catalog, as_of)
        if query is not None:
            return ModelReading(query, "", call)
        conversation = [
            *conversation,
            {"role": "assistant", "content": reply[:MAX_REPLY_CHARS]},
            {"role": "user", "content": json.dumps({"problem": problem[:1_000], "task": "Send a corrected JSON object, or a refusal."})},
        ]
    return ModelReading(None, "The language model proposed nothing that the catalog allows.", MAX_REPAIRS + 1)


def _checked(said: dict[str, Any] | None, catalog: Catalog, as_of: dt.datetime) -> tuple[SemanticQuery | None, str]:
    if said is None:
        return None, "The reply was not one JSON object."
    try:
        query = SemanticQuery.model_validate(said)
    except (ValidationError, RecursionError) as error:
        return None, _first(error)
    try:
        compile_query(resolve(query, catalog, as_of=as_of))
    except AppError as error:
        return None, error.message
    return query, ""


def _first(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "The query is nested too deeply."
    found = error.errors(include_url=False, include_input=False)[:3]
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found)


def json_object(reply: str) -> dict[str, Any] | None:
    """The JSON object that the reply is, alone or in a code fence; None for anything else."""
    text = reply.strip()
    if len(text) > MAX_REPLY_CHARS:
        return None
    if text.startswith("```"):
        text = text.strip("`").removeprefix("json").strip()
    if not text.startswith("{") or text.count("{") + text.count("[") > 400 or _depth(text) > _MAX_DEPTH:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _depth(text: str) -> int:
    deepest = level = 0
    for c in text:
        level += (c in "{[") - (c in "}]")
        deepest = max(deepest, level)
    return deepest
