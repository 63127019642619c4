"""If-Match: a change is made only to what its sender saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Header, Request

from core.errors import UserError

IfMatch = Annotated[str | None, Header(max_length=200, description="The ETag of what the change was made from; 412 when it changed since.")]
Body = TypeVar("Body")


class ChangedSince(UserError):
    """etag, current: what is there now, so that the sender can merge and send again."""

    code = "changed_since"
    status = 412

    def __init__(self, message: str, etag: str, current: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, suggestions=("read it again", f"send the merged change with If-Match: {etag}"))
        self.etag, self.current = etag, current


def etag_of(*parts: object) -> str:
    """The same for equal content, in every process.

    >>> etag_of("a", 1) == etag_of("a", 1) != etag_of("a", 2)
    True
    """
    return f'"{hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]}"'


def refuse_changed(expected: str | None, current: str, shown: Mapping[str, Any] | None = None) -> None:
    """shown: what is there, as its reader would see it; goes with the refusal.

    Raises: ChangedSince, unless nothing, anything (`*`) or what is there was expected.
    """
    wanted = {part.strip() for part in expected.split(",")} if expected else {"*"}
    if not wanted & {"*", current}:
        raise ChangedSince("Somebody changed it since you read it; merge your change with `current` and send it again.", current, shown)


def tagged(request: Request, etag: str, body: Body) -> Body:
    """The body; its ETag goes into the answer's headers."""
    request.state.etag = etag
    return body
