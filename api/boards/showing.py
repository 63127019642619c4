"""One pin as people see it: its query under the board's filters, run with the rights of whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool

from api import schemas
from api.answering import guard
from api.boards.annotate import Note, annotated
from api.catalogs import VisibleCatalog
from api.rendering import column, rows
from api.services import Services
from core.errors import Forbidden
from core.principal import Principal
from insights.chart import chart
from insights.headline import asked_of, headline
from nlq.wording import Wording
from semantic.catalog.model import Catalog, FieldRole
from semantic.query import ByEntity, ByField, SemanticQuery
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
    services: Services, caller: Principal, pin: Pin, filters: Filters, notes: Sequence[Note] = (), *, masked: bool = False
) -> ShownPin:
    """masked: for people without an account: names of things and personal values are replaced, lists of rows refused.

    Raises: UserError, Unavailable.
    """
    visible = await run_in_threadpool(services.catalogs.visible, caller)
    if masked and pin.query.fields:
        raise Forbidden("Lists of single records are not shown on public boards.", code="not_public")
    query, left_out = await run_in_threadpool(filtered, pin.query, filters, visible.catalog, services.clock.now())
    result, windows = await _run(services, caller, visible, query)
    found = _masked(result, query, visible.catalog) if masked else result.rows()
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
        tuple(left_out if not masked else ["a filter of this board"] * bool(left_out)),
    )


async def _run(services: Services, caller: Principal, visible: VisibleCatalog, query: SemanticQuery) -> tuple[ResultTable, Any]:
    guarded = await run_in_threadpool(guard, services, caller, visible, query, services.clock.now())
    return await services.run_cached(caller, guarded), guarded.windows


def _masked(result: ResultTable, query: SemanticQuery, catalog: Catalog) -> list[list[Any]]:
    """Rows whose personal values are numbered words; equal values stay equal."""
    columns = [i for i, c in enumerate(result.columns) if c.role not in {"measure", "change", "time"}]
    groups = [g for g in query.by if isinstance(g, ByField | ByEntity)]
    by_column = dict(zip(columns, groups, strict=False)) if len(columns) == len(groups) else dict.fromkeys(columns)
    hidden = {i: _word(by_column[i], catalog) for i in columns if _is_personal(by_column[i], catalog)}
    known: dict[tuple[int, Any], str] = {}
    made: list[list[Any]] = []
    for row in result.rows():
        new = list(row)
        for i, word in hidden.items():
            if row[i] is not None:
                new[i] = known.setdefault((i, row[i]), f"{word} {sum(k[0] == i for k in known) + 1}")
        made.append(new)
    return made


_NAMING = {FieldRole.NAME, FieldRole.KEY, FieldRole.TEXT}


def _is_personal(group: object, catalog: Catalog) -> bool:
    """Personal fields, and names and keys of what has personal fields (customers, not products); also what cannot be told."""
    if isinstance(group, ByField):
        field = catalog.field(group.field)
        return field.pii or (field.role in _NAMING and _has_personal(group.field.dataset, catalog))
    return _has_personal(catalog.entity(group.entity).dataset, catalog) if isinstance(group, ByEntity) else True


def _has_personal(dataset: str, catalog: Catalog) -> bool:
    return any(f.pii for d in catalog.datasets if d.name == dataset for f in d.fields)


def _word(group: object, catalog: Catalog) -> str:
    if isinstance(group, ByField):
        return catalog.field(group.field).label
    return catalog.entity(group.entity).label if isinstance(group, ByEntity) else "value"
