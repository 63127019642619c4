"""If-Match: a change is made only to what its sender saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Header, Request
from sqlalchemy.engine import Connection

from core.errors import UserError
from core.ids import TenantId
from core.store import scope
from core.store.tables import metadata

IfMatch = Annotated[str | None, Header(max_length=200, description="The ETag of what the change was made from; 412 when it changed since.")]
Body = TypeVar("Body")


class ChangedSince(UserError):
    """etag, current: what is there now, so that the sender can merge and send again; None when it is gone."""

    code = "changed_since"
    status = 412

    def __init__(self, message: str, etag: str | None, current: Mapping[str, Any] | None = None) -> None:
        again = () if etag is None else ("read it again", f"send the merged change with If-Match: {etag}")
        super().__init__(message, suggestions=again)
        self.etag, self.current = etag, current


def etag_of(*parts: object) -> str:
    """The same for equal content, in every process.

    >>> etag_of("a", 1) == etag_of("a", 1) != etag_of("a", 2)
    True
    """
    return f'"{hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]}"'


def hold(connection: Connection, expected: str | None, table: str, tenant: TenantId, key: str | None = None) -> None:
    """Before what is there is read: nobody changes it between the comparison and the change. Without a key all rows of the table."""
    if expected is not None:
        kept = metadata.tables[table]
        scope.hold(connection, kept, tenant, *(() if key is None else (kept.c.id == key,)))


def refuse_changed(expected: str | None, current: str | None, shown: Mapping[str, Any] | None = None) -> None:
    """current: None when there is nothing. shown: what is there, as its reader would see it; goes with the refusal.

    Raises: ChangedSince, unless nothing was expected, or anything (`*`) or what is there and there is something (RFC 9110, section 13.1.1).
    """
    if expected is None:
        return
    if current is None:
        raise ChangedSince("There is nothing any more that your change was made from; leave If-Match out to make it anew.", None, shown)
    if not {part.strip() for part in expected.split(",")} & {"*", current}:
        raise ChangedSince("Somebody changed it since you read it; merge your change with `current` and send it again.", current, shown)


def tagged(request: Request, etag: str, body: Body) -> Body:
    """The body; its ETag goes into the answer's headers."""
    request.state.etag = etag
    return body
