"""Open Semantic Interchange models (YAML or JSON): datasets with fields, relationships, and metrics as SQL over `dataset.field`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlglot
import yaml
from sqlglot import exp
from sqlglot.errors import SqlglotError

from core.errors import Invalid
from semantic.catalog.importers.imported import ImportedCatalog, sql_expression
from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.glossary.draft import Draft
from semantic.catalog.infer.glossary.sqlexpr import to_expr, to_predicate
from semantic.catalog.infer.words import split
from semantic.catalog.model import (
    Catalog,
    CatalogField,
    DerivedMetric,
    FieldRole,
    FieldType,
    Metric,
    RatioMetric,
    Relationship,
    SimpleMetric,
)
from semantic.expr import FieldRef
from semantic.query import AggregateKind

SOURCE = "osi"
_DIALECTS = ("ANSI_SQL", "OSSIE_SQL_2026", "SNOWFLAKE", "DATABRICKS", "BIGQUERY")  # the others are not SQL
_AGGREGATES: dict[type[exp.Expr], AggregateKind] = {
    exp.Sum: AggregateKind.SUM, exp.Avg: AggregateKind.AVG, exp.Min: AggregateKind.MIN, exp.Max: AggregateKind.MAX,
    exp.Median: AggregateKind.MEDIAN, exp.Stddev: AggregateKind.STDDEV, exp.Count: AggregateKind.COUNT,
}  # fmt: skip
_OPERATORS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}


def import_osi(base: Catalog, documents: Mapping[str, str]) -> ImportedCatalog:
    """`documents`: file name -> text. Datasets are matched to tables of `base` (what inference read) by their source's last part.

    Raises: Invalid naming the file that is not YAML, or holds no model.
    """
    draft = Draft(base)
    lost: list[str] = []
    names: dict[str, str] = {}
    for file, text in documents.items():
        models = _models(file, text)
        for model in models:
            for entry in _list(model, "datasets"):
                _dataset(draft, entry, names, file, lost)
        for model in models:
            for entry in _list(model, "relationships"):
                _relationship(draft, entry, names, file, lost)
            for entry in _list(model, "metrics"):
                _metric(draft, entry, names, file, lost)
    return ImportedCatalog(draft.catalog(), tuple(lost))


def _models(file: str, text: str) -> Sequence[Mapping[str, Any]]:
    """The models of a document: a list under `semantic_model`, or one at the top (as later drafts have it)."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Invalid(f"{file}: not valid YAML: {str(error).splitlines()[0]}.", code="bad_yaml", path=file) from error
    found = document.get("semantic_model", document) if isinstance(document, Mapping) else None
    models = [m for m in (found if isinstance(found, list) else [found]) if isinstance(m, Mapping) and isinstance(m.get("datasets"), list)]
    if not models:
        raise Invalid(f"{file}: expected a semantic model with datasets (Open Semantic Interchange).", code="bad_osi", path=file)
    return models


def _dataset(draft: Draft, entry: Mapping[str, Any], names: dict[str, str], file: str, lost: list[str]) -> None:
    name, source = str(entry.get("name") or ""), str(entry.get("source") or "")
    dataset = draft.table(source.rpartition(".")[2]) or draft.table(name)
    if dataset is None:
        lost.append(f"{file}: dataset {name!r}: no table {source!r} in the schema.")
        return
    names[name.lower()] = dataset.name
    said = {"description": str(entry["description"]).strip()} if entry.get("description") else {}
    words = [w for w in _synonyms(entry) if w.lower() not in {s.lower() for s in (*dataset.synonyms, dataset.label)}]
    draft.replace_dataset(dataset.changed(**said, synonyms=(*dataset.synonyms, *words)))
    for item in _list(entry, "fields"):
        _field(draft, dataset.name, item, file, lost)


def _field(draft: Draft, dataset: str, item: Mapping[str, Any], file: str, lost: list[str]) -> None:
    name, text = str(item.get("name") or ""), _sql(item)
    words = [*([str(item["label"])] if item.get("label") else []), *_synonyms(item), " ".join(split(name))]
    known = draft.column(draft.datasets[dataset], text.rpartition(".")[2])
    if known is not None:
        draft.add_field_synonyms(dataset, known.name, words)
        return
    value = sql_expression(draft, draft.datasets[dataset], text) if text else None
    if value is None:
        lost.append(f"{file}: {dataset}.{name}: its expression {text[:80]!r} is not one that the catalog can hold.")
        return
    is_time = bool((item.get("dimension") or {}).get("is_time"))
    made = CatalogField(
        name=safe_name(name), expression=value, type=FieldType.DATE if is_time else FieldType.STRING, nullable=True,
        role=FieldRole.TIME if is_time else FieldRole.CATEGORY, label=words[0], description=str(item.get("description") or ""),
        synonyms=tuple(dict.fromkeys(w for w in words[1:] if w != words[0])),
    )  # fmt: skip
    draft.replace_field(dataset, made)


def _relationship(draft: Draft, entry: Mapping[str, Any], names: Mapping[str, str], file: str, lost: list[str]) -> None:
    ends = []
    for side in ("from", "to"):
        dataset = draft.datasets.get(names.get(str(entry.get(side)).lower(), ""))
        fields = [draft.column(dataset, str(c)) for c in entry.get(f"{side}_columns") or ()] if dataset is not None else []
        if dataset is None or not fields or any(f is None for f in fields):
            lost.append(f"{file}: relationship {entry.get('name')!r}: its {side} side is not in the schema.")
            return
        ends.append((dataset.name, tuple(f.name for f in fields if f is not None)))
    (here, mine), (there, theirs) = ends
    if any((r.from_dataset, r.from_fields, r.to_dataset) == (here, mine, there) for r in draft.relationships):
        return
    name, number, taken = safe_name(str(entry.get("name") or f"{here}_{there}")), 2, {r.name for r in draft.relationships}
    while name in taken:
        name, number = f"{name}_{number}", number + 1
    draft.relationships.append(
        Relationship(name=name, from_dataset=here, from_fields=mine, to_dataset=there, to_fields=theirs, source="declared")
    )


