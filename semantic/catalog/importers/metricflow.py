"""dbt semantic models and MetricFlow metrics (YAML): entities, dimensions, measures; simple, ratio, derived and cumulative metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from core.errors import Invalid
from core.timeseries import Grain
from semantic.catalog.importers.imported import ImportedCatalog, aggregation, sql_condition, sql_expression
from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.glossary.draft import Draft
from semantic.catalog.infer.words import plural, split
from semantic.catalog.model import (
    Catalog,
    CatalogField,
    CumulativeMetric,
    Dataset,
    DerivedMetric,
    Entity,
    FieldRole,
    FieldType,
    Metric,
    RatioMetric,
    Relationship,
    SimpleMetric,
)
from semantic.expr import And, FieldRef, Predicate
from semantic.query import AggregateKind

SOURCE = "dbt"
_REF = re.compile(r"ref\(\s*['\"](?:[^'\"]+['\"]\s*,\s*['\"])?([^'\"]+)['\"]\s*\)")
_DIMENSION = re.compile(r"\{\{\s*(?:Dimension|TimeDimension)\(\s*['\"](?:\w+__)*(\w+)['\"][^)]*\)(?:\.\w+\([^)]*\))?\s*\}\}")
_GRAINS = {g.value: g for g in Grain}


def import_metricflow(base: Catalog, documents: Mapping[str, str]) -> ImportedCatalog:
    """`documents`: file name -> YAML text. Tables are found in `base` by the model's name (what inference read from ClickHouse).

    Raises: Invalid naming the file that is not YAML.
    """
    draft = Draft(base)
    lost: list[str] = []
    models: list[tuple[str, Mapping[str, Any]]] = []
    metrics: list[tuple[str, Mapping[str, Any]]] = []
    for name, text in documents.items():
        try:
            for document in yaml.safe_load_all(text):
                if isinstance(document, Mapping):
                    models += [(name, m) for m in document.get("semantic_models") or () if isinstance(m, Mapping)]
                    metrics += [(name, m) for m in document.get("metrics") or () if isinstance(m, Mapping)]
        except yaml.YAMLError as error:
            raise Invalid(f"{name}: not valid YAML: {str(error).splitlines()[0]}.", code="bad_yaml", path=name) from error
    measures: dict[str, Metric] = {}
    primaries: dict[str, tuple[str, str]] = {}
    foreigns: list[tuple[str, str, str, str]] = []
    for file, model in models:
        dataset = _dataset_of(draft, model)
        if dataset is None:
            lost.append(f"{file}: semantic model {model.get('name')!r}: no table {_table_name(model)!r} in the schema.")
            continue
        _entities(draft, dataset, model, primaries, foreigns, file, lost)
        _dimensions(draft, dataset, model, file, lost)
        _measures(draft, dataset, model, measures, file, lost)
    for dataset_name, field, entity, file in foreigns:
        _join(draft, dataset_name, field, entity, primaries, file, lost)
    _metrics(draft, metrics, measures, lost)
    return ImportedCatalog(draft.catalog(), tuple(lost))


def _table_name(model: Mapping[str, Any]) -> str:
    text = str(model.get("model") or model.get("name") or "")
    match = _REF.search(text)
    return match[1] if match else text


def _dataset_of(draft: Draft, model: Mapping[str, Any]) -> Dataset | None:
    dataset = draft.table(_table_name(model)) or draft.table(str(model.get("name") or ""))
    if dataset is None:
        return None
    changes: dict[str, Any] = {}
    if model.get("description"):
        changes["description"] = str(model["description"]).strip()
    if model.get("label"):
        changes["label"] = str(model["label"])
    default = (model.get("defaults") or {}).get("agg_time_dimension")
    for dimension in model.get("dimensions") or ():
        if dimension.get("name") == default:
            field = draft.column(dataset, str(dimension.get("expr") or dimension["name"]))
            if field is not None and field.role == FieldRole.TIME:
                changes["time"] = field.name
    if changes:
        draft.replace_dataset(dataset.changed(**changes))
    return draft.datasets[dataset.name]


def _entities(
    draft: Draft,
    dataset: Dataset,
    model: Mapping[str, Any],
    primaries: dict[str, tuple[str, str]],
    foreigns: list[tuple[str, str, str, str]],
    file: str,
    lost: list[str],
) -> None:
    for entity in model.get("entities") or ():
        name, kind = str(entity.get("name") or ""), str(entity.get("type") or "")
        field = draft.column(dataset, str(entity.get("expr") or name))
        if field is None:
            lost.append(f"{file}: {model.get('name')}: entity {name!r} is an expression ({entity.get('expr')!r}); only columns join.")
            continue
        if kind in ("primary", "unique", "natural"):
            primaries.setdefault(name, (dataset.name, field.name))
            known = next((e for e in draft.entities.values() if e.dataset == dataset.name), None)
            label = " ".join(split(name))
            if known is None:
                draft.entities[safe_name(name)] = Entity(
                    name=safe_name(name), dataset=dataset.name, key=(field.name,), label=label, plural=plural(label)
                )
            else:
                draft.add_entity_synonyms(known.name, [label])
        else:
            foreigns.append((dataset.name, field.name, name, file))


def _join(
    draft: Draft, dataset: str, field: str, entity: str, primaries: Mapping[str, tuple[str, str]], file: str, lost: list[str]
) -> None:
    target = primaries.get(entity)
    if target is None:
        lost.append(f"{file}: {dataset}.{field}: no model has the entity {entity!r} as its primary one.")
        return
    if target[0] == dataset or any(
        r.from_dataset == dataset and r.from_fields == (field,) and r.to_dataset == target[0] for r in draft.relationships
    ):
        return
    taken = {r.name for r in draft.relationships}
    base = safe_name(f"{dataset}_{entity}")
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    draft.relationships.append(
        Relationship(name=name, from_dataset=dataset, from_fields=(field,), to_dataset=target[0], to_fields=(target[1],), source="declared")
    )


def _dimensions(draft: Draft, dataset: Dataset, model: Mapping[str, Any], file: str, lost: list[str]) -> None:
    for dimension in model.get("dimensions") or ():
        name = str(dimension.get("name") or "")
        label = str(dimension.get("label") or " ".join(split(name)))
        expr = str(dimension.get("expr") or name)
        field = draft.column(draft.datasets[dataset.name], expr)
        if field is not None:
            draft.add_field_synonyms(dataset.name, field.name, [label, " ".join(split(name))])
            continue
        value = sql_expression(draft, draft.datasets[dataset.name], expr)
        if value is None:
            lost.append(f"{file}: {model.get('name')}: dimension {name!r} is SQL that the catalog cannot hold ({expr[:80]!r}).")
            continue
        draft.replace_field(
            dataset.name,
            CatalogField(
                name=safe_name(name),
                expression=value,
                type=FieldType.STRING,
                nullable=True,
                role=FieldRole.TIME if dimension.get("type") == "time" else FieldRole.CATEGORY,
                label=label,
                description=str(dimension.get("description") or ""),
            ),
        )


def _measures(draft: Draft, dataset: Dataset, model: Mapping[str, Any], measures: dict[str, Metric], file: str, lost: list[str]) -> None:
    for measure in model.get("measures") or ():
        name = str(measure.get("name") or "")
        kind = aggregation(str(measure.get("agg") or ""))
        expr = str(measure.get("expr") or name)
        counts_rows = kind == AggregateKind.COUNT and expr in ("1", "*")
        of = None if counts_rows else sql_expression(draft, draft.datasets[dataset.name], expr)
        if kind is None or (of is None and not counts_rows):
            why = f"aggregation {measure.get('agg')!r}" if kind is None else f"expression {expr[:80]!r}"
            lost.append(f"{file}: {model.get('name')}: measure {name!r} was left out: {why} cannot be carried.")
            continue
        if kind == AggregateKind.SUM and expr == "1":
            kind, of = AggregateKind.COUNT, None
        if measure.get("non_additive_dimension"):
            lost.append(
                f"{file}: {model.get('name')}: measure {name!r}: its non-additive dimension is kept, its window choice and groupings are not."
            )
        params = measure.get("agg_params") or {}
        metric = SimpleMetric(
            name=draft.metric_name(name),
            label=str(measure.get("label") or " ".join(split(name))),
            description=str(measure.get("description") or "").strip(),
            dataset=dataset.name,
            aggregate=kind,
            of=of,
            quantile=float(params.get("percentile", 0.5)) if kind == AggregateKind.QUANTILE else None,
            non_additive=_non_additive(draft, dataset, model, measure),
            time_field=_time(draft, dataset, model, measure.get("agg_time_dimension")),
            hidden=not measure.get("create_metric", False),
            source=SOURCE,
        )
        measures[name] = draft.add_metric(metric)


def _non_additive(draft: Draft, dataset: Dataset, model: Mapping[str, Any], measure: Mapping[str, Any]) -> tuple[FieldRef, ...]:
    named = (measure.get("non_additive_dimension") or {}).get("name")
    field = _time(draft, dataset, model, named)
    return (field,) if field else ()


def _time(draft: Draft, dataset: Dataset, model: Mapping[str, Any], name: object) -> FieldRef | None:
    for dimension in model.get("dimensions") or ():
        if name and dimension.get("name") == name:
            field = draft.column(dataset, str(dimension.get("expr") or name))
            return FieldRef(dataset=dataset.name, field=field.name) if field else None
    return None


def _metrics(draft: Draft, entries: Sequence[tuple[str, Mapping[str, Any]]], measures: Mapping[str, Metric], lost: list[str]) -> None:
    made: dict[str, str] = {}
    waiting = list(entries)
    while waiting:
        left = []
        for file, entry in waiting:
            metric, why = _metric(draft, entry, measures, made)
            if metric is None:
                left.append((file, entry, why))
                continue
            made[str(entry.get("name"))] = metric.name
        if len(left) == len(waiting):
            for file, entry, why in left:
                lost.append(f"{file}: metric {entry.get('name')!r} was left out: {why}.")
            return
        waiting = [(f, e) for f, e, _ in left]


def _metric(draft: Draft, entry: Mapping[str, Any], measures: Mapping[str, Metric], made: Mapping[str, str]) -> tuple[Metric | None, str]:
    kind, params = str(entry.get("type") or "simple"), entry.get("type_params") or {}
    name = str(entry.get("name") or "")
    common: dict[str, Any] = {
        "label": str(entry.get("label") or " ".join(split(name))),
        "description": str(entry.get("description") or "").strip(),
        "synonyms": tuple({" ".join(split(name))} - {str(entry.get("label") or " ".join(split(name)))}),
        "source": SOURCE,
    }
    if kind in ("simple", "cumulative"):
        measure = _input_name(params.get("measure"))
        base = measures.get(measure)
        if not isinstance(base, SimpleMetric):
            return None, f"measure {measure!r} was not carried"
        where, why = _filters(draft, draft.datasets[base.dataset], [entry.get("filter"), _filter_of(params.get("measure"))])
        if why:
            return None, why
        if kind == "simple":
            free = name if name not in draft.metrics or draft.metrics[name] is base else draft.metric_name(name)
            return draft.add_metric(base.changed(**common, name=safe_name(free), where=where, hidden=False)), ""
        window = (params.get("cumulative_type_params") or {}).get("window") or params.get("window")
        to_date = (params.get("cumulative_type_params") or {}).get("grain_to_date") or params.get("grain_to_date")
        count, unit = _window(window)
        inner = base if where is None else draft.add_metric(base.changed(name=draft.metric_name(f"{name}_base"), where=where))
        return draft.add_metric(
            CumulativeMetric(
                **common, name=draft.metric_name(name), metric=inner.name, window_count=count, window_unit=unit, grain_to_date=_GRAINS.get(str(to_date))
            )
        ), ""  # fmt: skip
    if kind == "ratio":
        top, bottom = (made.get(_input_name(params.get(k))) for k in ("numerator", "denominator"))
        if any(_filter_of(params.get(k)) for k in ("numerator", "denominator")) or entry.get("filter"):
            return None, "filters inside a ratio cannot be carried; filter the metrics it is made of"
        if top is None or bottom is None:
            return None, "its numerator or denominator was not carried"
        return draft.add_metric(RatioMetric(**common, name=draft.metric_name(name), numerator=top, denominator=bottom)), ""
    if kind == "derived":
        return _derived(draft, entry, params, name, common, made)
    return None, f"type {kind!r} has no counterpart"


def _derived(
    draft: Draft, entry: Mapping[str, Any], params: Mapping[str, Any], name: str, common: Mapping[str, Any], made: Mapping[str, str]
) -> tuple[Metric | None, str]:
    text = str(params.get("expr") or "")
    for item in params.get("metrics") or ():
        known = made.get(_input_name(item))
        if known is None:
            return None, f"metric {_input_name(item)!r} was not carried"
        if isinstance(item, Mapping) and (item.get("offset_window") or item.get("offset_to_grain") or item.get("filter")):
            return None, "offsets and filters inside a derived metric cannot be carried; ask with a comparison instead"
        alias = str(item.get("alias") or item.get("name")) if isinstance(item, Mapping) else str(item)
        text = re.sub(rf"\b{re.escape(alias)}\b", known, text)
    if not re.fullmatch(r"[\w\s.+\-*/()]+", text) or re.search(r"\w\s*\(", text) or entry.get("filter"):
        return None, f"expression {text[:80]!r} is more than arithmetic over metrics"
    return draft.add_metric(DerivedMetric(**common, name=draft.metric_name(name), expression=text)), ""


def _input_name(value: object) -> str:
    return str(value.get("name") or "") if isinstance(value, Mapping) else str(value or "")


def _filter_of(value: object) -> object:
    return value.get("filter") if isinstance(value, Mapping) else None


def _filters(draft: Draft, dataset: Dataset, texts: Sequence[object]) -> tuple[Predicate | None, str]:
    found: list[Predicate] = []
    for text in texts:
        for part in text if isinstance(text, list) else [text] if text else []:
            plain = _DIMENSION.sub(r"\1", str(part)).strip()
            condition = sql_condition(draft, dataset, plain) if "{{" not in plain else None
            if condition is None:
                return None, f"filter {plain[:80]!r} is not over columns of {dataset.table}"
            found.append(condition)
    return (None if not found else found[0] if len(found) == 1 else And(items=tuple(found))), ""


def _window(text: object) -> tuple[int | None, Grain | None]:
    match = re.fullmatch(r"\s*(\d+)\s+(\w+?)s?\s*", str(text or ""))
    unit = _GRAINS.get(match[2].lower()) if match else None
    return (int(match[1]), unit) if match and unit else (None, None)
