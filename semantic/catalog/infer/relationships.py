"""Which columns point to which table: declared, by name, by value overlap; the role of each when several point to one table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.naming import GENERIC, TableName, is_counting
from semantic.catalog.infer.pair_links import pair_links
from semantic.catalog.infer.person_links import of_persons, part_words, person_links
from semantic.catalog.infer.probe import ColumnPair, Probe, TableStats
from semantic.catalog.infer.schema import PhysicalColumn, PhysicalSchema, PhysicalTable
from semantic.catalog.infer.words import singular
from semantic.catalog.model import FieldType

_KEY_WORDS = v.ID | {"code", "number", "no", "name", "symbol"}
_SELF_WORDS = frozenset(
    "parent manager supervisor boss mentor referrer referred previous original predecessor successor reports master pre prerequisite".split()
)
_WHERE_TO = frozenset("to from via home away origin destination source target pickup dropoff".split())
_ID_COMMENT = re.compile(r"\b(id|identifier|foreign key|references?)\b", re.IGNORECASE)
# Codes of so few values prove a reference when both columns are called a code; others need ten.
_FEW_CODES = 4
_MAX_VALUE_PAIRS = 200


@dataclass(frozen=True, slots=True)
class Link:
    """A found relationship, by physical names."""

    table: str
    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]
    source: Literal["declared", "name", "values", "part"]
    cardinality: Literal["many_to_one", "one_to_one", "many_to_many"] = "many_to_one"
    role: tuple[str, ...] = ()
    default: bool = False


@dataclass(slots=True)
class _Context:
    schema: PhysicalSchema
    names: Mapping[str, TableName]
    stats: Mapping[str, TableStats]
    keys: Mapping[str, tuple[str, ...]]
    probe: Probe
    notes: list[str] = field(default_factory=list)


def find_links(
    schema: PhysicalSchema,
    names: Mapping[str, TableName],
    stats: Mapping[str, TableStats],
    keys: Mapping[str, tuple[str, ...]],
    probe: Probe,
) -> tuple[list[Link], list[str]]:
    """Every relationship, and notes about what was left out or is in doubt."""
    context = _Context(schema, names, stats, keys, probe)
    declared = _declared(context)
    taken = {(k.table, c) for k in declared if _settles(context, k) for c in k.columns if len(k.columns) == 1}
    composite = _by_composite_name(context, declared)
    named = _by_name(context, taken | {(k.table, c) for k in composite for c in k.columns})
    named_columns = {(k.table, k.columns) for k in named}
    kept = []
    for link in declared:
        if (link.cardinality == "many_to_many" or not _settles(context, link)) and (link.table, link.columns) in named_columns:
            context.notes.append(
                f"{link.table}.{', '.join(link.columns)} is declared to point to {link.ref_table}, whose "
                f"{', '.join(link.ref_columns)} is not that table's own key; the table that owns the key was used instead."
            )
            continue
        kept.append(link)
    settled = [*kept, *composite, *named]
    parts = person_links(schema, names, stats, keys, probe, {(k.table, c) for k in settled for c in k.columns})
    settled += [_link(context, pair, "part") for pair in parts]
    single = [ColumnPair(k.table, k.columns[0], k.ref_table, k.ref_columns[0]) for k in settled if len(k.columns) == 1]
    pairs = pair_links(schema, names, stats, single, probe)
    return _with_roles(context, [*settled, *(_link(context, pair, "values") for pair in pairs)]), context.notes


def _settles(context: _Context, link: Link) -> bool:
    """Whether a declared link needs no other target: it points to a key, and not to a table that borrows that key from elsewhere."""
    if link.cardinality == "many_to_many":
        return False
    borrowed = any(k.columns == link.ref_columns for t in context.schema.tables if t.name == link.ref_table for k in t.foreign_keys)
    words = context.names[link.table].columns[link.columns[0]].words
    return not borrowed or _tail(_core(words), context.names[link.ref_table].words)


def _declared(context: _Context) -> list[Link]:
    found = []
    tables = {t.name for t in context.schema.tables}
    for table in context.schema.tables:
        for key in table.foreign_keys:
            if key.ref_table not in tables:
                context.notes.append(f"{table.name}: foreign key to {key.ref_table}, which is not in the schema, was left out.")
                continue
            found.append(
                Link(
                    table.name,
                    key.columns,
                    key.ref_table,
                    key.ref_columns,
                    "declared",
                    _cardinality(context, table.name, key.columns, key.ref_table, key.ref_columns),
                )
            )
    return found


def _cardinality(
    context: _Context, table: str, columns: tuple[str, ...], ref_table: str, ref_columns: tuple[str, ...]
) -> Literal["many_to_one", "one_to_one", "many_to_many"]:
    if not _is_unique(context, ref_table, ref_columns):
        return "many_to_many"
    return "one_to_one" if set(context.keys.get(table, ())) == set(columns) else "many_to_one"


def _is_unique(context: _Context, table: str, columns: tuple[str, ...]) -> bool:
    key = context.keys.get(table, ())
    if key:
        if set(key) <= set(columns):
            return True
        if any(k.columns == columns for t in context.schema.tables if t.name == table for k in t.foreign_keys):
            return False
    stats = context.stats.get(table)
    if not stats or not stats.sampled:
        return True
    if len(columns) == 1:
        seen = stats.columns.get(columns[0])
        return seen is None or seen.distinct >= seen.filled
    return context.probe.distinct(table, [columns])[0] >= stats.sampled


def _by_composite_name(context: _Context, declared: Sequence[Link]) -> list[Link]:
    """Tables that carry all columns of another table's composite key, under the same names."""
    have = {(k.table, k.ref_table) for k in declared}
    found = []
    for target in context.schema.tables:
        key = context.keys.get(target.name, ())
        words = [context.names[target.name].columns[c].words for c in key]
        if len(key) < 2 or _all_foreign(context, target, declared) or any(len(x) == 1 and x[0] in GENERIC for x in words if x[0] != "date"):
            continue
        for table in context.schema.tables:
            if table.name == target.name or (table.name, target.name) in have or not all(table.has_column(c) for c in key):
                continue
            if context.keys.get(table.name, ()) == key and table.name < target.name:
                continue
            found.append(Link(table.name, key, target.name, key, "name", _cardinality(context, table.name, key, target.name, key)))
    return found


