"""Work a glossary into a catalog: what its entries define becomes catalog objects; the rest stays as text, with a note that says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from semantic.catalog.infer.glossary.draft import SOURCE, Draft, key_of
from semantic.catalog.infer.glossary.entry import GlossaryEntry
from semantic.catalog.infer.glossary.formulas import metric_of
from semantic.catalog.infer.glossary.notes import read_note
from semantic.catalog.infer.glossary.selects import SelectShape, read_select
from semantic.catalog.infer.glossary.terms import find_metric
from semantic.catalog.infer.words import plural, split
from semantic.catalog.model import Catalog, CatalogField, Dataset, Entity, FieldRole, Segment, SimpleMetric
from semantic.expr import Expr, FieldRef
from semantic.query import AggregateKind

_ROWS = re.compile(r"^one (?:row )?(?:for|per) each (?P<key>[\w.]+) (?:of|in):?\s*(?P<source>.+)$", re.IGNORECASE | re.DOTALL)
_COLUMN = re.compile(r"^column (?P<column>[\w.]+) (?:of|in):?\s*(?P<source>.+)$", re.IGNORECASE | re.DOTALL)
_TABLE = re.compile(r"^(?:the )?table\s+(?P<table>[`\"\w.]+)\s*$", re.IGNORECASE)
_EQUALS = re.compile(r"^(?P<left>[^=<>!:]{1,120}?)\s*(?:=\s*|:\s+)(?P<right>[^=].*)$", re.DOTALL)
_ASIDE = re.compile(r"\s*\((?:for|price for|per)\s[^()]*\)\s*\.?$|\s+for (?:that|a|each|the) \w+(?: \w+)?\s*\.?$", re.IGNORECASE)


def apply_glossary(catalog: Catalog, entries: Sequence[GlossaryEntry]) -> tuple[Catalog, list[str]]:
    """The catalog with the glossary in it, and one note for every entry that could only be kept as text."""
    draft = Draft(catalog)
    waiting: list[GlossaryEntry] = []
    for entry in entries:
        if entry.term.strip().lower() == "note":
            if not read_note(draft, entry.definition):
                draft.add_term("note", entry.definition, source=entry.source)
        elif not (_rows(draft, entry)):
            waiting.append(entry)
    waiting = [e for e in waiting if not _column(draft, e)]
    while waiting:
        left = [e for e in waiting if not _formula(draft, e)]
        if len(left) == len(waiting):
            break
        waiting = left
    for entry in waiting:
        _keep_as_text(draft, entry)
    return draft.catalog(), draft.notes


def _keep_as_text(draft: Draft, entry: GlossaryEntry) -> None:
    """nlq reads such a definition as words in the place of the term."""
    left = _EQUALS.match(entry.definition)
    synonyms = [left["left"].strip()] if left and not re.search(r"[()/*+]", left["left"]) else []
    draft.add_term(entry.term, entry.definition, synonyms=synonyms, source=entry.source)
    draft.notes.append(
        f"Glossary term {entry.term!r} is kept as text: its definition names no formula over known fields ({entry.definition[:80]!r})."
    )


def _rows(draft: Draft, entry: GlossaryEntry) -> bool:
    """ "one for each KEY of: TABLE or SELECT": an entity; with a condition, a derived dataset of its own."""
    match = _ROWS.match(entry.definition.strip())
    if not match:
        return False
    table = _TABLE.match(match["source"].strip())
    term = _spoken(entry.term)
    if table:
        dataset = draft.table(table["table"])
        return dataset is not None and _name_entity(draft, entry, dataset, match["key"], term)
    shape = read_select(draft, match["source"])
    if shape is None:
        return False
    anchor = draft.datasets[shape.anchor]
    if shape.where is None:
        return _name_entity(draft, entry, anchor, match["key"], term)
    if any(ref != anchor.name for ref in _datasets_of(shape)):
        segment = Segment(
            name=draft.free_segment(entry.term), label=plural(term), dataset=anchor.name, where=shape.where, description=entry.definition
        )
        draft.add_segment(segment)
        draft.add_term(entry.term, entry.definition, means=f"segment:{segment.name}", source=entry.source)
        return True
    dataset = _derived(draft, entry.term, anchor, shape, match["key"])
    draft.add_term(entry.term, entry.definition, means=f"entity:{_entity_for(draft, dataset, match['key'], term)}", source=entry.source)
    return True


def _spoken(term: str) -> str:
    return " ".join(split(term))


def _datasets_of(shape: SelectShape) -> set[str]:
    return set(re.findall(r'"dataset":"([^"]+)"', shape.where.model_dump_json())) if shape.where else set()


def _name_entity(draft: Draft, entry: GlossaryEntry, dataset: Dataset, key: str, term: str) -> bool:
    field = draft.column(dataset, key.rpartition(".")[2])
    if field is None:
        return False
    known = next((e for e in draft.entities.values() if e.dataset == dataset.name), None)
    if known is None:
        name = _entity_for(draft, dataset, key, term)
    else:
        name = known.name
        if key_of(term) != key_of(known.label):
            draft.add_entity_synonyms(name, [term, plural(term)])
    draft.add_term(entry.term, entry.definition, means=f"entity:{name}", source=entry.source)
    return True


def _entity_for(draft: Draft, dataset: Dataset, key: str, term: str) -> str:
    field = draft.column(dataset, key.rpartition(".")[2])
    base = "_".join(split(term))
    name, number = base, 2
    while name in draft.entities:
        name, number = f"{base}_{number}", number + 1
    draft.entities[name] = Entity(
        name=name, dataset=dataset.name, key=(field.name,) if field else dataset.primary_key, label=term, plural=plural(term)
    )
    return name


def _derived(draft: Draft, term: str, base: Dataset, shape: SelectShape, key: str) -> Dataset:
    """A dataset over the same table, narrowed by the condition, with the base's relationships; its key is called after it."""
    name = draft.free_dataset("_".join(split(term)) if draft.table(term) is None else f"{term}_rows")
    label = _spoken(term)
    where = _moved(shape, base.name, name)
    fields = tuple(
        _called_after(f, base, label) if f.column and f.column.lower() == key.rpartition(".")[2].lower() else f for f in base.fields
    )
    made = base.changed(name=name, label=label, synonyms=(plural(label),), filter=where, fields=fields, row_count=None)
    draft.datasets[name] = made
    for old in [r for r in draft.relationships if r.from_dataset == base.name]:
        draft.relationships.append(old.model_copy(update={"name": _relationship_name(draft, name, old.to_dataset), "from_dataset": name}))
    field = draft.column(made, key.rpartition(".")[2])
    if field:
        draft.add_metric(
            SimpleMetric(
                name=draft.metric_name(f"{'_'.join(split(term))}_count"),
                label=f"number of {plural(label)}",
                synonyms=(f"{label} count", f"count of {plural(label)}"),
                dataset=name,
                aggregate=AggregateKind.COUNT_DISTINCT,
                of=FieldRef(dataset=name, field=field.name),
                source=SOURCE,
            )
        )
    return made


