"""What a question was about that the rows of its answer alone do not tell."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from insights.scope import scope_of
from semantic.catalog.model import Catalog
from semantic.catalog.references import references
from semantic.query import ByField, SemanticQuery
from semantic.windows import local_now


@dataclass(frozen=True, slots=True)
class Asked:
    """What the rows alone do not tell: what they list, by which end they were ranked, whether more were left out, what time it is.

    thing, things: noun of the listed rows; lowest: the smallest value comes first; ranked: only the first few are there;
    some: a condition leaves out some of the groups;
    scope: " for Germany", what filters by plain values leave, said after the figure; "" where a filter says more than that.
    by_change: the largest change comes first; by: the measure that ranks, an index into the query's; place: of the first row in the
    ranking, where it is not the first; now: wall-clock time.
    """

    thing: str = "row"
    things: str = "rows"
    lowest: bool = False
    ranked: bool = False
    some: bool = False
    scope: str = ""
    by_change: bool = False
    by: int | None = None
    place: int = 1
    now: dt.datetime | None = None


UNASKED = Asked()


def asked_of(query: SemanticQuery, catalog: Catalog, as_of: dt.datetime) -> Asked:
    """Of a query that resolves over the catalog."""
    first = query.order[0] if query.order else None
    by_value = first is not None and first.target in ("metric", "transform")
    listed = None if query.expand else next((e for e in catalog.entities if e.dataset == query.rows_of), None)
    thing, things = _things_listed(query, catalog) if listed is None else (listed.label, listed.plural or "rows")
    return Asked(
        thing=thing if things != "rows" else "row",
        things=things,
        lowest=by_value and first is not None and not first.descending,
        ranked=query.limit is not None or query.limit_by is not None,
        some=bool(query.having) or _leaves_out_groups(query),
        scope=scope_of(query, catalog),
        by_change=first is not None and first.target == "change",
        by=first.index if first is not None and first.target == "metric" else None,
        place=query.offset + 1,
        now=local_now(catalog.calendar, as_of),
    )


def _things_listed(query: SemanticQuery, catalog: Catalog) -> tuple[str, str]:
    """What rows without an entity are called by the name of their table: ("refund", "refunds")."""
    many = catalog.dataset(query.rows_of).label if query.rows_of is not None and not (query.expand or query.distinct) else ""
    if not many.endswith("s") or many.endswith("ss"):
        return "row", "rows"
    return f"{many[:-3]}y" if many.endswith("ies") else many[:-1], many


def _leaves_out_groups(query: SemanticQuery) -> bool:
    """Whether a filter chooses among the groups that are shown ("mobile and desktop")."""
    filtered = references(query.where).fields
    return any(isinstance(b, ByField) and (b.field.dataset, b.field.field) in filtered for b in query.by)
