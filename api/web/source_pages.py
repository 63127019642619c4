"""Sources: where data comes from, how fresh it is, what each run brought; administrators declare, test, run, pause and remove them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import sources
from api.web.forms import Fields, as_it_was_seen, fields, made_of, seen
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, problem_of, visitor
from api.web.source_form import EVERY, FIELDS, FORMATS, KINDS, MECHANISMS, every_said, given_values, source_body, source_values
from core.errors import Invalid, UserError
from core.rights import Right, may
from core.store import sources as kept
from core.store.freshness import LATE_AFTER_RUNS
from core.store.sources import Run, Source

router = APIRouter(include_in_schema=False, route_class=PageRoute)
LISTED = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A source for its page. word, tone: how it stands. every: how often it runs, in words."""

    source: Source
    kind: str
    every: str
    word: str
    tone: str
    last: Run | None
    rows: int | None


def shown(source: Source, last: Run | None, now: datetime) -> Shown:
    """last: its last run."""
    minutes = int(source.plan.get("every_minutes") or 0)
    late = minutes > 0 and source.refreshed_at is not None and now - source.refreshed_at > timedelta(minutes=minutes * LATE_AFTER_RUNS)
    word, tone = (
        ("Paused", "still") if not source.enabled
        else ("Failing", "bad") if source.failures
        else ("Not run yet", "still") if source.refreshed_at is None
        else ("Behind", "warn") if late
        else ("Up to date", "good") if minutes
        else ("Loaded", "good")
    )  # fmt: skip
    rows = last.report.get("total") if last is not None else None
    return Shown(source, KINDS.get(source.kind, (source.kind, ""))[0], every_said(minutes or None), word, tone, last, rows)


@router.get("/sources")
async def source_list(request: Request, cursor: Annotated[str, Query(max_length=200)] = "") -> Response:
    at = await visitor(request, "sources")

    def read() -> list[Shown]:
        with at.services.store.read() as connection:
            found = kept.list_all(connection, at.caller.tenant, after=cursor, limit=LISTED)
            now = at.services.clock.now()
            return [shown(s, next(iter(kept.runs(connection, at.caller.tenant, s.id, limit=1)), None), now) for s in found]

    items = await run_in_threadpool(read)
    more = items[-1].source.name if len(items) == LISTED else None
    return page("sources.html", v=at, items=items, more=more, may_change=_may_change(at))


@router.get("/sources/new")
async def new_source(request: Request) -> Response:
    return await _form(request, await visitor(request, "sources"), None)


@router.post("/sources/test")
async def probe(request: Request) -> Response:
    """The columns that the source would bring, from the form as it is; nothing is kept."""
    at, form = await visitor(request, "sources"), await fields(request)
    known = await run_in_threadpool(sources.found, at.services, at.caller, form("source")) if form.has("source") else None
    columns: list[dict[str, str]] | None = None
    problem = None
    try:
        body = source_body(form, known, place_only=True)
        columns = await run_in_threadpool(sources.probe, at.services, at.caller, body, known.id if known else None)
    except UserError as error:
        problem = error
    if is_partial(request):
        return page("source_tested.html", columns=columns, problem=problem_of(request, problem) if problem else None)
    return await _form(request, at, known, form=form, columns=columns, error=problem)


@router.post("/sources")
async def declare(request: Request) -> Response:
    at, form = await visitor(request, "sources"), await fields(request)
    try:
        made = await run_in_threadpool(sources.declare, at.services, at.caller, source_body(form))
    except UserError as error:
        return await _form(request, at, None, form=form, error=error)
    return RedirectResponse(f"/sources/{made.id}", status_code=303)


@router.get("/sources/{key}")
async def one(request: Request, key: str, before: Annotated[str | None, Query(max_length=64)] = None) -> Response:
    return await _one(request, await visitor(request, "sources"), key, before=before)


@router.get("/sources/{key}/change")
async def change_form(request: Request, key: str) -> Response:
    at = await visitor(request, "sources")
    return await _form(request, at, await run_in_threadpool(sources.found, at.services, at.caller, key))


