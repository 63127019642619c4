"""The columns of listed rows: what was asked for, and what identifies a thing."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.amounts import subtype_metric
from nlq.composing.draft import Draft
from nlq.lexicon import Target
from semantic.catalog.model import DatasetKind, FieldRole, FieldType, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import Output

_LABELS = 4


def identified(draft: Draft, outputs: Sequence[Output], base: str) -> bool:
    dataset = draft.catalog.dataset(base)
    shown = {o.expr.field for o in outputs if isinstance(o.expr, FieldRef) and o.expr.dataset == base}
    names = {f.name for f in dataset.fields if f.role is FieldRole.NAME}
    return bool(set(dataset.primary_key) & shown or names & shown) or len(shown) >= 3


def build_columns(draft: Draft, targets: Sequence[Target], base: str) -> list[Output]:
    outputs: list[Output] = []
    explicit = set()
    for dataset in {t.dataset for t in targets if t.kind == "field"}:
        own = [t for t in targets if t.kind == "field" and t.dataset == dataset and not t.via]
        roles = {cf.role for t in own if (cf := draft.kinds.field(t)) is not None}
        entity = draft.entities.get(dataset or "")
        shown = {t.field for t in own}
        if (
            len(own) > 1
            or roles & {FieldRole.NAME}
            or (entity is not None and shown & set(entity.display))
            or (FieldRole.KEY in roles and not (entity is not None and entity.display))
        ):
            explicit.add(dataset)
    seen: set[str] = set()

    def add(ref: FieldRef) -> None:
        if str(ref) not in seen:
            seen.add(str(ref))
            outputs.append(Output(expr=ref))

    for target in targets:
        if target.kind == "field":
            add(target.ref)
        elif target.kind == "dataset" and target.dataset not in explicit:
            for name in identity(draft, target.dataset or ""):
                add(FieldRef(dataset=target.dataset or "", field=name))
            for ref in (*_told_of(draft, target.dataset or ""), *_subtype_amounts(draft, target.dataset or "")):
                add(ref)
    return outputs


def _told_of(draft: Draft, dataset: str) -> list[FieldRef]:
    """When and what kind of events, which have no name of their own: "the longest outage" is told by its day, place and cause."""
    found = draft.catalog.dataset(dataset)
    entity = draft.entities.get(dataset)
    if found.kind is not DatasetKind.FACT or (entity is not None and entity.display):
        return []
    labels = [f.name for f in found.fields if f.role is FieldRole.CATEGORY and not (f.hidden or f.pii)][:_LABELS]
    return [FieldRef(dataset=dataset, field=name) for name in (*((found.time,) if found.time else ()), *labels)]


def _subtype_amounts(draft: Draft, dataset: str) -> list[FieldRef]:
    """The numbers that a subtype's rows carry in the table they extend."""
    metric = subtype_metric(draft, dataset, None)
    found = draft.catalog.metric(metric) if metric is not None else None
    return [found.of] if isinstance(found, SimpleMetric) and isinstance(found.of, FieldRef) else []


def _natural_key(draft: Draft, dataset: str) -> tuple[str, ...]:
    """A number or code that people know a thing by, where it has no name ("claim number")."""
    found = draft.catalog.dataset(dataset)
    for candidate in found.fields:
        said = candidate.label.lower().split()[-1] in ("number", "code", "no", "reference")
        unique = candidate.cardinality is not None and found.row_count is not None and candidate.cardinality >= 0.98 * found.row_count > 0
        if said and unique and candidate.type is FieldType.STRING and not candidate.hidden and candidate.name not in found.primary_key:
            return (candidate.name,)
    return ()


def identity(draft: Draft, dataset: str) -> tuple[str, ...]:
    """The columns that show which one it is: key and display fields."""
    entity = draft.entities.get(dataset)
    found = draft.catalog.dataset(dataset)
    if entity is not None:
        names = (*(k for k in entity.key if len(entity.key) == 1), *(entity.display or _natural_key(draft, dataset)))
        if names and (entity.display or found.kind is not DatasetKind.FACT):
            return tuple(dict.fromkeys(names))
    names = tuple(f.name for f in found.fields if f.role is FieldRole.NAME) or found.primary_key
    if found.kind is DatasetKind.FACT:
        names = (*names, *_natural_key(draft, dataset), *(f.name for f in found.fields if f.role is FieldRole.MEASURE and not f.hidden))
    return tuple(dict.fromkeys(names)) or tuple(f.name for f in found.fields if not f.hidden)[:3]
