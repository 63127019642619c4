"""How lists are asked for: from where, and how many at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

Cursor = Annotated[str | None, Query(max_length=64)]
PageSize = Annotated[int, Query(ge=1, le=200)]
