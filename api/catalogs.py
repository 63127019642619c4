"""The current catalog of each tenant as each kind of caller sees it, with what is precomputed for understanding questions."""

from __future__ import annotations

from dataclasses import dataclass

from api.closed_words import ClosedWords, closed_words
from api.grounding import grounding
from core.errors import NotFound
from core.ids import TenantId
from core.lru import Lru
from core.principal import Principal
from core.store import catalogs
from nlq.understand import Understander
from semantic.catalog.model import Catalog
from semantic.catalog.visible import visible_to
from semantic.compile import compile_query
from semantic.kernel import GuardedBook
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from semantic.states import ResultTable
from semantic.values import visible_fields
from workers import bootstrap


@dataclass(frozen=True, slots=True)
class VisibleCatalog:
    """A catalog pruned to what one kind of caller may see, the understander built on it, queries over it that may run, and words for what it hides."""

    catalog: Catalog
    understander: Understander
    guarded: GuardedBook
    closed: ClosedWords


class CatalogBook:
    """Catalogs by tenant and version; what a caller sees by roles and attributes. Bounded; a new version is seen at once."""

    def __init__(self, core: bootstrap.Services, *, capacity: int = 64) -> None:
        self._core = core
        self._full: Lru[tuple[TenantId, int], Catalog] = Lru(capacity)
        self._visible: Lru[tuple[object, ...], VisibleCatalog] = Lru(capacity)

    def full(self, tenant: TenantId, version: int | None = None) -> Catalog:
        """The whole catalog of a tenant, for the guard. Raises: NotFound when the tenant has none, or not that version."""
        if version is None:
            with self._core.store.glance() as connection:
                version = catalogs.current_version(connection, tenant) or catalogs.current(connection, tenant).version
        wanted = version
        return self._full.get_or_make((tenant, wanted), lambda: self._core.catalog(tenant, wanted))

    def visible(self, principal: Principal) -> VisibleCatalog:
        """What this caller sees of the current catalog. Raises: NotFound; Unavailable when values cannot be read now."""
        catalog = self.full(principal.tenant)
        attributes = tuple(sorted((name, tuple(sorted(values))) for name, values in principal.attributes.items()))
        stamp = self._core.value_files.stamp(principal.tenant, catalog.version)
        key = (principal.tenant, catalog.version, stamp, principal.roles, principal.custom, attributes)
        return self._visible.get_or_make(key, lambda: self._build(catalog, principal))

    def of_draft(self, draft: Catalog, principal: Principal) -> VisibleCatalog:
        """What this caller would see of a catalog that is not published; values are those known of the current one. Not kept."""
        try:
            published = self.full(principal.tenant)
        except NotFound:
            published = Catalog()
        return self._build(draft.model_copy(update={"version": published.version}), principal, published)

    def _build(self, catalog: Catalog, principal: Principal, published: Catalog | None = None) -> VisibleCatalog:
        """published: what the known values are of, where `catalog` is a draft."""
        seen = visible_to(catalog, principal)
        shared = self._core.values(principal.tenant, catalog.version)
        if published is not None:
            shared = shared.restricted_to(visible_fields(published, principal))

        def read(query: SemanticQuery) -> ResultTable:
            compiled = compile_query(resolve(query, seen, as_of=self._core.clock.now()))
            found = self._core.warehouse_sync.run(guard_compiled(compiled, catalog, principal, trust=self._core.trust))
            self._core.quotas.count(principal, queries=0, rows_read=found.stats.rows_read)
            return found

        understander = Understander(seen, grounding(shared, catalog, seen, principal, read))
        return VisibleCatalog(seen, understander, GuardedBook(seen, catalog), closed_words(principal, catalog, seen))
