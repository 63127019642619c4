"""Whether a catalog makes sense: references, keys, cycles, duplicate names, rules that would not hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import process

from semantic.catalog.model import Catalog, Dataset, DerivedMetric, FieldRole, SimpleMetric
from semantic.catalog.references import parts, references
from semantic.query import AggregateKind

_EXPRESSION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|[-+*/()\s]")


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding; errors keep a catalog from being published, warnings do not."""

    severity: Literal["error", "warning"]
    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} {self.remedy}"


def validate(catalog: Catalog) -> tuple[Issue, ...]:
    """All findings, errors first; empty for a sound catalog."""
    found = [*_duplicates(catalog), *_datasets(catalog), *_relationships(catalog), *_objects(catalog), *_metrics(catalog), *_rules(catalog)]
    return tuple(sorted(found, key=lambda issue: issue.severity == "warning"))


def _duplicates(catalog: Catalog) -> Iterator[Issue]:
    groups: dict[str, Iterable[str]] = {
        "datasets": [d.name for d in catalog.datasets],
        "metrics": [m.name for m in catalog.metrics],
        "entities": [e.name for e in catalog.entities],
        "relationships": [r.name for r in catalog.relationships],
        "segments": [s.name for s in catalog.segments],
        **{f"datasets/{d.name}/fields": [f.name for f in d.fields] for d in catalog.datasets},
    }
    for path, names in groups.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield Issue("error", f"/{path}/{name}", f"The name {name!r} stands {count} times.", "Give each its own.")
    said: dict[str, str] = {}
    for metric in catalog.metrics:
        for word in (metric.label, *metric.synonyms):
            other = said.setdefault(word.lower(), metric.name)
            if other != metric.name:
                yield Issue(
                    "warning",
                    f"/metrics/{metric.name}",
                    f"{word!r} also means {other!r}.",
                    "Questions with it will be asked back; drop one.",
                )


def _datasets(catalog: Catalog) -> Iterator[Issue]:
    for dataset in catalog.datasets:
        path = f"/datasets/{dataset.name}"
        for name in (*dataset.primary_key, *([dataset.time] if dataset.time else [])):
            if not dataset.has_field(name):
                yield _unknown(path, "field", name, (f.name for f in dataset.fields))
        if dataset.time and dataset.has_field(dataset.time) and dataset.field(dataset.time).role is not FieldRole.TIME:
            yield Issue(
                "warning",
                f"{path}/time",
                f"{dataset.time!r} has the role {dataset.field(dataset.time).role}.",
                "A time field has the role time.",
            )
        for field in dataset.fields:
            if field.column is not None and field.expression is not None:
                yield Issue("error", f"{path}/fields/{field.name}", "Both `column` and `expression` are given.", "Keep one.")
            if field.expression is not None:
                yield from _fields_known(catalog, f"{path}/fields/{field.name}", field.expression)
            if field.role in {FieldRole.KEY, FieldRole.NAME} and field.aggregate is AggregateKind.SUM:
                yield Issue(
                    "warning", f"{path}/fields/{field.name}", "A key or name is summed by default.", "Use count_distinct or nothing."
                )
        yield from _fields_known(catalog, f"{path}/filter", dataset.filter)


def _relationships(catalog: Catalog) -> Iterator[Issue]:
    for r in catalog.relationships:
        path = f"/relationships/{r.name}"
        if len(r.from_fields) != len(r.to_fields) or not r.from_fields:
            yield Issue("error", path, f"{len(r.from_fields)} fields point to {len(r.to_fields)}.", "Name as many on both sides.")
        for name, fields in ((r.from_dataset, r.from_fields), (r.to_dataset, r.to_fields)):
            dataset = _find(catalog, name)
            if dataset is None:
                yield _unknown(path, "dataset", name, (d.name for d in catalog.datasets))
                continue
            for field in fields:
                if not dataset.has_field(field):
                    yield _unknown(path, "field", f"{name}.{field}", (f"{name}.{f.name}" for f in dataset.fields))
        target = _find(catalog, r.to_dataset)
        if target is not None and r.cardinality != "many_to_many" and target.primary_key and set(target.primary_key) != set(r.to_fields):
            yield Issue(
                "warning", path, f"It points to {', '.join(r.to_fields)}, but the key of {r.to_dataset} is {', '.join(target.primary_key)}.",
                "Rows double if the target is not unique there; check the cardinality.",
            )  # fmt: skip


