"""Readings of one frame: composed under its best assignments, checked that they run, weighed, and put into words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from pydantic import ValidationError

from core.errors import AppError
from core.timeseries import Grain
from nlq.assign import Assignment, assignments
from nlq.calibration.evidence import Evidence, evidence_of
from nlq.calibration.model import shipped
from nlq.chips import chips_of, paraphrase
from nlq.composing.composer import Composer
from nlq.composing.draft import Composed
from nlq.confidence import CLOSE, features, transparent_score
from nlq.frame import Frame
from nlq.graph import JoinGraph
from nlq.intents import Routed
from nlq.kinds import Kinds
from nlq.predicates import Unbuildable
from nlq.reading import Prepared
from nlq.types import Intent, Reading, Span
from nlq.ways import other_ways
from nlq.wording import Wording
from semantic.catalog.model import Catalog, SimpleMetric
from semantic.compile import compile_query
from semantic.query import Aggregate, ByTime, Measure, MetricRef, SemanticQuery
from semantic.resolve import resolve

_CHECKED = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reading before it is worded. `score` orders candidates of one question; `confidence` is comparable between questions."""

    query: SemanticQuery
    score: float
    confidence: float
    composed: Composed
    assignment: Assignment
    frame: Frame
    evidence: Evidence
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Considered:
    """The best reading of a question before it was decided what to do with it: for calibrating confidence. values: `evidence.NAMES`."""

    query: SemanticQuery
    values: tuple[float, ...]


class Candidates:
    """Readings over one catalog."""

    def __init__(self, catalog: Catalog, kinds: Kinds, graph: JoinGraph) -> None:
        self.catalog = catalog
        self.kinds = kinds
        self.graph = graph
        self.wording = Wording(catalog)

    def composed(self, frame: Frame, assignment: Assignment, as_of: dt.datetime) -> Composed:
        """The query of a frame under one assignment. Raises: Unbuildable, ValidationError."""
        return Composer(self.catalog, self.kinds, self.graph, copied(frame), assignment, as_of).compose()

    def of(self, frame: Frame, prepared: Prepared, as_of: dt.datetime, errors: list[str]) -> list[Candidate]:
        """Distinct queries that resolve and compile, best first."""
        found: list[Candidate] = []
        for assignment in assignments(frame, self.kinds, self.graph, _CHECKED):
            try:
                composed = self.composed(frame, assignment, as_of)
            except (Unbuildable, ValidationError) as error:
                errors.append(str(error)[:200])
                continue
            sure = transparent_score(features(frame, assignment, composed))
            score = assignment.score - composed.penalty - 0.3 * len(composed.unexplained)
            evidence = evidence_of(frame, assignment, prepared.units, sure)
            found.append(Candidate(composed.query, score, sure, composed, assignment, frame, evidence))
        found.sort(key=lambda c: -c.score)
        found = self._weighed(found)
        valid: list[Candidate] = []
        for candidate in found:
            if any(self._same(candidate.query, v.query) for v in valid):
                continue
            if valid and valid[0].score - candidate.score > CLOSE:
                break
            failure = self.failure(candidate.query, as_of)
            if failure is None:
                valid.append(candidate)
                continue
            errors.append(failure.message)
            if not valid:
                ways = [q for q in other_ways(candidate.query, failure, self.catalog) if self.failure(q, as_of) is None]
                apart = {tuple(c.label for c in chips_of(q, self.wording, Intent.ASK, {})) for q in ways}
                valid = (
                    [replace(candidate, query=q) for q in ways] if ways and len(ways) == len(apart) else []
                )  # what reads alike is no choice
        return valid

    def _weighed(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Each with its confidence beside the others that compute something else."""
        out: list[Candidate] = []
        for candidate in found:
            gaps = [candidate.score - c.score for c in found if c is not candidate and not self._same(c.query, candidate.query)]
            values = candidate.evidence.beside(min(gaps, default=1.0), sum(gap < CLOSE for gap in gaps))
            out.append(replace(candidate, values=values, confidence=shipped().probability(values)))
        return out

    def _same(self, a: SemanticQuery, b: SemanticQuery) -> bool:
        """Whether two queries compute the same: a simple metric is the aggregate that it is defined as."""
        return a == b or self._spelled(a) == self._spelled(b)

    def _spelled(self, query: SemanticQuery) -> SemanticQuery:
        metrics: list[Measure] = []
        for measure in query.metrics:
            metric = self.catalog.metric(measure.metric) if isinstance(measure, MetricRef) and measure.where is None else None
            if isinstance(metric, SimpleMetric) and metric.where is None and metric.time_field is None and metric.quantile is None:
                metrics.append(Aggregate(aggregate=metric.aggregate, dataset=metric.dataset, of=metric.of))
            else:
                metrics.append(measure)
        return query.model_copy(update={"metrics": tuple(metrics)})

    def failure(self, query: SemanticQuery, as_of: dt.datetime) -> AppError | None:
        """Why a query cannot be run, or None."""
        try:
            compile_query(resolve(query, self.catalog, as_of=as_of))
        except AppError as error:
            return error
        return None

    def problem(self, query: SemanticQuery, as_of: dt.datetime) -> str | None:
        """Why a query cannot be run, in words, or None."""
        failure = self.failure(query, as_of)
        return None if failure is None else failure.message

    def reading(self, candidate: Candidate, routed: Routed, prepared: Prepared) -> Reading:
        query = self.shaped(candidate.query, routed)
        spans = self._spans(candidate, prepared)
        if routed.place is not None:
            spans["intent"] = Span(*routed.place)
        chips = chips_of(query, self.wording, routed.intent, spans)
        return Reading(routed.intent, query, chips, candidate.confidence, paraphrase(chips), horizon_steps=routed.horizon)

    def shaped(self, query: SemanticQuery, routed: Routed) -> SemanticQuery:
        """A forecast looks at the whole history in steps of its horizon."""
        if routed.intent is Intent.UNUSUAL:
            return query.model_copy(update={"compare": None})
        if routed.intent is not Intent.FORECAST or not query.metrics:
            return query
        by = query.by
        if routed.grain is not None and not any(isinstance(b, ByTime) for b in by):
            by = (*by, ByTime(grain=Grain(routed.grain)))
        return query.model_copy(update={"by": by, "time": None, "compare": None, "order": (), "limit": None})

    def _spans(self, candidate: Candidate, prepared: Prepared) -> dict[str, Span]:
        spans: dict[str, Span] = {}
        for mention in candidate.frame.mentions:
            target = candidate.assignment.target(mention)
            if target is None:
                continue
            span = prepared.span(mention.unit.start, mention.unit.end)
            spans.setdefault(str(target), span)
            if target.kind == "dataset":
                entity = next((e for e in self.catalog.entities if e.dataset == target.dataset), None)
                if entity is not None:
                    spans.setdefault(f"entity:{entity.name}", span)
        for phrase in candidate.frame.times[:1]:
            spans["time"] = prepared.span(phrase.start, phrase.end)
        return spans


def copied(frame: Frame) -> Frame:
    """A frame whose lists may be changed by a composer."""
    values = {f.name: getattr(frame, f.name) for f in fields(frame)}
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = list(value)
    return Frame(**values)
