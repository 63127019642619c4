"""What a table is: fact, dimension, bridge, snapshot or subtype."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.probe import TableStats
from semantic.catalog.infer.relationships import Link
from semantic.catalog.infer.schema import PhysicalTable
from semantic.catalog.infer.times import time_shape
from semantic.catalog.infer.words import singular
from semantic.catalog.model import DatasetKind, FieldType

_DIMENSION_WORDS = (
    v.PERSON
    | v.PERSON_PUBLIC
    | frozenset(
        "product item store category region country state city department team account company supplier vendor campaign channel employee "
        "calendar date currency location airport airline".split()
    )
)
_FACT_WORDS = frozenset("order sale transaction payment invoice event visit session click booking rental trip shipment refund return review log "
                        "line detail activity usage reading measurement impression spend claim ticket call".split())  # fmt: skip


def table_kind(table: PhysicalTable, name: TableName, key: tuple[str, ...], links: Sequence[Link], stats: TableStats | None) -> DatasetKind:
    """`links` are all of the schema's."""
    out = [k for k in links if k.table == table.name and k.cardinality != "many_to_many"]
    into = [k for k in links if k.ref_table == table.name and k.table != table.name]
    if not into and len({k.ref_table for k in out}) > 1 and all(any(c.name in k.columns for k in out) for c in table.columns):
        return DatasetKind.BRIDGE
    if key and any(k.cardinality == "one_to_one" and set(k.columns) == set(key) for k in out):
        return DatasetKind.SUBTYPE
    if set(name.words) & {"snapshot", "snapshots"} or any("snapshot" in c.words for c in name.columns.values()):
        return DatasetKind.SNAPSHOT
    foreign = {c for k in out for c in k.columns}
    plain = [c for c in table.columns if c.name not in foreign and c.name not in key]
    measures = [c for c in plain if _is_measure_like(c.parsed.type, name.columns[c.name].words)]
    seen = stats.columns if stats else {}
    times = [
        c
        for c in table.columns
        if time_shape(c.parsed, name.columns[c.name].words, c.comment, seen.get(c.name)) and not set(name.columns[c.name].words) & v.AUDIT
    ]
    if len({k.columns for k in out}) >= 2 and not measures and len(plain) <= 2 and not into and not _says(name, _FACT_WORDS):
        return DatasetKind.BRIDGE
    if len(key) > 1 and set(key) <= foreign and not into:
        return DatasetKind.FACT
    if _says(name, _DIMENSION_WORDS) and not _says(name, _FACT_WORDS):
        return DatasetKind.DIMENSION
    if _says(name, _FACT_WORDS) and (times or out):
        return DatasetKind.FACT
    if not into and (len({k.columns for k in out}) >= 2 or (out and (times or measures))):
        return DatasetKind.FACT
    if into and (not (out and times and measures) or _are_named_persons(name)):
        return DatasetKind.DIMENSION
    return DatasetKind.FACT if times and (measures or out) else DatasetKind.DIMENSION


def _says(name: TableName, words: frozenset[str]) -> bool:
    """By its noun: the last word ("customer order" is an order)."""
    return bool(name.words) and singular(name.words[-1]) in words


def _are_named_persons(name: TableName) -> bool:
    """Whether the rows have the names that persons have."""
    return any(
        c.words[-2:] in (("full", "name"), ("first", "name"), ("last", "name")) or c.words[-1:] == ("surname",)
        for c in name.columns.values()
    )


def _is_measure_like(kind: FieldType | None, words: tuple[str, ...]) -> bool:
    return kind in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT) and words[-1] not in v.ID | v.CODE | v.ORDINAL | v.YEAR


def by_table(links: Sequence[Link]) -> Mapping[str, frozenset[str]]:
    """The single-column foreign keys of every table."""
    found: dict[str, set[str]] = {}
    for link in links:
        found.setdefault(link.table, set()).update(link.columns if len(link.columns) == 1 else ())
    return {t: frozenset(c) for t, c in found.items()}
