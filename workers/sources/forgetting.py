"""What the catalog does when columns of a source are gone: fields that nothing uses go too, the rest is said."""

from __future__ import annotations

from collections.abc import Collection

from core.errors import Invalid
from semantic.catalog.model import Catalog
from semantic.catalog.versions import check


def without_columns(catalog: Catalog, database: str, table: str, gone: Collection[str]) -> Catalog:
    """The catalog without the fields on these columns.

    Raises: Invalid when metrics, joins or policies still use one of them: an analyst decides what becomes of those.
    """
    datasets = tuple(
        d.model_copy(update={"fields": tuple(f for f in d.fields if f.column not in gone)})
        if (d.database, d.table) == (database, table)
        else d
        for d in catalog.datasets
    )
    changed = catalog.model_copy(update={"datasets": datasets})
    if changed != catalog:
        try:
            check(changed)
        except Invalid as error:
            raise Invalid(
                f"The source no longer has {', '.join(sorted(gone))}, and the catalog still uses it. {error.message}",
                code="source_column_used",
            ) from error
    return changed