def _all_foreign(context: _Context, table: PhysicalTable, declared: Sequence[Link]) -> bool:
    """Whether the key is made of foreign keys and times only: a bridge, a series or facts by dimensions, which others rarely point to."""
    foreign = {c for k in declared if k.table == table.name for c in k.columns}
    foreign |= {c for c in context.keys.get(table.name, ()) if any((c,) == k for name, k in context.keys.items() if name != table.name)}
    times = {c.name for c in table.columns if c.parsed.is_time}
    return all(c in foreign or c in times for c in context.keys.get(table.name, ())) and bool(foreign)


@dataclass(frozen=True, slots=True)
class _Candidate:
    pair: ColumnPair
    score: float
    by_name: bool = True


def _by_name(context: _Context, taken: set[tuple[str, str]]) -> list[Link]:
    candidates = [
        c for t in context.schema.tables for col in t.columns if (t.name, col.name) not in taken for c in _candidates(context, t, col)
    ]
    found = context.probe.containment([c.pair for c in candidates])
    best: dict[tuple[str, str], tuple[float, _Candidate]] = {}
    for candidate in candidates:
        share = found.get(candidate.pair)
        worth = candidate.score * (0.9 if share is None else share)
        if not _accept(candidate.score, share):
            continue
        key = (candidate.pair.table, candidate.pair.column)
        if key not in best or worth > best[key][0]:
            best[key] = (worth, candidate)
    links = [_link(context, c.pair, "name") for _, c in best.values()]
    return links + _by_values(context, taken | set(best))


