"""What a board's page shows: pins with their comments, filters in words, who may do what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.boards import service
from api.boards.annotate import Note
from api.services import Services
from core.principal import Principal, Role
from core.store.boards import BoardComment, StoredBoard
from semantic.catalog.model import Catalog
from workers.boards.access import may_edit, owns
from workers.boards.content import Content, Filter, Pin
from workers.boards.filtering import MATCHES

SHARED_ROLES = (Role.EXECUTIVE, Role.MANAGER, Role.ANALYST, Role.DATA_SCIENTIST, Role.VIEWER)


@dataclass(frozen=True, slots=True)
class Said:
    """number: of the mark in the chart; 0 for a comment on the whole pin."""

    comment: BoardComment
    who: str
    number: int
    mine: bool


@dataclass(frozen=True, slots=True)
class PinView:
    """key: changes when what the pin draws changes, so that a page can keep what it has drawn."""

    pin: Pin
    key: str
    comments: tuple[Said, ...]
    place: int


@dataclass(frozen=True, slots=True)
class BoardView:
    board: StoredBoard
    content: Content
    pins: tuple[PinView, ...]
    comments: tuple[Said, ...]
    filters: tuple[str, ...]
    owner: str
    may_edit: bool
    owns: bool
    etag: str


def board_view(services: Services, caller: Principal, board: StoredBoard, names: Mapping[str, str], catalog: Catalog) -> BoardView:
    """names: of people by user id. Blocks."""
    content = service.content_of(board)
    said = service.comments(services, caller, board.id)
    pins = tuple(
        PinView(pin, _key(pin, content, said), _said(said, pin.id, names, caller, board), place) for place, pin in enumerate(content.pins)
    )
    return BoardView(
        board, content, pins, _said(said, None, names, caller, board), tuple(filter_text(f, catalog) for f in content.filters.where),
        names.get(board.owner, "somebody who left"), may_edit(caller, board), owns(caller, board), service.etag(board),
    )  # fmt: skip


def notes_of(said: Sequence[BoardComment], pin_id: str) -> list[Note]:
    """Comments on points of a pin, numbered in their order."""
    found = [c for c in said if c.pin_id == pin_id and c.point]
    return [Note(c.point or "", number, c.text) for number, c in enumerate(found, 1)]


def filter_text(one: Filter, catalog: Catalog) -> str:
    dataset, _, name = one.field.partition(".")
    label = next((f.label for d in catalog.datasets if d.name == dataset for f in d.fields if f.name == name), name.replace("_", " "))
    return f"{label} {MATCHES[one.match]} {one.value}"


def _said(
    said: Sequence[BoardComment], pin_id: str | None, names: Mapping[str, str], caller: Principal, board: StoredBoard
) -> tuple[Said, ...]:
    made: list[Said] = []
    number = 0
    for c in said:
        if c.pin_id != pin_id:
            continue
        number += bool(c.point)
        made.append(
            Said(c, names.get(c.author, "Somebody who left"), number if c.point else 0, c.author == caller.user or owns(caller, board))
        )
    return tuple(made)


def _key(pin: Pin, content: Content, said: Sequence[BoardComment]) -> str:
    drawn = [pin.model_dump(mode="json", exclude={"title", "width"}), content.filters.model_dump(mode="json")]
    points = [(c.id, c.point) for c in said if c.pin_id == pin.id and c.point]
    return hashlib.sha256(json.dumps([drawn, points], sort_keys=True, default=str).encode()).hexdigest()[:16]
