"""Goals: which figures are to be reached until when, how likely that is, and a form to set them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from api import goals
from api.goals import GoalCard, GoalView
from api.web.forms import Fields, as_it_was_seen, fields, made_of, seen
from api.web.goal_chart import GoalChart, goal_chart
from api.web.goal_form import goal_body, goal_values, periods
from api.web.incident_pages import people
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.rule_form import segment_options
from api.web.shell import Visitor, problem_of, visitor
from core.errors import Forbidden, NotFound, UserError
from core.rights import Right, may
from core.store.goals import Goal
from insights.wording import bucket
from nlq.wording import Wording
from semantic.catalog.model import Catalog
from semantic.expr import Predicate
from semantic.windows import local_now

router = APIRouter(include_in_schema=False, route_class=PageRoute)
SHOWN = 500
TONES = {"reached": "good", "on track": "good", "likely, but not safe": "warn", "at risk": "warn", "off track": "bad"}
SHOWS = {"open": "Running", "over": "Over", "all": "All"}
_PREDICATE: TypeAdapter[Predicate] = TypeAdapter(Predicate)


@dataclass(frozen=True, slots=True)
class Row:
    """narrowed: the goal's filter in words. tone: of the word that says how it stands."""

    goal: GoalView
    card: GoalCard
    chart: GoalChart | None
    owner: str
    narrowed: str
    last_day: str
    over: bool
    tone: str


@router.get("/goals")
async def goal_list(request: Request, show: Annotated[str, Query(pattern="^(open|over|all)$")] = "open") -> Response:
    at = await visitor(request, "goals")
    rows = await run_in_threadpool(_rows, at)
    kept = [row for row in rows if show == "all" or row.over == (show == "over")]
    return page("goals.html", v=at, rows=kept, any=bool(rows), show=show, shows=SHOWS, may_set=may(at.caller, Right.SHARE))


@router.get("/goals/new")
async def new_goal(request: Request, metric: Annotated[str, Query(max_length=200)] = "") -> Response:
    at = await visitor(request, "goals")
    if not may(at.caller, Right.SHARE):
        raise Forbidden("Viewers cannot set goals.", suggestions=("Look at those that are set at /goals",))
    return await _form(request, at, None, {"metric": metric})


@router.post("/goals")
async def create(request: Request) -> Response:
    at, form = await visitor(request, "goals"), await fields(request)
    try:
        wanted = goal_body(form, None)
        await run_in_threadpool(goals.create_goal, at.services, at.caller, wanted)
    except UserError as error:
        return await _form(request, at, None, _given(form), error=error)
    return RedirectResponse("/goals", status_code=303)


@router.get("/goals/{key}")
async def edit_goal(request: Request, key: str) -> Response:
    at = await visitor(request, "goals")
    row, _ = await run_in_threadpool(goals.load_goal, at.services, at.caller, key)
    return await _form(request, at, row, {})


@router.post("/goals/{key}")
async def change(request: Request, key: str) -> Response:
    """Save it, look again how it stands, or remove it."""
    at, form = await visitor(request, "goals"), await fields(request)
    row, _ = await run_in_threadpool(goals.load_goal, at.services, at.caller, key)
    try:
        if form("act") == "delete":
            with as_it_was_seen():
                await run_in_threadpool(lambda: goals.delete_goal(at.services, at.caller, key, expected=made_of(form)))
        elif form("act") == "look":
            await run_in_threadpool(goals.refresh_goal, at.services, at.caller, row)
        else:
            body = goal_body(form, row)
            await run_in_threadpool(lambda: goals.change_goal(at.services, at.caller, key, body, expected=made_of(form)))
    except UserError as error:
        return await _form(request, at, row, {} if form("act") == "delete" else _given(form), error=error)
    return RedirectResponse("/goals", status_code=303)


def _rows(at: Visitor) -> list[Row]:
    """Those that need attention first; those that are over last."""
    try:
        catalog = at.services.catalogs.visible(at.caller).catalog
    except NotFound:
        return []
    names, wording = people(at), Wording(catalog)
    today = local_now(catalog.calendar, at.services.clock.now()).date()
    made = [
        Row(
            goal=g, card=goals.goal_card(g, catalog), chart=goal_chart(g.status), owner=names.get(g.owner, "somebody who left"),
            narrowed=wording.predicate(_PREDICATE.validate_python(g.where)) if g.where is not None else "",
            last_day=bucket(g.ends_on - dt.timedelta(days=1), "day"), over=g.ends_on <= today,
            tone=TONES.get(g.word or "", "still"),
        )
        for g in goals.list_goals(at.services, at.caller, limit=SHOWN)
    ]  # fmt: skip
    return sorted(made, key=lambda r: (r.over, r.goal.status is None, r.card.probability or 0.0, r.goal.ends_on))


def _given(form: Fields) -> dict[str, Any]:
    names = ("seen", "metric", "target", "direction", "name", "owner", "period", "starts_on", "last_day", "field", "value")
    return {name: form(name) for name in names}


async def _form(request: Request, at: Visitor, row: Goal | None, given: dict[str, Any], *, error: UserError | None = None) -> Response:
    def load() -> tuple[Catalog, dict[str, str]]:
        return at.services.catalogs.visible(at.caller).catalog, people(at)

    catalog, names = await run_in_threadpool(load)
    today = local_now(catalog.calendar, at.services.clock.now()).date()
    values = goal_values(row, today)
    if row is not None and row.asked.name == goals.usual_name(
        catalog.metric(row.asked.metric).label, row.asked.starts_on, row.asked.ends_on
    ):
        values["name"] = ""
    known = {m.name for m in catalog.metrics if not m.hidden}
    shown = goals.view(row, None, catalog, at.caller) if row is not None else None
    current = goals.etag(shown) if shown is not None else ""
    return page(
        "goal_form.html",
        error.status if error is not None else 200,
        v=at,
        goal=shown,
        current=current,
        seen=seen(Fields(given, {}) if given else None, error, current) if shown is not None else "",
        values={name: values.get(name, "") for name in (*_given(Fields({}, {})), "kept")} | {k: v for k, v in given.items() if v or error},
        narrowed=Wording(catalog).predicate(_PREDICATE.validate_python(row.asked.filters)) if row is not None and row.asked.filters else "",
        metrics=sorted(((m.name, m.label) for m in catalog.metrics if m.name in known), key=lambda m: m[1].casefold()),
        periods=periods(today),
        choices=segment_options(catalog),
        owners=sorted(names.items(), key=lambda pair: pair[1].casefold()) if may(at.caller, Right.KEEP) else [],
        problem=problem_of(request, error) if error is not None else None,
    )
