"""Question -> Understanding: route, tokens, time, units, frame, assignments, queries; then answer, ask back or refuse."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

from pydantic import ValidationError

from core.errors import AppError
from core.timeseries import Grain
from nlq import dialogue as talk
from nlq.assign import Assignment, assignments
from nlq.calibration.evidence import Evidence, evidence_of
from nlq.calibration.model import shipped
from nlq.chips import chips_of, paraphrase
from nlq.composing.composer import Composer
from nlq.composing.draft import Composed
from nlq.confidence import CLEAR, CLOSE, GUESSED, TIED, features, transparent_score
from nlq.define import definition_of, overview
from nlq.edits import edited
from nlq.frame import Frame, MeasureItem
from nlq.graph import JoinGraph
from nlq.intents import Routed, route
from nlq.kinds import Kinds
from nlq.language import looks_english
from nlq.lexicon import Lexicon
from nlq.linking import Linker, NoValues, ValueSource
from nlq.meaning.nearest import Meanings
from nlq.meaning.rephrase import rephrased, sureness
from nlq.parsing.parser import Parser
from nlq.predicates import Unbuildable
from nlq.reading import Prepared, Preparer
from nlq.segment import Unit
from nlq.suggest import Suggester
from nlq.text import Token
from nlq.types import DialogueState, Intent, Reading, Span, Suggestion, Understanding, UnknownWord
from nlq.verified import Match, VerifiedBook
from nlq.wording import Wording
from semantic.catalog.model import Catalog, Metric, SimpleMetric
from semantic.compile import compile_query
from semantic.query import Aggregate, ByTime, ComparePeriod, Measure, MetricRef, SemanticQuery
from semantic.resolve import resolve

_MAX_CHARS = 6_000
_TRIED_AT = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_CHECKED = 6
_TRIED_METRICS = 6
_SCANNED = 8


@dataclass(frozen=True, slots=True)
class _Candidate:
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


class Understander:
    """Understands questions over one catalog as one role sees it. Thread-safe; build once per catalog version and visibility, ask often."""

    def __init__(self, catalog: Catalog, values: ValueSource | None = None) -> None:
        self.catalog = catalog
        self.lexicon = Lexicon(catalog)
        self.linker = Linker(self.lexicon, values or NoValues())
        self.graph = JoinGraph(catalog)
        self.kinds = Kinds(catalog)
        self.preparer = Preparer(self.linker, self.kinds, catalog)
        self._wording = Wording(catalog)
        self._suggester = Suggester(catalog)
        self._examples: tuple[str, ...] | None = None
        self._verified = VerifiedBook(catalog, self.lexicon)
        self._meanings = Meanings(catalog)

    def understand(
        self,
        question: str,
        *,
        as_of: dt.datetime,
        dialogue: DialogueState | None = None,
        watch: Callable[[Considered], None] | None = None,
    ) -> Understanding:
        """The reading of `question` to take, readings to choose from, or what is not known.

        as_of: when the question counts as asked (aware; naive is UTC). dialogue: what was understood before in this conversation.
        watch: told of the best reading, whatever is decided about it.
        """
        started = time.perf_counter()
        found = self._understand(question[:_MAX_CHARS], as_of, dialogue, watch)
        if found.outcome == "refuse" and found.unknown:
            found = self._by_meaning(question[:_MAX_CHARS], found, as_of, dialogue)
        following = talk.remember(dialogue, question, found.readings if found.outcome == "answer" else ())
        return replace(
            found, question=question, as_of=as_of, ms=(time.perf_counter() - started) * 1000.0, dialogue=found.dialogue or following
        )

    def suggest(self, prefix: str) -> list[Suggestion]:
        """Completions of what is being typed, best first; at most eight. Nothing typed yet: example questions."""
        if not prefix.strip():
            return [Suggestion(q, "question", q) for q in self.examples()[:8]]
        return self._suggester.suggest(prefix)

    def follow_ups(self, reading: Reading) -> list[str]:
        """Short questions that may come next about this reading; each was tried and can be answered."""
        state = DialogueState((reading,), ("",))
        return [q for q in self._suggester.follow_ups(reading) if self._understand(q, _TRIED_AT, state).outcome == "answer"][:6]

    def examples(self) -> list[str]:
        """Questions that this catalog can answer; each was tried."""
        if self._examples is None:
            self._examples = ()
            tried = [q for q in self._suggester.examples() if self._understand(q, _TRIED_AT, None).outcome == "answer"]
            self._examples = tuple(tried)
        return list(self._examples)

    # ---------------------------------------------------------------- flow

    def _understand(
        self, question: str, as_of: dt.datetime, dialogue: DialogueState | None, watch: Callable[[Considered], None] | None = None
    ) -> Understanding:
        before = dialogue.readings[0] if dialogue is not None and dialogue.readings else None
        if not question.strip():
            return self._refusal(question, "Ask a question about your data.", ())
        if talk.is_reset(question):
            return Understanding(
                question,
                "describe",
                message="Starting over. " + overview(self.catalog),
                suggestions=tuple(self.examples()),
                dialogue=DialogueState(),
            )
        if before is not None and talk.only_why(question):
            return Understanding(question, "answer", (replace(before, intent=Intent.WHY),))
        whole = (talk.special(question, before.query) or edited(question, before.query, self._wording)) if before is not None else None
        if before is not None and whole is not None and self._problem(whole, as_of) is None:
            chips = chips_of(whole, self._wording, Intent.ASK, {})
            return Understanding(question, "answer", (Reading(Intent.ASK, whole, chips, 0.9, paraphrase(chips)),))
        verified = self._verified.find(question)
        if verified is not None:
            known = self._verified_reading(question, verified, as_of)
            if known is not None:
                return known
        routed = route(question, as_of.date())
        if routed.intent is Intent.DESCRIBE:
            return Understanding(question, "describe", message=overview(self.catalog), suggestions=tuple(self.examples()))
        if routed.intent is Intent.DEFINE:
            said = definition_of(routed.subject, self.catalog, self.linker)
            if said is not None:
                return Understanding(question, "define", message=said, suggestions=tuple(self.examples()[:3]))
        if not looks_english(question):
            return self._refusal(question, "I understand questions in English only.", ())
        return self._ask(question, routed, as_of, before, watch)

    def _scan(self, question: str, routed: Routed, prepared: Prepared, frame: Frame, as_of: dt.datetime) -> Understanding | None:
        """The key metrics over the period and rows that the question names; None when its words say more than that."""
        metrics = [m for m in self.catalog.metrics if not m.hidden and m.certified] or [m for m in self.catalog.metrics if not m.hidden]
        found: SemanticQuery | None = None
        kept: list[MetricRef] = []
        for metric in metrics[:_SCANNED]:
            given = MetricRef(metric=metric.name)
            delta = _copy(frame)
            delta.outputs, delta.measures = [], [MeasureItem("given", given=given)]
            for assignment in assignments(delta, self.kinds, self.graph, 1):
                try:
                    composed = Composer(self.catalog, self.kinds, self.graph, delta, assignment, as_of).compose()
                except (Unbuildable, ValidationError):
                    continue
                if composed.unexplained or self._problem(composed.query, as_of) is not None:
                    continue
                if found is None:
                    found = composed.query
                if composed.query.where == found.where and composed.query.time == found.time:
                    kept.append(given)
        if found is None or found.by or found.limit:
            return None
        query = found.model_copy(update={"metrics": tuple(kept), "order": ()})
        chips = chips_of(query, self._wording, Intent.SCAN, {})
        return Understanding(question, "answer", (Reading(Intent.SCAN, query, chips, 0.9, paraphrase(chips), summary=routed.summary),))

    def _ask(
        self,
        question: str,
        routed: Routed,
        as_of: dt.datetime,
        before: Reading | None,
        watch: Callable[[Considered], None] | None,
    ) -> Understanding:
        prepared = self.preparer.prepare(routed.text, as_of)
        frame = Parser(prepared.units, self.kinds, prepared.terms).parse()
        unknown = self._unknown(frame, prepared)
        named = self._names_measure(frame)
        if routed.intent is Intent.SCAN:
            if not named and not unknown:
                found = self._scan(question, routed, prepared, frame, as_of)
                if found is not None:
                    return found
            return self._ask(question, replace(routed, intent=Intent.ASK if routed.summary else Intent.WHY), as_of, before, watch)
        if before is not None and not unknown and talk.continues(question, frame, named):
            found = self._continue(question, routed, prepared, frame, before, as_of, named)
            if found is not None:
                return found
        if routed.intent is not Intent.ASK and not named:
            return self._about_nothing(question, routed, prepared, frame, before, as_of, unknown)
        errors: list[str] = []
        candidates = [] if unknown else self._candidates(frame, prepared, as_of, errors)
        if unknown:
            return self._refusal(question, _not_understood(unknown), unknown)
        if not candidates:
            asked = self._by_which(question, routed, prepared, frame, as_of)
            return asked if asked is not None else self._refusal(question, _why_none(errors), ())
        if watch is not None:
            watch(Considered(candidates[0].query, candidates[0].values))
        return self._decide(question, routed, prepared, candidates)

    def _decide(self, question: str, routed: Routed, prepared: Prepared, candidates: Sequence[_Candidate]) -> Understanding:
        """Answer when one reading is clear, ask back when two are close, refuse when none is likely."""
        best = candidates[0]
        left = best.composed.unexplained
        if left:
            words = tuple(UnknownWord(m.unit.text, prepared.span(m.unit.start, m.unit.end), self.linker.nearest(m.unit.text)) for m in left)
            return self._refusal(question, _not_understood(words), words)
        readings = tuple(self._reading(c, routed, prepared) for c in candidates[:4])
        close = [
            r for c, r in zip(candidates[1:], readings[1:], strict=False) if best.score - c.score < CLOSE and not c.composed.unexplained
        ]
        if best.confidence < shipped().ask:
            return replace(
                self._refusal(question, "I am not sure enough what is asked. Please say it in other words.", ()), readings=readings[:1]
            )
        tied = [r for c, r in zip(candidates[1:], readings[1:], strict=False) if best.score - c.score < TIED and not c.composed.unexplained]
        if close and (best.values[0] < CLEAR or tied):
            return Understanding(question, "clarify", (readings[0], *close[:3]), message="Which of these do you mean?")
        if best.confidence < shipped().answer or best.composed.penalty > GUESSED:
            return Understanding(question, "clarify", readings[: max(1, min(4, 1 + len(close)))], message="Is this what you mean?")
        return Understanding(question, "answer", readings[:1])

    def _refusal(self, question: str, message: str, unknown: tuple[UnknownWord, ...]) -> Understanding:
        nearest = [n for w in unknown for n in w.nearest]
        return Understanding(
            question, "refuse", unknown=unknown, message=message, suggestions=tuple(dict.fromkeys([*nearest[:3], *self.examples()[:3]]))
        )

    # ---------------------------------------------------------------- readings

    def _candidates(self, frame: Frame, prepared: Prepared, as_of: dt.datetime, errors: list[str]) -> list[_Candidate]:
        """Distinct queries that resolve and compile, best first."""
        found: list[_Candidate] = []
        for assignment in assignments(frame, self.kinds, self.graph, _CHECKED):
            try:
                composed = Composer(self.catalog, self.kinds, self.graph, _copy(frame), assignment, as_of).compose()
            except (Unbuildable, ValidationError) as error:
                errors.append(str(error)[:200])
                continue
            sure = transparent_score(features(frame, assignment, composed))
            score = assignment.score - composed.penalty - 0.3 * len(composed.unexplained)
            evidence = evidence_of(frame, assignment, prepared.units, sure)
            found.append(_Candidate(composed.query, score, sure, composed, assignment, frame, evidence))
        found.sort(key=lambda c: -c.score)
        found = self._weighed(found)
        valid: list[_Candidate] = []
        for candidate in found:
            if any(self._same(candidate.query, v.query) for v in valid):
                continue
            if valid and valid[0].score - candidate.score > CLOSE:
                break
            problem = self._problem(candidate.query, as_of)
            if problem is not None:
                errors.append(problem)
                continue
            valid.append(candidate)
        return valid

    def _weighed(self, found: Sequence[_Candidate]) -> list[_Candidate]:
        """Each with its confidence beside the others that compute something else."""
        out: list[_Candidate] = []
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

    def _problem(self, query: SemanticQuery, as_of: dt.datetime) -> str | None:
        """Why a query cannot be run, or None."""
        try:
            compile_query(resolve(query, self.catalog, as_of=as_of))
        except AppError as error:
            return error.message
        return None

    def _reading(self, candidate: _Candidate, routed: Routed, prepared: Prepared) -> Reading:
        query = self._shaped(candidate.query, routed)
        spans = self._spans(candidate, prepared)
        if routed.place is not None:
            spans["intent"] = Span(*routed.place)
        chips = chips_of(query, self._wording, routed.intent, spans)
        return Reading(routed.intent, query, chips, candidate.confidence, paraphrase(chips), horizon_steps=routed.horizon)

    def _shaped(self, query: SemanticQuery, routed: Routed) -> SemanticQuery:
        """A forecast looks at the whole history in steps of its horizon."""
        if routed.intent is not Intent.FORECAST or not query.metrics:
            return query
        by = query.by
        if routed.grain is not None and not any(isinstance(b, ByTime) for b in by):
            by = (*by, ByTime(grain=Grain(routed.grain)))
        return query.model_copy(update={"by": by, "time": None, "order": (), "limit": None})

    def _spans(self, candidate: _Candidate, prepared: Prepared) -> dict[str, Span]:
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

    def _verified_reading(self, question: str, match: Match, as_of: dt.datetime) -> Understanding | None:
        """None for a near match whose query no longer runs: the question is then read by itself."""
        query = match.verified.query
        problem = self._problem(query, as_of)
        if problem is not None and match.differences:
            return None
        if problem is not None:
            return self._refusal(question, f"This question was verified, but its query no longer fits the catalog: {problem}", ())
        chips = chips_of(query, self._wording, Intent.ASK, {})
        label = f"Verified, near match ({', '.join(match.differences)}): " if match.differences else "Verified: "
        return Understanding(
            question, "answer", (Reading(Intent.ASK, query, chips, 0.97 if match.differences else 0.99, label + paraphrase(chips)),)
        )

    def _by_meaning(self, question: str, refused: Understanding, as_of: dt.datetime, dialogue: DialogueState | None) -> Understanding:
        """Asks back with names that mean nearly what the unknown words mean; the refusal itself when there are none."""
        readings: list[Reading] = []
        meant: list[str] = []
        for again in rephrased(question, refused.unknown, self._meanings):
            found = self._understand(again.question, as_of, dialogue)
            if found.outcome not in ("answer", "clarify") or not found.readings:
                continue
            best = found.readings[0]
            if any(best.query == r.query for r in readings):
                continue
            chips = tuple(replace(c, span=None) for c in best.chips)
            readings.append(replace(best, chips=chips, confidence=round(best.confidence * sureness(again.score), 4)))
            meant.append(" and ".join(again.names))
        if not readings:
            return refused
        words = ", ".join(f"“{w.text}”" for w in refused.unknown)
        message = f"Nothing here is called {words}. Do you mean {' or '.join(meant)}?"
        return replace(refused, outcome="clarify", readings=tuple(readings), message=message)

    def _unknown(self, frame: Frame, prepared: Prepared) -> tuple[UnknownWord, ...]:
        """Words that no part of a reading explains."""
        out: list[UnknownWord] = []
        places = {(u.start, u.end) for u in frame.unknown}
        for unit, before, after in zip(prepared.units, (None, *prepared.units), (*prepared.units[1:], None), strict=False):
            lost = (unit.unknown or _groups_in_vain(unit, before, after)) and not set(range(unit.start, unit.end)) <= frame.used
            if lost or (unit.start, unit.end) in places:
                out.append(UnknownWord(unit.text, prepared.span(unit.start, unit.end), self.linker.nearest(unit.text)))
        return tuple(out)

    def _names_measure(self, frame: Frame) -> bool:
        """Whether the question itself says what to compute or list."""
        if frame.measures or frame.rank_by or frame.having:
            return True
        return any(
            self.kinds.likely(m.unit, "dataset") or self.kinds.likely(m.unit, "metric") or self.kinds.likely(m.unit, "measure")
            for m in frame.outputs
        )

    # ---------------------------------------------------------------- conversation

    def _continue(
        self, question: str, routed: Routed, prepared: Prepared, frame: Frame, before: Reading, as_of: dt.datetime, named: bool
    ) -> Understanding | None:
        """The reading before, changed by this question; None when that gives nothing that can be run."""
        total = talk.asks_total(question) and not named and not (frame.transforms or frame.groups or frame.grain)
        delta = _copy(frame)
        for mention in delta.outputs:
            mention.sole = True
        if before.query.metrics and not named:
            delta.groups = [*delta.groups, *delta.outputs]
            delta.outputs = []
        errors: list[str] = []
        for assignment in assignments(delta, self.kinds, self.graph, 3):
            query = self._merged(delta, assignment, before.query, as_of, named=named, total=total, errors=errors)
            if query is None:
                continue
            if query == before.query and routed.intent is Intent.ASK:
                continue
            problem = self._problem(query, as_of)
            if problem is not None:
                errors.append(problem)
                continue
            intent = routed.intent if routed.intent is not Intent.ASK or before.intent is Intent.ASK else before.intent
            shaped = self._shaped(query, replace(routed, intent=intent))
            chips = chips_of(shaped, self._wording, intent, {})
            return Understanding(
                question, "answer", (Reading(intent, shaped, chips, 0.85, paraphrase(chips), horizon_steps=routed.horizon),)
            )
        return None

    def _merged(
        self,
        delta: Frame,
        assignment: Assignment,
        before: SemanticQuery,
        as_of: dt.datetime,
        *,
        named: bool,
        total: bool,
        errors: list[str],
    ) -> SemanticQuery | None:
        frame = _copy(delta)
        if before.metrics and not named:
            frame.measures = [MeasureItem("given", given=m) for m in before.metrics]
        try:
            composer = Composer(self.catalog, self.kinds, self.graph, frame, assignment, as_of)
            changed = composer.over_rows(before) if before.rows_of and not named else composer.compose().query
            if delta.compare == "vs" and len(delta.times) == 1:
                changed = changed.model_copy(update={"time": None, "compare": ComparePeriod(to="window", window=delta.times[0].window)})
            return talk.merge(before, changed, measures=named, total=total)
        except (Unbuildable, ValidationError, ValueError) as error:
            errors.append(str(error)[:200])
            return None

    def _by_which(self, question: str, routed: Routed, prepared: Prepared, frame: Frame, as_of: dt.datetime) -> Understanding | None:
        """ "our best customers", "top 10 products": what makes one better is not said, so ask, with the key measures as choices."""
        moved = bool(frame.moved) or frame.moved_order is not None
        ranked = frame.limit_asked or moved or frame.superlative is not None
        bare = not frame.outputs and bool(frame.conditions or frame.times or frame.compare or frame.transforms)
        if not (ranked or bare) or frame.measures or frame.rank_by or frame.having or routed.intent is not Intent.ASK:
            return None
        readings: list[Reading] = []
        for metric in sorted((m for m in self.catalog.metrics if not m.hidden), key=_headline_first)[:_TRIED_METRICS]:
            delta = _copy(frame)
            given = MeasureItem("given", given=MetricRef(metric=metric.name))
            if moved or not ranked:
                delta.measures = [given]
            else:
                delta.rank_by, delta.superlative = [given], None
                delta.limit = frame.limit or (1 if frame.singular else 10)
                if frame.superlative is not None:
                    delta.ascending_top = frame.superlative.descending is False
            found = next(iter(self._candidates(delta, prepared, as_of, [])), None)
            if found is not None and not found.composed.unexplained and (found.query.by or not ranked):
                readings.append(replace(self._reading(found, routed, prepared), confidence=0.5))
            if len(readings) == 3:
                break
        if len(readings) < 2:
            return None
        return Understanding(question, "clarify", tuple(readings), message="By which measure?" if ranked else "Which measure?")

    def _about_nothing(
        self,
        question: str,
        routed: Routed,
        prepared: Prepared,
        frame: Frame,
        before: Reading | None,
        as_of: dt.datetime,
        unknown: tuple[UnknownWord, ...],
    ) -> Understanding:
        """A why, forecast or unusual question without a measure: about the one before, or about the key metrics."""
        if unknown:
            return self._refusal(question, _not_understood(unknown), unknown)
        if before is not None and before.query.metrics:
            found = self._continue(question, routed, prepared, frame, before, as_of, named=False)
            if found is not None:
                return found
            query = self._shaped(before.query, routed)
            chips = chips_of(query, self._wording, routed.intent, {})
            return Understanding(
                question, "answer", (Reading(routed.intent, query, chips, 0.85, paraphrase(chips), horizon_steps=routed.horizon),)
            )
        metrics = sorted((m for m in self.catalog.metrics if not m.hidden), key=lambda m: not m.certified)[:4]
        if routed.intent is not Intent.UNUSUAL or not metrics:
            asked = {Intent.WHY: "Why did which measure change?", Intent.FORECAST: "Forecast which measure?"}.get(
                routed.intent, "Which measure?"
            )
            return self._refusal(question, asked, ())
        readings = []
        for metric in metrics:
            delta = _copy(frame)
            delta.measures = [MeasureItem("given", given=MetricRef(metric=metric.name))]
            for assignment in assignments(delta, self.kinds, self.graph, 1):
                try:
                    query = Composer(self.catalog, self.kinds, self.graph, delta, assignment, as_of).compose().query
                except (Unbuildable, ValidationError):
                    continue
                if self._problem(query, as_of) is None:
                    chips = chips_of(query, self._wording, routed.intent, {})
                    readings.append(Reading(routed.intent, query, chips, 0.6, paraphrase(chips)))
        if not readings:
            return self._refusal(question, "Unusual in which measure?", ())
        return Understanding(question, "answer" if len(readings) == 1 else "clarify", tuple(readings), message="In which measure?")


_NEVER_GROUPS = frozenset(
    "the a an each every all any our their your its this that these those far way now then date dates time times day days default most least it them".split()
)


def _groups_in_vain(unit: Unit, before: Unit | None, after: Unit | None) -> bool:
    """ "revenue by category" where nothing is called a category: the noun is no filler there."""
    if not unit.soft or before is None or not before.is_func("by", "each") or not unit.text.isalpha():
        return False
    if unit.text.lower() in _NEVER_GROUPS:
        return False
    return after is None or (not after.is_object and not after.unknown and after.text.lower() != "of")


def _headline_first(metric: Metric) -> tuple[bool, bool]:
    """Certified measures that should grow come first."""
    return not metric.certified, metric.good_direction != "up"


def _not_understood(unknown: Sequence[UnknownWord]) -> str:
    words = ", ".join(f"“{w.text}”" for w in unknown[:6])
    near = list(dict.fromkeys(n for w in unknown for n in w.nearest))[:4]
    return f"I do not know {words} in this data." + (f" Nearest known: {', '.join(near)}." if near else "")


def _why_none(errors: Sequence[str]) -> str:
    useful = next((e for e in errors if len(e) > 40), "")
    return "I understand the words, but found no way to compute this." + (f" {useful}" if useful else "")


def _copy(frame: Frame) -> Frame:
    """A frame whose lists may be changed by a composer."""
    values = {f.name: getattr(frame, f.name) for f in fields(frame)}
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = list(value)
    return Frame(**values)


__all__ = ["Token", "Understander"]
