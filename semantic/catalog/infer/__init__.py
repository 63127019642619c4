"""A draft catalog from a ClickHouse schema, a probe of its data and an optional glossary."""

from semantic.catalog.infer.glossary import GlossaryEntry
from semantic.catalog.infer.infer import InferenceOptions, InferredCatalog, infer_catalog
from semantic.catalog.infer.probe import EmptyProbe, Probe, SqlProbe
from semantic.catalog.infer.schema import (
    PhysicalColumn,
    PhysicalSchema,
    PhysicalTable,
    TableForeignKey,
    schema_from_clickhouse,
    schema_from_json,
)

__all__ = [
    "EmptyProbe",
    "GlossaryEntry",
    "InferenceOptions",
    "InferredCatalog",
    "PhysicalColumn",
    "PhysicalSchema",
    "PhysicalTable",
    "Probe",
    "SqlProbe",
    "TableForeignKey",
    "infer_catalog",
    "schema_from_clickhouse",
    "schema_from_json",
]
