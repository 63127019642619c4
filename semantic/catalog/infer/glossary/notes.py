"""Sentences that define nothing but say how the data is to be read."""

from __future__ import annotations

import re
from typing import Literal

from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.glossary.draft import Draft
from semantic.catalog.infer.words import plural
from semantic.catalog.model import CatalogField, Dataset, FieldRole, FieldType, Relationship, Segment
from semantic.expr import FieldRef, In, Like, Or, Predicate

_NAME = r"[`\"]?([A-Za-z_][\w]*)[`\"]?"
_COLUMN = r"[`\"]?([A-Za-z_]\w*)\.([A-Za-z_]\w*)[`\"]?"
_PREFER = re.compile(
    rf"use\s+(?:the\s+)?{_COLUMN}\s+(?:column\s+)?(?:instead of|rather than|and not|not)\s+(?:the\s+)?{_COLUMN}", re.IGNORECASE
)
_JOIN_ON = re.compile(rf"{_NAME}\s+can be joined (?:to|with)\s+{_NAME}\s+on\s+{_NAME}", re.IGNORECASE)
_JOIN_COLUMNS = re.compile(rf"{_COLUMN}\s+can be joined (?:to|with)\s+[`\"]?(\w+)[`\"]?\s+(?:from|in|of)\s+(?P<tables>.+)", re.IGNORECASE)


_GROUP = re.compile(
    r"(?P<label>(?:[\w.-]+\s+)?[\w.-]+)\s*\((?P<field>[\w. ]+?)\s+(?P<op>contains|includes|is|in|is one of|starts with|=)\s+(?P<values>['\"][^()]+['\"])\s*\)"
)


def read_note(draft: Draft, text: str) -> bool:
    """Whether the note was understood and carried: a preferred date, a join, or a group of values. Other notes stay text."""
    grouped = [_group(draft, match, text) for match in _GROUP.finditer(text)]
    prefer = _PREFER.search(text)
    if prefer:
        return _prefer(draft, prefer)
    columns = _JOIN_COLUMNS.search(text)
    if columns:
        tables = re.findall(r"[`\"](\w+)[`\"]", columns["tables"]) or [columns["tables"].split()[0]]
        joined = [_join(draft, t, columns[3], columns[1], columns[2]) for t in tables]
        return all(joined)
    plain = _JOIN_ON.search(text)
    if plain:
        left, right = draft.table(plain[1]), draft.table(plain[2])
        return bool(left and right and _related(draft, left, right))
    return any(grouped)


def _group(draft: Draft, match: re.Match[str], text: str) -> bool:
    """ "premium brands (brand name is 'A', 'B' or 'C')": a segment of the dataset that has the field."""
    found = [(d, f) for d, f in draft.fields_called(match["field"]) if f.type == FieldType.STRING]
    values = re.findall(r"['\"]([^'\"]+)['\"]", match["values"])
    if len({(d.name, f.name) for d, f in found}) != 1 or not values:
        return False
    dataset, field = found[0]
    ref = FieldRef(dataset=dataset.name, field=field.name)
    kind: Literal["contains", "starts_with"] = "starts_with" if match["op"] == "starts with" else "contains"
    where: Predicate
    if match["op"] in ("contains", "includes", "starts with"):
        likes = tuple(Like(field=ref, match=kind, value=v) for v in values)
        where = likes[0] if len(likes) == 1 else Or(items=likes)
    else:
        where = In(field=ref, values=tuple(values), ignore_case=True)
    words = match["label"].split()
    name = words[0] if len(words) > 1 and _is_proper(words[0]) else ""
    label = match["label"] if name or len(words) == 1 else words[-1]
    if not name and not _is_proper(label):
        return False
    home = draft.datasets[dataset.name]
    synonyms = dict.fromkeys(
        x for x in (name, f"{name} {plural(home.label)}" if name else "", f"{name} companies" if name.isupper() else "") if x
    )
    segment = Segment(
        name=draft.free_segment(label),
        label=label,
        dataset=dataset.name,
        where=where,
        synonyms=tuple(s for s in synonyms if s != label),
        description=text,
    )
    draft.add_segment(segment)
    draft.add_term(label, text, synonyms=segment.synonyms, means=f"segment:{segment.name}")
    return True


def _is_proper(word: str) -> bool:
    """A name or acronym, not a common word."""
    return word[:1].isupper() and (word.isupper() or word[1:].islower())


def _prefer(draft: Draft, match: re.Match[str]) -> bool:
    dataset, other = draft.table(match[1]), draft.table(match[3])
    if dataset is None or other is None or dataset.name != other.name:
        return False
    chosen, left = draft.column(dataset, match[2]), draft.column(dataset, match[4])
    if chosen is None or left is None:
        return False
    if chosen.role == FieldRole.TIME and left.role == FieldRole.TIME:
        draft.replace_dataset(dataset.changed(time=chosen.name))
        return True
    return False


def _related(draft: Draft, left: Dataset, right: Dataset) -> bool:
    return any({r.from_dataset, r.to_dataset} == {left.name, right.name} for r in draft.relationships)


def _join(draft: Draft, table: str, column: str, ref_table: str, ref_column: str) -> bool:
    source, target = draft.table(table), draft.table(ref_table)
    if source is None or target is None:
        return False
    field, ref = draft.column(source, column), draft.column(target, ref_column)
    if field is None or ref is None:
        return False
    if any(r.from_dataset == source.name and r.from_fields == (field.name,) and r.to_dataset == target.name for r in draft.relationships):
        return True
    draft.relationships.append(_relationship(draft, source, field, target, ref))
    return True


def _relationship(draft: Draft, source: Dataset, field: CatalogField, target: Dataset, ref: CatalogField) -> Relationship:
    taken = {r.name for r in draft.relationships}
    base = safe_name(f"{source.name}_{target.name}")
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    unique = target.primary_key == (ref.name,)
    return Relationship(
        name=name,
        from_dataset=source.name,
        from_fields=(field.name,),
        to_dataset=target.name,
        to_fields=(ref.name,),
        cardinality="many_to_one" if unique else "many_to_many",
        source="declared",
    )
