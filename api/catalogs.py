"""The current catalog of each tenant as each kind of caller sees it, with what is precomputed for understanding questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.ids import TenantId
from core.lru import Lru
from core.principal import Principal
from core.store import Store, catalogs
from nlq.understander import Understander
from semantic.catalog.model import Catalog
from semantic.catalog.visible import visible_to
from semantic.values.index import ValueIndex

ValueIndexLoader = Callable[[TenantId, int], ValueIndex]


@dataclass(frozen=True, slots=True)
class VisibleCatalog:
    """A catalog pruned to what one kind of caller may see, and the understander built on it."""

    catalog: Catalog
    understander: Understander


class CatalogBook:
    """Catalogs by tenant and version; what a caller sees by roles and attributes. Bounded; a new version is seen at once."""

    def __init__(self, store: Store, load_values: ValueIndexLoader, *, capacity: int = 64) -> None:
        self._store = store
        self._load_values = load_values
        self._full: Lru[tuple[TenantId, int], Catalog] = Lru(capacity)
        self._visible: Lru[tuple[object, ...], VisibleCatalog] = Lru(capacity)

    def full(self, tenant: TenantId, version: int | None = None) -> Catalog:
        """The whole catalog of a tenant, for the guard. Raises: NotFound when the tenant has none, or not that version."""
        with self._store.read() as connection:
            wanted = version or catalogs.current_version(connection, tenant) or catalogs.current(connection, tenant).version

        def load() -> Catalog:
            with self._store.read() as connection:
                row = catalogs.get(connection, tenant, wanted)
            return Catalog.model_validate({**row.document, "version": row.version})

        return self._full.get_or_make((tenant, wanted), load)

    def visible(self, principal: Principal) -> VisibleCatalog:
        """What this caller sees of the current catalog. Raises: NotFound."""
        catalog = self.full(principal.tenant)
        attributes = tuple(sorted((name, tuple(sorted(values))) for name, values in principal.attributes.items()))
        key = (principal.tenant, catalog.version, principal.roles, attributes)

        def build() -> VisibleCatalog:
            pruned = visible_to(catalog, principal)
            return VisibleCatalog(pruned, Understander(pruned, self._load_values(principal.tenant, catalog.version)))

        return self._visible.get_or_make(key, build)
