"""What the edge needs: the core services, the warehouse, the catalogs, the result cache."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from api.catalogs import CatalogBook
from api.limiting import RequestRates
from api.metrics import StateCollector
from api.together import Together
from api.turns import Turns
from api.watching import Watch
from core.clock import Clock
from core.ids import JobId, TenantId, UserId
from core.principal import Principal
from core.settings import Settings
from core.store import inbox, job_events
from core.store.asked import Asked, keep
from core.store.store import Store
from semantic.cache import tables_of
from semantic.pipeline import guard_sql
from semantic.states import GuardedQuery, Param, ResultTable
from workers import bootstrap

if TYPE_CHECKING:
    from api.oidc import Oidc


class Services:
    """One per API process. Parts open on first use."""

    def __init__(self, core: bootstrap.Services) -> None:
        self.core = core

    @property
    def settings(self) -> Settings:
        return self.core.settings

    @property
    def clock(self) -> Clock:
        return self.core.clock

    @property
    def store(self) -> Store:
        return self.core.store

    @cached_property
    def catalogs(self) -> CatalogBook:
        return CatalogBook(self.core)

    @property
    def uploads(self) -> Path:
        return self.core.uploads

    @cached_property
    def oidc(self) -> Oidc:
        from api.oidc import Oidc

        return Oidc(self)

    @cached_property
    def state_metrics(self) -> CollectorRegistry:
        made = CollectorRegistry()
        made.register(StateCollector(self.store))
        return made

    @cached_property
    def turns(self) -> Turns:
        return Turns()

    @cached_property
    def asked(self) -> Together[Asked]:
        """Where questions are written to the log."""

        def write(tenant: TenantId, asked: Sequence[Asked]) -> None:
            with self.store.write() as connection:
                keep(connection, tenant, asked)

        return Together(write)

    @cached_property
    def job_watch(self) -> Watch[JobId]:
        """The numbers of jobs' newest events."""

        def read(followed: Collection[JobId]) -> dict[JobId, int]:
            with self.store.glance() as connection:
                return job_events.latest(connection, followed)

        return Watch(read, 0.2)

    @cached_property
    def unread_watch(self) -> Watch[tuple[TenantId, UserId]]:
        """How many messages people have not read."""

        def read(people: Collection[tuple[TenantId, UserId]]) -> dict[tuple[TenantId, UserId], int]:
            with self.store.glance() as connection:
                return inbox.unread_of_all(connection, [user for _, user in people])

        return Watch(read, 1.0)

    @cached_property
    def rates(self) -> RequestRates:
        return RequestRates(self.settings)

    async def close(self) -> None:
        """On the event loop that ran the queries."""
        await self.core.warehouse.close()

    def guard_sql(self, principal: Principal, sql: str, params: Mapping[str, Param]) -> GuardedQuery:
        """Raises: QueryRejected, Forbidden, NotFound when the tenant has no catalog."""
        return guard_sql(sql, self.catalogs.full(principal.tenant), principal, params=params, trust=self.core.trust)

    async def run_cached(
        self, principal: Principal, query: GuardedQuery, *, is_logged: bool = False, catalog_version: int | None = None
    ) -> ResultTable:
        """From the result cache when the data has not changed, else from the warehouse, which counts against the quotas.

        is_logged: a question, which its log counts. catalog_version: where it is known already. Raises: UserError, Unavailable.
        """
        await run_in_threadpool(self.core.quotas.refuse_over, principal.tenant, "queries")
        catalog = self.catalogs.full(principal.tenant, catalog_version)
        async with self.turns.paused():
            found = await self.core.results.run(query, tables=tables_of(query, catalog), policy_values=principal.attributes)
        if not is_logged and not found.stats.cached:
            await run_in_threadpool(self.core.quotas.count, principal, rows_read=found.stats.rows_read)
        return found

    def run_uncached(self, principal: Principal, query: GuardedQuery) -> ResultTable:
        """What is not kept, such as of a catalog that is a draft; counts like any other. Blocks. Raises: UserError, Unavailable."""
        self.core.quotas.refuse_over(principal.tenant, "queries")
        found = self.core.warehouse_sync.run(query)
        self.core.quotas.count(principal, rows_read=found.stats.rows_read)
        return found


def services_of(connection: HTTPConnection) -> Services:
    found: Services = connection.app.state.services
    return found
