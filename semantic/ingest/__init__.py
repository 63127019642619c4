"""Files into ClickHouse tables: sniffed, typed over the whole file, bad rows set aside, all or nothing."""

from semantic.ingest.load import load_files
from semantic.ingest.types import LoadOptions, LoadReport, TableReport

__all__ = ["LoadOptions", "LoadReport", "TableReport", "load_files"]
