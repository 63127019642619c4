"""Dates and places that a table points to in several parts ("sold year", "ship month name"): the word before says in which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nlq.kinds import Kinds
from nlq.segment import Unit
from nlq.text import keys_of
from nlq.ways import is_own_date
from semantic.catalog.model import Catalog, Relationship


def with_parts(units: Sequence[Unit], kinds: Kinds) -> Sequence[Unit]:
    """The units with each such word joined to the field after it, which is then reached by the relationship of that part."""
    parts = _parts(kinds.catalog)
    if not parts:
        return units
    out: list[Unit] = []
    for i, u in enumerate(units):
        before = out[-1] if out else None
        relation = parts.get(keys_of(before.text)) if before is not None else None
        joined = _joined(before, u, relation, kinds) if before is not None and relation is not None else None
        after = _said_after(before, u, units[i + 1 :], parts, kinds) if before is not None and joined is None else None
        if joined is None and after is None:
            out.append(u)
        else:
            out[-1] = joined or after or u
    return out


def _joined(role: Unit, u: Unit, relation: Relationship, kinds: Kinds) -> Unit | None:
    """ "sold year": the field in that part; a month or a week in the rows' own part is that of their time."""
    if u.is_func("grain", "cycle"):
        own = is_own_date(relation, kinds.catalog)
        return replace(u, start=role.start, text=f"{role.text} {u.text}", links=(), func=u.func) if own else None
    links = tuple(k for k in u.links if k.target.kind == "field" and k.target.dataset == relation.to_dataset)
    if not links or links[0].score < u.links[0].score - 0.1:
        return None
    reached = tuple(replace(k, target=replace(k.target, via=(relation.name,))) for k in links)
    return replace(u, start=role.start, text=f"{role.text} {u.text}", links=reached, keys=(*keys_of(role.text), *u.keys))


def _said_after(before: Unit, role: Unit, rest: Sequence[Unit], parts: Mapping[tuple[str, ...], Relationship], kinds: Kinds) -> Unit | None:
    """ "by day of week sold": the same, said after it at the end of a phrase."""
    relation = parts.get(keys_of(role.text))
    following = rest[0] if rest else None
    if relation is None or role.values or (following is not None and (following.is_object or following.time is not None)):
        return None
    joined = _joined(role, before, relation, kinds)
    return replace(joined, start=before.start, end=role.end, text=f"{before.text} {role.text}") if joined is not None else None


def _parts(catalog: Catalog) -> Mapping[tuple[str, ...], Relationship]:
    """Role words -> the relationship, where a table points to another more than once and only one table has that part."""
    found: dict[tuple[str, ...], list[Relationship]] = {}
    for r in catalog.relationships:
        if r.role:
            found.setdefault(tuple(keys_of(r.role)), []).append(r)
    return {words: rs[0] for words, rs in found.items() if len({r.from_dataset for r in rs}) == 1 and len(rs) == 1}
