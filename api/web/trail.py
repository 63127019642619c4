"""Where one drilled from: the answers on the way as breadcrumbs, each named by what it narrowed."""

from __future__ import annotations

from dataclasses import dataclass

from api.services import Services
from api.web.chip_editing import editable_chips
from core.errors import NotFound
from core.principal import Principal
from core.store import questions
from semantic.catalog.model import Catalog
from semantic.query import SemanticQuery

DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Crumb:
    """href: empty for the answer that is shown."""

    label: str
    href: str


def longer(up: str, key: str) -> str:
    """The trail with one more answer; the oldest fall off."""
    return ",".join([*[part for part in up.split(",") if part][-(DEEPEST - 1) :], key])


def trail(services: Services, caller: Principal, up: str, here: SemanticQuery, catalog: Catalog) -> tuple[Crumb, ...]:
    """Blocks. Answers that are gone, of other people or of no query are left out; without any there is no trail."""
    found: list[tuple[str, str, SemanticQuery]] = []
    with services.store.read() as connection:
        for key in [part for part in up.split(",") if part][:DEEPEST]:
            try:
                asked = questions.get(connection, caller.tenant, key[:64])
            except NotFound:
                continue
            raw = (asked.entry.answer or {}).get("query")
            if raw and asked.user == caller.user:
                found.append((asked.id, asked.entry.text, SemanticQuery.model_validate(raw)))
    if not found:
        return ()
    crumbs = [Crumb(found[0][1], _href(found, 0))]
    for place, (_, _, query) in enumerate(found[1:], 1):
        crumbs.append(Crumb(_narrowed(found[place - 1][2], query, catalog), _href(found, place)))
    return (*crumbs, Crumb(_narrowed(found[-1][2], here, catalog), ""))


def _href(found: list[tuple[str, str, SemanticQuery]], place: int) -> str:
    above = ",".join(key for key, _, _ in found[:place])
    return f"/answers/{found[place][0]}" + (f"?up={above}" if above else "")


def _narrowed(before: SemanticQuery, after: SemanticQuery, catalog: Catalog) -> str:
    """What is narrower than before, as its chips say it."""
    known = {chip.label for chip in editable_chips(before, catalog)}
    new = [chip.label for chip in editable_chips(after, catalog) if chip.kind in {"filter", "time"} and chip.label not in known]
    return ", ".join(new) or "closer"
