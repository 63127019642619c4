"""How a company's pages look: the form with its preview, and what every page loads of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.branding.logos import MAX_BYTES
from api.branding.service import Wanted, choose, colours
from api.branding.sheet import preview_sheet, sheet
from api.person_formats import choose_company_formats
from api.services import services_of
from api.web.account_pages import locale_choices
from api.web.admin_pages import admin
from api.web.forms import Fields, fields
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, problem_of
from core.errors import Invalid, NotFound, UserError
from core.formats import USUAL, Formats
from core.ids import tenant_id
from core.store import brandings, person_formats

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_PICTURE_ONLY = {"Content-Security-Policy": "default-src 'none'; sandbox"}
_COLOUR = Query(pattern="^(#?[0-9a-f]{6})?$")


@router.get("/admin/branding")
async def form_page(request: Request) -> Response:
    return await _form(request, await admin(request))


@router.post("/admin/branding")
async def save(request: Request, logo: Annotated[UploadFile | None, File()] = None) -> Response:
    at, form = await admin(request), await fields(request)
    given = await logo.read(MAX_BYTES + 1) if logo is not None and logo.filename else None
    if form("act") == "preview":
        return await _form(request, at, form=form)
    if form("act") == "usual":
        wanted = Wanted(drop_logo=True)
    else:
        wanted = Wanted(form("product"), form("accent"), form("accent_dark"), given, form.has("drop_logo"))
    try:
        if form("act") == "formats":
            await run_in_threadpool(choose_company_formats, at.services, at.caller, form("locale"))
        else:
            await run_in_threadpool(choose, at.services, at.caller, wanted)
    except UserError as error:
        return await _form(request, at, form=form, error=error)
    return RedirectResponse("/admin/branding", status_code=303)


@router.post("/admin/branding/preview")
async def preview(request: Request) -> Response:
    """The samples alone, while somebody chooses."""
    at, form = await admin(request), await fields(request)
    return page("branding_preview.html", v=at, **_sample(form("accent"), form("accent_dark"), form("product")))


@router.get("/brand/preview.css")
async def preview_css(accent: Annotated[str, _COLOUR] = "", dark: Annotated[str, _COLOUR] = "") -> Response:
    return _css(preview_sheet(*(f"#{c.lstrip('#')}" if c else "" for c in (accent, dark))))


@router.get("/brand/{tenant}/{version}.css")
async def brand_css(request: Request, tenant: str, version: str) -> Response:
    found = await _branding(request, tenant, version)
    return _css(sheet(found.accent, found.accent_dark))


@router.get("/brand/{tenant}/{version}/logo")
async def brand_logo(request: Request, tenant: str, version: str) -> Response:
    await _branding(request, tenant, version)

    def read() -> brandings.Logo | None:
        with services_of(request).store.read() as connection:
            return brandings.logo(connection, tenant_id(tenant))

    shown = await run_in_threadpool(read)
    if shown is None:
        raise NotFound("There is no such logo.", code="unknown_logo")
    return Response(shown.body, media_type=shown.type, headers=_FOREVER | _PICTURE_ONLY)


async def _branding(request: Request, tenant: str, version: str) -> brandings.Branding:
    """Raises: NotFound, also for what was chosen before."""

    def read() -> brandings.Branding:
        with services_of(request).store.read() as connection:
            return brandings.get(connection, tenant_id(tenant))

    try:
        found = await run_in_threadpool(read)
    except Invalid as error:
        raise NotFound("There is no such look.", code="unknown_branding") from error
    if not found.version or found.version != version:
        raise NotFound("There is no such look.", code="unknown_branding")
    return found


def _css(text: str) -> Response:
    return Response(text, media_type="text/css", headers=_FOREVER)


async def _form(request: Request, at: Visitor, *, form: Fields | None = None, error: UserError | None = None) -> Response:
    known = at.brand
    values: dict[str, Any] = {
        name: form(name) if form is not None else getattr(known, name) for name in ("product", "accent", "accent_dark")
    }
    problem = problem_of(request, error) if error is not None else None
    status = error.status if error is not None else 200
    company = await run_in_threadpool(_company_formats, at)
    tag = company.tag if company is not None else ""
    values |= {"locale": tag, "locales": locale_choices(tag, "No choice: pages as browsers ask, messages in the usual way", USUAL)}
    shown = _sample(values["accent"], values["accent_dark"], values["product"])
    return page("admin_branding.html", status, v=at, problem=problem, values=values, max_kb=MAX_BYTES // 1000, **shown)


def _company_formats(at: Visitor) -> Formats | None:
    with at.services.store.read() as connection:
        return person_formats.company_formats(connection, at.caller.tenant)


def _sample(accent: str, accent_dark: str, product: str) -> dict[str, Any]:
    """What the samples show; a colour that cannot be read is told, and the usual one shown."""
    try:
        light, dark = colours(accent, accent_dark)
    except UserError as error:
        return {"light": "", "dark": "", "said": error.message, "product": product}
    return {"light": light, "dark": dark, "said": "", "product": product}
