"""A board's figures at one moment, with one reader's rights: what goes into e-mails and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import UserError
from core.store.boards import StoredBoard
from insights.asked import asked_of
from insights.chart import chart
from insights.headline import headline
from insights.wording import cell
from nlq.wording import Wording
from semantic.catalog.model import Catalog
from semantic.catalog.visible import visible_to
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.resolve import resolve
from workers.boards.content import Content, Pin
from workers.boards.filtering import filtered
from workers.jobs.querying import Asking, Ran

SHOWN_ROWS = 25  # of a table; the board itself has them all
MAX_MARKS = 2_000  # of a chart


@dataclass(frozen=True, slots=True)
class Section:
    """One pin. chart: Vega-Lite with its data. rows: as texts; right: columns of figures; left_out: rows beyond those. notes: what to know."""

    title: str
    headline: str
    chart: Mapping[str, Any] | None = None
    columns: tuple[str, ...] = ()
    right: tuple[int, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left_out: int = 0
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Snapshot:
    title: str
    description: str
    sections: tuple[Section, ...]
    ran: tuple[Ran, ...]


def snapshot(asking: Asking, board: StoredBoard, told: Callable[[int, int], None] = lambda done, total: None) -> Snapshot:
    """Every pin in order; one that cannot be asked says why. told: how many pins are done of how many.

    Raises: Unavailable; Cancelled.
    """
    content = Content.model_validate(board.content)
    catalog = asking.services.catalog(asking.tenant)
    visible = visible_to(catalog, asking.principal)
    sections: list[Section] = []
    ran: list[Ran] = []
    for done, pin in enumerate(content.pins):
        told(done, len(content.pins))
        asking.check_cancelled()
        try:
            made, run = _section(asking, content, pin, catalog, visible)
        except UserError as error:
            sections.append(Section(pin.title, "", notes=(error.message,)))
            continue
        sections.append(made)
        ran.append(run)
    return Snapshot(content.title, content.description, tuple(sections), tuple(ran))


def _section(asking: Asking, content: Content, pin: Pin, catalog: Catalog, visible: Catalog) -> tuple[Section, Ran]:
    query, left_out = filtered(pin.query, content.filters, visible, asking.as_of)
    compiled = compile_query(resolve(query, visible, as_of=asking.as_of))
    guarded = guard_compiled(compiled, catalog, asking.principal, trust=asking.services.trust)
    result = asking.services.warehouse_sync.run(guarded)
    rows = result.rows()
    columns = Wording(visible).columns(result.columns, query)
    asked = asked_of(query, visible, asking.as_of)
    said = headline(columns, rows, guarded.windows, truncated=result.truncated, asked=asked)
    spec = chart(columns, rows, title=said, now=asked.now)
    notes = [f"Not filtered by {one}: this pin cannot take it." for one in left_out]
    if spec is not None and len(spec.get("data", {}).get("values", ())) > MAX_MARKS:
        spec = None
        notes.append("The chart has too many marks for a page; open the board to see it.")
    tabled = bool(query.by or query.fields) and (pin.show != "chart" or spec is None)
    shown = rows[:SHOWN_ROWS] if tabled else []
    section = Section(
        pin.title,
        said,
        spec if pin.show != "table" else None,
        tuple(column.label for column in columns) if tabled else (),
        tuple(i for i, column in enumerate(columns) if column.role in {"measure", "change"}),
        tuple(tuple(cell(value, column) for value, column in zip(row, columns, strict=True)) for row in shown),
        len(rows) - len(shown) if tabled else 0,
        tuple(notes),
    )
    return section, Ran(guarded, result)
