"""How lists are asked for: from where, and how many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

from fastapi import Query

from api import schemas

Cursor = Annotated[str | None, Query(max_length=64)]
VersionCursor = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
NameCursor = Annotated[str | None, Query(max_length=200)]
PageSize = Annotated[int, Query(ge=1, le=200)]
Item = TypeVar("Item")


def cut(
    found: Iterable[Item],
    key: Callable[[Item], str],
    view: Callable[[Item], Any],
    *,
    cursor: str | None,
    limit: int,
    newest_first: bool = False,
) -> schemas.Page:
    """A page of what is held whole, in the order of the keys (which differ): what comes after `cursor`, also when that one is gone since.

    >>> page = cut(["a", "c", "d"], str, str.upper, cursor="b", limit=1)
    >>> page.items, page.next
    (['C'], 'c')
    """
    keyed = sorted(((key(item), item) for item in found), key=lambda pair: pair[0], reverse=newest_first)
    rest = [pair for pair in keyed if cursor is None or (pair[0] < cursor if newest_first else pair[0] > cursor)]
    part = rest[:limit]
    return schemas.Page(items=[view(item) for _, item in part], next=part[-1][0] if len(part) < len(rest) else None)


def at(moment: dt.datetime, key: str) -> str:
    """A key for `cut` that goes by time, then by `key`; 60 characters at most."""
    return f"{int(moment.timestamp() * 1_000_000):017d}.{key[:42]}"
