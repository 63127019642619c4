"""What people do to a board: small changes, each a pure function of the content, so that two people's changes merge when they can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from core.errors import Conflict, Invalid
from workers.boards.content import MAX_PINS, Content, Filters, Id, Part, Pin, Width


class Rename(Part):
    op: Literal["rename"] = "rename"
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2_000)


class AddPin(Part):
    op: Literal["add_pin"] = "add_pin"
    pin: Pin


class ChangePin(Part):
    """None leaves it as it is."""

    op: Literal["change_pin"] = "change_pin"
    pin_id: Id
    title: str | None = Field(default=None, min_length=1, max_length=300)
    width: Width | None = None
    show: Literal["chart", "table", "both"] | None = None


class MovePin(Part):
    """to: the new place, counted from 0."""

    op: Literal["move_pin"] = "move_pin"
    pin_id: Id
    to: int = Field(ge=0, le=MAX_PINS)


class RemovePin(Part):
    op: Literal["remove_pin"] = "remove_pin"
    pin_id: Id


class SetFilters(Part):
    op: Literal["set_filters"] = "set_filters"
    filters: Filters


Change = Annotated[Rename | AddPin | ChangePin | MovePin | RemovePin | SetFilters, Field(discriminator="op")]
AnyChange = Rename | AddPin | ChangePin | MovePin | RemovePin | SetFilters
CHANGE: TypeAdapter[AnyChange] = TypeAdapter(Change)


def applied(content: Content, change: AnyChange) -> Content:
    """Raises: Conflict when the pin is no longer there; Invalid for a board that is full."""
    if isinstance(change, Rename):
        return _with(content, title=change.title, description=change.description)
    if isinstance(change, SetFilters):
        return _with(content, filters=change.filters)
    if isinstance(change, AddPin):
        if len(content.pins) >= MAX_PINS:
            raise Invalid(f"A board holds {MAX_PINS} pins; take one away, or begin another board.", code="board_full")
        if content.pin(change.pin.id) is not None:
            return content
        return _with(content, pins=(*content.pins, change.pin))
    pin = content.pin(change.pin_id)
    if pin is None:
        raise Conflict("This pin was taken away by somebody else meanwhile.", code="pin_gone")
    if isinstance(change, RemovePin):
        return _with(content, pins=tuple(p for p in content.pins if p.id != pin.id))
    if isinstance(change, MovePin):
        rest = [p for p in content.pins if p.id != pin.id]
        rest.insert(min(change.to, len(rest)), pin)
        return _with(content, pins=tuple(rest))
    new = {name: value for name in ("title", "width", "show") if (value := getattr(change, name)) is not None}
    return _with(content, pins=tuple(p.model_copy(update=new) if p.id == pin.id else p for p in content.pins))


def merged(base: Content, current: Content, change: AnyChange) -> Content:
    """The change, made on `base`, on what the board is by now.

    Raises: Conflict when somebody else changed the same part meanwhile; what differs in another part is no conflict.
    """
    mine = _touched(change)
    if mine is not None and mine(base) != mine(current) and mine(applied(current, change)) != mine(current):
        raise Conflict(_theirs(change, current), code="board_changed")
    return applied(current, change)


def said(change: AnyChange, before: Content) -> str:
    """What was done, for the history: "moved revenue by region to place 2"."""
    if isinstance(change, Rename):
        return f"renamed the board to {change.title}" if change.title != before.title else "changed the description"
    if isinstance(change, AddPin):
        return f"pinned {change.pin.title}"
    if isinstance(change, SetFilters):
        return "changed the filters"
    pin = before.pin(change.pin_id)
    name = pin.title if pin is not None else "a pin"
    if isinstance(change, RemovePin):
        return f"took {name} away"
    if isinstance(change, MovePin):
        return f"moved {name} to place {change.to + 1}"
    if change.title is not None and pin is not None and change.title != pin.title:
        return f"renamed {name} to {change.title}"
    return f"changed how {name} is shown"


def parsed(raw: dict[str, Any]) -> AnyChange:
    """Raises: Invalid."""
    try:
        return CHANGE.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = str(first["loc"][-1]) if first["loc"] else "change"
        raise Invalid(f"{place.replace('_', ' ').capitalize()}: {first['msg']}.", code="bad_change", path=place) from error


def _with(content: Content, **values: Any) -> Content:
    return Content.model_validate(content.model_copy(update=values).model_dump())


def _touched(change: AnyChange) -> Callable[[Content], Any] | None:
    """The part of a content that the change sets; None for what never conflicts."""
    if isinstance(change, Rename):
        return lambda content: (content.title, content.description)
    if isinstance(change, SetFilters):
        return lambda content: content.filters
    if isinstance(change, ChangePin):
        key = change.pin_id

        def looks(content: Content) -> Any:
            pin = content.pin(key)
            return None if pin is None else (pin.title, pin.width, pin.show)

        return looks
    return None


def _theirs(change: AnyChange, current: Content) -> str:
    if isinstance(change, Rename):
        return f"Somebody renamed this board to \u201c{current.title}\u201d while you were at it."
    if isinstance(change, SetFilters):
        return "Somebody changed the filters of this board while you were at it."
    return "Somebody changed this pin while you were at it."
