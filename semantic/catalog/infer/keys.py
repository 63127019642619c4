"""The key of each table: declared, or found by name and uniqueness; alone or in combination."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.probe import Probe, TableStats
from semantic.catalog.infer.schema import PhysicalColumn, PhysicalSchema, PhysicalTable
from semantic.catalog.infer.words import singular
from semantic.catalog.model import FieldType

_UNIQUE_COMMENT = re.compile(r"unique(ly)? (identif|id\b)|primary key", re.IGNORECASE)
_FOREIGN_COMMENT = re.compile(r"foreign key|references? the|referencing", re.IGNORECASE)
_ENOUGH = 4.0
_ENOUGH_BLIND = 8.0
_CHANCE_ROWS = 30
_SURROGATE_ROWS = 100
_MAX_COMPOSITE = 3
_MAX_CANDIDATES = 7


def primary_keys(
    schema: PhysicalSchema, names: Mapping[str, TableName], stats: Mapping[str, TableStats], probe: Probe
) -> dict[str, tuple[str, ...]]:
    """The key columns of every table; an empty tuple where none was found."""
    referenced = {(k.ref_table, k.ref_columns) for t in schema.tables for k in t.foreign_keys}
    nouns = {n.words for n in names.values()}
    return {
        t.name: t.primary_key or _find(t, names[t.name], stats.get(t.name), _Known(referenced, nouns - {names[t.name].words}), probe)
        for t in schema.tables
    }


@dataclass(frozen=True, slots=True)
class _Known:
    """`referenced`: (table, columns) that declared keys point to; `nouns`: what the other tables are called."""

    referenced: set[tuple[str, tuple[str, ...]]]
    nouns: set[tuple[str, ...]]


def _find(
    table: PhysicalTable,
    name: TableName,
    stats: TableStats | None,
    others: _Known,
    probe: Probe,
) -> tuple[str, ...]:
    known = bool(stats and stats.columns and stats.sampled > 0)
    scored: list[tuple[float, str]] = []
    for position, column in enumerate(table.columns):
        if column.parsed.type not in (FieldType.INTEGER, FieldType.STRING):
            continue
        foreign = _is_foreign(table, column, name, others)
        score = _score(column, name, position, (table.name, (column.name,)) in others.referenced, foreign)
        if known and stats is not None:
            seen = stats.columns.get(column.name)
            if not seen or not seen.is_unique:
                continue
            if (
                column.parsed.type == FieldType.INTEGER
                and seen.rows >= _SURROGATE_ROWS
                and seen.low in (0, 1)
                and seen.high == seen.low + seen.rows - 1
            ):
                score += 4
            if column.sorting and position == 0 and not foreign and name.columns[column.name].words[-1] in v.ID | v.CODE:
                score += 2  # the table is sorted by it, and no two rows share it
            if foreign and seen.rows < _CHANCE_ROWS and _has_rivals(table, column, name):
                continue
        scored.append((score, column.name))
    if scored:
        best, winner = max(scored, key=lambda s: s[0])
        if best >= (_ENOUGH if known else _ENOUGH_BLIND):
            return (winner,)
        if known and best >= _ENOUGH - 1 and winner == table.columns[0].name:
            return (winner,)  # the first column, unique and no reference: a tail number, a code
    for ref_table, columns in sorted(others.referenced):
        if ref_table == table.name and len(columns) > 1:
            return columns
    return _composite(table, name, stats, others, probe) if known and stats is not None and stats.sampled > 1 else ()


def _is_foreign(table: PhysicalTable, column: PhysicalColumn, name: TableName, others: _Known) -> bool:
    words = name.columns[column.name].words
    core = words[:-1]
    return (
        any(column.name in k.columns for k in table.foreign_keys)
        or _FOREIGN_COMMENT.search(column.comment) is not None
        or (core in others.nouns and core != name.words)
        or (words[-1:] in others.nouns and words != name.words)
    )


def _has_rivals(table: PhysicalTable, column: PhysicalColumn, name: TableName) -> bool:
    """Other columns that could identify a row: then few rows prove nothing about this one."""
    return any(
        c.name != column.name
        and (
            name.columns[c.name].words[-1] in v.ID | {"name", "title", "number", "code"}
            or any(c.name in k.columns for k in table.foreign_keys)
            or set(name.columns[c.name].words) <= set(name.words)
        )
        for c in table.columns
    )


def _score(column: PhysicalColumn, name: TableName, position: int, is_referenced: bool, foreign: bool) -> float:
    words, own = name.columns[column.name].words, {*name.words, *(singular(x) for x in name.words)}
    last = words[-1]
    rest = [w for w in words[:-1] if w not in own]
    score = 0.0
    if last in v.ID:
        score = 9.0 if not rest else 5.0
    elif last in v.CODE:
        score = 2.0 if rest else 6.0 if len(words) > 1 else 5.0
    elif last in ("name", "title"):
        score = 4.0 if not rest else 1.0
    elif set(words) <= own:
        score = 4.0
    if is_referenced and not foreign:
        score += 8
    if _UNIQUE_COMMENT.search(column.comment) and not foreign:
        score += 3
    if foreign:
        score -= 3
    return score + (1 if position == 0 else 0)


def _composite(table: PhysicalTable, name: TableName, stats: TableStats, others: _Known, probe: Probe) -> tuple[str, ...]:
    foreign = {c for k in table.foreign_keys for c in k.columns}
    candidates: list[tuple[float, str]] = []
    for position, column in enumerate(table.columns):
        seen, words = stats.columns.get(column.name), name.columns[column.name].words
        if not seen or seen.missing or seen.distinct < 2:
            continue
        rank = 0.0
        if column.name in foreign or (_is_foreign(table, column, name, others) and not column.parsed.is_time):
            rank = 4
        elif words[-1] in v.ID:
            rank = 3
        elif column.parsed.is_time or words[-1] in ("date", "year", "month"):
            rank = 2 if not set(words) & v.AUDIT else 0
        elif words[-1] in v.ORDINAL or words[-1] in ("number", "code"):
            rank = 2
        elif column.sorting:
            rank = 1
        if rank:
            candidates.append((rank - position / 1000, column.name))
    chosen = [c for _, c in sorted(candidates, reverse=True)[:_MAX_CANDIDATES]]
    strength = {c: r for r, c in candidates}
    for size in range(2, _MAX_COMPOSITE + 1):
        sets = [s for s in combinations(chosen, size) if max(strength[c] for c in s) > 2.5]
        unique = [s for s, n in zip(sets, probe.distinct(table.name, sets), strict=True) if n == stats.sampled]
        if unique:
            best = max(unique, key=lambda s: sum(strength[c] for c in s))
            order = [c.name for c in table.columns]
            return tuple(sorted(best, key=order.index))
    return ()
