"""Everything a template needs to show one answer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool

from api import schemas
from api.services import Services
from api.web.chip_editing import Additions, EditableChip, additions, all_time, editable_chips
from api.web.stored import earlier_turns
from api.web.tables import TableView, chart_drill, output_columns, table_view
from api.web.trail import Crumb, trail
from core.principal import Principal
from core.store import questions
from semantic.query import MetricRef, SemanticQuery


@dataclass(frozen=True, slots=True)
class AnswerView:
    answer: schemas.Answer
    table: TableView | None
    chips: tuple[EditableChip, ...]
    additions: Additions | None
    drill: dict[str, int]
    earlier: tuple[questions.Question, ...]
    share: str
    can_investigate: bool
    metric: str
    trail: tuple[Crumb, ...]
    up: str


async def view_of(
    services: Services, caller: Principal, answer: schemas.Answer, *, page: int = 1, sort: str = "", up: str = ""
) -> AnswerView:
    query = SemanticQuery.model_validate(answer.query) if answer.query and answer.intent != "sql" else None
    table = None
    if answer.columns:
        table = table_view(
            output_columns(answer), answer.rows, query, page=page, sort=sort, total=answer.row_count, question=answer.question
        )
    chips: list[EditableChip] = []
    more: Additions | None = None
    crumbs: tuple[Crumb, ...] = ()
    if query is not None and answer.outcome in {"answer", "job"}:
        visible = await run_in_threadpool(services.catalogs.visible, caller)
        chips = editable_chips(query, visible.catalog)
        more = additions(query, visible.catalog) if answer.outcome == "answer" else None
        chips += [all_time()] if more is not None and more.period else []
        crumbs = await run_in_threadpool(trail, services, caller, up, query, visible.catalog) if up else ()
    earlier = await earlier_turns(services, caller, answer)
    plain = not earlier and answer.confidence is not None and bool(answer.question)
    return AnswerView(
        answer=answer,
        table=table,
        chips=tuple(chips),
        additions=more,
        drill=chart_drill(answer, query),
        earlier=tuple(earlier),
        share=f"/?q={quote(answer.question)}" if plain else f"/answers/{answer.id}",
        metric=next((m.metric for m in query.metrics if isinstance(m, MetricRef)), "") if query is not None else "",
        trail=crumbs,
        up=up if crumbs else "",
        can_investigate=query is not None and bool(query.metrics) and answer.outcome == "answer",
    )
