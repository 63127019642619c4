"""What people call tables and columns: prefixes stripped, abbreviations expanded, generic words given their table's name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from semantic.catalog.infer import words as w
from semantic.catalog.infer.schema import PhysicalColumn, PhysicalSchema, PhysicalTable
from semantic.catalog.infer.vocabulary import MONEY, PERSON, UNITS

UNCLEAR = frozenset(
    "detail line item data info information history log record entry list table count hour day week month year group set map mapping".split()
)
GENERIC = frozenset(
    "id identifier key name code type status state number no date datetime time timestamp description title note notes label comment comments "
    "category class kind rank index value email phone address city country region url year month day rating score text level source".split()
)
_HEAD_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "identifier": ("id",),
    "timestamp": ("time",),
    "datetime": ("date", "time", "date time"),
    "telephone": ("phone", "phone number"),
    "phone": ("phone number",),
    "email": ("email address",),
    "zip": ("zip code", "postal code", "postcode"),
    "quantity": ("units",),
}


# A table of these of a person has one row for each.
_OF_PERSON = frozenset("account profile record master detail info data".split())
# A short form of a noun has no more letters.
_SHORT = 5
_COUNT_COMMENT = re.compile(r"\s*(the\s+)?(total\s+)?(number|count|amount)\s+of\b", re.IGNORECASE)


def is_counting(comment: str) -> bool:
    """Whether a comment says that the column counts something."""
    return _COUNT_COMMENT.match(comment) is not None


_UNIT_SIGNS = frozenset("kg lb lbs km usd eur gbp chf ms sec secs cm mm kwh mwh mb gb kb kph mph sqft km2 sqkm m2 ft mi".split())


@dataclass(frozen=True, slots=True)
class ColumnName:
    """`words` after prefixes are gone and abbreviations written out; `label` for people; `raw` the words as the column has them."""

    words: tuple[str, ...]
    label: str
    synonyms: tuple[str, ...]
    raw: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableName:
    """`words` in the singular, such as ("daily", "price"); `abbreviations` are the column prefixes that stand for the table ("dp")."""

    words: tuple[str, ...]
    singular: str
    plural: str
    synonyms: tuple[str, ...]
    columns: Mapping[str, ColumnName]
    prefix: tuple[str, ...] = ()


def name_tables(schema: PhysicalSchema) -> dict[str, TableName]:
    """Names of every table and column, by physical name."""
    vocabulary = _vocabulary(schema)
    shared = _shared_prefix(schema)
    others = frozenset(x for t in schema.tables for x in w.split(t.name) if len(x) > 3)
    raw = {t.name: _strip_table(w.split(t.name), shared, others) for t in schema.tables}
    nouns = {t: w.singular_phrase(words) for t, words in raw.items()}
    aliases = table_aliases(schema, nouns, shared)
    short = short_ids(schema, nouns)
    named = {t.name: _name_table(t, raw[t.name], _Known(shared, vocabulary, short, aliases)) for t in schema.tables}
    return {
        t.name: replace(named[t.name], synonyms=(*named[t.name].synonyms, *_head(t, nouns), *_written_out(t, raw[t.name])))
        for t in schema.tables
    }


def _written_out(table: PhysicalTable, words: tuple[str, ...]) -> tuple[str, ...]:
    """What a short name stands for, where comments of columns named after it say so ("dnr_name", the donor's name)."""
    short = words[-1] if len(words) == 1 else ""
    if not short or set(short[1:]) & set("aeiou"):
        return ()
    said = [w.title_words(c.comment) for c in table.columns if short in w.split(c.name)]
    found = {w.singular_phrase((x,))[0] for one in said for x in one if not x.startswith(short) and abbreviates(short, (x,))}
    return (*found, *(w.plural(x) for x in found)) if len(found) == 1 else ()


def _head(table: PhysicalTable, nouns: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The bare noun of a table of several words ("booking" of hotel booking, "customer" of customer account), where no other table could
    be meant by it. A noun that says little ("line") counts where the table's own first column is called so ("line_id")."""
    words = nouns[table.name]
    if len(words) < 2 or w.is_participle(words[-1]) or "of" in words:
        return ()
    noun, rest = words[-1], words[:-1]
    others = {x for t, other in nouns.items() if t != table.name for x in other}
    found: list[str] = []
    keyed = w.split(table.columns[0].name) in _key_forms(noun) if table.columns else False
    if (noun not in GENERIC | MONEY | UNCLEAR or (keyed and noun not in MONEY)) and noun not in others:
        found += [noun, w.plural(noun)]
    if noun in _OF_PERSON and len(rest) == 1 and rest[0] in PERSON and rest[0] not in others:
        found += [rest[0], w.plural(rest[0])]
    return tuple(found)


def short_ids(schema: PhysicalSchema, tables: Mapping[str, tuple[str, ...]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Ids named by initials ("aid" of author), in their own table and where others point to it: (table, column) -> words."""
    owners: dict[str, list[str]] = {}
    for table in schema.tables:
        words = tables[table.name]
        for form in {"".join(x[:1] for x in words) + "id"} if words else ():
            if any(c.name.lower() == form and c.parsed.type is not None for c in table.columns):
                owners.setdefault(form, []).append(table.name)
    found = {
        (owner, c.name): (*tables[owner], "id") for form, names in owners.items() for owner in names for c in _named(schema, owner, form)
    }
    for table in schema.tables:
        declared = {k.columns[0]: k.ref_table for k in table.foreign_keys if len(k.columns) == 1 and k.ref_table in tables}
        for column in table.columns:
            form = column.name.lower()
            if form not in owners or (table.name, column.name) in found:
                continue
            owner = declared.get(column.name) or (owners[form][0] if len(owners[form]) == 1 else None)
            if owner:
                found[table.name, column.name] = (*tables[owner], "id")
    return found


def _named(schema: PhysicalSchema, table: str, form: str) -> list[PhysicalColumn]:
    return [c for t in schema.tables if t.name == table for c in t.columns if c.name.lower() == form]


def table_aliases(schema: PhysicalSchema, nouns: Mapping[str, tuple[str, ...]], shared: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Short words that begin most columns of a table and abbreviate its name ("cl" of client): they mean that table wherever they stand."""
    found: dict[str, list[tuple[str, ...]]] = {}
    plain = {x for t in schema.tables for x in w.split(t.name)} | {
        x for t in schema.tables for c in t.columns for x in w.title_words(c.comment)
    }
    for table in schema.tables:
        firsts = [_after(w.split(c.name), shared)[:1] for c in table.columns]
        counts = {f[0]: firsts.count(f) for f in firsts if f}
        for word, count in counts.items():
            own_key = nouns[table.name] and _is_short_form(table, word, nouns[table.name]) and _has_key(table, word)
            if own_key and word not in plain and word != nouns[table.name][-1]:
                found.setdefault(word, []).append(nouns[table.name])  # "prof_id" of professor, whatever else prof is short for
            elif count >= 0.6 * len(firsts) and word not in plain and not w.is_word(word) and abbreviates(word, nouns[table.name]):
                found.setdefault(word, []).append(nouns[table.name])
    return {word: tables[0] for word, tables in found.items() if len(tables) == 1}


def _is_short_form(table: PhysicalTable, word: str, noun: tuple[str, ...]) -> bool:
    """Begins the table's noun, or abbreviates it in the name of the first column ("ap_code" of airport, "CrsNo" of course)."""
    if 3 <= len(word) <= _SHORT and noun[-1].startswith(word):
        return True
    first = w.split(table.columns[0].name)
    return first in _key_forms(word) and not w.is_word(word) and abbreviates(word, noun)


def _has_key(table: PhysicalTable, word: str) -> bool:
    return any(w.split(c.name) in _key_forms(word) for c in table.columns)


def _key_forms(word: str) -> tuple[tuple[str, str], ...]:
    return tuple((word, last) for last in ("id", "uid", "key", "no", "num", "nr", "code", "cd"))


def abbreviates(word: str, name: tuple[str, ...]) -> bool:
    """Whether a word is a short form of a name: its initials, or some of its letters in order from the first.

    >>> abbreviates("cl", ("client",)), abbreviates("dp", ("daily", "price")), abbreviates("nt", ("shipment", "note")), abbreviates("xy", ("yx",))
    (True, True, True, False)
    """
    if len(name) > 1 and word == "".join(x[0] for x in name if x):
        return True
    if len(word) < 2 or len(word) > _SHORT:
        return False
    return any(len(word) < len(x) and x[0] == word[0] and _in_order(word, x) for x in (*name, "".join(name)))


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)


def _after(words: tuple[str, ...], lead: tuple[str, ...]) -> tuple[str, ...]:
    return words[len(lead) :] if lead and words[: len(lead)] == lead and len(words) > len(lead) else words


@dataclass(frozen=True, slots=True)
class _Known:
    """What the whole schema tells about its names."""

    shared: tuple[str, ...]
    vocabulary: frozenset[str]
    short: Mapping[tuple[str, str], tuple[str, ...]]
    aliases: Mapping[str, tuple[str, ...]]


def _name_table(table: PhysicalTable, table_words: tuple[str, ...], known: _Known) -> TableName:
    shared = known.shared
    singular = w.singular_phrase(table_words)
    split = {c.name: w.split(c.name) for c in table.columns}
    prefix = _column_prefix(list(split.values()), shared, singular)
    columns = {
        c.name: _name_column(
            split[c.name], singular, prefix, shared, _Hints(known, c.comment, c.parsed.is_number, known.short.get((table.name, c.name)))
        )
        for c in table.columns
    }
    label = " ".join(singular)
    synonyms = [" ".join(table_words)] if table_words != singular and w.plural(label) != " ".join(table_words) else []
    return TableName(singular, label, w.plural(label), tuple(synonyms), columns, prefix[len(shared) :] if shared else prefix)


@dataclass(frozen=True, slots=True)
class _Hints:
    known: _Known
    comment: str
    is_number: bool
    words: tuple[str, ...] | None


def _name_column(
    raw: tuple[str, ...], table: tuple[str, ...], prefix: tuple[str, ...], shared: tuple[str, ...], hints: _Hints
) -> ColumnName:
    own = raw
    for lead in (prefix, shared):
        if lead and own[: len(lead)] == lead and len(own) > len(lead):
            own = own[len(lead) :]
            break
    glued = tuple(part for word in own for part in w.unglue(word, hints.known.vocabulary))
    spelled = tuple(x for word in glued for x in hints.known.aliases.get(word, (word,)))
    full = hints.words or w.expand(spelled, hints.comment)
    counted = _counted(full, hints.comment)
    if len(full) > 2 and full[-1] in ("str", "string", "txt") and full[-2] in ("date", "time", "datetime", "timestamp"):
        full = full[:-1]
    full = tuple(x for i, x in enumerate(full) if i == 0 or x != full[i - 1]) or full
    bare = full[len(table) :] if table and full[: len(table)] == table and len(full) > len(table) else full
    label = ("number", "of", *counted) if counted else full
    flag = full[0] in ("is", "has") and len(full) > 1
    own_kind = len(full) == 2 and full[0] in table and full[1] in GENERIC  # "damage type" of damage reports
    if len(bare) == 1 and bare[0] in GENERIC and bare == full and bare[0] not in table:
        label = (*table, *bare)
    candidates: list[tuple[str, ...]] = [full, bare]
    if hints.is_number and len(label) > 1 and label[-1] in UNITS and set(label[:-1]) - set(table):
        candidates.append(label[:-1])
        label = label[:-1] if label[-1] in _UNIT_SIGNS else label
    elif hints.is_number and w.short_unit(label):
        candidates.append(label)
        label = label[:-1]
    if not set(table).intersection(w.singular(x) for x in bare) and bare[-1] not in ("id", "identifier", "key"):
        candidates.append((*table, *bare))
    if flag or own_kind:
        candidates.append(full[1:])
    if counted:
        candidates += [counted, (*w.singular_phrase(counted), "count")]
    if bare[-1] == "code" and len(bare) > 1:
        candidates += [bare[:-1], full[:-1]]
    if own != full and all(len(x) > 1 for x in own):
        candidates.append(own)
    if set(full) <= {"date", "day", "time", "datetime"} and full[0] != "day":
        candidates.append(("date",))
    if full[-1] == "text" and len(full) > 1:
        candidates.append(full[:-1])
    if label[-1] in _HEAD_SYNONYMS:
        candidates += [(*lead[:-1], *s.split()) for s in _HEAD_SYNONYMS[label[-1]] for lead in (label, bare)]
    if full[-2:] == ("created", "timestamp") or full[-2:] == ("created", "at"):
        candidates += [("created", "date"), ("creation", "date")]
    shown = " ".join(label)
    synonyms = dict.fromkeys(" ".join(c) for c in candidates if c)
    return ColumnName(full, shown, tuple(s for s in synonyms if s != shown), raw)


def _counted(words: tuple[str, ...], comment: str) -> tuple[str, ...]:
    """What a count counts: "num_visits" and "visit_num" ("The number of visits") count visits."""
    if len(words) > 2 and words[0] in ("number", "count", "total") and words[1] == "of":
        return words[2:]
    if len(words) > 1 and words[0] in ("number", "num", "count", "no") and w.singular(words[-1]) != words[-1]:
        return words[1:]
    if len(words) > 1 and words[-1] in ("number", "count") and _COUNT_COMMENT.match(comment):
        return tuple(w.plural(" ".join(words[:-1])).split())
    return ()


def _vocabulary(schema: PhysicalSchema) -> frozenset[str]:
    """The words that this database itself uses apart: in comments, and between the separators of its names."""
    seen: set[str] = set()
    for table in schema.tables:
        seen.update(x for x in w.split(table.name) if len(x) > 2)
        seen.update(w.title_words(table.comment))
        for column in table.columns:
            seen.update(w.title_words(column.comment))
            parts = w.split(column.name)
            if len(parts) > 1:
                seen.update(x for x in parts if len(x) > 2)
    return frozenset(seen | {w.singular(x) for x in seen})


def _shared_prefix(schema: PhysicalSchema) -> tuple[str, ...]:
    """A short first word that every table has, such as a product's initials."""
    firsts = [w.split(t.name) for t in schema.tables]
    if len(firsts) < 2 or any(len(f) < 2 for f in firsts) or len({f[0] for f in firsts}) != 1:
        return ()
    return (firsts[0][0],)


def _strip_table(raw: tuple[str, ...], shared: tuple[str, ...], vocabulary: frozenset[str]) -> tuple[str, ...]:
    rest = raw[len(shared) :] if shared and len(raw) > len(shared) else raw
    while len(rest) > 1 and rest[0] in w.TABLE_NOISE:
        rest = rest[1:]
    while len(rest) > 1 and (rest[-1] in w.TABLE_NOISE or re.fullmatch(r"v?\d+", rest[-1])):
        rest = rest[:-1]
    full = w.expand(part for word in rest for part in w.unglue(word, vocabulary))
    return full[:-1] if len(full) > 1 and full[-1] == "header" else full


def _column_prefix(columns: Sequence[tuple[str, ...]], shared: tuple[str, ...], table: tuple[str, ...]) -> tuple[str, ...]:
    """The leading words that nearly all columns of a table share; for tables of one or two columns only a short form of the table's name."""
    own = {_after(c, shared)[0] for c in columns if len(_after(c, shared)) > 1}
    if len(columns) < 3:
        alias = next((x for x in sorted(own) if abbreviates(x, table) and not set(x[1:]) & set("aeiou")), None)
        return (*shared, alias) if alias else shared
    best: tuple[str, ...] = ()
    for size in (1, 2, 3):
        counts: dict[tuple[str, ...], int] = {}
        for column in columns:
            if any(not word.isdigit() for word in column[size:]):  # the number alone of sensor_1, sensor_2 would name nothing
                counts[column[:size]] = counts.get(column[:size], 0) + 1
        if not counts:
            break
        lead = max(counts, key=lambda k: counts[k])
        if counts[lead] >= 0.8 * len(columns) and lead[: len(best)] == best and lead[-1] not in ("is", "has"):
            best = lead
    return best
