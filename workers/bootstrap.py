"""Builds the services from settings, once per process; the API, the command line and the workers all start here."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import redis.asyncio
from celery import Celery

from core.clock import Clock, SystemClock
from core.ids import TenantId
from core.settings import Settings, settings
from core.store import Store, catalogs, secrets
from core.store.migrate import migrate
from core.store.shared_clock import SharedClock
from models.registry import Registry
from semantic.cache import CachedWarehouse, MemoryStore, RedisStore
from semantic.catalog.model import Catalog
from semantic.trust import Trust
from semantic.values.index import ValueIndex
from semantic.warehouse.admin import WarehouseAdmin
from semantic.warehouse.client import SyncWarehouse, Warehouse
from semantic.warehouse.connection import admin_connection, reader_connection
from workers.broker import make_app
from workers.quotas import Quotas
from workers.values import ValueFiles


class Services:
    """What running code needs from outside. Each part opens on first use; nothing connects before."""

    def __init__(self, configuration: Settings, clock: Clock) -> None:
        self.settings = configuration
        self.clock = clock

    @cached_property
    def store(self) -> Store:
        return Store.open(self.settings.resolved_state_url)

    @cached_property
    def celery(self) -> Celery:
        """For sending messages; the tasks themselves are in workers.app."""
        return make_app(self.settings)

    @cached_property
    def warehouse(self) -> Warehouse:
        """For asyncio (the API). Raises: Unavailable when the embedded endpoint has no tokens yet."""
        return Warehouse(reader_connection(self.settings))

    @cached_property
    def results(self) -> CachedWarehouse:
        """The warehouse behind the result cache: Redis where the settings name one, else this process's memory."""
        if not self.settings.redis_url:
            return CachedWarehouse(self.warehouse, MemoryStore())
        return CachedWarehouse(self.warehouse, RedisStore(redis.asyncio.Redis.from_url(self.settings.redis_url)))

    @cached_property
    def warehouse_sync(self) -> SyncWarehouse:
        """For threads and workers."""
        return SyncWarehouse(reader_connection(self.settings))

    @cached_property
    def admin(self) -> WarehouseAdmin:
        """For loading, inference and writing results; never for a user's SQL."""
        return WarehouseAdmin(admin_connection(self.settings))

    @cached_property
    def registry(self) -> Registry:
        """MLflow; imported at the first call of a method."""
        return Registry(self.settings.resolved_mlflow_url, self.settings.mlflow_root)

    @property
    def uploads(self) -> Path:
        """Where uploaded files wait for the job that loads them; shared by API and workers."""
        return self.settings.home.resolve() / "uploads"

    @cached_property
    def pseudonym_key(self) -> str:
        """Makes `hash` columns' pseudonyms; one per installation."""
        return self.secret("pseudonym_key")

    @cached_property
    def trust(self) -> Trust:
        """What the operator decided about shared tables, for the guard."""
        return Trust(self.settings.tenant_columns, self.settings.shared_databases, self.pseudonym_key)

    @cached_property
    def session_key(self) -> str:
        """Signs cookies: the setting `secret_key`, else one made once."""
        return self.settings.secret_key.get_secret_value() or self.secret("session_key")

    @cached_property
    def quotas(self) -> Quotas:
        return Quotas(self.store, self.settings, self.clock)

    def secret(self, name: str) -> str:
        """A random secret that every process of this installation shares; made by the first that asks."""
        with self.store.write() as connection:
            return secrets.get_or_create(connection, name, now=self.clock.now())

    def catalog(self, tenant: TenantId, version: int | None = None) -> Catalog:
        """A tenant's whole catalog, rules included. Raises: NotFound when it has none, or not that version."""
        with self.store.read() as connection:
            row = catalogs.current(connection, tenant) if version is None else catalogs.get(connection, tenant, version)
        return Catalog.model_validate({**row.document, "version": row.version})

    @cached_property
    def value_files(self) -> ValueFiles:
        return ValueFiles(self.settings.home.resolve() / "values")

    def values(self, tenant: TenantId, version: int) -> ValueIndex:
        """The index of the values that a tenant's questions may name. Restrict it to what the caller may see before use.

        Raises: NotFound for an unknown catalog version.
        """
        return self.value_files.read(self.catalog(tenant, version), tenant, self.admin)

    def migrate(self) -> None:
        """Brings the state store's schema up to date; safe when several processes do it at once."""
        migrate(self.store.engine)

    def close(self) -> None:
        """Gives back what was opened here; close `warehouse` on its own event loop."""
        for name in ("warehouse_sync", "admin"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "store" in self.__dict__:
            self.store.close()
        if "celery" in self.__dict__:
            self.celery.close()


def build_services(configuration: Settings | None = None, clock: Clock | None = None) -> Services:
    """Services from the given settings, else the process's own; on this machine's clock unless told otherwise, set by PostgreSQL's where there is one."""
    services = Services(configuration or settings(), clock or SystemClock())
    if clock is None and services.settings.resolved_state_url.startswith("postgresql"):
        services.clock = SharedClock(services.store, services.clock)
    return services
