"""One pin as people see it: its query under the board's filters, run with the rights of whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool

from api import schemas
from api.answering import guard
from api.boards.annotate import Note, annotated
from api.boards.masking import masked, refuse_personal
from api.catalogs import VisibleCatalog
from api.rendering import column, rows
from api.services import Services
from core.principal import Principal
from insights.asked import asked_of
from insights.chart import chart
from insights.headline import headline
from nlq.wording import Wording
from semantic.query import SemanticQuery
from semantic.states import OutputColumn, ResultTable
from workers.boards.content import Filters, Pin
from workers.boards.filtering import filtered

SHOWN_ROWS = 200


@dataclass(frozen=True, slots=True)
class ShownPin:
    """left_out: filters of the board that this pin cannot take, in words. query: with the filters in it."""

    query: SemanticQuery
    headline: str
    columns: tuple[OutputColumn, ...]
    rows: Sequence[Sequence[Any]]
    row_count: int
    chart: dict[str, Any] | None
    left_out: tuple[str, ...]

    def as_answer(self) -> schemas.Answer:
        """For what draws answers: the columns, the chart and the query."""
        return schemas.Answer(
            id="", question="", outcome="answer", headline=self.headline, chart=self.chart, row_count=self.row_count,
            query=self.query.model_dump(mode="json", exclude_none=True), columns=[column(c) for c in self.columns],
            rows=rows(self.rows[:SHOWN_ROWS]),
        )  # fmt: skip


async def shown(
    services: Services, caller: Principal, pin: Pin, filters: Filters, notes: Sequence[Note] = (), *, for_anybody: bool = False
) -> ShownPin:
    """for_anybody: people without an account: names of people and personal values are replaced, lists of rows and figures about one person refused.

    Raises: UserError, Unavailable.
    """
    visible = await run_in_threadpool(services.catalogs.visible, caller)
    query, left_out = await run_in_threadpool(filtered, pin.query, filters, visible.catalog, services.clock.now())
    if for_anybody:
        await run_in_threadpool(refuse_personal, query, visible.catalog)
    result, windows = await _run(services, caller, visible, query)
    found = masked(result, query, visible.catalog) if for_anybody else result.rows()
    asked = asked_of(query, visible.catalog, services.clock.now())
    columns = Wording(visible.catalog).columns(result.columns, query)
    said = headline(columns, found, windows, truncated=result.truncated, asked=asked)
    spec = chart(columns, found, title=said, now=asked.now)
    return ShownPin(
        query,
        said,
        columns,
        found,
        len(found),
        annotated(spec, notes) if spec is not None else None,
        tuple(left_out if not for_anybody else ["a filter of this board"] * bool(left_out)),
    )


async def _run(services: Services, caller: Principal, visible: VisibleCatalog, query: SemanticQuery) -> tuple[ResultTable, Any]:
    guarded = await run_in_threadpool(guard, services, caller, visible, query, services.clock.now())
    return await services.run_cached(caller, guarded), guarded.windows
