"""Digests in the page: what was issued to you, one issue with its charts and votes, and the digests themselves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.insight_schemas import DigestBody, FactFeedback, Subscribed
from api.routes import digests as routes
from api.routes import insights as insight_routes
from api.web.addresses import local
from api.web.exports import one_drawing
from api.web.forms import Fields, as_it_was_seen, body, fields, made_of
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, problem_of, visitor
from core.errors import UserError
from core.store import digests as stored
from core.store import fact_votes
from workers.digests.message import document_of, issue_retold
from workers.look import look_of
from workers.pages_pdf import pdf

router = APIRouter(include_in_schema=False, route_class=PageRoute)
CADENCES = {"daily": "every day", "weekly": "every week", "monthly": "every month"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@router.get("/digest")
async def digest_page(request: Request, cursor: str = "") -> Response:
    at = await visitor(request, "digest")
    return await _page(request, at, cursor=cursor[:64])


@router.post("/digest")
async def create(request: Request) -> Response:
    at = await visitor(request, "digest")
    form = await fields(request)
    definition: dict[str, Any] = {
        "metrics": [name for name in form.all("metrics") if name], "cadence": form("cadence", "weekly"), "at": form("at", "08:00"),
        "weekday": int(form("weekday", "0")) if form("weekday", "0").isdigit() else 0, "email": form.has("email"),
        "summary": form.has("summary"), "pdf": form.has("pdf"), "day": form.whole("day", "The day of the month", 1), "time_zone": form("time_zone") or None,
    }  # fmt: skip
    try:
        await routes.create_digest(request, body(DigestBody, {"name": form("name"), "definition": definition}), at.caller)
    except UserError as error:
        return await _page(request, at, error=error, form=form)
    return RedirectResponse("/digest", status_code=303)


@router.post("/digest/{key}/subscription")
async def subscription(
    request: Request,
    key: str,
    subscribed: Annotated[str, Form(pattern="^(yes|no)$")],
    back: Annotated[str, Form(max_length=200)] = "/digest",
) -> Response:
    at = await visitor(request)
    await routes.subscription(request, key, Subscribed(subscribed=subscribed == "yes"), at.caller)
    return RedirectResponse(local(back), status_code=303)


@router.post("/digest/{key}/delete")
async def delete(request: Request, key: str) -> Response:
    at, form = await visitor(request), await fields(request)
    with as_it_was_seen():
        await routes.delete_digest(request, key, at.caller, made_of(form))
    return RedirectResponse("/digest", status_code=303)


@router.get("/digest/{key}")
async def issue_page(request: Request, key: str) -> Response:
    at = await visitor(request, "digest")
    return page("digest_issue.html", v=at, **await _issue(request, at, key))


@router.get("/digest/{key}/pdf")
async def issue_pdf(request: Request, key: str) -> Response:
    at = await visitor(request, "digest")
    issue = await run_in_threadpool(routes.load_issue, at.services, at.caller, key)
    link = f"{at.services.settings.resolved_base_url.rstrip('/')}/digest/{issue.id}"

    def draw() -> bytes:
        with one_drawing():
            with at.services.store.read() as connection:
                look = look_of(connection, at.caller.tenant)
            return pdf(document_of(issue_retold(issue), link, look))

    headers = {"Content-Disposition": f'attachment; filename="{issue.id}.pdf"'}
    return Response(await run_in_threadpool(draw), media_type="application/pdf", headers=headers)


@router.post("/digest/{key}/facts/{fact}")
async def vote(request: Request, key: str, fact: str, verdict: Annotated[str, Form(pattern="^(useful|not_useful|mute|undo)$")]) -> Response:
    """One press says it, another takes it back."""
    at = await visitor(request, "digest")
    issue = await run_in_threadpool(routes.load_issue, at.services, at.caller, key)
    said = FactFeedback.model_validate({"verdict": None if verdict == "undo" else verdict})
    await insight_routes.feedback(request, str(issue.made.body.get("insight_id")), fact, said, at.caller)
    if not is_partial(request):
        return RedirectResponse(f"/digest/{key}", status_code=303)
    return page("digest_facts.html", v=at, **await _issue(request, at, key))


async def _issue(request: Request, at: Visitor, key: str) -> dict[str, Any]:
    issue = await routes.get_issue(request, key, at.caller)
    found = issue["body"]
    if "sections" in found:
        return {"issue": issue, "body": found, "facts": []}

    def read() -> dict[str, str]:
        with at.services.store.read() as connection:
            return {vote.topic: vote.verdict for vote in fact_votes.list_all(connection, at.caller.tenant, at.caller.user)}

    votes = await run_in_threadpool(read)
    charts = {str(item["fact"]): item for item in found.get("charts", ())}
    told = list(found.get("told", ()))
    facts = [
        {"sentence": sentence, "fact": told[i], "chart": charts.get(str(told[i]["id"])), "verdict": votes.get(str(told[i]["topic"]))}
        for i, sentence in enumerate(found.get("sentences", ()))
    ]
    return {"issue": issue, "body": found, "facts": facts}


async def _page(request: Request, at: Visitor, *, cursor: str = "", error: UserError | None = None, form: Fields | None = None) -> Response:
    mine = await routes.list_digests(request, at.caller, limit=100)
    issued = await routes.list_issues(request, at.caller, cursor=cursor or None, limit=30)
    visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)

    def quiet() -> int:
        with at.services.store.read() as connection:
            return len(stored.issues(connection, at.caller.tenant, at.caller.user, status="quiet", limit=100))

    return page(
        "digest.html", error.status if error is not None else 200, v=at, digests=[{**d, "etag": routes.etag(d)} for d in mine.items],
        issues=issued.items, more=issued.next,
        quiet=await run_in_threadpool(quiet), metrics=[(m.name, m.label) for m in visible.catalog.metrics if not m.hidden], cadences=CADENCES,
        weekdays=WEEKDAYS, zone=visible.catalog.calendar.time_zone, mail=bool(at.services.settings.smtp_host), form=form or Fields({}, {}),
        problem=problem_of(request, error) if error is not None else None,
    )  # fmt: skip
