"""Questions that leave out which measure: the key ones are taken, or offered."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from pydantic import ValidationError

from nlq.assign import assignments
from nlq.candidates import Candidate, Candidates, copied
from nlq.chips import chips_of, paraphrase
from nlq.dialogue import conditions
from nlq.frame import Frame, MeasureItem
from nlq.intents import Routed
from nlq.parsing.words import TOTAL_OF_NOTHING
from nlq.predicates import Unbuildable
from nlq.reading import Prepared
from nlq.said_units import is_money
from nlq.types import Intent, Reading, Understanding
from semantic.catalog.model import Metric, SimpleMetric
from semantic.query import Aggregate, AggregateKind, Measure, MetricRef, SemanticQuery

_TRIED_METRICS = 6
_SCANNED = 8
_OFFERED = 4
_OWN_MEASURE = frozenset(
    "slowest fastest longest shortest oldest youngest tallest deepest heaviest lightest cheapest newest latest".split()
)


def scan(of: Candidates, question: str, routed: Routed, frame: Frame, as_of: dt.datetime) -> Understanding | None:
    """The key metrics over the period and rows that the question names; None when its words say more than that."""
    metrics = [m for m in of.catalog.metrics if not m.hidden and m.certified] or [m for m in of.catalog.metrics if not m.hidden]
    found: SemanticQuery | None = None
    kept: list[MetricRef] = []
    for metric in metrics[:_SCANNED]:
        given = MetricRef(metric=metric.name)
        delta = copied(frame)
        delta.outputs, delta.measures = [], [MeasureItem("given", given=given)]
        for assignment in assignments(delta, of.kinds, of.graph, 1):
            try:
                composed = of.composed(delta, assignment, as_of)
            except (Unbuildable, ValidationError):
                continue
            if composed.unexplained or of.problem(composed.query, as_of) is not None:
                continue
            if found is None:
                found = composed.query
            if composed.query.where == found.where and composed.query.time == found.time:
                kept.append(given)
    if found is None or found.by or found.limit:
        return None
    query = found.model_copy(update={"metrics": tuple(kept), "order": ()})
    chips = chips_of(query, of.wording, Intent.SCAN, {})
    return Understanding(question, "answer", (Reading(Intent.SCAN, query, chips, 0.9, paraphrase(chips), summary=routed.summary),))


def by_which(
    of: Candidates,
    question: str,
    routed: Routed,
    prepared: Prepared,
    frame: Frame,
    as_of: dt.datetime,
    before: SemanticQuery | None = None,
) -> Understanding | None:
    """ "our best customers", "top 10 products": what makes one better is not said, so ask, with the key measures as choices.

    Right after an answer about one figure it is that figure, of the same rows and period.
    """
    if "sold" in frame.notes and frame.measures and frame.measures[0].kind == "count" and not frame.measures[0].distinct:
        return _pieces_or_kinds(of, question, routed, prepared, frame, as_of)
    moved = bool(frame.moved) or frame.moved_order is not None
    ranked = frame.limit_asked or moved or frame.superlative is not None
    plain = all(c.kind in ("value", "time", "flag", "segment", "cycle") for c in frame.conditions)
    bare = not frame.outputs and plain and bool(frame.conditions or frame.times or frame.compare or frame.transforms)
    bare = bare or (TOTAL_OF_NOTHING in frame.notes and plain and not frame.outputs)
    if _goes_by_itself(frame) or _goes_by_verb(prepared):
        return None
    if not (ranked or bare) or frame.measures or frame.rank_by or frame.having or routed.intent is not Intent.ASK:
        return None
    if ranked and not moved and before is not None and len(before.metrics) == 1:
        same = _ranked_by(of, before.metrics[0], routed, prepared, frame, as_of)
        if same is not None:
            return _within(of, question, same, before, as_of)
    readings: list[Reading] = []
    homes = {k.target.dataset for m in frame.outputs for k in m.links[:1] if k.target.kind == "field"}
    own = [m for m in of.catalog.metrics if isinstance(m, SimpleMetric) and not m.hidden and m.dataset in homes]
    others = sorted((m for m in of.catalog.metrics if not m.hidden and m not in own), key=_headline_first)
    for metric in [*own, *others][:_TRIED_METRICS]:
        if ranked and not moved:
            reading = _ranked_by(of, MetricRef(metric=metric.name), routed, prepared, frame, as_of)
        else:
            delta = copied(frame)
            delta.measures = [MeasureItem("given", given=MetricRef(metric=metric.name))]
            reading = _first(of, delta, routed, prepared, as_of)
        if reading is not None:
            readings.append(replace(reading, confidence=0.5))
        if len(readings) == 3:
            break
    if len(readings) < 2:
        return None
    return Understanding(question, "clarify", tuple(readings), message="By which measure?" if ranked else "Which measure?")


def _first(of: Candidates, frame: Frame, routed: Routed, prepared: Prepared, as_of: dt.datetime) -> Reading | None:
    found = next(iter(of.of(frame, prepared, as_of, [])), None)
    return of.reading(found, routed, prepared) if found is not None and not found.composed.unexplained else None


def _ranked_by(of: Candidates, measure: Measure, routed: Routed, prepared: Prepared, frame: Frame, as_of: dt.datetime) -> Reading | None:
    """What the frame ranks, ranked by this measure."""
    delta = copied(frame)
    delta.rank_by, delta.superlative = [MeasureItem("given", given=measure)], None
    delta.limit = frame.limit or (1 if frame.singular else 10)
    if frame.superlative is not None:
        delta.ascending_top = frame.superlative.descending is False
    reading = _first(of, delta, routed, prepared, as_of)
    return reading if reading is not None and reading.query.by else None


def _within(of: Candidates, question: str, reading: Reading, before: SemanticQuery, as_of: dt.datetime) -> Understanding | None:
    """The ranking, of the rows and the period that the answer before was about, unless it names its own."""
    query = reading.query
    where = before.where if query.where is None else query.where if before.where is None else conditions(before.where, query.where)
    query = query.model_copy(update={"where": where, "time": query.time or before.time})
    if of.problem(query, as_of) is not None:
        return None
    chips = chips_of(query, of.wording, reading.intent, {})
    return Understanding(question, "answer", (replace(reading, query=query, chips=chips, confidence=0.85, paraphrase=paraphrase(chips)),))


def _goes_by_itself(frame: Frame) -> bool:
    """ "slowest countries": the word says what it goes by, so no other measure stands for it."""
    label = frame.superlative.measure.label if frame.superlative is not None and frame.superlative.measure is not None else None
    return label in _OWN_MEASURE


def _goes_by_verb(prepared: Prepared) -> bool:
    """ "most returned products": the verb says what it goes by."""
    pairs = zip(prepared.units, prepared.units[1:], strict=False)
    return any(u.is_func("super") and u.text.lower() in ("most", "least") and v.text.lower().endswith("ed") for u, v in pairs)


def _pieces_or_kinds(
    of: Candidates, question: str, routed: Routed, prepared: Prepared, frame: Frame, as_of: dt.datetime
) -> Understanding | None:
    """ "how many products did we sell": how many different ones, or how many pieces of them."""
    kinds = copied(frame)
    kinds.measures = [replace(frame.measures[0], distinct=True)]
    found = next(iter(of.of(kinds, prepared, as_of, [])), None)
    pieces = next((m for m in of.catalog.metrics if isinstance(m, SimpleMetric) and _adds_up(m, found)), None)
    if found is None or pieces is None:
        return None
    summed = replace(found, query=found.query.model_copy(update={"metrics": (MetricRef(metric=pieces.name),)}))
    readings = [replace(of.reading(c, routed, prepared), confidence=0.5) for c in (summed, found)]
    return Understanding(question, "clarify", tuple(readings), message="How many pieces, or how many different ones?")


def _adds_up(metric: SimpleMetric, found: Candidate | None) -> bool:
    """Whether a metric adds up a plain number, no money, over the same rows."""
    counted = found.query.metrics[0] if found is not None and found.query.metrics else None
    same = isinstance(counted, Aggregate) and counted.dataset == metric.dataset
    return same and not metric.hidden and metric.aggregate is AggregateKind.SUM and metric.where is None and not is_money(metric)


def unmeasured(of: Candidates, question: str, routed: Routed, frame: Frame, as_of: dt.datetime) -> Understanding | None:
    """Something unusual, a reason or what comes next is asked for, without a measure: the key metrics are offered.

    None when none can be computed so, and for a value to reach, which may be of any.
    """
    if routed.intent is Intent.FORECAST and routed.place is None:
        return None
    readings = []
    for metric in sorted((m for m in of.catalog.metrics if not m.hidden), key=_headline_first)[:_OFFERED]:
        delta = copied(frame)
        delta.measures = [MeasureItem("given", given=MetricRef(metric=metric.name))]
        for assignment in assignments(delta, of.kinds, of.graph, 1):
            try:
                query = of.composed(delta, assignment, as_of).query
            except (Unbuildable, ValidationError):
                continue
            if of.problem(query, as_of) is None:
                query = query if routed.intent is Intent.UNUSUAL else of.shaped(query, routed)
                chips = chips_of(query, of.wording, routed.intent, {})
                readings.append(Reading(routed.intent, query, chips, 0.6, paraphrase(chips), horizon_steps=routed.horizon))
                break
    if not readings:
        return None
    asked = "In which measure?" if routed.intent is Intent.UNUSUAL else "Which measure?"
    return Understanding(question, "answer" if len(readings) == 1 else "clarify", tuple(readings), message=asked)


def _headline_first(metric: Metric) -> tuple[bool, bool]:
    """Certified measures that should grow come first."""
    return not metric.certified, metric.good_direction != "up"
