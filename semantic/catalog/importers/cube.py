"""Cube data models (YAML): cubes with joins, dimensions, measures, segments and hierarchies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from core.errors import Invalid
from semantic.catalog.importers.imported import ImportedCatalog, aggregation, sql_condition, sql_expression
from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.glossary.draft import Draft
from semantic.catalog.infer.words import split
from semantic.catalog.model import (
    Catalog,
    CatalogField,
    Dataset,
    DerivedMetric,
    FieldRole,
    FieldType,
    Metric,
    Relationship,
    Segment,
    SimpleMetric,
)
from semantic.expr import And, Predicate
from semantic.query import AggregateKind

SOURCE = "cube"
_OWN = re.compile(r"\{(?:CUBE|TABLE)\}\.?")
_JOIN = re.compile(r"^\s*\{?(\w+)\}?\.\{?(\w+)\}?\s*=\s*\{?(\w+)\}?\.\{?(\w+)\}?\s*$")
_MEMBER = re.compile(r"\{(?:\w+\.)?(\w+)\}")
_TYPES = {"string": FieldType.STRING, "number": FieldType.FLOAT, "boolean": FieldType.BOOLEAN, "time": FieldType.DATETIME}


def import_cube(base: Catalog, documents: Mapping[str, str]) -> ImportedCatalog:
    """`documents`: file name -> YAML text. Cubes are matched to tables of `base` by `sql_table`.

    Raises: Invalid naming the file that is not YAML.
    """
    draft = Draft(base)
    lost: list[str] = []
    cubes: list[tuple[str, Mapping[str, Any]]] = []
    for name, text in documents.items():
        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise Invalid(f"{name}: not valid YAML: {str(error).splitlines()[0]}.", code="bad_yaml", path=name) from error
        if isinstance(document, Mapping):
            cubes += [(name, c) for c in document.get("cubes") or () if isinstance(c, Mapping)]
            lost += [
                f"{name}: view {v.get('name')!r}: views are not carried; their members are reachable over joins."
                for v in document.get("views") or ()
            ]
    homes: dict[str, str] = {}
    for file, cube in cubes:
        table = str(cube.get("sql_table") or "").rpartition(".")[2]
        dataset = draft.table(table) if table else None
        if dataset is None:
            why = "it is defined by SQL; make it a view and infer again" if cube.get("sql") else f"no table {table!r} in the schema"
            lost.append(f"{file}: cube {cube.get('name')!r} was left out: {why}.")
            continue
        homes[str(cube.get("name"))] = dataset.name
        _members(draft, dataset, cube, file, lost)
    for file, cube in cubes:
        if str(cube.get("name")) in homes:
            _joins(draft, cube, homes, file, lost)
    return ImportedCatalog(draft.catalog(), tuple(lost))


def _members(draft: Draft, dataset: Dataset, cube: Mapping[str, Any], file: str, lost: list[str]) -> None:
    title = str(cube.get("title") or "")
    changes: dict[str, Any] = {}
    if cube.get("description"):
        changes["description"] = str(cube["description"])
    if title and title.lower() != dataset.label:
        changes["synonyms"] = (*dataset.synonyms, title.lower())
    if changes:
        draft.replace_dataset(dataset.changed(**changes))
    for dimension in _listed(cube, "dimensions"):
        _dimension(draft, dataset, dimension, file, lost)
    made: dict[str, Metric] = {}
    for measure in sorted(_listed(cube, "measures"), key=lambda m: m.get("type") == "number"):
        metric, why = _measure(draft, dataset, measure, made)
        if metric is None:
            lost.append(f"{file}: cube {cube.get('name')!r}: measure {measure.get('name')!r} was left out: {why}.")
        else:
            made[str(measure.get("name"))] = metric
    for segment in _listed(cube, "segments"):
        where = sql_condition(draft, draft.datasets[dataset.name], _plain(segment.get("sql")))
        if where is None:
            lost.append(f"{file}: cube {cube.get('name')!r}: segment {segment.get('name')!r} is not a condition on its own columns.")
            continue
        name = str(segment.get("name"))
        draft.add_segment(
            Segment(
                name=draft.free_segment(name), label=str(segment.get("title") or " ".join(split(name))), dataset=dataset.name, where=where
            )
        )
    for part in ("pre_aggregations", "hierarchies", "access_policy"):
        if cube.get(part):
            lost.append(f"{file}: cube {cube.get('name')!r}: {part} are not carried.")


def _dimension(draft: Draft, dataset: Dataset, dimension: Mapping[str, Any], file: str, lost: list[str]) -> None:
    name = str(dimension.get("name") or "")
    label = str(dimension.get("title") or " ".join(split(name)))
    text = _plain(dimension.get("sql") or name)
    field = draft.column(draft.datasets[dataset.name], text)
    if field is not None:
        draft.add_field_synonyms(dataset.name, field.name, [label, " ".join(split(name))])
        return
    value = sql_expression(draft, draft.datasets[dataset.name], text)
    if value is None:
        lost.append(f"{file}: dimension {name!r} is SQL that the catalog cannot hold ({text[:80]!r}).")
        return
    kind = str(dimension.get("type") or "string")
    role = FieldRole.TIME if kind == "time" else FieldRole.FLAG if kind == "boolean" else FieldRole.CATEGORY
    made = CatalogField(
        name=safe_name(name), expression=value, type=_TYPES.get(kind, FieldType.STRING), nullable=True, role=role, label=label
    )
    draft.replace_field(dataset.name, made)


def _measure(draft: Draft, dataset: Dataset, measure: Mapping[str, Any], made: Mapping[str, Metric]) -> tuple[Metric | None, str]:
    name, kind_text = str(measure.get("name") or ""), str(measure.get("type") or "")
    common: dict[str, Any] = {
        "label": str(measure.get("title") or " ".join(split(name))),
        "description": str(measure.get("description") or ""),
        "source": SOURCE,
        "hidden": measure.get("public") is False or measure.get("shown") is False,
        "format": {"percent": "percent", "currency": None}.get(str(measure.get("format") or "")),
    }
    if kind_text == "number":
        text = str(measure.get("sql") or "")
        parts = _MEMBER.findall(text)
        arithmetic = _MEMBER.sub(lambda m: made[m[1]].name if m[1] in made else "\0", re.sub(r"\b1\.0\s*\*", "", text))
        if not parts or "\0" in arithmetic or not re.fullmatch(r"[\w\s.+\-*/()]+", arithmetic) or re.search(r"\w\s*\(", arithmetic):
            return None, f"{text[:80]!r} is more than arithmetic over its measures"
        return draft.add_metric(DerivedMetric(**common, name=draft.metric_name(name), expression=arithmetic.strip())), ""
    kind = aggregation(kind_text)
    if kind is None:
        return None, f"type {kind_text!r} has no counterpart"
    text = _plain(measure.get("sql") or "")
    of = sql_expression(draft, draft.datasets[dataset.name], text) if text else None
    if of is None and (text or kind != AggregateKind.COUNT):
        return None, f"{text[:80]!r} is not over its own columns"
    where, why = _filters(draft, dataset, measure.get("filters") or ())
    if why:
        return None, why
    if measure.get("rolling_window"):
        return None, "a rolling window has no counterpart here; ask for a running total or a moving average"
    return draft.add_metric(
        SimpleMetric(**common, name=draft.metric_name(name), dataset=dataset.name, aggregate=kind, of=of, where=where)
    ), ""


def _filters(draft: Draft, dataset: Dataset, filters: Sequence[Mapping[str, Any]]) -> tuple[Predicate | None, str]:
    found: list[Predicate] = []
    for item in filters:
        condition = sql_condition(draft, draft.datasets[dataset.name], _plain(item.get("sql")))
        if condition is None:
            return None, f"filter {item.get('sql')!r} is not a condition on its own columns"
        found.append(condition)
    return (None if not found else found[0] if len(found) == 1 else And(items=tuple(found))), ""


def _joins(draft: Draft, cube: Mapping[str, Any], homes: Mapping[str, str], file: str, lost: list[str]) -> None:
    own = str(cube.get("name"))
    for join in _listed(cube, "joins"):
        text = str(join.get("sql") or "").replace("{CUBE}", own).replace("{TABLE}", own)
        match = _JOIN.match(text)
        kind = {"belongsTo": "many_to_one", "hasMany": "one_to_many", "hasOne": "one_to_one"}.get(
            str(join.get("relationship")), str(join.get("relationship"))
        )
        if match is None or match[1] not in homes or match[3] not in homes:
            lost.append(f"{file}: cube {own!r}: join to {join.get('name')!r} is not an equality of two columns of carried cubes.")
            continue
        left, right = (match[1], match[2]), (match[3], match[4])
        if left[0] != own:
            left, right = right, left
        if kind == "one_to_many":
            left, right, kind = right, left, "many_to_one"
        _relate(draft, homes[left[0]], left[1], homes[right[0]], right[1], kind)


def _relate(draft: Draft, source: str, column: str, target: str, ref: str, kind: str) -> None:
    field, key = draft.column(draft.datasets[source], column), draft.column(draft.datasets[target], ref)
    if field is None or key is None:
        return
    if any(r.from_dataset == source and r.from_fields == (field.name,) and r.to_dataset == target for r in draft.relationships):
        return
    taken = {r.name for r in draft.relationships}
    base = safe_name(f"{source}_{target}")
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    draft.relationships.append(
        Relationship.model_validate(
            {
                "name": name,
                "from_dataset": source,
                "from_fields": (field.name,),
                "to_dataset": target,
                "to_fields": (key.name,),
                "cardinality": kind if kind in ("many_to_one", "one_to_one") else "many_to_many",
                "source": "declared",
            }
        )
    )


def _plain(text: object) -> str:
    """Cube's own references as bare columns."""
    return re.sub(r"\{(\w+)\}", r"\1", _OWN.sub("", str(text or ""))).strip()


def _listed(cube: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    """Cube allows a list of named objects, or a mapping by name."""
    raw = cube.get(part) or []
    if isinstance(raw, Mapping):
        return [{"name": k, **v} for k, v in raw.items() if isinstance(v, Mapping)]
    return [x for x in raw if isinstance(x, Mapping)]
