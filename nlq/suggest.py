"""Completions while typing, follow-ups after an answer, and example questions: all over things that the catalog has."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from nlq.graph import JoinGraph
from nlq.text import fold
from nlq.types import Reading, Suggestion
from nlq.wording import Wording
from semantic.catalog.model import Catalog, FieldRole, SimpleMetric
from semantic.catalog.references import references
from semantic.query import ByEntity, ByField, ByTime, GroupBy, MetricRef, SemanticQuery

_PERIODS = (
    "today", "yesterday", "this week", "last week", "this month", "last month", "this quarter", "last quarter", "this year", "last year", "year to date", "month to date",
    "last 7 days", "last 30 days", "last 12 months", "last 8 weeks excluding the current week",
)  # fmt: skip
_LIMIT = 8
_TOP = 5
# What can stand after a word: groups after "by", values and periods after "in".
_AFTER = {
    "by": ("dimension", "entity"),
    "per": ("dimension", "entity"),
    "in": ("value", "period"),
    "from": ("value", "period"),
    "for": ("value", "period", "metric", "entity"),
}


class Suggester:
    """Sorted words of one catalog; built once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._wording = Wording(catalog)
        self._graph = JoinGraph(catalog)
        entries: list[tuple[str, str, str]] = []
        for metric in catalog.metrics:
            if not metric.hidden:
                entries += [(fold(t), metric.label, "metric") for t in (metric.label, *metric.synonyms)]
        for dataset in catalog.datasets:
            if dataset.hidden:
                continue
            for field in dataset.fields:
                if field.hidden:
                    continue
                if field.role in (FieldRole.CATEGORY, FieldRole.NAME, FieldRole.FLAG, FieldRole.TIME):
                    entries += [(fold(t), field.label, "dimension") for t in (field.label, *field.synonyms)]
                if field.role is FieldRole.CATEGORY and not field.pii:
                    entries += [(fold(v), v, "value") for v in field.values[:200]]
        for entity in catalog.entities:
            entries.append((fold(entity.plural or entity.label), entity.plural or entity.label, "entity"))
        entries += [(p, p, "period") for p in _PERIODS]
        entries += [(fold(v.question), v.question, "question") for v in catalog.verified]
        unique = sorted(set(entries))
        self._keys = [e[0] for e in unique]
        self._entries = unique

    def suggest(self, prefix: str) -> list[Suggestion]:
        """At most eight completions of what is being typed: the last words are completed, what stands before is kept."""
        text = prefix[-500:]
        folded = fold(text)
        if not folded.strip():
            return []
        words = folded.split(" ")
        found: list[Suggestion] = []
        seen: set[str] = set()
        for size in range(min(4, len(words)), 0, -1):
            tail = " ".join(words[-size:])
            if not tail:
                continue
            head = text[: len(text) - len(tail)]
            at = bisect_left(self._keys, tail)
            after = words[-size - 1] if size < len(words) else ""
            while at < len(self._keys) and self._keys[at].startswith(tail) and len(found) < _LIMIT:
                _, label, kind = self._entries[at]
                if kind not in _AFTER.get(after, (kind,)):
                    at += 1
                    continue
                whole = (head + label).strip()
                if label not in seen and fold(whole) != folded.strip():
                    seen.add(label)
                    found.append(Suggestion(whole, kind, label))  # type: ignore[arg-type]
                at += 1
        if folded.endswith(" ") and len(found) < _LIMIT:
            found += [Suggestion(f"{text.rstrip()} {more}", "question", more) for more in self._continuations() if more not in seen]
        return found[:_LIMIT]

    def _continuations(self) -> list[str]:
        dimensions = [
            f.label for d in self._catalog.datasets for f in d.fields if f.role is FieldRole.CATEGORY and not f.hidden and not d.hidden
        ]
        return [*(f"by {d}" for d in dict.fromkeys(dimensions[:4])), "by month", "last month", "this year"]

    def examples(self) -> list[str]:
        """Questions that this catalog can answer."""
        found = [v.question for v in self._catalog.verified][:4]
        metrics = sorted((m for m in self._catalog.metrics if not m.hidden), key=lambda m: not m.certified)
        dimensions = self._dimensions()
        timed = any(d.time for d in self._catalog.datasets)
        for i, metric in enumerate(metrics[:6]):
            dimension = dimensions[i % len(dimensions)] if dimensions else None
            if i == 0:
                found.append(f"{metric.label} by month this year" if timed else metric.label)
            if dimension is not None:
                found.append(f"{metric.label} by {dimension}" + (" last quarter" if timed and i % 2 == 0 else ""))
        for entity in self._catalog.entities[:2]:
            found.append(f"how many {entity.plural or entity.label} are there?")
        return list(dict.fromkeys(found))[: 2 * _LIMIT]

    def _dimensions(self) -> list[str]:
        fields = [
            (f.cardinality or len(f.values) or 50, f.label) for d in self._catalog.datasets for f in d.fields
            if f.role is FieldRole.CATEGORY and not f.hidden and not d.hidden and 2 <= (f.cardinality or len(f.values) or 50) <= 60
        ]  # fmt: skip
        return list(dict.fromkeys(label for _, label in sorted(fields)))[:6]

    def follow_ups(self, reading: Reading) -> list[str]:
        """What people ask next about this query; each stands on parts the query can take."""
        query = reading.query
        found: list[str] = []
        grouped = {self._wording.group(b) for b in query.by}
        if query.metrics:
            found += [f"and by {d}?" for d in self._reachable(query) if d not in grouped][:3]
            timed = self._timed(query)
            if timed and not any(isinstance(b, ByTime) for b in query.by):
                found.append("monthly")
            if timed and query.time is None:
                found.append("only last quarter")
            if timed and query.time is not None and query.compare is None:
                found.append("compared to the year before")
            if isinstance(query.metrics[0], MetricRef):
                found += ["why?", "forecast the next 3 months"] if timed else []
            if query.limit is None and any(self._has_many(b) for b in query.by):
                found.append("only the top 5")
        else:
            found += ["how many are there?", "only the first 10"]
        return list(dict.fromkeys(found))[:9]

    def _has_many(self, group: GroupBy) -> bool:
        """Whether the first five of its groups are fewer than all; a course over time is not cut."""
        if isinstance(group, ByEntity):
            return True
        field = self._catalog.field(group.field) if isinstance(group, ByField) else None
        return field is not None and (field.cardinality or len(field.values) or _TOP + 1) > _TOP

    def _reachable(self, query: SemanticQuery) -> Iterable[str]:
        """What the query can be split by: of datasets that its measures are joined to; first of those that it is split by already."""
        near = {b.field.dataset for b in query.by if isinstance(b, ByField)}
        stands_on = self._stands_on(query)
        fields = [
            (d.name not in near, f.label)
            for d in self._catalog.datasets
            if not d.hidden and all(self._graph.connected(base, d.name) for base in stands_on)
            for f in d.fields
            if f.role is FieldRole.CATEGORY and not f.hidden
        ]
        return dict.fromkeys(label for _, label in sorted(fields))

    def _stands_on(self, query: SemanticQuery) -> set[str]:
        """Datasets behind the measures, also through metrics of metrics."""
        known = {metric.name: metric for metric in self._catalog.metrics}
        names, found = set[str](), set[str]()
        ahead: list[object] = list(query.metrics)
        while ahead:
            part = ahead.pop()
            named = references(part)
            found |= named.datasets | {dataset for dataset, _ in named.fields}
            found |= {part.dataset} if isinstance(part, SimpleMetric) else set()
            ahead += [known[name] for name in named.metrics - names if name in known]
            names |= named.metrics
        return found

    def _timed(self, query: SemanticQuery) -> bool:
        for measure in query.metrics:
            if isinstance(measure, MetricRef):
                return any(d.time for d in self._catalog.datasets)
            if measure.kind == "aggregate":
                return self._catalog.dataset(measure.dataset).time is not None
        return False