def _relationship_name(draft: Draft, source: str, target: str) -> str:
    taken = {r.name for r in draft.relationships}
    base = f"{source}_{target}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def _called_after(field: CatalogField, base: Dataset, label: str) -> CatalogField:
    return field.model_copy(update={"label": f"{label} id", "synonyms": (f"{label} identifier", label, *field.synonyms, field.label)})


def _moved(shape: SelectShape, old: str, new: str) -> object:
    """The condition with its fields on the derived dataset."""
    if shape.where is None:
        return None
    text = shape.where.model_dump_json().replace(f'"dataset":"{old}"', f'"dataset":"{new}"')
    return type(shape.where).model_validate_json(text)


@dataclass(frozen=True, slots=True)
class _Column:
    dataset: Dataset
    field: CatalogField
    anchor: Dataset


def _column(draft: Draft, entry: GlossaryEntry) -> bool:
    """ "column C of: TABLE or SELECT": another name for a field, a measure of a subtype, or a computed field."""
    match = _COLUMN.match(entry.definition.strip())
    if not match:
        return False
    found = _find_column(draft, entry, match["column"].rpartition(".")[2], match["source"].strip())
    if found is None:
        return False
    term = _spoken(entry.term)
    if found.anchor.name != found.dataset.name and found.field.role == FieldRole.MEASURE:
        means = _subtype_measure(draft, entry, found, term)
    else:
        draft.add_field_synonyms(found.dataset.name, found.field.name, [term])
        means = f"field:{found.dataset.name}.{found.field.name}"
    draft.add_term(entry.term, entry.definition, synonyms=[] if entry.term == term else [term], means=means, source=entry.source)
    return True