def _accept(score: float, share: float | None) -> bool:
    if share is None:
        return score >= 0.8
    return share >= (0.3 if score >= 0.9 else 0.6 if score >= 0.8 else 0.9)


def _link(context: _Context, pair: ColumnPair, source: Literal["name", "values", "part"]) -> Link:
    columns, ref = (pair.column,), (pair.ref_column,)
    return Link(pair.table, columns, pair.ref_table, ref, source, _cardinality(context, pair.table, columns, pair.ref_table, ref))


def _candidates(context: _Context, table: PhysicalTable, column: PhysicalColumn) -> list[_Candidate]:
    if column.parsed.type not in (FieldType.INTEGER, FieldType.STRING):
        return []
    found = []
    for target in context.schema.tables:
        key = context.keys.get(target.name, ())
        if len(key) != 1 or (target.name == table.name and key[0] == column.name):
            continue
        ref = next(c for c in target.columns if c.name == key[0])
        if ref.parsed.type != column.parsed.type:
            continue
        score = _name_score(context, table, column, target, ref)
        if score > 0:
            found.append(_Candidate(ColumnPair(table.name, column.name, target.name, ref.name), score))
    return found


def _name_score(context: _Context, table: PhysicalTable, column: PhysicalColumn, target: PhysicalTable, ref: PhysicalColumn) -> float:
    words = context.names[table.name].columns[column.name].words
    if words[0] in ("number", "count", "total") or is_counting(column.comment):
        return 0.0
    target_name = context.names[target.name]
    key_words, target_words = target_name.columns[ref.name].words, target_name.words
    is_key = words[-1] in _KEY_WORDS
    core = _core(words)
    own_key = context.keys.get(table.name, ()) == (column.name,)
    ref_is_foreign = any(k.columns == (ref.name,) for k in target.foreign_keys)
    if target.name == table.name:
        named = any(target_name.columns[c.name].words[-1] in v.NAME - {"title"} for c in target.columns)
        parted = set(core) & _SELF_WORDS and (not set(core) & v.PERSON_PART or (named and of_persons(target, target_name)))
        return 0.8 if is_key and parted and core != target_words else 0.0
    specific = len(key_words) > 1 or key_words[-1] not in _KEY_WORDS | {"title", "label"}
    if own_key:
        return 1.0 if core == target_words and is_key and not ref_is_foreign else 0.0
    if ref_is_foreign and core != target_words:
        return 0.0
    if specific and (words == key_words or column.name == ref.name):
        return 1.0 if _core(key_words) == target_words or not (ref_is_foreign or _borrowed(context, key_words, target)) else 0.8
    own_word = _core(key_words)
    if own_word and own_word not in (target_words, words) and not set(own_word) & GENERIC and words[-len(own_word) :] == own_word:
        return 0.5
    if not core or not is_key:
        tail = _tail(words, target_words)
        said = words == target_words or _ID_COMMENT.search(column.comment) or _points(words, target_words)
        if column.parsed.type == FieldType.INTEGER and not said:
            return 0.0
        return 0.5 if tail and key_words[-1] in _KEY_WORDS and not set(words[-1:]) & {"date", "type", "status"} else 0.0
    if core == target_words:
        return 1.0 if _compatible(words[-1], key_words[-1]) else 0.6
    if _tail(core, target_words):
        return 0.85 if _compatible(words[-1], key_words[-1]) else 0.5
    if len(target_words) > 1 and core == target_words[-len(core) :] and _compatible(words[-1], key_words[-1]):
        return 0.6
    return 0.0


def _points(words: tuple[str, ...], target: tuple[str, ...]) -> bool:
    """Whether words before a table's name say where to, or whose ("ship to warehouse", "home team")."""
    before = words[: -len(target)]
    return words[-len(target) :] == target and bool(set(before[-1:]) & _WHERE_TO)


