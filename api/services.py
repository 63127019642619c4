"""What the edge needs: the core services, the warehouse, the catalogs, the result cache."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import redis.asyncio
from starlette.requests import HTTPConnection

from api.catalogs import CatalogBook
from core.clock import Clock
from core.principal import Principal
from core.settings import Settings
from core.store.store import Store
from semantic.cache import CachedWarehouse, MemoryStore, RedisStore, tables_of
from semantic.pipeline import guard_sql
from semantic.states import GuardedQuery, ResultTable
from workers import bootstrap


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
        return self.settings.home.resolve() / "uploads"

    async def close(self) -> None:
        """On the event loop that ran the queries."""
        await self.core.warehouse.close()

    def guard_sql(self, principal: Principal, sql: str) -> GuardedQuery:
        """Raises: QueryRejected, Forbidden, NotFound when the tenant has no catalog."""
        return guard_sql(sql, self.catalogs.full(principal.tenant), principal, pseudonym_key=self.core.pseudonym_key)

    @cached_property
    def results(self) -> CachedWarehouse:
        url = self.settings.redis_url
        kept = RedisStore(redis.asyncio.Redis.from_url(url)) if url else MemoryStore()
        return CachedWarehouse(self.core.warehouse, kept)

    async def run_cached(self, principal: Principal, query: GuardedQuery) -> ResultTable:
        """From the result cache when the data has not changed, else from the warehouse. Raises: UserError, Unavailable."""
        catalog = self.catalogs.full(principal.tenant)
        return await self.results.run(query, tables=tables_of(query, catalog), policy_values=principal.attributes)


def services_of(connection: HTTPConnection) -> Services:
    found: Services = connection.app.state.services
    return found