def _find_column(draft: Draft, entry: GlossaryEntry, column: str, source: str) -> _Column | None:
    table = _TABLE.match(source)
    if table:
        dataset = draft.table(table["table"])
        field = draft.column(dataset, column) if dataset else None
        return _Column(dataset, field, dataset) if dataset and field else None
    shape = read_select(draft, source)
    if shape is None:
        return None
    value = shape.columns.get(column.lower())
    if value is None:
        return None
    anchor = draft.datasets[shape.anchor]
    if shape.where is not None:
        twin = next((d for d in draft.datasets.values() if d.filter is not None and d.filter == _moved(shape, shape.base, d.name)), None)
        if twin is None:
            return None
        field = draft.column(twin, column)
        return _Column(twin, field, twin) if field else None
    if isinstance(value, FieldRef):
        home = draft.datasets[value.dataset]
        return _Column(home, home.field(value.field), anchor)
    return _Column(draft.datasets[shape.base], _computed(draft, entry, shape, column, value), anchor)


def _computed(draft: Draft, entry: GlossaryEntry, shape: SelectShape, column: str, value: Expr) -> CatalogField:
    home = draft.datasets[shape.base]
    inputs = [home.field(n) for n in re.findall(r'"field":"([^"]+)"', value.model_dump_json()) if home.has_field(n)]
    model = next((f for f in inputs if f.role == FieldRole.MEASURE), inputs[0] if inputs else home.fields[0])
    field = CatalogField(
        name=column.lower(),
        expression=value,
        type=model.type,
        nullable=True,
        role=model.role,
        label=_spoken(entry.term),
        synonyms=(" ".join(split(column)),),
        description=entry.definition,
        aggregate=model.aggregate,
        additive=model.additive,
        unit=model.unit,
        format=model.format,
    )
    draft.replace_field(home.name, field)
    return field


def _subtype_measure(draft: Draft, entry: GlossaryEntry, found: _Column, term: str) -> str:
    aggregate = found.field.aggregate or AggregateKind.SUM
    made = SimpleMetric(
        name=draft.metric_name(f"total {term}" if aggregate == AggregateKind.SUM else term),
        label=f"total {term}" if aggregate == AggregateKind.SUM else term,
        synonyms=(term,),
        description=entry.definition,
        dataset=found.anchor.name,
        aggregate=aggregate,
        of=FieldRef(dataset=found.dataset.name, field=found.field.name),
        unit=found.field.unit,
        format=found.field.format,
        time_field=FieldRef(dataset=found.dataset.name, field=found.dataset.time) if found.dataset.time and not found.anchor.time else None,
        source=SOURCE,
    )
    same = draft.same_metric(made)
    if same is not None:
        draft.add_metric_synonyms(same.name, [term, f"total {term}"])
        return f"metric:{same.name}"
    draft.add_metric(made)
    return f"metric:{made.name}"


def _formula(draft: Draft, entry: GlossaryEntry) -> bool:
    """A formula or SQL aggregate, with or without "name =" before it; or words that mean a metric already."""
    text = _ASIDE.sub("", _ASIDE.sub("", entry.definition.strip()))
    labels = [entry.term.strip()]
    while True:
        equals = _EQUALS.match(text)
        if not equals or re.search(r"[()/*]|\bwhere\b|\bwhose\b", equals["left"], re.IGNORECASE):
            break
        labels.append(equals["left"].strip())
        text = equals["right"].strip()
    label = labels[-1] if len(labels) > 1 and _is_acronym(labels[0]) else labels[0]
    metric = (
        metric_of(draft, label, text, entry.definition) if len(labels) > 1 or _is_formula(text) else find_metric(draft, text.rstrip("."))
    )
    if metric is None:
        return False
    if isinstance(metric, SimpleMetric) and metric.where is not None and not metric.description:
        metric = draft.add_metric(metric.changed(label=labels[-1].lower(), description=entry.definition))
    draft.add_metric_synonyms(metric.name, [*labels, *(x.lower() for x in labels if x != x.lower() and not _is_acronym(x))])
    draft.add_term(entry.term, entry.definition, synonyms=labels[1:], means=f"metric:{metric.name}", source=entry.source)
    return True


def _is_acronym(text: str) -> bool:
    return len(text) <= 8 and " " not in text and sum(1 for c in text if c.isupper()) >= 2


def _is_formula(text: str) -> bool:
    return re.search(r"\bdivided by\b|\bminus\b|\bplus\b|\btimes\b|\bmultiplied\b|[/*+]| - |\(|\bsum of\b", text, re.IGNORECASE) is not None
