"""Things that a bridge ties to each other (articles and their authors), beside the one that a row names for a part (its editor)."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.draft import Draft
from nlq.graph import Hop
from nlq.parsing.words import PLAYED
from semantic.catalog.model import DatasetKind
from semantic.expr import And, Has, Not, Or, Predicate
from semantic.query import ByEntity, GroupBy


def tie_of(draft: Draft, rows: str, thing: str) -> str | None:
    """The bridge between rows and things, where the straight way from one to the other is only a part that somebody plays."""
    part = draft.graph.part_on_way(rows, thing)
    return _bridge(draft, part) if part is not None and part.source == rows else None


def split_by_part(draft: Draft, by: Sequence[GroupBy], base: str | None) -> list[GroupBy]:
    """ "views by author", where rows reach authors over a bridge that would repeat them: by the part that each row names once, which is asked about."""
    out: list[GroupBy] = []
    for group in by:
        thing = draft.catalog.entity(group.entity).dataset if isinstance(group, ByEntity) and not group.via else None
        part = draft.graph.part_on_way(base, thing) if base is not None and thing is not None else None
        if isinstance(group, ByEntity) and part is not None and _bridge(draft, part) is not None:
            draft.guess(0.45, "the part that somebody plays, not all that it is tied to")
            group = group.model_copy(update={"via": tuple(h.relationship for h in draft.graph.path_up(base or "", thing or "") or ())})
        out.append(group)
    return out


def over_bridges(draft: Draft, where: Predicate, base: str) -> Predicate:
    """The condition with "without articles", said of authors, over all that the bridge ties to them, not over those that name them for a part."""
    if isinstance(where, And | Or):
        return where.model_copy(update={"items": tuple(over_bridges(draft, p, base) for p in where.items)})
    if isinstance(where, Not):
        return where.model_copy(update={"item": over_bridges(draft, where.item, base)})
    part = draft.graph.part_on_way(where.dataset, base) if isinstance(where, Has) and not where.via else None
    bridge = _bridge(draft, part) if part is not None and part.source == getattr(where, "dataset", None) and part.target == base else None
    said = part is not None and f"{PLAYED}{part.relationship}" in draft.frame.notes
    if part is None or bridge is None or said:
        return where  # "authors who edited more than 20 articles"
    down, up = (draft.graph.parallel(bridge, end)[0].relationship for end in (base, part.source))
    return where.model_copy(update={"via": (f"~{down}", up)})


def _bridge(draft: Draft, part: Hop) -> str | None:
    """The one bridge between the ends of a step."""
    found = [
        d.name
        for d in draft.catalog.datasets
        if d.kind is DatasetKind.BRIDGE and all(len(draft.graph.parallel(d.name, end)) == 1 for end in (part.source, part.target))
    ]
    return found[0] if len(found) == 1 else None
