"""Forms of pages: text fields as checked values, and the errors of pydantic bodies as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.preconditions import ChangedSince
from core.errors import Conflict, Invalid, UserError
from core.formats import current
from core.typed_numbers import number_typed

MAX_FIELD_CHARS = 20_000
Body = TypeVar("Body", bound=BaseModel)


class Fields:
    """The text fields of a form; what is missing is empty."""

    def __init__(self, one: Mapping[str, str], many: Mapping[str, list[str]]) -> None:
        self._one, self._many = one, many

    def __call__(self, name: str, default: str = "") -> str:
        return self._one.get(name, default).strip()

    def all(self, name: str) -> list[str]:
        return self._many.get(name, [])

    def has(self, name: str) -> bool:
        return bool(self(name))

    def number(self, name: str, label: str) -> float | None:
        """None when empty. In the formats of who types, as `core.typed_numbers` reads them. Raises: Invalid."""
        text = self(name)
        if not text:
            return None
        try:
            found = number_typed(text, current())
        except Invalid as error:
            raise Invalid(f"{label}: {error.message}", code="bad_number", path=name) from error
        if not isfinite(found):
            raise Invalid(f"{label} must be a finite number.", code="bad_number", path=name)
        return found

    def measured(self, name: str, label: str) -> float | None:
        """Of a slider, which browsers send as programs write numbers; None when empty. Raises: Invalid."""
        try:
            found = float(self(name)) if self(name) else None
        except ValueError as error:
            raise Invalid(f"{label} must be a number; found {self(name)[:40]!r}.", code="bad_number", path=name) from error
        if found is not None and not isfinite(found):
            raise Invalid(f"{label} must be a finite number.", code="bad_number", path=name)
        return found

    def whole(self, name: str, label: str, default: int) -> int:
        """Raises: Invalid."""
        found = self.number(name, label)
        if found is None:
            return default
        if found != int(found) or abs(found) > 1e9:
            raise Invalid(f"{label} must be a whole number; found {self(name)[:40]!r}.", code="bad_number", path=name)
        return int(found)


async def fields(request: Request) -> Fields:
    """Raises: Invalid for a field that is far too long."""
    form = await request.form()
    one: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        text = str(value)
        if len(text) > MAX_FIELD_CHARS:
            raise Invalid(f"The field {name[:40]!r} is too long: at most {MAX_FIELD_CHARS:,} characters.", code="too_long")
        one[name] = text
        many.setdefault(name, []).append(text)
    return Fields(one, many)


def made_of(form: Fields) -> str | None:
    """The ETag of what the form was made of, as its field `seen` says it; None when a second save is to put its values over whatever is there."""
    return form("seen") or None


def seen(form: Fields | None, error: UserError | None, current: str) -> str:
    """For the field `seen`: what a refused form was made of, unless it was refused because that has changed; its next save goes over it."""
    if form is None:
        return current
    return "" if isinstance(error, ChangedSince) else form("seen")


@contextmanager
def as_it_was_seen() -> Iterator[None]:
    """Around what is done to the thing that a page showed, and keeps nothing of a form: refused when that has changed. Raises: Conflict."""
    try:
        yield
    except ChangedSince as error:
        raise Conflict(
            "Somebody else changed this since you looked at it, so nothing was done. Look at how it is now, then do it again if you still want to.",
            code="changed_meanwhile",
        ) from error


def body(kind: type[Body], values: Mapping[str, Any]) -> Body:
    """Raises: Invalid that names the first field that is wrong."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = str(first["loc"][-1]) if first["loc"] else "form"
        raise Invalid(f"{place.replace('_', ' ').capitalize()}: {first['msg']}.", code="bad_form", path=place) from error
