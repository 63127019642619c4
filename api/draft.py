"""A catalog that is being edited: what becomes of a question with it, and what other tools' models would make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from api.draft_rules import refuse_counting_the_closed, with_published_rules
from api.services import Services
from core.errors import Invalid, NotFound
from core.principal import Principal
from insights.asked import asked_of
from insights.chart import chart
from insights.headline import headline
from nlq.types import Understanding
from semantic.catalog.importers import ImportedCatalog, import_cube, import_metricflow, import_osi
from semantic.catalog.model import Catalog
from semantic.catalog.yaml import dump_yaml
from semantic.closed_conditions import refuse_closed_conditions
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.resolve import resolve
from semantic.states import OutputColumn

IMPORTERS: Mapping[str, Callable[[Catalog, Mapping[str, str]], ImportedCatalog]] = {
    "dbt": import_metricflow,
    "cube": import_cube,
    "osi": import_osi,
}
MAX_FILES = 200
MAX_BYTES = 5_000_000
SHOWN_ROWS = 100


@dataclass(frozen=True, slots=True)
class Tried:
    """understood: how the draft reads the question; without an answer the rest is empty."""

    understood: Understanding
    headline: str = ""
    columns: tuple[OutputColumn, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    row_count: int = 0
    chart: dict[str, Any] | None = None
    sql: str = ""


def tried(services: Services, caller: Principal, draft: Catalog, question: str) -> Tried:
    """The question under the draft, with the caller's own rights in it and no more than they have now; nothing is kept. Blocks.

    Raises: UserError for what cannot be asked; Unavailable.
    """
    published = _published(services, caller)
    ruled = with_published_rules(draft, published, caller, services.core.trust)
    visible = services.catalogs.of_draft(ruled, caller)
    now = services.clock.now()
    understood = visible.understander.understand(question, as_of=now)
    if understood.outcome != "answer":
        return Tried(understood)
    query = understood.readings[0].query
    refuse_counting_the_closed(draft, ruled, published, caller)
    refuse_closed_conditions(query, ruled, caller)
    compiled = compile_query(resolve(query, visible.catalog, as_of=now))
    guarded = guard_compiled(compiled, ruled, caller, trust=services.core.trust)
    result = services.run_uncached(caller, guarded)
    rows = result.rows()
    said = headline(result.columns, rows, guarded.windows, truncated=result.truncated, asked=asked_of(query, visible.catalog, now))
    shown = tuple(tuple(row) for row in rows[:SHOWN_ROWS])
    return Tried(understood, said, result.columns, shown, len(rows), chart(result.columns, rows, title=said), guarded.sql)


def imported(services: Services, caller: Principal, form: str, documents: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The current catalog with another tool's model in it, as YAML, and what could not be carried. Nothing is published. Blocks.

    Raises: Invalid for a form or a file that cannot be read.
    """
    if form not in IMPORTERS:
        raise Invalid(f"Expected one of {', '.join(IMPORTERS)}; found {form[:20]!r}.", code="bad_form")
    if not documents:
        raise Invalid("Choose the model's files.", code="no_files")
    made = IMPORTERS[form](_published(services, caller), documents)
    return dump_yaml(made.catalog), made.not_carried


def _published(services: Services, caller: Principal) -> Catalog:
    """Empty before the first version."""
    try:
        return services.catalogs.full(caller.tenant)
    except NotFound:
        return Catalog()