def _borrowed(context: _Context, key_words: tuple[str, ...], table: PhysicalTable) -> bool:
    """Whether a key is called after another table: it is unique here, but not this table's own."""
    return any(_core(key_words) == name.words for other, name in context.names.items() if other != table.name)


def _compatible(word: str, key_word: str) -> bool:
    """An id points to an id, a name to a name, a code to a code or an id."""
    if word == "name" or key_word == "name":
        return word == key_word
    return True


def _core(words: tuple[str, ...]) -> tuple[str, ...]:
    rest = words
    while rest and rest[-1] in _KEY_WORDS:
        rest = rest[:-1]
    return (*rest[:-1], singular(rest[-1])) if rest else ()


def _tail(words: tuple[str, ...], target: tuple[str, ...]) -> bool:
    if not words or len(words) < len(target):
        return False
    last = (*words[:-1], singular(words[-1]))
    return last[-len(target) :] == target


def _by_values(context: _Context, taken: set[tuple[str, str]]) -> list[Link]:
    """Id-like text columns without a match by name whose values another table's key holds entirely. Small integers overlap by chance: never."""
    pairs = []
    for table in context.schema.tables:
        stats = context.stats.get(table.name)
        for column in table.columns:
            words = context.names[table.name].columns[column.name].words
            seen = stats.columns.get(column.name) if stats else None
            if column.parsed.type != FieldType.STRING or (table.name, column.name) in taken or not seen or seen.distinct < _FEW_CODES:
                continue
            if words[-1] not in _KEY_WORDS - {"name"} or context.keys.get(table.name, ()) == (column.name,):
                continue
            for target in context.schema.tables:
                key = context.keys.get(target.name, ())
                if target.name == table.name or len(key) != 1 or any(k.columns == key for k in target.foreign_keys):
                    continue
                if seen.distinct < 10 and context.names[target.name].columns[key[0]].words[-1:] != words[-1:]:
                    continue
                if next(c for c in target.columns if c.name == key[0]).parsed.type == FieldType.STRING:
                    pairs.append(ColumnPair(table.name, column.name, target.name, key[0]))
    shares = context.probe.containment(pairs[:_MAX_VALUE_PAIRS])
    best: dict[tuple[str, str], ColumnPair] = {}
    for pair, share in shares.items():
        if share is not None and share >= 0.99:
            best.setdefault((pair.table, pair.column), pair)
    return [_link(context, pair, "values") for pair in best.values()]


def _with_roles(context: _Context, links: Sequence[Link]) -> list[Link]:
    """Role words for links that run beside others, or whose column says more than the target's name; one default where it is plain."""
    groups: dict[tuple[str, str], list[Link]] = {}
    for link in links:
        groups.setdefault((link.table, link.ref_table), []).append(link)
    out = []
    for link in links:
        group = groups[link.table, link.ref_table]
        role = _role(context, link, group)
        plain = not role and len(group) > 1 and sum(1 for x in group if not _role(context, x, group)) == 1
        out.append(
            Link(
                link.table,
                link.columns,
                link.ref_table,
                link.ref_columns,
                link.source,
                link.cardinality,
                role,
                default=plain or (len(group) == 1 and link.source != "part"),
            )
        )
    return out


def _role(context: _Context, link: Link, group: Sequence[Link]) -> tuple[str, ...]:
    if len(link.columns) > 1:
        return ()
    words = context.names[link.table].columns[link.columns[0]].words
    if link.source == "part":
        return part_words(words)
    target = context.names[link.ref_table]
    said = set(target.words) | set(target.columns[link.ref_columns[0]].words) | _KEY_WORDS
    role = tuple(x for x in words if x not in said and singular(x) not in said)
    if len(group) == 1 and not _tail(_core(words) or words, target.words):
        return role if set(role) & (_SELF_WORDS | (v.PERSON_PART - v.PERSON)) else ()
    return role
