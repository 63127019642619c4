"""Personal data: which fields seem to tell of persons, what their values look like, and an analyst's decision on each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import personal_data
from api.field_shapes import shapes
from api.personal_data import DecisionsBody, PersonalField
from api.web.catalog_pages import editor
from api.web.forms import Fields, body, fields
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, problem_of
from core.errors import Conflict, Invalid, NotFound, UserError
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, DataClass
from semantic.clearances import ORDER, clearance
from semantic.expr import FieldRef

router = APIRouter(include_in_schema=False, route_class=PageRoute)
KINDS = {
    "email": "E-mail address", "phone": "Phone number", "contact": "Way to reach a person", "iban": "Bank account", "card": "Card number",
    "ip": "Network address", "national_id": "Identity number", "birth": "Date of birth", "address": "Where a person lives",
    "name": "Name of a person", "secret": "Password or secret",
}  # fmt: skip


@router.get("/catalog/personal")
async def personal_page(request: Request) -> Response:
    return await _page(request, await editor(request))


@router.post("/catalog/personal")
async def decide(request: Request) -> Response:
    """`accept` or `dismiss` name one field; `all` takes over every proposal."""
    at, form = await editor(request), await fields(request)
    try:
        found = await run_in_threadpool(personal_data.listed, at.services, at.caller)
        wanted = {"decisions": _decisions(form, found), "expected_version": form.whole("version", "Version", 0)}
        await run_in_threadpool(personal_data.decide, at.services, at.caller, body(DecisionsBody, wanted))
    except Conflict:
        changed = Conflict(
            "Somebody published a newer version of the catalog meanwhile; look at the fields as they are now, and decide again."
        )
        return await _page(request, at, error=changed)
    except UserError as error:
        return await _page(request, at, error=error)
    return RedirectResponse("/catalog/personal", status_code=303)


def _decisions(form: Fields, found: list[PersonalField]) -> list[dict[str, Any]]:
    """Raises: Invalid when nothing was decided."""
    if form("act") == "all":
        made = [{"dataset": f.dataset, "field": f.field, "data_class": f.proposed} for f in found if f.proposed is not None]
        if not made:
            raise Invalid("Nothing is proposed any more.", code="nothing_proposed")
        return made
    name = form("accept") or form("dismiss")
    dataset, dot, field = name.partition(".")
    if not dot:
        raise Invalid("Choose a field to decide on.", code="nothing_chosen")
    if form.has("dismiss"):
        return [{"dataset": dataset, "field": field, "personal": False, "data_class": DataClass.INTERNAL}]
    return [{"dataset": dataset, "field": field, "data_class": form(f"class_{name}")}]


async def _page(request: Request, at: Visitor, *, error: UserError | None = None) -> Response:
    def read() -> dict[str, Any]:
        try:
            found = personal_data.listed(at.services, at.caller)
            catalog = at.services.catalogs.full(at.caller.tenant)
        except NotFound:
            return {"waiting": [], "decided": [], "shapes": {}, "version": 0, "labels": {}, "seen_by": {}}
        ordered = [FieldRef(dataset=f.dataset, field=f.field) for f in found]
        drawn = shapes(at.services, at.caller, ordered)
        return {
            "waiting": [f for f in found if f.kind is not None],
            "decided": [f for f in found if f.kind is None],
            "shapes": {f"{ref.dataset}.{ref.field}": shape for ref, shape in drawn.items()},
            "version": catalog.version,
            "labels": {d.name: d.label for d in catalog.datasets},
            "seen_by": _seen_by(catalog, at.caller),
        }

    shown = await run_in_threadpool(read)
    return page(
        "personal.html",
        error.status if error is not None else 200,
        v=at,
        **shown,
        kinds=KINDS,
        classes=[one.value for one in DataClass],
        problem=problem_of(request, error) if error is not None else None,
    )


def _seen_by(catalog: Catalog, caller: Principal) -> dict[str, list[str]]:
    """By class, the roles whose holders see it: the built-in ones, and those that clearances name."""
    names = list(dict.fromkeys([*(role.value for role in Role), *(c.role for c in catalog.clearances)]))
    built_in = {role.value for role in Role}

    def up_to(name: str) -> int:
        one = Principal(
            caller.tenant, caller.user, frozenset({Role(name)} if name in built_in else ()), custom=frozenset({name} - built_in)
        )
        return ORDER[clearance(catalog, one)]

    return {one.value: [name for name in names if up_to(name) >= ORDER[one]] for one in DataClass}
