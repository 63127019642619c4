"""Runs a job's semantic queries through the whole kernel, with the rights of the job's user, and keeps what made the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.errors import TooLarge
from core.ids import TenantId
from core.principal import Principal
from models.lineage import query_hash
from semantic.catalog.model import Catalog
from semantic.closed_conditions import refuse_closed_conditions
from semantic.compile import compile_query
from semantic.limits import Limits
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from semantic.resolve.resolve import resolve
from semantic.states import GuardedQuery, ResultTable
from workers.bootstrap import Services

# A job may read more than a person's question: 5 million points are 2,000 series of 6 years daily and fit in about 200 MB.
FETCH_LIMITS = Limits(execution_s=55, memory_bytes=4 * 1024**3, result_rows=5_000_000, result_bytes=2 * 1024**3)


class Asking(Protocol):
    """Who asks, of what, as of when: a job's context, or a preview without a job."""

    @property
    def tenant(self) -> TenantId: ...
    @property
    def principal(self) -> Principal: ...
    @property
    def services(self) -> Services: ...
    @property
    def as_of(self) -> datetime: ...
    def check_cancelled(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """What made the numbers: one SQL text per query, and versions."""

    sql: tuple[str, ...]
    query_hash: str
    catalog_version: int
    data_version: str
    rows_read: int

    def as_json(self) -> dict[str, Any]:
        return {
            "sql": ";\n\n".join(self.sql),
            "query_hash": self.query_hash,
            "catalog_version": self.catalog_version,
            "data_version": self.data_version,
            "rows_read": self.rows_read,
        }


@dataclass(frozen=True, slots=True)
class Ran:
    guarded: GuardedQuery
    result: ResultTable


def run_query(context: Asking, catalog: Catalog, visible: Catalog, query: SemanticQuery) -> Ran:
    """catalog: the whole one, whose rules the guard applies. visible: what the job's user may name.

    Raises: UserError for what cannot be asked; TooLarge beyond 5 million rows; Cancelled; Unavailable.
    """
    context.check_cancelled()
    refuse_closed_conditions(query, catalog, context.principal)
    compiled = compile_query(resolve(query, visible, as_of=context.as_of))
    guarded = guard_compiled(compiled, catalog, context.principal, limits=FETCH_LIMITS, trust=context.services.trust)
    result = context.services.warehouse_sync.run(guarded)
    context.services.quotas.count(context.principal, queries=0, rows_read=result.stats.rows_read)
    if result.truncated:
        limit = FETCH_LIMITS.result_rows
        raise TooLarge(f"The series have more than {limit:,} points; take a coarser grain, fewer segments or a shorter time.")
    return Ran(guarded, result)


def receipt_of(context: Asking, catalog: Catalog, runs: Sequence[Ran]) -> Receipt:
    """What made the numbers of these queries; the last one's hash stands for them. Raises: Unavailable."""
    datasets = {name for run in runs for name in run.guarded.datasets}
    tables = sorted({(catalog.dataset(name).database, catalog.dataset(name).table) for name in datasets})
    last = runs[-1].guarded
    return Receipt(
        sql=tuple(run.guarded.sql for run in runs),
        query_hash=query_hash(last.sql, {name: param.value for name, param in last.params.items()}),
        catalog_version=catalog.version,
        data_version=context.services.warehouse_sync.data_version(tables),
        rows_read=sum(run.result.stats.rows_read for run in runs),
    )
