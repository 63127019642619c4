"""The catalog while a glossary is worked into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.words import singular, split
from semantic.catalog.model import Catalog, CatalogField, Dataset, Entity, GlossaryTerm, Metric, Relationship, Segment
from semantic.query import AggregateKind

_STOP = frozenset("the a an of all each that every its their by".split())
SOURCE = "glossary"


def key_of(text: str) -> tuple[str, ...]:
    """The words that a phrase is compared by: lower case, singular, without articles.

    >>> key_of("the Number of Sales")
    ('number', 'sale')
    """
    return tuple(singular(w) for w in split(text.replace("'s", "")) if w not in _STOP)


class Draft:
    """Mutable; made for one run of inference and thrown away. Lookups ignore case, number and articles."""

    def __init__(self, catalog: Catalog) -> None:
        self._base = catalog
        self.datasets: dict[str, Dataset] = {d.name: d for d in catalog.datasets}
        self.relationships: list[Relationship] = list(catalog.relationships)
        self.entities: dict[str, Entity] = {e.name: e for e in catalog.entities}
        self.metrics: dict[str, Metric] = {m.name: m for m in catalog.metrics}
        self.segments: dict[str, Segment] = {s.name: s for s in catalog.segments}
        self.terms: list[GlossaryTerm] = list(catalog.glossary)
        self.notes: list[str] = []

    def catalog(self) -> Catalog:
        return self._base.changed(
            datasets=tuple(self.datasets.values()),
            relationships=tuple(self.relationships),
            entities=tuple(self.entities.values()),
            metrics=tuple(self.metrics.values()),
            segments=tuple(self.segments.values()),
            glossary=tuple(self.terms),
        )

    def table(self, name: str) -> Dataset | None:
        """The (first) dataset over a physical table, ignoring case and quotes."""
        wanted = name.strip("`\"' ").lower()
        found = [d for d in self.datasets.values() if d.table.lower() == wanted or d.name.lower() == wanted]
        return next((d for d in found if d.filter is None), found[0] if found else None)

    def column(self, dataset: Dataset, name: str) -> CatalogField | None:
        wanted = name.strip("`\"' ").lower()
        return next((f for f in dataset.fields if (f.column or f.name).lower() == wanted or f.name.lower() == wanted), None)

    def column_anywhere(self, name: str) -> tuple[Dataset, CatalogField] | None:
        """The column of that name, if only one dataset has it."""
        found = [(d, f) for d in self.datasets.values() if d.filter is None for f in [self.column(d, name)] if f]
        return found[0] if len(found) == 1 else None

    def metrics_called(self, phrase: str) -> list[Metric]:
        """Glossary metrics first, then by label, then by synonym."""
        wanted = key_of(phrase)
        by_label = [m for m in self.metrics.values() if key_of(m.label) == wanted or key_of(m.name) == wanted]
        by_synonym = [m for m in self.metrics.values() if m not in by_label and any(key_of(s) == wanted for s in m.synonyms)]
        return sorted([*by_label, *by_synonym], key=lambda m: m.source != SOURCE)

    def fields_called(self, phrase: str) -> list[tuple[Dataset, CatalogField]]:
        wanted = key_of(phrase)
        by_label = [(d, f) for d in self.datasets.values() for f in d.fields if key_of(f.label) == wanted]
        by_synonym = [
            (d, f)
            for d in self.datasets.values()
            for f in d.fields
            if (d, f) not in by_label and any(key_of(s) == wanted for s in f.synonyms)
        ]
        return [*by_label, *by_synonym]

    def entities_called(self, phrase: str) -> list[Entity]:
        wanted = key_of(phrase)
        return [e for e in self.entities.values() if wanted in {key_of(x) for x in (e.label, e.plural, *e.synonyms)}]

    def datasets_called(self, phrase: str) -> list[Dataset]:
        wanted = key_of(phrase)
        return [d for d in self.datasets.values() if wanted in {key_of(x) for x in (d.label, d.name, *d.synonyms)}]

    def metric_name(self, wanted: str) -> str:
        return _free(safe_name(wanted.lower().replace("%", " percent ").strip()), self.metrics)

    def add_metric(self, metric: Metric) -> Metric:
        self.metrics[metric.name] = metric
        return metric

    def same_metric(self, metric: Metric) -> Metric | None:
        """A metric that already computes exactly this."""
        ignored = {
            "name",
            "label",
            "description",
            "synonyms",
            "unit",
            "format",
            "good_direction",
            "source",
            "default_grain",
            "owner",
            "certified",
            "hidden",
        }
        wanted = metric.model_dump(exclude=ignored)
        return next((m for m in self.metrics.values() if m.type == metric.type and m.model_dump(exclude=ignored) == wanted), None)

    def add_metric_synonyms(self, name: str, synonyms: Iterable[str]) -> None:
        metric = self.metrics[name]
        self.metrics[name] = metric.model_copy(update={"synonyms": _more(metric.synonyms, synonyms, metric.label)})

    def add_field_synonyms(self, dataset: str, field: str, synonyms: Iterable[str]) -> None:
        old = self.datasets[dataset]
        found = old.field(field)
        self.replace_field(dataset, found.model_copy(update={"synonyms": _more(found.synonyms, synonyms, found.label)}))

    def replace_field(self, dataset: str, field: CatalogField) -> None:
        """Put a field in the place of the one with its name, or at the end."""
        old = self.datasets[dataset]
        fields = tuple(field if f.name == field.name else f for f in old.fields)
        if not old.has_field(field.name):
            fields = (*fields, field)
        self.datasets[dataset] = old.changed(fields=fields)

    def replace_dataset(self, dataset: Dataset) -> None:
        self.datasets[dataset.name] = dataset

    def add_entity_synonyms(self, name: str, synonyms: Iterable[str]) -> None:
        entity = self.entities[name]
        self.entities[name] = entity.model_copy(update={"synonyms": _more(entity.synonyms, synonyms, entity.label)})

    def add_segment(self, segment: Segment) -> None:
        self.segments[segment.name] = segment

    def free_segment(self, wanted: str) -> str:
        return _free(safe_name(wanted.lower()), self.segments)

    def free_dataset(self, wanted: str) -> str:
        return _free(safe_name(wanted), self.datasets)

    def add_term(self, term: str, definition: str, *, synonyms: Sequence[str] = (), means: str | None = None, source: str = "") -> None:
        self.terms.append(GlossaryTerm(term=term, definition=definition, synonyms=tuple(synonyms), means=means, source=source or SOURCE))


def aggregate_of(word: str) -> AggregateKind | None:
    """The aggregate that a word or an SQL function names."""
    return _AGGREGATES.get(word.lower())


_AGGREGATES: dict[str, AggregateKind] = {
    "total": AggregateKind.SUM, "sum": AggregateKind.SUM, "overall": AggregateKind.SUM, "average": AggregateKind.AVG, "avg": AggregateKind.AVG,
    "mean": AggregateKind.AVG, "number": AggregateKind.COUNT, "count": AggregateKind.COUNT, "max": AggregateKind.MAX, "maximum": AggregateKind.MAX,
    "highest": AggregateKind.MAX, "largest": AggregateKind.MAX, "min": AggregateKind.MIN, "minimum": AggregateKind.MIN, "lowest": AggregateKind.MIN,
    "smallest": AggregateKind.MIN, "median": AggregateKind.MEDIAN,
}  # fmt: skip


def _more(have: tuple[str, ...], more: Iterable[str], label: str) -> tuple[str, ...]:
    lowered = {x.lower() for x in (*have, label)}
    return (*have, *dict.fromkeys(x for x in more if x and x.lower() not in lowered))


def _free(base: str, taken: Iterable[str]) -> str:
    used = set(taken)
    name, number = base, 2
    while name in used:
        name, number = f"{base[:120]}_{number}", number + 1
    return name
