"""The catalog's objects as forms: what each field means, checked while one types, what it would change, the SQL it makes, what stands on it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.draft import tried
from api.own_roles import known_roles
from api.web.catalog_drafts import Drafted, current, drafted, figures, published, without
from api.web.catalog_forms.calendar import CalendarKind, EventKind
from api.web.catalog_forms.field_kind import FieldKind
from api.web.catalog_forms.kind import Kind
from api.web.catalog_forms.metrics import MetricKind
from api.web.catalog_forms.policies import ClearanceKind, ColumnRuleKind, RowPolicyKind
from api.web.catalog_forms.structure import DatasetKindForm, EntityKind, HierarchyKind, JoinKind, SegmentKind
from api.web.catalog_forms.used_by import used_by
from api.web.catalog_forms.words import TermKind, VerifiedKind
from api.web.catalog_pages import editor
from api.web.forms import Fields, fields
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, problem_of
from api.web.tables import table_view
from core.errors import AppError, Conflict, Invalid, NotFound

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_ALL: tuple[Kind, ...] = (
    MetricKind(), FieldKind(), TermKind(), VerifiedKind(), RowPolicyKind(), ColumnRuleKind(), ClearanceKind(),
    DatasetKindForm(), JoinKind(), EntityKind(), HierarchyKind(), SegmentKind(), CalendarKind(), EventKind(),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
_FROM_ADDRESS = ("dataset", "field", "role", "question", "as", "means", "term")
_LISTS = ("ticks", "several")


@router.get("/catalog/policies")
async def policies(request: Request) -> Response:
    at = await editor(request)
    catalog = await run_in_threadpool(current, at)
    return page("catalog_policies.html", v=at, catalog=catalog, kinds=KINDS, labels={d.name: d for d in catalog.datasets})


@router.get("/catalog/structure")
async def structure(request: Request) -> Response:
    """Tables and how they hang together; the calendar."""
    at = await editor(request)
    catalog = await run_in_threadpool(current, at)
    now = at.services.clock.now()
    dates = {event.name: KINDS["event"].says(event, now) for event in catalog.calendar.events}
    return page(
        "catalog_structure.html", v=at, catalog=catalog, kinds=KINDS, labels={d.name: d for d in catalog.datasets}, dates=dates,
        today=KINDS["calendar"].says(catalog.calendar, now),
    )  # fmt: skip


@router.get("/catalog/forms/{kind}")
async def new_object(request: Request, kind: str) -> Response:
    at = await editor(request)
    if not _kind(kind).makes:
        raise NotFound(
            f"A {_kind(kind).title} is not made by a form. {_kind(kind).about}",
            code="unknown_form",
            suggestions=("See /catalog/structure",),
        )
    given = {name: request.query_params[name][:1_000] for name in _FROM_ADDRESS if name in request.query_params}
    return await _page(request, at, _kind(kind), "", given=given)


@router.post("/catalog/forms/{kind}")
async def act_on_object(request: Request, kind: str) -> Response:
    """`act`: check shows what it would change, figures runs it as well, try asks a question of it, save publishes it, remove takes it out."""
    at, form, known = await editor(request), await fields(request), _kind(kind)
    key, act = form("key"), form("act", "check")
    draft = found = None
    try:
        if act == "remove":
            changed = await run_in_threadpool(without, at, known, key, form)
            await run_in_threadpool(published, at, changed, changed.version, f"{known.title.capitalize()} {key} removed"[:1_000])
            return RedirectResponse(known.back[0], status_code=303)
        draft = await run_in_threadpool(drafted, at, known, key, form)
        if act == "save":
            return await _save(at, known, draft, form)
        if act == "try":
            return await _tried(request, at, draft, form("draft_question"))
        found = await run_in_threadpool(figures, at, draft) if act == "figures" else None
    except AppError as error:
        if act == "try":
            return page("catalog_tried.html", problem=problem_of(request, error))
        if is_partial(request):
            return page("catalog_form_checked.html", 200, draft=None, table=None, problem=problem_of(request, error))
        return await _page(request, at, known, key, form=form, error=error)
    table = table_view(found.columns, found.rows()[:20], total=len(found.rows())) if found is not None else None
    if is_partial(request):
        return page("catalog_form_checked.html", draft=draft, table=table, problem=None)
    return await _page(request, at, known, key, form=form, draft=draft, table=table)


@router.get("/catalog/forms/{kind}/{key:path}")
async def edit_object(request: Request, kind: str, key: str) -> Response:
    return await _page(request, await editor(request), _kind(kind), key)


async def _tried(request: Request, at: Visitor, draft: Drafted, question: str) -> Response:
    """What becomes of a question under the draft. Raises: Invalid for none; what asking raises."""
    if not question:
        raise Invalid("Type a question to try.", code="no_question")
    async with at.services.turns.turn(at.caller.tenant):
        found = await run_in_threadpool(tried, at.services, at.caller, draft.catalog, question)
    return page("catalog_tried.html", found=found, table=table_view(found.columns, found.rows, total=found.row_count), problem=None)


async def _save(at: Visitor, kind: Kind, draft: Drafted, form: Fields) -> Response:
    key = form("key")
    if draft.changes:
        note = form("change_note") or f"{kind.title.capitalize()} {kind.label_of(draft.item)} {'changed' if key else 'added'}"
        await run_in_threadpool(published, at, draft.catalog, draft.catalog.version, note[:1_000])
    return RedirectResponse(f"{address(kind, draft.key)}?saved=yes", status_code=303)


def address(kind: Kind, key: str) -> str:
    return f"/catalog/forms/{kind.name}/{quote(key, safe='')}"


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise NotFound(f"There is no form for {name[:40]!r}; the YAML has everything.", code="unknown_form", suggestions=tuple(KINDS))
    return KINDS[name]


async def _page(
    request: Request, at: Visitor, kind: Kind, key: str, *, given: dict[str, str] | None = None, form: Fields | None = None,
    error: AppError | None = None, draft: Drafted | None = None, table: Any = None,
) -> Response:  # fmt: skip
    def load() -> dict[str, Any]:
        catalog = current(at)
        item = kind.find(catalog, key) if key else None
        inputs = kind.inputs(catalog, item, [role.name for role in known_roles(at.services, at.caller)])
        values = kind.values(catalog, item, given or {})
        if form is not None:
            values = {one.name: form.all(one.name) if one.shape in _LISTS else form(one.name) for one in inputs}
        return {
            "item": item, "inputs": inputs, "values": values, "version": form.whole("version", "Version", 0) if form else catalog.version,
            "uses": used_by(at.services, at.caller, catalog, kind.name, key) if key else [], "beyond": kind.beyond(item, catalog) if item is not None else [],
            "label": kind.label_of(item) if item is not None else "",
        }  # fmt: skip

    shown = await run_in_threadpool(load)
    return page(
        "catalog_form.html",
        error.status if error is not None else 200,
        v=at,
        kind=kind,
        key=key,
        **shown,
        saved=request.query_params.get("saved") == "yes" and form is None,
        over=isinstance(error, Conflict) and error.code == "changed_meanwhile",
        draft=draft,
        table=table,
        change_note=form("change_note") if form is not None else "",
        problem=problem_of(request, error) if error is not None else None,
    )
