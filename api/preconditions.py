"""If-Match: a change is made only to what its sender saw."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from fastapi import Header

from core.errors import UserError

IfMatch = Annotated[str | None, Header(max_length=200, description="The ETag of what the change was made from; 412 when it changed since.")]


class ChangedSince(UserError):
    code = "changed_since"
    status = 412


def etag_of(*parts: object) -> str:
    """The same for equal content, in every process.

    >>> etag_of("a", 1) == etag_of("a", 1) != etag_of("a", 2)
    True
    """
    return f'"{hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]}"'


def refuse_changed(expected: str | None, current: str) -> None:
    """Raises: ChangedSince, unless nothing, anything (`*`) or what is there was expected."""
    wanted = {part.strip() for part in expected.split(",")} if expected else {"*"}
    if not wanted & {"*", current}:
        raise ChangedSince("Somebody changed it since you read it; read it again and repeat your change.")