@router.post("/sources/{key}/change")
async def change(request: Request, key: str) -> Response:
    at, form = await visitor(request, "sources"), await fields(request)
    known = await run_in_threadpool(sources.found, at.services, at.caller, key)
    try:
        body = source_body(form, known)
        await run_in_threadpool(lambda: sources.change(at.services, at.caller, key, body, expected=made_of(form)))
    except UserError as error:
        return await _form(request, at, known, form=form, error=error)
    return RedirectResponse(f"/sources/{key}", status_code=303)


@router.post("/sources/{key}")
async def act(request: Request, key: str) -> Response:
    """Run it, pause it, go on, test what is stored, or remove it."""
    at, form = await visitor(request, "sources"), await fields(request)
    there = f"/sources/{key}"
    try:
        match form("act"):
            case "run" | "full" as how:
                job = await run_in_threadpool(lambda: sources.start(at.services, at.caller, key, full=how == "full"))
                there = f"/jobs/{job}"
            case "pause" | "resume" as how:
                body = await run_in_threadpool(sources.stored, at.services, at.caller, key)
                await run_in_threadpool(sources.change, at.services, at.caller, key, body.model_copy(update={"enabled": how == "resume"}))
            case "test":
                body = await run_in_threadpool(sources.stored, at.services, at.caller, key)
                columns = await run_in_threadpool(sources.probe, at.services, at.caller, body)
                return await _one(request, at, key, columns=columns)
            case "remove":
                with as_it_was_seen():
                    await run_in_threadpool(lambda: sources.remove(at.services, at.caller, key, expected=made_of(form)))
                there = "/sources"
            case other:
                raise Invalid(f"There is nothing called {other[:20]!r} to do with a source.", code="unknown_act")
    except UserError as error:
        return await _one(request, at, key, error=error)
    return RedirectResponse(there, status_code=303)


async def _one(
    request: Request, at: Visitor, key: str, *, before: str | None = None, columns: list[dict[str, str]] | None = None,
    error: UserError | None = None,
) -> Response:  # fmt: skip
    def read() -> dict[str, Any]:
        with at.services.store.read() as connection:
            source = kept.get(connection, at.caller.tenant, key)
            runs = kept.runs(connection, at.caller.tenant, key, before_id=before, limit=LISTED)
            last = runs[:1] if before is None else kept.runs(connection, at.caller.tenant, key, limit=1)
        lineage = sources.load(at.services, at.caller, key)["lineage"]
        made = shown(source, last[0] if last else None, at.services.clock.now())
        return {"s": made, "runs": runs, "lineage": lineage, "current": sources.etag(source)}

    found = await run_in_threadpool(read)
    problem = problem_of(request, error) if error is not None else None
    more = found["runs"][-1].id if len(found["runs"]) == LISTED else None
    return page(
        "source.html", error.status if error is not None else 200, v=at, **found, more=more, columns=columns, problem=problem,
        may_change=_may_change(at),
    )  # fmt: skip


async def _form(
    request: Request, at: Visitor, known: Source | None, *, form: Fields | None = None, columns: list[dict[str, str]] | None = None,
    error: UserError | None = None,
) -> Response:  # fmt: skip
    values = source_values(known) | (given_values(form) if form is not None else {})
    values["kind"] = known.kind if known is not None else values["kind"]
    every = EVERY | ({} if values["every_minutes"] in EVERY else {values["every_minutes"]: f"every {values['every_minutes']} minutes"})
    return page(
        "source_form.html",
        error.status if error is not None else 200,
        v=at,
        known=known,
        seen=seen(form, error, sources.etag(known)) if known is not None else "",
        values=values,
        kinds=KINDS,
        form_fields=[f for f in FIELDS if known is None or known.kind in f.kinds],
        formats=FORMATS,
        mechanisms=MECHANISMS,
        every=every,
        columns=columns,
        problem=problem_of(request, error) if error is not None else None,
    )


def _may_change(at: Visitor) -> bool:
    return may(at.caller, Right.ADMIN)