def _metric(draft: Draft, entry: Mapping[str, Any], names: Mapping[str, str], file: str, lost: list[str]) -> None:
    name, text = str(entry.get("name") or ""), _sql(entry)
    try:
        tree = sqlglot.parse_one(text) if text else None
    except SqlglotError:
        tree = None
    words = list(dict.fromkeys([*_synonyms(entry), " ".join(split(name))]))
    reader = _MetricReader(draft, names, name)
    made = reader.read(tree) if tree is not None else None
    if made is None:
        lost.append(f"{file}: metric {name!r} was left out: {text[:100]!r} is not arithmetic over aggregates of known columns.")
        return
    final = made.changed(
        label=words[0], synonyms=tuple(words[1:]), description=str(entry.get("description") or "").strip(), source=SOURCE, hidden=False
    )
    for part in reader.parts:
        draft.add_metric(part)
    same = draft.same_metric(final)
    draft.add_metric(final if same is None else final.changed(name=same.name))


class _MetricReader:
    """One metric's expression. `parts`: the hidden metrics that a ratio or a formula is made of."""

    def __init__(self, draft: Draft, names: Mapping[str, str], name: str) -> None:
        self._draft, self._names, self._name = draft, names, safe_name(name.lower())
        self.parts: list[SimpleMetric] = []

    def read(self, tree: exp.Expr) -> Metric | None:
        tree = tree.unnest()
        simple = self._aggregate(tree, self._draft.metric_name(self._name))
        if simple is not None:
            return simple
        common: dict[str, Any] = {"name": self._draft.metric_name(self._name), "label": self._name}
        if isinstance(tree, exp.Div):
            top, bottom = self._part(tree.this.unnest()), self._part(tree.expression.unnest())
            if top is not None and bottom is not None:
                return RatioMetric(**common, numerator=top, denominator=bottom)
        self.parts.clear()
        text = self._formula(tree)
        return DerivedMetric(**common, expression=text) if text is not None and self.parts else None

    def _formula(self, node: exp.Expr) -> str | None:
        node = node.unnest()
        if isinstance(node, exp.Literal) and not node.is_string:
            return str(node.this)
        for kind, operator in _OPERATORS.items():
            if type(node) is kind:
                left, right = self._formula(node.this), self._formula(node.args["expression"])
                return f"({left} {operator} {right})" if left is not None and right is not None else None
        return self._part(node)

    def _part(self, node: exp.Expr) -> str | None:
        made = self._aggregate(node, f"{self._name}_part_{len(self.parts) + 1}")
        if made is None:
            return None
        same = self._draft.same_metric(made) or next((p for p in self.parts if p.changed(name=made.name, label=made.label) == made), None)
        if same is None:
            self.parts.append(made)
        else:
            self.parts.extend([same] if isinstance(same, SimpleMetric) and same not in self.parts else [])
        return (same or made).name

    def _aggregate(self, node: exp.Expr, name: str) -> SimpleMetric | None:
        kind = _AGGREGATES.get(type(node))
        if kind is None:
            return None
        value = node.this
        if isinstance(value, exp.Distinct) and len(value.expressions) == 1:
            kind, value = AggregateKind.COUNT_DISTINCT, value.expressions[0]
        where = None
        if isinstance(value, exp.Case) and value.this is None and len(value.args["ifs"]) == 1 and value.args.get("default") is None:
            branch = value.args["ifs"][0]
            where, value = branch.this, branch.args["true"]
        of = to_expr(value, self._resolve)
        datasets = {self._names.get(c.table.lower()) for c in node.find_all(exp.Column)}
        dataset = next(iter(datasets), None)
        if of is None or len(datasets) != 1 or dataset is None:
            return None
        condition = to_predicate(where, self._resolve) if where is not None else None
        if where is not None and condition is None:
            return None
        if kind == AggregateKind.COUNT and isinstance(of, FieldRef) and self._draft.datasets[dataset].primary_key == (of.field,):
            of = None  # a count of a key that is always there is a count of rows
        return SimpleMetric(name=name, label=name, dataset=dataset, aggregate=kind, of=of, where=condition, hidden=True, source=SOURCE)

    def _resolve(self, table: str, column: str) -> FieldRef | None:
        dataset = self._draft.datasets.get(self._names.get(table.lower(), ""))
        field = self._draft.column(dataset, column) if dataset is not None else None
        return FieldRef(dataset=dataset.name, field=field.name) if dataset is not None and field is not None else None


def _sql(entry: Mapping[str, Any]) -> str:
    """The expression in the first dialect that is SQL; a bare text and a bare list of dialects are read as well."""
    given = entry.get("expression")
    if isinstance(given, str):
        return given.strip()
    listed = given.get("dialects") if isinstance(given, Mapping) else given
    by_dialect = {str(d.get("dialect")): str(d.get("expression") or "") for d in listed or () if isinstance(d, Mapping)}
    return next((by_dialect[name].strip() for name in _DIALECTS if by_dialect.get(name)), "")


def _synonyms(entry: Mapping[str, Any]) -> list[str]:
    given = entry.get("ai_context")
    listed = given.get("synonyms") if isinstance(given, Mapping) else []
    return [str(word).strip() for word in listed or () if str(word).strip()]


def _list(entry: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    return [item for item in entry.get(part) or () if isinstance(item, Mapping)]