def _objects(catalog: Catalog) -> Iterator[Issue]:
    for entity in catalog.entities:
        dataset = _find(catalog, entity.dataset)
        if dataset is None:
            yield _unknown(f"/entities/{entity.name}", "dataset", entity.dataset, (d.name for d in catalog.datasets))
            continue
        for name in (*entity.key, *entity.display):
            if not dataset.has_field(name):
                yield _unknown(f"/entities/{entity.name}", "field", name, (f.name for f in dataset.fields))
    for segment in catalog.segments:
        yield from _dataset_known(catalog, f"/segments/{segment.name}", segment.dataset)
        yield from _fields_known(catalog, f"/segments/{segment.name}", segment.where)
    for hierarchy in catalog.hierarchies:
        yield from _fields_known(catalog, f"/hierarchies/{hierarchy.name}", hierarchy.levels)
    for index, verified in enumerate(catalog.verified):
        path = f"/verified/{index}"
        yield from _fields_known(catalog, path, verified.query)
        for metric in references(verified.query).metrics - {m.name for m in catalog.metrics}:
            yield _unknown(path, "metric", metric, (m.name for m in catalog.metrics))


def _metrics(catalog: Catalog) -> Iterator[Issue]:
    names = {m.name for m in catalog.metrics}
    graph = {m.name: set(parts(m)) for m in catalog.metrics}
    for metric in catalog.metrics:
        path = f"/metrics/{metric.name}"
        for part in graph[metric.name] - names:
            yield _unknown(path, "metric", part, names)
        if isinstance(metric, SimpleMetric):
            yield from _dataset_known(catalog, path, metric.dataset)
            yield from _fields_known(catalog, path, metric)
            if metric.of is None and metric.aggregate is not AggregateKind.COUNT:
                yield Issue("error", path, f"{metric.aggregate} needs `of`.", "Say which field or expression.")
            if metric.aggregate is AggregateKind.QUANTILE and metric.quantile is None:
                yield Issue("error", path, "A quantile needs `quantile` between 0 and 1.", "Add it.")
        if isinstance(metric, DerivedMetric) and "".join(_EXPRESSION.findall(metric.expression)) != metric.expression:
            yield Issue(
                "error",
                f"{path}/expression",
                f"{metric.expression!r} is not arithmetic over metric names.",
                "Use names, numbers, + - * / and ( ).",
            )
        if _cyclic(metric.name, graph):
            yield Issue("error", path, "It is defined by itself, directly or over others.", "Break the circle.")


def _rules(catalog: Catalog) -> Iterator[Issue]:
    for policy in catalog.row_policies:
        path = f"/row_policies/{policy.name}"
        dataset = _find(catalog, policy.dataset)
        if dataset is None:
            yield _unknown(path, "dataset", policy.dataset, (d.name for d in catalog.datasets))
            continue
        if (policy.where is None) == (policy.field is None) or (policy.field is None) != (policy.attribute is None):
            yield Issue("error", path, "Give either `where`, or `field` with `attribute`.", "One of the two forms.")
        elif policy.field is not None and not dataset.has_field(policy.field):
            yield _unknown(path, "field", policy.field, (f.name for f in dataset.fields))
        yield from _fields_known(catalog, path, policy.where)
    for index, rule in enumerate(catalog.column_rules):
        dataset = _find(catalog, rule.dataset)
        if dataset is None or not dataset.has_field(rule.field):
            yield Issue(
                "error",
                f"/column_rules/{index}",
                f"There is no field {rule.dataset}.{rule.field}.",
                "A rule on nothing protects nothing; correct it.",
            )

    for index, one in enumerate(catalog.clearances):
        if one.role in {c.role for c in catalog.clearances[:index]}:
            yield Issue("error", f"/clearances/{index}", f"The role {one.role!r} has a clearance already.", "Keep one of them.")


def _fields_known(catalog: Catalog, path: str, part: object) -> Iterator[Issue]:
    found = references(part)
    for dataset_name, field in sorted(found.fields):
        dataset = _find(catalog, dataset_name)
        if dataset is None:
            yield _unknown(path, "dataset", dataset_name, (d.name for d in catalog.datasets))
        elif not dataset.has_field(field):
            yield _unknown(path, "field", f"{dataset_name}.{field}", (f"{dataset_name}.{f.name}" for f in dataset.fields))
    for name in sorted(found.datasets):
        yield from _dataset_known(catalog, path, name)
    for via in sorted(found.via - {r.name for r in catalog.relationships}):
        yield _unknown(path, "relationship", via, (r.name for r in catalog.relationships))


def _dataset_known(catalog: Catalog, path: str, name: str) -> Iterator[Issue]:
    if _find(catalog, name) is None:
        yield _unknown(path, "dataset", name, (d.name for d in catalog.datasets))


def _unknown(path: str, what: str, name: str, known: Iterable[str]) -> Issue:
    near = [match for match, score, _ in process.extract(name, list(known), limit=3) if score > 55]
    return Issue("error", path, f"There is no {what} {name!r}.", f"Did you mean {' or '.join(near)}?" if near else "Correct or remove it.")


def _find(catalog: Catalog, name: str) -> Dataset | None:
    return next((d for d in catalog.datasets if d.name == name), None)


def _cyclic(start: str, graph: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    stack = list(graph.get(start, ()))
    while stack:
        name = stack.pop()
        if name == start:
            return True
        if name not in seen:
            seen.add(name)
            stack.extend(graph.get(name, ()))
    return False
