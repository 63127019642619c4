"""The other side of a table that pairs things of one kind: who is whose friend, which state borders which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.probe import ColumnPair, Probe, TableStats
from semantic.catalog.infer.schema import PhysicalColumn, PhysicalSchema
from semantic.catalog.infer.words import singular
from semantic.catalog.model import FieldType

# Fewer different values than this are contained by chance.
_ENOUGH_VALUES = 5
# A table that pairs things has little beside the pair.
_MOST_COLUMNS = 4


def pair_links(
    schema: PhysicalSchema,
    names: Mapping[str, TableName],
    stats: Mapping[str, TableStats],
    found: Sequence[ColumnPair],
    probe: Probe,
) -> list[ColumnPair]:
    """Second references of small tables to what one of their columns already points to, when its key holds every value."""
    taken = {(p.table, p.column) for p in found}
    pairs = []
    for known in found:
        table = next(t for t in schema.tables if t.name == known.table)
        if known.table == known.ref_table or len(table.columns) > _MOST_COLUMNS:
            continue
        like = next(c for c in table.columns if c.name == known.column).parsed.type
        for column in table.columns:
            seen = stats[table.name].columns.get(column.name) if table.name in stats else None
            if (table.name, column.name) in taken or column.parsed.type != like or not seen or seen.distinct < _ENOUGH_VALUES:
                continue
            if _may_point(column, names[table.name]):
                pairs.append(ColumnPair(table.name, column.name, known.ref_table, known.ref_column))
    return [pair for pair, share in probe.containment(pairs).items() if share == 1.0]


def _may_point(column: PhysicalColumn, table: TableName) -> bool:
    """Small numbers overlap by chance, so numbers must be called an id; the rows' own id ("id", "review_id" of reviews) points nowhere."""
    words = table.columns[column.name].words
    if words[-1] in v.ID and tuple(singular(w) for w in words[:-1]) in ((), tuple(singular(w) for w in table.words)):
        return False
    return column.parsed.type == FieldType.STRING or table.columns[column.name].words[-1] in v.ID
