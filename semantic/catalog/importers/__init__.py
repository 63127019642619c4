"""Semantic models that others wrote, as catalogs of ours. What cannot be carried is listed, never dropped in silence."""

from semantic.catalog.importers.catalog_source import import_catalog_source
from semantic.catalog.importers.cube import import_cube
from semantic.catalog.importers.imported import ImportedCatalog
from semantic.catalog.importers.metricflow import import_metricflow
from semantic.catalog.importers.osi import import_osi

__all__ = ["ImportedCatalog", "import_catalog_source", "import_cube", "import_metricflow", "import_osi"]
