"""Question -> Understanding: tokens, time, units, frame, assignments, queries, then answer, ask back or refuse."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from core.errors import AppError
from nlq.assign import assignments
from nlq.compose import Composed, Composer
from nlq.frame import Frame
from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.lexicon import Lexicon
from nlq.linking import Linker, NoValues, ValueSource
from nlq.definitions import QuestionDefinition, defining_phrase, take_definitions, without_join_hints
from nlq.parser import Parser, TermDefinition
from nlq.predicates import Unbuildable
from nlq.segment import Unit, segment
from nlq.text import Token, tokenise
from nlq.timephrase import find_time_phrases
from nlq.types import DialogueState, Intent, Reading, Span, Understanding, UnknownWord
from semantic.catalog.model import Catalog
from semantic.compile import compile_query
from semantic.resolve import resolve


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reading before it is worded."""

    composed: Composed
    score: float
    frame: Frame


class Understander:
    """Understands questions over one catalog as one role sees it. Thread-safe; build once, ask often."""

    def __init__(self, catalog: Catalog, values: ValueSource | None = None) -> None:
        self.catalog = catalog
        self.lexicon = Lexicon(catalog)
        self.linker = Linker(self.lexicon, values or NoValues())
        self.graph = JoinGraph(catalog)
        self.kinds = Kinds(catalog)
        self.terms = self._definitions()

    def understand(self, question: str, *, as_of: dt.datetime, dialogue: DialogueState | None = None) -> Understanding:
        """The reading of `question` to take, readings to choose from, or what is not known."""
        started = time.perf_counter()
        text, defined = take_definitions(without_join_hints(question))
        tokens = tokenise(text)
        units, terms = self._defined_units(tokens, as_of, defined)
        frame = Parser(units, self.kinds, terms).parse()
        candidates = self._candidates(frame, as_of)
        unknown = self._unknown(frame, units, tokens)
        ms = (time.perf_counter() - started) * 1000.0
        if unknown or not candidates:
            message = "Not understood: " + ", ".join(u.text for u in unknown) if unknown else "No reading fits the catalog."
            return Understanding(question, "refuse", unknown=tuple(unknown), message=message, as_of=as_of, ms=ms)
        best = candidates[0]
        reading = Reading(Intent.ASK, best.composed.query, (), max(0.05, 1.0 - best.composed.penalty), "")
        return Understanding(question, "answer", readings=(reading,), as_of=as_of, ms=ms)

    def _definitions(self) -> dict[str, TermDefinition]:
        """Glossary words whose definition is a phrase of this grammar, such as "per month customer signups"."""
        found: dict[str, TermDefinition] = {}
        epoch = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
        for term in self.catalog.glossary:
            if term.means or term.term.strip().lower() in ("note", "notes", ""):
                continue
            phrase, percent = defining_phrase(term.definition)
            tokens = tokenise(phrase)
            if not tokens or len(tokens) > 60:
                continue
            units = self._units(tokens, epoch)
            parser = Parser(units, self.kinds)
            frame = parser.parse()
            if self._unknown(frame, units, tokens) or not (frame.measures or frame.transforms or frame.outputs or frame.rank_by):
                continue
            found.setdefault(term.term, TermDefinition(units, percent))
        return found

    def _defined_units(
        self, tokens: Sequence[Token], as_of: dt.datetime, defined: Sequence[QuestionDefinition]
    ) -> tuple[tuple[Unit, ...], Mapping[str, TermDefinition]]:
        """Units of the question, and the terms that hold for it: the glossary's and its own."""
        if not defined:
            return self._units(tokens, as_of), self.terms
        terms = dict(self.terms)
        names: dict[tuple[str, ...], str] = {}
        for number, definition in enumerate(defined):
            name = f"#{number}"
            subject = tuple(t.key for t in tokenise(definition.subject))
            names[subject] = name
            expression = tokenise(definition.expression)
            others = {k: v for k, v in names.items() if v != name}
            units = segment(expression, find_time_phrases(expression, as_of, self.catalog.calendar), self.linker, others)
            terms[name] = TermDefinition(units, formula=True)
        phrases = find_time_phrases(tokens, as_of, self.catalog.calendar)
        return segment(tokens, phrases, self.linker, names), terms

    def _units(self, tokens: Sequence[Token], as_of: dt.datetime) -> tuple[Unit, ...]:
        return segment(tokens, find_time_phrases(tokens, as_of, self.catalog.calendar), self.linker)

    def _candidates(self, frame: Frame, as_of: dt.datetime) -> list[Candidate]:
        found: list[Candidate] = []
        self.errors: list[str] = []
        for assignment in assignments(frame, self.kinds, self.graph):
            try:
                composed = Composer(self.catalog, self.kinds, self.graph, _copy(frame), assignment, as_of).compose()
            except (Unbuildable, ValidationError) as error:
                self.errors.append(str(error)[:100])
                continue
            found.append(Candidate(composed, assignment.score - composed.penalty - 0.3 * len(composed.unexplained), frame))
        found.sort(key=lambda c: -c.score)
        valid: list[Candidate] = []
        for candidate in found[:4]:
            try:
                compile_query(resolve(candidate.composed.query, self.catalog, as_of=as_of))
            except AppError as error:
                self.errors.append(f"{error}"[:200])
                continue
            valid.append(candidate)
            if len(valid) == 2:
                break
        return valid

    def _unknown(self, frame: Frame, units: Sequence[Unit], tokens: Sequence[Token]) -> list[UnknownWord]:
        out: list[UnknownWord] = []
        for unit in units:
            refused = (unit.unknown and not set(range(unit.start, unit.end)) <= frame.used) or any(unit.start == x.start and unit.end == x.end for x in frame.unknown)
            if refused:
                span = Span(tokens[unit.start].start, tokens[unit.end - 1].end)
                out.append(UnknownWord(unit.text, span, self.linker.nearest(unit.text)))
        return out


def _copy(frame: Frame) -> Frame:
    """A frame whose lists may be changed by a composer."""
    from dataclasses import fields

    values = {f.name: getattr(frame, f.name) for f in fields(frame)}
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = list(value)
    return Frame(**values)
