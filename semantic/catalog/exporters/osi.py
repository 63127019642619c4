"""A catalog as an Open Semantic Interchange model (core metadata specification 1.0), in YAML.

Source: the specification's text; expressions are given in its dialect ANSI_SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlglot
import yaml
from sqlglot import exp

from semantic.catalog.exporters.sql import aggregate_sql, condition_sql, expression_sql
from semantic.catalog.model import Catalog, Dataset, DerivedMetric, FieldRole, Metric, RatioMetric, SimpleMetric
from semantic.query import AggregateKind

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class ExportedCatalog:
    """text: YAML. not_carried: one sentence for everything that the form cannot hold."""

    text: str
    not_carried: tuple[str, ...]


def export_osi(catalog: Catalog) -> ExportedCatalog:
    """The whole catalog but what belongs to Querent alone: rights, calendar, glossary and verified questions are listed as not carried."""
    lost: list[str] = []
    model: dict[str, Any] = {"name": catalog.name, **_said(catalog.description)}
    model["datasets"] = [_dataset(dataset, lost) for dataset in catalog.datasets if not dataset.hidden]
    shown = {dataset["name"] for dataset in model["datasets"]}
    model["relationships"] = [
        {
            "name": r.name, "from": r.from_dataset, "to": r.to_dataset,
            "from_columns": _columns(catalog.dataset(r.from_dataset), r.from_fields),
            "to_columns": _columns(catalog.dataset(r.to_dataset), r.to_fields), **_synonyms(r.synonyms),
        }
        for r in catalog.relationships if {r.from_dataset, r.to_dataset} <= shown
    ]  # fmt: skip
    model["metrics"] = [made for metric in catalog.metrics if not metric.hidden and (made := _metric(catalog, metric, lost)) is not None]
    for part in ("hierarchies", "segments", "glossary", "verified", "row_policies", "column_rules"):
        count = len(getattr(catalog, part))
        if count:
            lost.append(f"/{part}: {count} are Querent's own and have no place in the form.")
    text = yaml.safe_dump({"semantic_model": [model]}, sort_keys=False, allow_unicode=True, width=120)
    return ExportedCatalog(text, tuple(lost))


def _dataset(dataset: Dataset, lost: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": dataset.name, "source": f"{dataset.database}.{dataset.table}"}
    if dataset.primary_key:
        made["primary_key"] = _columns(dataset, dataset.primary_key)
    if dataset.filter is not None:
        lost.append(f"/datasets/{dataset.name}: its filter is not carried.")
    made |= _said(dataset.description) | _synonyms((dataset.label, *dataset.synonyms))
    made["fields"] = []
    for field in dataset.fields:
        if field.hidden or field.pii:
            lost.append(f"/datasets/{dataset.name}/{field.name}: hidden or personal fields stay here.")
            continue
        computed = expression_sql(field.expression) if field.expression is not None else exp.column(field.column or field.name)
        if computed is None:
            lost.append(f"/datasets/{dataset.name}/{field.name}: its expression has no standard SQL.")
            continue
        entry = {"name": field.name, "expression": _dialects(computed)}
        if field.role == FieldRole.TIME:
            entry["dimension"] = {"is_time": True}
        elif field.role not in (FieldRole.MEASURE, FieldRole.KEY):
            entry["dimension"] = {"is_time": False}
        made["fields"].append(entry | {"label": field.label} | _said(field.description) | _synonyms(field.synonyms))
    return made


def _metric(catalog: Catalog, metric: Metric, lost: list[str]) -> dict[str, Any] | None:
    found = _metric_sql(catalog, metric)
    if found is None:
        lost.append(f"/metrics/{metric.name}: a {metric.type} metric of this kind has no standard SQL.")
        return None
    return {"name": metric.name, "expression": _dialects(found)} | _said(metric.description) | _synonyms((metric.label, *metric.synonyms))


def _metric_sql(catalog: Catalog, metric: Metric) -> exp.Expr | None:
    match metric:
        case SimpleMetric():
            return _simple(catalog, metric)
        case RatioMetric():
            top, bottom = (_metric_sql(catalog, catalog.metric(name)) for name in (metric.numerator, metric.denominator))
            if top is None or bottom is None:
                return None
            ratio = exp.Div(this=exp.paren(top), expression=exp.paren(bottom))
            return ratio if metric.scale == 1 else exp.Mul(this=ratio, expression=exp.Literal.number(f"{metric.scale:g}"))
        case DerivedMetric():
            names = set(_NAME.findall(metric.expression))
            parts = {name: part for name in names if (part := _metric_sql(catalog, catalog.metric(name))) is not None}
            tree = sqlglot.parse_one(metric.expression)
            if len(parts) < len(names):
                return None
            return tree.transform(lambda node: exp.paren(parts[node.name]) if isinstance(node, exp.Column) else node)
    return None


def _simple(catalog: Catalog, metric: SimpleMetric) -> exp.Expr | None:
    dataset = catalog.dataset(metric.dataset)
    where = condition_sql(metric.where) if metric.where is not None else None
    if metric.where is not None and where is None:
        return None
    if metric.of is not None:
        value = expression_sql(metric.of)
    elif metric.aggregate == AggregateKind.COUNT and len(dataset.primary_key) == 1:
        value = exp.column(dataset.primary_key[0], table=dataset.name)  # the form has no "rows of a dataset"
    else:
        return None
    return aggregate_sql(metric.aggregate, value, where) if value is not None else None


def _columns(dataset: Dataset, fields: tuple[str, ...]) -> list[str]:
    return [dataset.field(name).column or name for name in fields]


def _dialects(value: exp.Expr) -> dict[str, Any]:
    return {"dialects": [{"dialect": "ANSI_SQL", "expression": value.sql()}]}


def _said(description: str) -> dict[str, str]:
    return {"description": description} if description else {}


def _synonyms(words: tuple[str, ...]) -> dict[str, Any]:
    return {"ai_context": {"synonyms": list(dict.fromkeys(words))}} if words else {}
