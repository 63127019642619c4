"""Catalogs of ours for other tools. What their form cannot hold is listed, never dropped in silence."""

from semantic.catalog.exporters.osi import ExportedCatalog, export_osi

__all__ = ["ExportedCatalog", "export_osi"]
