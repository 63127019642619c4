"""What splits an aggregate into rows."""

from __future__ import annotations

from collections.abc import Sequence

from core.timeseries import Grain
from nlq.composing.columns import identity
from nlq.composing.draft import Draft
from nlq.composing.shape import shared_name
from nlq.frame import MeasureItem, Mention
from nlq.lexicon import Target
from nlq.predicates import Unbuildable
from semantic.catalog.model import DatasetKind, Entity, FieldRole
from semantic.expr import FieldRef
from semantic.query import ByEntity, ByField, ByTime, GroupBy


def build_groups(draft: Draft, measures: Sequence[MeasureItem]) -> tuple[list[GroupBy], list[str]]:
    f = draft.frame
    by: list[GroupBy] = []
    datasets: list[str] = []
    wanted: list[tuple[Mention, Target]] = []
    for mention in [*f.groups, *f.outputs]:
        target = draft.target(mention)
        if target is None or target.kind in ("metric", "term", "segment"):
            raise Unbuildable("groups by what is no dimension")
        if f.compare == "vs" and mention not in f.groups and _is_no_label(draft, target):
            raise Unbuildable("held against what is no label")  # "revenue at full price vs discounted"
        wanted.append((mention, target))
    entities = list(dict.fromkeys(t.dataset or "" for _, t in wanted if t.kind == "dataset"))
    someone = {t.dataset for m, t in wanted if m.indefinite}
    if someone & {t.dataset for m, t in wanted if not m.indefinite} and any(
        m.role == "group" and t.dataset not in someone for m, t in wanted
    ):
        draft.guess(0.45, "whether each, or only what it is split by, makes the groups")
    entities += [d for d in _display_entities(draft, wanted) if d not in entities]
    if f.limit_per_group and f.groups:
        group = draft.target(f.groups[-1])
        parent = group.dataset if group is not None and group.kind == "field" else None
        draft.split_group = (parent, group.field if group is not None else None) if parent in entities else None
    counted = {t.dataset for m in measures if m.kind == "count" and m.mention is not None and (t := draft.target(m.mention)) is not None}
    if len(entities) > 0 and not f.groups:
        only_outputs = [d for d in entities if d in counted and not any(t.kind == "field" and t.dataset == d for _, t in wanted)]
        if only_outputs and len(measures) == len(counted):
            entities = [d for d in entities if d not in only_outputs]
            wanted = [(m, t) for m, t in wanted if not (t.kind == "dataset" and t.dataset in only_outputs)]
    for dataset in entities:
        entity = draft.entities.get(dataset)
        shown = [
            t.field or ""
            for _, t in wanted
            if t.kind == "field" and t.dataset == dataset and not _is_time_grain(draft, t) and (t.dataset, t.field) != draft.split_group
        ]
        if entity is None or _repeats(draft, entity, shown):
            names = shown or (list(entity.display) if entity is not None else _labels(draft, dataset))
            by.extend(ByField(field=FieldRef(dataset=dataset, field=n)) for n in names)
        else:
            show = tuple(n for n in dict.fromkeys(shown) if n not in entity.key)
            key_named = any(n in entity.key for n in shown) or not (show or entity.display)
            explicit = bool(shown)
            way = next((t.via for _, t in wanted if t.dataset == dataset and t.via), ())
            by.append(ByEntity(entity=entity.name, via=way, show=show if explicit else entity.display, show_key=key_named or not explicit))
        datasets.append(dataset)
    seen = {str(b.field) for b in by if isinstance(b, ByField)}
    for mention, target in wanted:
        if target.kind != "field" or (target.dataset in entities and (target.dataset, target.field) != draft.split_group):
            continue
        ref = target.ref
        if str(ref) in seen:
            continue
        if mention not in f.groups and measures and draft.kinds.is_flag(target) and not (f.compare or f.superlative):
            draft.guess(0.45, "split by a yes or no that is only mentioned")
        if _is_time_grain(draft, target):
            if _is_what_happens(mention) and not (f.grain and f.grain != "auto"):
                raise Unbuildable("groups by what happens, not by its day")
            grain = f.grain if f.grain and f.grain != "auto" else "day"
            if not f.grain and mention not in f.groups and any(m.kind in ("count", "aggregate") for m in measures) and not f.asks_period:
                draft.guess(0.45, "split by a day that is only mentioned")
            by.append(ByTime(grain=Grain(grain), field=ref))
            f.grain = None
        else:
            by.append(ByField(field=ref))
        seen.add(str(ref))
        datasets.append(target.dataset or "")
    return by, list(dict.fromkeys(datasets))


def _labels(draft: Draft, dataset: str) -> list[str]:
    """What tells kinds of rows apart where no key does: names and labels ("diagnosis": its code and description)."""
    fields = [f for f in draft.catalog.dataset(dataset).fields if f.role in (FieldRole.NAME, FieldRole.CATEGORY) and not f.hidden]
    called = [f.name for f in fields if draft.kinds.bears_name(dataset, f.name)]
    return called or [f.name for f in fields] or list(identity(draft, dataset))


def _is_no_label(draft: Draft, target: Target) -> bool:
    """A number, or events, whose rows would each be a group."""
    if target.kind == "dataset":
        return draft.catalog.dataset(target.dataset or "").kind is DatasetKind.FACT
    return draft.kinds.is_measure(target)


def _repeats(draft: Draft, entity: Entity, shown: Sequence[str]) -> bool:
    """Whether the entity's name is a label that many of its rows share, so that people mean the label."""
    dataset = draft.catalog.dataset(entity.dataset)
    names = list(shown or entity.display)
    if len(names) != 1 or names[0] in entity.key or dataset.row_count is None:
        return False
    named = dataset.field(names[0])
    return not named.pii and named.role is FieldRole.NAME and named.cardinality is not None and named.cardinality < 0.8 * dataset.row_count


def _display_entities(draft: Draft, wanted: Sequence[tuple[Mention, Target]]) -> list[str]:
    """Datasets whose name or key was asked for beside other columns: their rows are the groups."""
    found: list[str] = []
    for _, target in wanted:
        if target.kind != "field" or target.dataset not in draft.entities:
            continue
        entity = draft.entities[target.dataset]
        catalog_field = draft.kinds.field(target)
        same = [t for _, t in wanted if t.dataset == target.dataset and t.kind == "field"]
        identifies = target.field in entity.key and len(entity.key) == 1
        person = (
            target.field in entity.display
            and not shared_name(draft, target)
            and (len(same) > 1 or (catalog_field is not None and catalog_field.pii))
        )
        if identifies or person:
            found.append(target.dataset)
    return list(dict.fromkeys(found))


_OF_TIME = frozenset("days dates times timestamps".split())


def _is_what_happens(mention: Mention) -> bool:
    """ "per opening", "orders by vendor": what is done, of which the day is only a property."""
    word = mention.unit.text.lower().split()[-1]
    return word.endswith(("s", "ing")) and word not in _OF_TIME and not mention.unit.links[0].exact


def _is_time_grain(draft: Draft, target: Target) -> bool:
    return draft.kinds.is_time(target)


def add_compared(draft: Draft, by: list[GroupBy]) -> list[GroupBy]:
    """ "Germany vs France": one row for each."""
    for condition in draft.frame.compare_values:
        value = draft.value(condition)
        if value is not None:
            ref = FieldRef(dataset=value.dataset, field=value.field)
            if not any(isinstance(b, ByField) and b.field == ref for b in by):
                by = [*by, ByField(field=ref)]
    return by
