"""The value indexes of tenants: built from the warehouse, kept as files in `home`, read again when another process refreshed them."""

from __future__ import annotations

import logging
from pathlib import Path

from core.errors import AppError, Invalid
from core.ids import TenantId, tenant_id
from core.private import private_folder
from semantic.catalog.model import Catalog
from semantic.values.build import build_value_index
from semantic.values.index import ValueIndex
from semantic.warehouse.admin import WarehouseAdmin

log = logging.getLogger(__name__)


class ValueFiles:
    """One file per tenant and catalog version. Processes that share `folder` share the indexes; others build their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, catalog: Catalog, tenant: TenantId, admin: WarehouseAdmin) -> ValueIndex:
        """The index for this catalog version, built now when there is none; empty while the warehouse is away.

        Answers are then still right, only values that people type are known from the catalog's samples alone.
        """
        path = self._path(tenant, catalog.version)
        if path.exists():
            try:
                return ValueIndex.load(path)
            except Invalid:
                log.warning("the value index of %s cannot be read and is built again", tenant)
        try:
            return self.refresh(catalog, tenant, admin)
        except AppError as error:
            log.warning("the value index of %s cannot be built now: %s", tenant, error.code)
            return ValueIndex()

    def refresh(self, catalog: Catalog, tenant: TenantId, admin: WarehouseAdmin) -> ValueIndex:
        """Reads the values again and replaces the file; older versions' files go. Raises: Unavailable."""
        index = build_value_index(catalog, admin.query_arrow, tenant)
        path = self._path(tenant, catalog.version)
        private_folder(self._folder)
        private_folder(path.parent)
        index.save(path)
        for other in path.parent.glob("*.values"):
            if other != path and other.stem.isdigit() and int(other.stem) < catalog.version:
                other.unlink(missing_ok=True)
        return index

    def stamp(self, tenant: TenantId, version: int) -> int:
        """Changes when the index was refreshed; 0 without one."""
        try:
            return self._path(tenant, version).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _path(self, tenant: TenantId, version: int) -> Path:
        return self._folder / tenant_id(tenant) / f"{version}.values"
