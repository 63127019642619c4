"""What one run of insights may ask of the warehouse, and whether it may run at all: per tenant, set by an admin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import AppError, Forbidden
from core.ids import TenantId
from core.store import tenants
from core.store.store import Store
from semantic.catalog.model import Catalog
from semantic.query import SemanticQuery
from workers.jobs.querying import Asking, Ran, run_query

GIB = 1024**3
SETTING = "insights"


class InsightSettings(BaseModel):
    """off: no insights at all. off_metrics: none of these. max_queries, max_bytes: of one run; what is left then is not looked at.

    rephrase: a connected language model may say proven sentences in other words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    off: bool = False
    off_metrics: tuple[str, ...] = Field(default=(), max_length=500)
    max_queries: int = Field(default=64, ge=4, le=500)
    max_bytes: int = Field(default=50 * GIB, ge=1024**2, le=10**15)
    rephrase: bool = False


class BudgetSpent(AppError):
    """The run has asked as much as it may; what it found so far stands."""

    code = "insight_budget_spent"


def spent_note(names: Iterable[str]) -> str:
    return f"Not looked at, for this run's budget is spent: {', '.join(names)}."


def insight_settings(store: Store, tenant: TenantId) -> InsightSettings:
    """The tenant's own, else the defaults. Raises: NotFound for an unknown tenant."""
    with store.read() as connection:
        found: Mapping[str, Any] = tenants.get(connection, tenant).settings.get(SETTING, {})
    try:
        return InsightSettings.model_validate(found)
    except ValidationError:
        return InsightSettings()


def refuse_if_off(settings: InsightSettings, metrics: Sequence[str] = ()) -> None:
    """Raises: Forbidden."""
    if settings.off:
        raise Forbidden("Insights are switched off for this tenant; an admin can switch them on.", code="insights_off")
    for name in metrics:
        if name in settings.off_metrics:
            raise Forbidden(f"Insights of {name!r} are switched off; an admin can switch them on.", code="insights_off")


@dataclass(slots=True)
class Run:
    """The queries of one run, in order, within its budget."""

    asking: Asking
    catalog: Catalog
    visible: Catalog
    settings: InsightSettings
    ran: list[Ran] = field(default_factory=list)

    def ask(self, query: SemanticQuery) -> Ran:
        """Raises: BudgetSpent, and what `run_query` raises."""
        if len(self.ran) >= self.settings.max_queries or self.bytes_read >= self.settings.max_bytes:
            raise BudgetSpent(f"{len(self.ran)} queries and {self.bytes_read:,} bytes are this run's budget.")
        made = run_query(self.asking, self.catalog, self.visible, query)
        self.ran.append(made)
        return made

    @property
    def bytes_read(self) -> int:
        return sum(made.result.stats.bytes_read for made in self.ran)

    @property
    def last(self) -> int:
        """The place of the latest query among the receipts."""
        return len(self.ran) - 1

    def receipts(self) -> list[dict[str, Any]]:
        return [{"sql": made.guarded.sql, "rows_read": made.result.stats.rows_read} for made in self.ran]
