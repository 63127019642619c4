"""How lists are asked for: from where, and how many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from api import schemas

Cursor = Annotated[str | None, Query(max_length=64)]
NameCursor = Annotated[str | None, Query(max_length=200)]
PageSize = Annotated[int, Query(ge=1, le=200)]
Item = TypeVar("Item")


def cut(found: Sequence[Item], key: Callable[[Item], str], view: Callable[[Item], Any], *, cursor: str | None, limit: int) -> schemas.Page:
    """A page of what is held whole: what follows the item whose key is `cursor`. An item that is gone since ends the list.

    >>> page = cut(["a", "b", "c"], str, str.upper, cursor="a", limit=1)
    >>> page.items, page.next
    (['B'], 'b')
    """
    keys = [key(item) for item in found]
    start = 0 if cursor is None else keys.index(cursor) + 1 if cursor in keys else len(keys)
    part = found[start : start + limit]
    more = start + limit < len(found)
    return schemas.Page(items=[view(item) for item in part], next=keys[start + len(part) - 1] if part and more else None)
