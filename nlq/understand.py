"""Question -> Understanding: route, tokens, time, units, frame, assignments, queries; then answer, ask back or refuse."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from nlq import dialogue as talk
from nlq.about_data import about_data
from nlq.calibration.model import shipped
from nlq.candidates import Candidate, Candidates, Considered
from nlq.chips import chips_of, paraphrase
from nlq.confidence import CLEAR, CLOSE, GUESSED, TIED
from nlq.continuing import continued
from nlq.define import definition_of, overview
from nlq.edits import edited
from nlq.equal_words import asked_back
from nlq.frame import Frame
from nlq.graph import JoinGraph
from nlq.intents import Routed, route
from nlq.kinds import Kinds
from nlq.language import ENGLISH_ONLY, language_of, looks_english
from nlq.lexicon import Lexicon
from nlq.linking import Linker, NoValues, ValueSource
from nlq.meaning.nearest import Meanings
from nlq.meaning.rephrase import rephrased, sureness
from nlq.narrowing import narrowed
from nlq.no_questions import no_question
from nlq.parsing.parser import Parser
from nlq.reading import Prepared, Preparer
from nlq.reshaping import reshaped
from nlq.rewording import plainly, said_again, unmarked
from nlq.segment import Unit
from nlq.several import are_apart, parts_of
from nlq.suggest import Suggester
from nlq.text import Token, lemma, tokenise
from nlq.turns import PLAIN, Turn, held_together, is_back, is_both, stepped_back, turn_of
from nlq.types import DialogueState, Intent, Reading, Suggestion, Understanding, UnknownWord
from nlq.unsaid import by_which, scan, unmeasured
from nlq.verified import Match, VerifiedBook
from semantic.catalog.model import Catalog

_MAX_CHARS = 6_000
_LABELLED = 0.9
_TRIED_AT = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


class Understander:
    """Understands questions over one catalog as one role sees it. Thread-safe; build once per catalog version and visibility, ask often."""

    def __init__(self, catalog: Catalog, values: ValueSource | None = None) -> None:
        self.catalog = catalog
        self.lexicon = Lexicon(catalog)
        self.linker = Linker(self.lexicon, values or NoValues())
        self.graph = JoinGraph(catalog)
        self.kinds = Kinds(catalog)
        self.preparer = Preparer(self.linker, self.kinds, catalog)
        self._of = Candidates(catalog, self.kinds, self.graph)
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
        asked = question[:_MAX_CHARS]
        plain = plainly(asked, self.linker.knows) if self._verified.find(asked) is None else None
        found = self._understand(plain or asked, as_of, dialogue, watch)
        if plain is not None:
            found = replace(found, readings=tuple(unmarked(r) for r in found.readings))
        if found.outcome == "refuse":
            again = said_again(asked, self.linker.knows, lambda text: self._understand(text, as_of, dialogue), self._things_with)
            found = again or found
        if found.outcome == "refuse" and found.unknown and ENGLISH_ONLY not in found.message:
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
        if dialogue is not None and before is not None and is_back(question):
            return self._stepped_back(question, dialogue)
        if before is not None and talk.only_why(question):
            return Understanding(question, "answer", (replace(before, intent=Intent.WHY),))
        said = question if before is None else self.preparer.respelt(question)
        turn = turn_of(said)
        if dialogue is not None and before is not None:
            changed = self._edited(question, turn, dialogue, as_of)
            if changed is not None:
                return changed
        verified = self._verified.find(question)
        if verified is not None:
            known = self._verified_reading(question, verified, as_of)
            if known is not None:
                return known
        routed = route(turn.text if turn.leans or said == question else question, as_of.date())
        worded = self._in_words(question, routed, before, as_of)
        if worded is not None:
            return worded
        if not looks_english(question, lambda word: self.linker.knows(lemma(word))):
            return self._refusal(question, _not_english(question, (question,)), ())
        return self._several(question, as_of) or self._ask(question, routed, as_of, before, watch, turn)

    def _several(self, question: str, as_of: dt.datetime) -> Understanding | None:
        """Each of the questions that were typed as one, to choose from; None where it is one."""
        state: DialogueState | None = None
        readings: list[Reading] = []
        for part in parts_of(question):
            found = self._understand(part, as_of, state)
            if found.outcome != "answer":
                return None
            reading = found.readings[0]
            told = "" if reading.intent is Intent.ASK else f"{reading.intent.value}: "
            readings.append(replace(reading, paraphrase=told + reading.paraphrase))
            state = DialogueState(found.readings[:1], (part,))
        if len(readings) < 2 or not are_apart(tuple(readings)):
            return None
        plain = tuple(unmarked(r) for r in readings[:4])
        return Understanding(question, "clarify", plain, message="These are several questions. Which one first?")

    def _in_words(self, question: str, routed: Routed, before: Reading | None, as_of: dt.datetime) -> Understanding | None:
        """What needs no figures: courtesies, what is done elsewhere, what a word means, what there is to ask."""
        said = no_question(question, before.query if before is not None else None, self.catalog)
        if said is not None:
            return Understanding(question, said.outcome, message=said.message, suggestions=tuple(self.examples()[:3]))
        if routed.intent is Intent.DESCRIBE:
            return Understanding(question, "describe", message=overview(self.catalog), suggestions=tuple(self.examples()))
        meaning = about_data(question, self._of, self.linker, before, as_of)
        if meaning is None and routed.intent is Intent.DEFINE:
            meaning = definition_of(routed.subject, self.catalog, self.linker)
        return None if meaning is None else Understanding(question, "define", message=meaning, suggestions=tuple(self.examples()[:3]))

    def _stepped_back(self, question: str, dialogue: DialogueState) -> Understanding:
        earlier = stepped_back(dialogue)
        if earlier is None:
            return self._refusal(question, "There is no earlier answer in this conversation to go back to.", ())
        return Understanding(question, "answer", earlier.readings[:1], dialogue=earlier)

    def _edited(self, question: str, turn: Turn, dialogue: DialogueState, as_of: dt.datetime) -> Understanding | None:
        """The answer before as a short follow-up edits it, or None where this is none."""
        before = dialogue.readings[0]
        query, wording, text = before.query, self._of.wording, turn.text
        if is_both(text) and held_together(dialogue) is None:
            return self._refusal(question, "The last two answers differ in more than their period. Say which figures to compare.", ())
        whole = (
            (held_together(dialogue) if is_both(text) else None)
            or talk.special(text, query)
            or edited(text, query, wording)
            or reshaped(text, query, self.catalog, wording, as_of)
        )
        whole = whole or narrowed(turn, query, self.linker, wording, self.catalog)
        if whole is None or self._of.problem(whole, as_of) is not None:
            return None
        chips = chips_of(whole, wording, before.intent, {})
        reading = replace(before, query=whole, chips=chips, confidence=0.9, paraphrase=paraphrase(chips))
        return Understanding(question, "answer", (reading,))

    def _ask(
        self,
        question: str,
        routed: Routed,
        as_of: dt.datetime,
        before: Reading | None,
        watch: Callable[[Considered], None] | None,
        turn: Turn = PLAIN,
    ) -> Understanding:
        prepared = self.preparer.prepare(routed.text, as_of)
        frame = Parser(prepared.units, self.kinds, prepared.terms).parse()
        unknown = self._unknown(frame, prepared)
        named = self._names_measure(frame)
        if routed.intent is Intent.SCAN:
            if not named and not unknown:
                found = scan(self._of, question, routed, frame, as_of)
                if found is not None:
                    return found
            return self._ask(question, replace(routed, intent=Intent.ASK if routed.summary else Intent.WHY), as_of, before, watch)
        if before is not None and not unknown and (turn.leans or talk.continues(question, frame, named)):
            found = continued(self._of, question, routed, frame, before, as_of, named, turn)
            if found is not None:
                return found
            if talk.only_narrows(turn.text):
                return self._refusal(question, f"I cannot change the answer before ({before.paraphrase}) in this way.", ())
        if routed.intent is not Intent.ASK and not named:
            return self._about_nothing(question, routed, frame, before, as_of, unknown)
        errors: list[str] = []
        candidates = [] if unknown else self._of.of(frame, prepared, as_of, errors)
        if unknown:
            foreign = language_of(question, [w.text for w in unknown]) is not None
            return self._refusal(
                question, _not_english(question, [w.text for w in unknown]) if foreign else _not_understood(unknown), unknown
            )
        if not candidates:
            asked = by_which(self._of, question, routed, prepared, frame, as_of)
            return asked if asked is not None else self._refusal(question, _why_none(errors), ())
        if watch is not None:
            watch(Considered(candidates[0].query, candidates[0].values))
        decided = self._decide(question, routed, prepared, candidates)
        if decided.outcome != "answer":
            return decided
        return (
            asked_back(question, decided.readings[0], candidates[0], prepared, self._of, lambda t: self._understand(t, as_of, None))
            or decided
        )

    def _decide(self, question: str, routed: Routed, prepared: Prepared, candidates: Sequence[Candidate]) -> Understanding:
        """Answer when one reading is clear, ask back when two are close, refuse when none is likely."""
        best = candidates[0]
        left = best.composed.unexplained
        if left:
            words = tuple(UnknownWord(m.unit.text, prepared.span(m.unit.start, m.unit.end), self.linker.nearest(m.unit.text)) for m in left)
            return self._refusal(question, _not_understood(words), words)
        readings = tuple(self._of.reading(c, routed, prepared) for c in candidates[:4])
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

    def _things_with(self, value: str) -> str | None:
        """What the things are called that are labelled so ("headphones": product); None where no things are, or different ones."""
        homes = {v.dataset for v in self.linker.values(tokenise(value)) if v.score >= _LABELLED}
        found = [e for e in self.catalog.entities if e.dataset in homes and e.display]
        return found[0].label if len(found) == 1 and len(homes) == 1 else None

    def _refusal(self, question: str, message: str, unknown: tuple[UnknownWord, ...]) -> Understanding:
        nearest = [n for w in unknown for n in w.nearest]
        return Understanding(
            question, "refuse", unknown=unknown, message=message, suggestions=tuple(dict.fromkeys([*nearest[:3], *self.examples()[:3]]))
        )

    # ---------------------------------------------------------------- readings

    def _verified_reading(self, question: str, match: Match, as_of: dt.datetime) -> Understanding | None:
        """None for a near match whose query no longer runs: the question is then read by itself."""
        query = match.verified.query
        problem = self._of.problem(query, as_of)
        if problem is not None and match.differences:
            return None
        if problem is not None:
            return self._refusal(question, f"This question was verified, but its query no longer fits the catalog: {problem}", ())
        chips = chips_of(query, self._of.wording, Intent.ASK, {})
        label = f"Verified, near match ({', '.join(match.differences)}): " if match.differences else "Verified: "
        return Understanding(
            question, "answer", (Reading(Intent.ASK, query, chips, 0.97 if match.differences else 0.99, label + paraphrase(chips)),)
        )

    def _by_meaning(self, question: str, refused: Understanding, as_of: dt.datetime, dialogue: DialogueState | None) -> Understanding:
        """Asks back with names that mean nearly what the unknown words mean; the refusal itself when there are none."""
        if any(w.text.lower() in _QUALIFYING for w in refused.unknown):
            return refused
        readings: list[Reading] = []
        meant: list[str] = []
        for again in rephrased(question, refused.unknown, self._meanings):
            found = self._understand(again.question, as_of, dialogue)
            if found.outcome not in ("answer", "clarify") or not found.readings:
                continue
            best = found.readings[0]
            if any(best.query == r.query for r in readings):
                continue
            readings.append(replace(unmarked(best), confidence=round(best.confidence * sureness(again.score), 4)))
            meant.append(" and ".join(again.names))
        if not readings:
            return refused
        words = ", ".join(f"“{w.text}”" for w in refused.unknown)
        message = f"Nothing here is called {words}. Do you mean {' or '.join(meant)}?"
        return replace(refused, outcome="clarify", readings=tuple(readings), message=message)

    def _about_nothing(
        self, question: str, routed: Routed, frame: Frame, before: Reading | None, as_of: dt.datetime, unknown: tuple[UnknownWord, ...]
    ) -> Understanding:
        """A why, forecast or unusual question without a measure: about the one before, or about the key metrics."""
        if unknown:
            return self._refusal(question, _not_understood(unknown), unknown)
        if before is not None and before.query.metrics:
            found = continued(self._of, question, routed, frame, before, as_of, named=False)
            if found is not None:
                return found
            query = self._of.shaped(before.query, routed)
            chips = chips_of(query, self._of.wording, routed.intent, {})
            return Understanding(
                question, "answer", (Reading(routed.intent, query, chips, 0.85, paraphrase(chips), horizon_steps=routed.horizon),)
            )
        offered = unmeasured(self._of, question, routed, frame, as_of)
        return offered if offered is not None else self._refusal(question, _WHICH_MEASURE.get(routed.intent, "Which measure?"), ())

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


_WHICH_MEASURE = {
    Intent.WHY: "Why did which measure change?",
    Intent.FORECAST: "Forecast which measure?",
    Intent.UNUSUAL: "Unusual in which measure?",
}
_QUALIFYING = frozenset(("net", "gross"))  # of a figure, and no name of one
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


def _not_understood(unknown: Sequence[UnknownWord]) -> str:
    words = ", ".join(f"“{w.text}”" for w in unknown[:6])
    near = list(dict.fromkeys(n for w in unknown for n in w.nearest))[:4]
    return f"I do not know {words} in this data." + (f" Nearest known: {', '.join(near)}." if near else "")


def _not_english(question: str, strange: Collection[str]) -> str:
    language = language_of(question, strange)
    return f"This looks like {language}. {ENGLISH_ONLY}" if language else ENGLISH_ONLY


def _why_none(errors: Sequence[str]) -> str:
    useful = next((e for e in errors if len(e) > 40 and "_" not in e and "~" not in e), "")  # not what only names columns and ways
    return "I understand the words, but found no way to compute this." + (f" {useful}" if useful else "")


__all__ = ["Considered", "Token", "Understander"]
