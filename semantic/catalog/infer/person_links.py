"""Columns that name a person by the part they play ("coach_id", "dispatched_by") where no table has that name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.naming import TableName, is_counting
from semantic.catalog.infer.probe import ColumnPair, Probe, TableStats
from semantic.catalog.infer.schema import PhysicalColumn, PhysicalSchema, PhysicalTable
from semantic.catalog.model import FieldType

_KEY_WORDS = v.ID | {"number", "no", "code"}
_OF_PERSONS = frozenset("salary birthdate birthday gender surname firstname lastname fullname".split())
_PAIRS_OF_PERSONS = frozenset((("first", "name"), ("last", "name"), ("full", "name"), ("birth", "date"), ("hire", "date"), ("hired", "on")))
# "times cited by" is a number.
_COUNTING = frozenset("number num count total times sum amount quantity".split())
_STAFF = frozenset("employee staff personnel worker user".split())
# Fewer different values than this say nothing about where they come from.
_FEW_VALUES = 2


def person_links(
    schema: PhysicalSchema,
    names: Mapping[str, TableName],
    stats: Mapping[str, TableStats],
    keys: Mapping[str, tuple[str, ...]],
    probe: Probe,
    taken: set[tuple[str, str]],
) -> list[ColumnPair]:
    """Which table of persons each such column points to: the only one whose key holds all its values, or whose key it spans from end to end."""
    persons = [t for t in schema.tables if len(keys.get(t.name, ())) == 1 and of_persons(t, names[t.name])]
    pairs = [
        ColumnPair(table.name, column.name, target.name, keys[target.name][0])
        for table in schema.tables
        for column in table.columns
        if (table.name, column.name) not in taken and keys.get(table.name, ()) != (column.name,) and _names_part(column, names[table.name])
        for target in (*(p for p in persons if p.name != table.name), *([table] if _done_by_peers(column, names[table.name]) else []))
        if len(keys.get(target.name, ())) == 1 and _typed_alike(column, target, keys[target.name][0])
    ]
    pairs = [p for p in pairs if _varies(stats, p)]
    found: dict[tuple[str, str], list[ColumnPair]] = {}
    for pair, share in probe.containment(pairs).items():
        if share == 1.0:
            found.setdefault((pair.table, pair.column), []).append(pair)
    chosen = []
    for several in found.values():
        whole = several if len(several) == 1 else [p for p in several if _spans(stats, p)]
        if len(whole) != 1:  # a recruiter is one of the staff, not of those who apply
            whole = [p for p in several if names[p.ref_table].words[-1] in _STAFF]
        chosen.extend(whole if len(whole) == 1 else [])
    return chosen


def of_persons(table: PhysicalTable, name: TableName) -> bool:
    """Whether each row of the table is a person, as its name or its columns say."""
    if name.words[-1] in v.PERSON_PART:
        return True
    words = [name.columns[c.name].words for c in table.columns]
    return any(set(w) & _OF_PERSONS or w[-2:] in _PAIRS_OF_PERSONS for w in words)


def _names_part(column: PhysicalColumn, table: TableName) -> bool:
    words = table.columns[column.name].words
    if column.parsed.type not in (FieldType.INTEGER, FieldType.STRING) or len(words) < 2:
        return False
    if is_counting(column.comment) or set(words) & _COUNTING:
        return False
    if words[-1] == "by":
        return words[-2].endswith(("ed", "en", "ld", "wn", "de"))
    return words[-1] in _KEY_WORDS and words[-2] in v.PERSON_PART


def _done_by_peers(column: PhysicalColumn, table: TableName) -> bool:
    """ "referred by": what may be done by others of the same kind, unlike "created by"."""
    words = table.columns[column.name].words
    return words[-1] == "by" and words[-2] in v.DONE_BY_PEERS


def _typed_alike(column: PhysicalColumn, target: PhysicalTable, key: str) -> bool:
    return next(c for c in target.columns if c.name == key).parsed.type == column.parsed.type


def _varies(stats: Mapping[str, TableStats], pair: ColumnPair) -> bool:
    seen = stats[pair.table].columns.get(pair.column) if pair.table in stats else None
    return seen is not None and seen.distinct >= _FEW_VALUES


def _spans(stats: Mapping[str, TableStats], pair: ColumnPair) -> bool:
    """Whether the column reaches from the first to the last key of the table it points to."""
    mine, theirs = stats[pair.table].columns.get(pair.column), stats[pair.ref_table].columns.get(pair.ref_column)
    if mine is None or theirs is None or mine.low is None:
        return False
    return (mine.low, mine.high) == (theirs.low, theirs.high)


def part_words(words: Sequence[str]) -> tuple[str, ...]:
    """The part that a column names: what is left of its words without those for a key.

    >>> part_words(("account", "manager", "no")), part_words(("dispatched", "by"))
    (('account', 'manager'), ('dispatched', 'by'))
    """
    return tuple(words[:-1]) if words[-1] in _KEY_WORDS else tuple(words)
