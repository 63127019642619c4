"""The catalog to browse and search; for analysts its YAML to edit, check, publish and roll back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.definitions import formula
from api.learning import evaluate_later
from api.routes.catalog import checked
from api.web.catalog_drafts import published
from api.web.lineage import lineages
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, problem_of, visitor
from core.errors import AppError, Conflict, Forbidden, NotFound
from core.store import catalogs
from semantic.catalog.diff import diff
from semantic.catalog.model import Catalog, CatalogField, Dataset, Metric, Segment
from semantic.catalog.yaml import dump_yaml

FORMS = {"dbt": "dbt semantic models, MetricFlow", "cube": "Cube", "osi": "Open Semantic Interchange"}
router = APIRouter(include_in_schema=False, route_class=PageRoute)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search of the catalog shows; without words, everything."""

    metrics: tuple[tuple[Metric, str], ...]
    datasets: tuple[tuple[Dataset, tuple[CatalogField, ...]], ...]
    segments: tuple[Segment, ...]
    glossary: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        return not (self.metrics or self.datasets or self.segments or self.glossary)


def search(catalog: Catalog, words: str) -> Found:
    """Objects whose name, label, description, synonyms or values hold all of `words`."""
    wanted = words.casefold().split()

    def holds(*texts: str) -> bool:
        whole = " ".join(texts).casefold()
        return all(word in whole for word in wanted)

    metrics = tuple(
        (m, formula(m, catalog)) for m in catalog.metrics if not m.hidden and holds(m.name, m.label, m.description, *m.synonyms)
    )
    found: list[tuple[Dataset, tuple[CatalogField, ...]]] = []
    for dataset in catalog.datasets:
        if dataset.hidden:
            continue
        whole = holds(dataset.name, dataset.label, dataset.description, dataset.table, *dataset.synonyms)
        fields = tuple(
            f for f in dataset.fields if not f.hidden and (whole or holds(f.name, f.label, f.description, *f.synonyms, *f.values[:50]))
        )
        if whole or fields:
            found.append((dataset, fields))
    terms = tuple((t.term, t.definition) for t in catalog.glossary if holds(t.term, t.definition, *t.synonyms))
    segments = tuple(s for s in catalog.segments if holds(s.name, s.label, s.description, *s.synonyms))
    return Found(metrics, tuple(found), segments, terms)


@router.get("/catalog")
async def catalog_page(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> Response:
    at = await visitor(request, "catalog")
    try:
        catalog = (await run_in_threadpool(at.services.catalogs.visible, at.caller)).catalog
    except NotFound:
        catalog = Catalog()
    found = search(catalog, q)
    if is_partial(request):
        return page("catalog_found.html", found=found, q=q, lineage=lineages(catalog), edits=at.is_analyst)
    return page("catalog.html", v=at, found=found, q=q, catalog=catalog, lineage=lineages(catalog))


@router.get("/catalog/edit")
async def edit_page(request: Request, published: Annotated[int, Query(ge=0)] = 0) -> Response:
    """published: the version that was just made, which the page says once."""
    at = await editor(request)
    text, version = await run_in_threadpool(current, at)
    return await edit_page_of(at, text=text, version=version, fresh=published if published == version else 0)


@router.post("/catalog/edit")
async def edit(
    request: Request,
    yaml: Annotated[str, Form(max_length=5_000_000)],
    version: Annotated[int, Form(ge=0)],
    act: Annotated[str, Form(pattern="^(check|publish)$")] = "check",
    note: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Checks the text and shows what it would change, or publishes it when nobody else has published since."""
    at = await editor(request)
    text = yaml.replace("\r\n", "\n")
    try:
        changes = await run_in_threadpool(changes_of, at, text)
        if act == "check":
            return await _checked_page(request, at, text, version, changes=changes)
        saved = await run_in_threadpool(_publish, at, text, version, note)
    except Conflict as error:
        problem = dict(problem_of(request, error))
        problem["detail"] = f"Somebody else published a newer version while you were editing. {error.message}"
        problem["suggestions"] = ["Copy your text, reload this page, and put your changes into the new version."]
        return await _checked_page(request, at, text, version, problem=problem, status=error.status)
    except AppError as error:
        return await _checked_page(request, at, text, version, problem=dict(problem_of(request, error)), status=error.status)
    return _redirect(request, f"/catalog/edit?published={saved}")


@router.post("/catalog/rollback")
async def rollback(request: Request, version: Annotated[int, Form(ge=1)]) -> Response:
    at = await editor(request)

    def act() -> int:
        with at.services.store.write() as connection:
            restored = catalogs.rollback(connection, at.caller.tenant, version, author=at.caller.user, now=at.services.clock.now()).version
        evaluate_later(at.services, at.caller, restored)
        return restored

    return _redirect(request, f"/catalog/edit?published={await run_in_threadpool(act)}")


@router.get("/catalog/versions/{version}")
async def version_diff(request: Request, version: int) -> Response:
    """What one version changed against the one before it."""
    at = await editor(request)

    def load() -> list[str]:
        book = at.services.catalogs
        old = book.full(at.caller.tenant, version - 1) if version > 1 else Catalog()
        return [str(change) for change in diff(old, book.full(at.caller.tenant, version))]

    changes = await run_in_threadpool(load)
    return page("catalog_version.html", v=at, version=version, changes=changes)


async def editor(request: Request) -> Visitor:
    at = await visitor(request, "catalog")
    if not at.is_analyst:
        raise Forbidden("Editing the catalog is for analysts and admins.", suggestions=("Browse it at /catalog",))
    return at


def current(at: Visitor) -> tuple[str, int]:
    try:
        catalog = at.services.catalogs.full(at.caller.tenant)
    except NotFound:
        return "", 0
    return dump_yaml(catalog), catalog.version


def changes_of(at: Visitor, text: str) -> list[str]:
    try:
        now = at.services.catalogs.full(at.caller.tenant)
    except NotFound:
        now = Catalog()
    return [str(change) for change in diff(now, checked(text))]


def _publish(at: Visitor, text: str, version: int, note: str) -> int:
    return published(at, checked(text), version, note)


async def _checked_page(
    request: Request, at: Visitor, text: str, version: int,
    *, changes: list[str] | None = None, problem: dict[str, object] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    if is_partial(request):
        return page("catalog_checked.html", status, changes=changes, problem=problem)
    return await edit_page_of(at, text=text, version=version, changes=changes, problem=problem, status=status)


async def edit_page_of(
    at: Visitor, *, text: str, version: int, changes: list[str] | None = None, problem: dict[str, object] | None = None, status: int = 200,
    tried: tuple[Any, Any, Any] | None = None, question: str = "", carried: tuple[int, Sequence[str]] | None = None,
    fresh: int = 0,
) -> Response:  # fmt: skip
    """tried: what the draft made of `question`, its table, its problem. carried: how many files were brought in, and what was left out."""

    def load() -> tuple[catalogs.CatalogNote, ...]:
        with at.services.store.read() as connection:
            return catalogs.history(connection, at.caller.tenant)

    return page(
        "catalog_edit.html",
        status,
        v=at,
        text=text,
        version=version,
        changes=changes,
        problem=problem,
        versions=await run_in_threadpool(load),
        tried=tried,
        question=question,
        fresh=fresh,
        carried=carried,
        forms=FORMS,
    )


def _redirect(request: Request, there: str) -> Response:
    if is_partial(request):
        return Response(status_code=200, headers={"HX-Redirect": there})
    return RedirectResponse(there, status_code=303)
