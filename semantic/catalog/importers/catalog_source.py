"""A flat semantic model as JSON: metrics, calculations (MDX arithmetic), attributes, relationships, datasets by SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import Invalid
from semantic.catalog.importers.imported import ImportedCatalog, aggregation, sql_expression
from semantic.catalog.infer.calendar_dates import with_calendar_dates
from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.glossary.draft import Draft, key_of
from semantic.catalog.infer.glossary.formula import Node, Number, Operation, Phrase, parse_formula, phrases_of
from semantic.catalog.infer.glossary.selects import read_select
from semantic.catalog.infer.words import plural, split
from semantic.catalog.model import Catalog, CatalogField, Dataset, DerivedMetric, FieldRole, Metric, RatioMetric, Relationship, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind

SOURCE = "imported"
_MEASURE = re.compile(r"\[Measures\]\.\[([^\]]+)\]", re.IGNORECASE)
_WRAPPED = re.compile(
    r"^\s*(?:iif\s*\(\s*isempty\s*\([^()]*\)\s*,\s*(?:null|0)\s*,\s*(?P<then>.+)\)|coalesce(?:empty)?\s*\((?P<first>[^,]+),\s*0\s*\))\s*$",
    re.IGNORECASE | re.DOTALL,
)
_PARTS = ("metrics", "calculations", "attributes", "relationships", "datasets_by_sql")


def import_catalog_source(base: Catalog, raw: Mapping[str, Any]) -> ImportedCatalog:
    """The model on top of `base` (usually what inference found), by physical table names.

    Metrics replace inferred ones of the same meaning by name and label; a calculation is carried where it is arithmetic over metrics.
    Raises: Invalid when the document does not have the expected shape.
    """
    for part in _PARTS:
        if not isinstance(raw.get(part) or [], list):
            raise Invalid(f"/{part}: expected a list; found {type(raw[part]).__name__}.", code="bad_catalog_source", path=f"/{part}")
    draft = Draft(base)
    lost: list[str] = []
    for i, entry in enumerate(_entries(raw, "datasets_by_sql")):
        _dataset_by_sql(draft, entry, i, lost)
    by_name: dict[str, str] = {}
    for i, entry in enumerate(_entries(raw, "metrics")):
        metric = _metric(draft, entry, i, lost)
        if metric is not None:
            for said in (entry.get("name"), entry.get("label")):
                if said:
                    by_name[str(said).lower()] = metric.name
    _calculations(draft, _entries(raw, "calculations"), by_name, lost)
    homes = _attributes(draft, _entries(raw, "attributes"), lost)
    for i, entry in enumerate(_entries(raw, "relationships")):
        _relationship(draft, entry, i, homes, lost)
    return ImportedCatalog(with_calendar_dates(draft.catalog()), tuple(lost))


def _entries(raw: Mapping[str, Any], part: str) -> Sequence[Mapping[str, Any]]:
    entries = raw.get(part) or []
    for i, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise Invalid(f"/{part}/{i}: expected an object; found {type(entry).__name__}.", code="bad_catalog_source", path=f"/{part}/{i}")
    return list(entries)


def _dataset_by_sql(draft: Draft, entry: Mapping[str, Any], i: int, lost: list[str]) -> None:
    """A SELECT that only narrows one table becomes a filtered dataset; one that computes or joins cannot be carried."""
    name, sql = str(entry.get("name") or ""), str(entry.get("sql") or "")
    shape = read_select(draft, sql)
    if shape is None or shape.anchor != shape.base:
        lost.append(
            f"/datasets_by_sql/{i}: {name!r} is not a plain selection from one table; make it a view in ClickHouse and infer again."
        )
        return
    base = draft.datasets[shape.base]
    label = " ".join(split(name))
    free = draft.free_dataset(name)
    where = shape.where.model_dump_json().replace(f'"dataset":"{base.name}"', f'"dataset":"{free}"') if shape.where else None
    filtered = type(shape.where).model_validate_json(where) if shape.where and where else None
    draft.datasets[free] = base.changed(name=free, label=label, synonyms=(plural(label),), filter=filtered, row_count=None)
    for old in [r for r in draft.relationships if r.from_dataset == base.name]:
        draft.relationships.append(old.changed(name=_free_relationship(draft, f"{free}_{old.to_dataset}"), from_dataset=free))


def _metric(draft: Draft, entry: Mapping[str, Any], i: int, lost: list[str]) -> Metric | None:
    name, label = str(entry.get("name") or entry.get("label") or ""), str(entry.get("label") or entry.get("name") or "")
    dataset = draft.table(str(entry.get("dataset") or ""))
    kind = aggregation(str(entry.get("aggregation") or "sum"))
    if dataset is None or kind is None:
        why = (
            f"dataset {entry.get('dataset')!r} is not in the schema"
            if dataset is None
            else f"aggregation {entry.get('aggregation')!r} is not known"
        )
        lost.append(f"/metrics/{i}: {name!r} was left out: {why}.")
        return None
    text = str(entry.get("expression") or "").strip()
    of = sql_expression(draft, dataset, text) if text and text != "*" else None
    if of is None and (text not in ("", "*") or kind != AggregateKind.COUNT):
        lost.append(f"/metrics/{i}: {name!r} was left out: its expression {text[:80]!r} is not over known columns of {dataset.table}.")
        return None
    field = dataset.field(of.field) if isinstance(of, FieldRef) else None
    if field is not None and kind == AggregateKind.COUNT_DISTINCT and field.role == FieldRole.MEASURE:
        field = field.changed(role=FieldRole.KEY, aggregate=None, additive=False)  # numbers of tickets: counted, never added up
        draft.replace_field(dataset.name, field)
    spoken = _spoken(label)
    made = SimpleMetric(
        name=safe_name(name) if safe_name(name) not in draft.metrics else draft.metric_name(name),
        label=spoken,
        description=str(entry.get("description") or ""),
        synonyms=tuple(dict.fromkeys(x for x in (spoken.lower(), " ".join(split(name))) if x != spoken)),
        dataset=dataset.name,
        aggregate=kind,
        of=of,
        unit=field.unit if field else None,
        format=field.format if field else None,
        source=SOURCE,
    )
    same = draft.same_metric(made)
    if same is not None:
        named = same.changed(
            label=made.label, description=made.description or same.description, source=SOURCE,
            synonyms=tuple(dict.fromkeys((*made.synonyms, *(s for s in (same.label, *same.synonyms) if s != made.label)))),
        )  # fmt: skip
        return draft.add_metric(named)
    return draft.add_metric(made)


def _calculations(draft: Draft, entries: Sequence[Mapping[str, Any]], by_name: dict[str, str], lost: list[str]) -> None:
    """Repeated until nothing more resolves: calculations may be made of calculations."""
    waiting = list(enumerate(entries))
    while waiting:
        left = []
        for i, entry in waiting:
            metric = _calculation(draft, entry, by_name)
            if metric is None:
                left.append((i, entry))
                continue
            for said in (entry.get("name"), entry.get("label")):
                if said:
                    by_name[str(said).lower()] = metric.name
        if len(left) == len(waiting):
            break
        waiting = left
    for i, entry in waiting:
        shown = str(entry.get("expression") or "")[:100]
        lost.append(f"/calculations/{i}: {entry.get('name')!r} was left out: {shown!r} is not arithmetic over metrics that were carried.")


def _calculation(draft: Draft, entry: Mapping[str, Any], by_name: Mapping[str, str]) -> Metric | None:
    text = str(entry.get("expression") or "").strip()
    wrapped = _WRAPPED.match(text)
    if wrapped:
        text = wrapped["then"] or wrapped["first"]
    names: dict[str, str] = {}

    def leaf(match: re.Match[str]) -> str:
        token = f"measure{len(names)}"
        names[token] = match[1]
        return f" {token} "

    plain = _MEASURE.sub(leaf, text)
    if not names or re.search(r"\[|\w+\s*\(|[<>=]", plain):
        return None
    try:
        tree = parse_formula(plain.replace("-", " - "))
    except Invalid:
        return None
    known: dict[str, str] = {}
    for phrase in phrases_of(tree):
        found = by_name.get(names.get(phrase, "").lower())
        if found is None:
            return None
        known[phrase] = found
    label = str(entry.get("label") or entry.get("name") or "")
    common = {
        "name": draft.metric_name(str(entry.get("name") or label)),
        "label": label,
        "description": str(entry.get("description") or ""),
        "synonyms": tuple(x for x in (label.lower(), " ".join(split(str(entry.get("name") or "")))) if x and x != label),
        "source": SOURCE,
    }
    if isinstance(tree, Operation) and tree.op == "/" and isinstance(tree.left, Phrase) and isinstance(tree.right, Phrase):
        return draft.add_metric(
            RatioMetric.model_validate({**common, "numerator": known[tree.left.text], "denominator": known[tree.right.text]})
        )
    return draft.add_metric(DerivedMetric.model_validate({**common, "expression": _written(tree, known)}))


def _written(tree: Node, known: Mapping[str, str]) -> str:
    if isinstance(tree, Phrase):
        return known[tree.text]
    if isinstance(tree, Number):
        return f"{tree.value:g}"
    return f"({_written(tree.left, known)} {tree.op} {_written(tree.right, known)})"


def _attributes(draft: Draft, entries: Sequence[Mapping[str, Any]], lost: list[str]) -> dict[str, list[tuple[str, str, str]]]:
    """Labels and synonyms for fields. Gives, per dimension, its (level name, dataset, key field)."""
    homes: dict[str, list[tuple[str, str, str]]] = {}
    for i, entry in enumerate(entries):
        name, label = str(entry.get("name") or ""), str(entry.get("label") or entry.get("name") or "")
        dataset = draft.table(str(entry.get("dataset") or ""))
        column = str(entry.get("expression") or entry.get("key") or "")
        field = draft.column(dataset, column) if dataset else None
        if dataset is None or field is None:
            made = _computed(draft, dataset, name, label, column) if dataset is not None else None
            if made is None or dataset is None:
                lost.append(f"/attributes/{i}: {name!r} was left out: {column[:80]!r} is not a column of {entry.get('dataset')!r}.")
                continue
            field = made
        spoken = _spoken(label)
        dimension = " ".join(split(str(entry.get("dimension") or "")))
        together = f"{dimension} {spoken}" if dimension and not set(key_of(dimension)) & set(key_of(spoken)) else ""
        draft.add_field_synonyms(dataset.name, field.name, [x for x in (spoken, spoken.lower(), together.lower()) if x])
        key = draft.column(dataset, str(entry.get("key") or column)) or field
        _show_with_key(draft, dataset, key, field)
        homes.setdefault(dimension.lower(), []).append((name.lower(), dataset.name, key.name))
    return homes


def _show_with_key(draft: Draft, dataset: Dataset, key: CatalogField, shown: CatalogField) -> None:
    """What a model shows for the key of a table is shown where the things of the table are."""
    entity = next((e for e in draft.entities.values() if e.dataset == dataset.name and e.key == (key.name,)), None)
    if entity is not None and shown.name != key.name and shown.name not in entity.display:
        draft.entities[entity.name] = entity.changed(display=(*entity.display, shown.name))


def _computed(draft: Draft, dataset: Dataset, name: str, label: str, text: str) -> CatalogField | None:
    value = sql_expression(draft, dataset, text)
    if value is None:
        return None
    inputs = re.findall(r'"field":"([^"]+)"', value.model_dump_json())
    model = next((dataset.field(n) for n in inputs if dataset.has_field(n)), None)
    if model is None:
        return None
    field = CatalogField(
        name=safe_name(name), expression=value, type=model.type, nullable=True, role=FieldRole.CATEGORY if model.role == FieldRole.CATEGORY else model.role, label=label
    )  # fmt: skip
    draft.replace_field(dataset.name, field)
    return field


def _relationship(draft: Draft, entry: Mapping[str, Any], i: int, homes: Mapping[str, list[tuple[str, str, str]]], lost: list[str]) -> None:
    source = draft.table(str(entry.get("dataset") or ""))
    columns = [str(c) for c in entry.get("columns") or ()]
    dimension, level = " ".join(split(str(entry.get("dimension") or ""))).lower(), str(entry.get("level") or "").lower()
    places = homes.get(dimension, [])
    target = next(((d, k) for name, d, k in places if name == level), None)
    fields = [draft.column(source, c) for c in columns] if source else []
    if source is None or not fields or any(f is None for f in fields):
        lost.append(f"/relationships/{i}: {entry.get('dataset')}.{', '.join(columns)} is not in the schema.")
        return
    names = tuple(f.name for f in fields if f is not None)
    role = _role(entry.get("role"))
    known = [k for k, r in enumerate(draft.relationships) if r.from_dataset == source.name and r.from_fields == names]
    if known:
        at = next((k for k in known if target and draft.relationships[k].to_dataset == target[0]), known[0])
        old = draft.relationships[at]
        spoken = f"{role} {draft.datasets[old.to_dataset].label}" if role else ""
        draft.relationships[at] = old.changed(
            role=role or old.role, synonyms=tuple(dict.fromkeys((*old.synonyms, *([spoken] if spoken else []))))
        )
        return
    if target is None:
        lost.append(f"/relationships/{i}: no attribute tells which table holds level {entry.get('level')!r} of {entry.get('dimension')!r}.")
        return
    if target[0] == source.name or len(names) != 1:
        return
    home = draft.datasets[target[0]]
    spoken = f"{role} {home.label}" if role else ""
    draft.relationships.append(
        Relationship(
            name=_free_relationship(draft, "_".join(x for x in (source.name, safe_name(role) if role else "", home.name) if x)),
            from_dataset=source.name,
            from_fields=names,
            to_dataset=home.name,
            to_fields=(target[1],),
            cardinality="many_to_one" if home.primary_key == (target[1],) else "many_to_many",
            role=role,
            synonyms=(spoken,) if spoken else (),
            source="declared",
        )
    )


def _spoken(label: str) -> str:
    """An identifier as words; a label as it is."""
    return " ".join(split(label)) if re.search(r"_|[a-z][A-Z]", label) and " " not in label.strip() else label


def _role(pattern: object) -> str | None:
    """ "Sold {0}" is the role "sold"."""
    text = re.sub(r"\{0\}", "", str(pattern or "")).strip(" -_").lower()
    return text or None


def _free_relationship(draft: Draft, wanted: str) -> str:
    taken = {r.name for r in draft.relationships}
    base = safe_name(wanted)
    name, number = base, 2
    while name in taken:
        name, number = f"{base[:120]}_{number}", number + 1
    return name
