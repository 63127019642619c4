"""Reads the distinct values of categories and names again, so that questions about new ones are understood."""

from __future__ import annotations

from typing import Any

from workers.context import JobContext


def run(context: JobContext) -> dict[str, Any]:
    """{"values", "fields", "catalog_version"}. Raises: NotFound without a catalog; Unavailable when the warehouse is away."""
    context.progress("read values", 0, 1)
    catalog = context.services.catalog(context.tenant)
    index = context.services.value_files.refresh(catalog, context.tenant, context.services.admin)
    return {"values": len(index), "fields": len(index.fields), "catalog_version": catalog.version}
