"""What a word means here, and what can be asked, from the catalog alone."""

from __future__ import annotations

from nlq.linking import Link, Linker
from nlq.text import fold, keys_of
from semantic.catalog.model import Catalog, CumulativeMetric, DerivedMetric, FieldRole, Metric, RatioMetric, SimpleMetric

_SURE = 0.85


def definition_of(subject: str, catalog: Catalog, linker: Linker, kind: str | None = None) -> str | None:
    """The definition of a term, metric, field or thing of the catalog, of a `kind` first; None when nothing is called that."""
    wanted = fold(subject).strip()
    for term in catalog.glossary if kind is None else ():
        if wanted in (fold(term.term), *(fold(s) for s in term.synonyms)):
            return f"{term.term}: {term.definition}"
    links = called(subject, linker)
    link = next((k for k in links if k.target.kind == kind), links[0] if links else None)
    if link is None:
        return None
    target = link.target
    if target.kind == "metric":
        return _metric(catalog.metric(target.name))
    if target.kind == "dataset":
        dataset = catalog.dataset(target.dataset or "")
        names = ", ".join(f.label for f in dataset.fields if not f.hidden and f.role is not FieldRole.KEY)
        return f"{dataset.label}: {dataset.description or 'one row each'}. It has {names}."
    if target.kind == "field":
        dataset = catalog.dataset(target.dataset or "")
        field = dataset.field(target.field or "")
        values = f" Its values are {', '.join(field.values[:8])}." if field.values and not field.pii else ""
        return f"{field.label} of {dataset.label}: {field.description or field.role.value}.{values}"
    if target.kind == "segment":
        segment = next(s for s in catalog.segments if s.name == target.name)
        return f"{segment.label}: {segment.description or 'a named condition on ' + segment.dataset}."
    return None


def called(subject: str, linker: Linker) -> list[Link]:
    """What of the catalog is called so, surest first."""
    keys = keys_of(subject)
    return [k for k in linker.objects(keys) if k.score >= _SURE] if keys else []


def _metric(metric: Metric) -> str:
    formula = ""
    if isinstance(metric, RatioMetric):
        formula = f"{metric.numerator} / {metric.denominator}"
    elif isinstance(metric, DerivedMetric):
        formula = metric.expression
    elif isinstance(metric, SimpleMetric):
        formula = f"{metric.aggregate.value} over {metric.dataset}"
    elif isinstance(metric, CumulativeMetric):
        formula = f"{metric.metric}, accumulated"
    unit = f", in {metric.unit}" if metric.unit else ""
    return f"{metric.label}: {metric.description or 'no description'} ({formula.replace('_', ' ')}{unit})"


def overview(catalog: Catalog) -> str:
    """What the catalog holds, in a few lines."""
    metrics = [m.label for m in sorted((m for m in catalog.metrics if not m.hidden), key=lambda m: not m.certified)]
    dimensions = list(
        dict.fromkeys(f.label for d in catalog.datasets if not d.hidden for f in d.fields if f.role is FieldRole.CATEGORY and not f.hidden)
    )
    entities = [e.plural or e.label for e in catalog.entities]
    lines = []
    if metrics:
        lines.append("Measures: " + _some(metrics))
    if dimensions:
        lines.append("By: " + _some(dimensions))
    if entities:
        lines.append("Things: " + _some(entities))
    return ". ".join(lines) + "." if lines else "There is no data to ask about yet."


def _some(names: list[str], limit: int = 10) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")
