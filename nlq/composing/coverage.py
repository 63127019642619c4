"""Mentions that the finished query does not use."""

from __future__ import annotations

from nlq.composing.bases import all_bases
from nlq.composing.draft import Draft
from nlq.fillers import SOFT
from nlq.frame import Mention
from nlq.lexicon import Target
from nlq.text import keys_of
from semantic.query import ByCycle, ByEntity, ByTime, SemanticQuery


def find_unexplained(draft: Draft, query: SemanticQuery) -> list[Mention]:
    """Mentions of datasets or fields that the query does not use."""
    text = query.model_dump_json()
    left: list[Mention] = []
    for mention in draft.frame.mentions:
        target = draft.target(mention)
        if target is None:
            left.append(mention)
            continue
        if mention.explained or id(mention) in draft.explained or _says_nothing(mention):
            continue
        if target.kind == "dataset" and target.dataset is not None:
            used = (
                f'"dataset":"{target.dataset}"' in text
                or f'"rows_of":"{target.dataset}"' in text
                or _entity_used(draft, target.dataset, text)
                or on_path(draft, target.dataset, query)
                or _described(draft, mention, text)
            )
            if not used:
                left.append(mention)
        elif target.kind == "field" and f'"{target.field}"' not in text and mention.role not in ("context", "start", "end"):
            timed = draft.kinds.is_time(target) and (query.time is not None or any(isinstance(b, ByTime | ByCycle) for b in query.by))
            if not timed and not _key_shown(draft, target, query):
                left.append(mention)
        elif target.kind == "metric" and f'"metric":"{target.name}"' not in text:
            left.append(mention)
    return left


def _says_nothing(mention: Mention) -> bool:
    """ "damaged items": a noun of no meaning of its own that only carries the adjective before it."""
    return mention.role == "context" and all(word in SOFT for word in mention.unit.text.lower().split())


def _key_shown(draft: Draft, target: Target, query: SemanticQuery) -> bool:
    """Whether a key is there through the entity it identifies."""
    entity = draft.entities.get(target.dataset or "")
    return (
        entity is not None
        and target.field in (*entity.key, *entity.display)
        and any(isinstance(b, ByEntity) and b.entity == entity.name for b in query.by)
    )


def _entity_used(draft: Draft, dataset: str, text: str) -> bool:
    entity = draft.entities.get(dataset)
    return entity is not None and f'"entity":"{entity.name}"' in text


def on_path(draft: Draft, dataset: str, query: SemanticQuery) -> bool:
    bases = {query.rows_of} if query.rows_of else {b for m in query.metrics for b in all_bases(draft, m)}
    return any(base is not None and (dataset == base or draft.graph.points_to(base, dataset)) for base in bases)


def _described(draft: Draft, mention: Mention, text: str) -> bool:
    """Whether the words are part of the description of a field that is used ("students" for a count of students)."""
    for dataset in draft.catalog.datasets:
        for described in dataset.fields:
            if (
                described.description
                and f'"field":"{described.name}"' in text
                and f'"dataset":"{dataset.name}"' in text
                and set(mention.unit.keys) <= set(keys_of(described.description))
            ):
                return True
    return False
