"""Question -> Understanding: route, tokens, time, units, frame, assignments, queries; then answer, ask back or refuse."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.formats import current
from nlq import dialogue as talk
from nlq.about_data import about_data
from nlq.against_rest import against_rest
from nlq.at_rank import at_rank
from nlq.calibration.model import shipped
from nlq.candidates import Candidate, Candidates, Considered
from nlq.changed import by_what, changed, counted_again
from nlq.chips import chips_of, paraphrase
from nlq.confidence import CLEAR, CLOSE, GUESSED, TIED
from nlq.continuing import continued
from nlq.define import definition_of, overview
from nlq.equal_words import asked_back
from nlq.far_periods import without_far_columns
from nlq.following import TRIED_AT, FollowUps
from nlq.frame import Frame
from nlq.graph import JoinGraph
from nlq.intents import Routed, looks_everywhere, or_named, route
from nlq.kinds import Kinds
from nlq.language import ENGLISH_ONLY, language_of, looks_english
from nlq.lexicon import Lexicon
from nlq.linking import Linker, NoValues, ValueSource
from nlq.meaning.asking import by_meaning
from nlq.meaning.nearest import Meanings
from nlq.no_questions import no_question
from nlq.parsing.parser import Parser
from nlq.parsing.words import TOTAL_OF_NOTHING
from nlq.reading import Prepared, Preparer
from nlq.referring import of_a_part, respoken, things_of, whose_is_unsaid
from nlq.refusals import ASK_WHOLE, THEY_ARE_WHO, WHICH_MEASURE, groups_in_vain, not_english, not_understood, why_none
from nlq.replies import chosen, named, only_measured_otherwise
from nlq.rewording import plainly, said_again, unmarked
from nlq.several import each_of
from nlq.suggest import Suggester
from nlq.text import Token, lemma, tokenise
from nlq.turns import PLAIN, Turn, is_back, stepped_back, turn_of
from nlq.types import DialogueState, Intent, Reading, Suggestion, Understanding, UnknownWord
from nlq.unsaid import by_which, scan, unmeasured
from nlq.verified import Match, VerifiedBook
from nlq.written_numbers import as_usual
from semantic.catalog.model import Catalog

_MAX_CHARS = 6_000
_LABELLED = 0.9
# Nobody types eight spaces in a row for what they say, and patterns that may begin anywhere in thousands of them took minutes.
_LONG_GAP = re.compile(r"\s{8,}")


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
        self._follow_ups = FollowUps(self._suggester.follow_ups, lambda text, state: self._understand(text, TRIED_AT, state))
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
        asked = as_usual(_LONG_GAP.sub(" ", question[:_MAX_CHARS]), current())
        plain = plainly(asked, self.linker.knows) if self._verified.find(asked) is None else None

        def ask(text: str) -> Understanding:
            return self.understand(text, as_of=as_of, dialogue=dialogue)

        found = (
            at_rank(asked, ask)
            or against_rest(asked, ask, self._of.wording, dialogue.readings[0] if dialogue and dialogue.readings else None)
            or self._reply(asked, as_of, dialogue)
            or self._understand(plain or asked, as_of, dialogue, watch)
        )
        if plain is not None:
            found = replace(found, readings=tuple(unmarked(r) for r in found.readings))
        if found.outcome == "refuse":
            again = said_again(asked, self.linker.knows, lambda text: self._understand(text, as_of, dialogue), self._things_with)
            found = again or found
        if found.outcome == "refuse" and found.unknown and ENGLISH_ONLY not in found.message:
            found = by_meaning(asked, found, self._meanings, lambda text: self._understand(text, as_of, dialogue))
        taken, offered = (found.readings if found.outcome == kind else () for kind in ("answer", "clarify"))
        following = talk.remember(dialogue, question, taken, offered)
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
        return self._follow_ups.of(reading)

    def examples(self) -> list[str]:
        """Questions that this catalog can answer; each was tried."""
        if self._examples is None:
            self._examples = ()
            tried = [q for q in self._suggester.examples() if self._understand(q, TRIED_AT, None).outcome == "answer"]
            self._examples = tuple(tried)
        return list(self._examples)

    # ---------------------------------------------------------------- flow

    def _reply(self, question: str, as_of: dt.datetime, dialogue: DialogueState | None) -> Understanding | None:
        """What was chosen of the readings that the last question was asked back with; None for a question of its own."""
        offered = dialogue.offered if dialogue is not None else ()
        reading = chosen(question, offered, self._of.wording) if offered else None
        if reading is not None:
            return Understanding(question, "answer", (reading,))
        figure = named(question) if offered else ""
        if not figure:
            return None
        found = self._understand(f"what about {figure}", as_of, DialogueState(offered[:1], ("",)))
        other = found.readings[0] if found.outcome == "answer" and found.readings else None
        fits = other is not None and only_measured_otherwise(offered[0].query, other.query)
        return replace(found, dialogue=None) if fits else None

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
        if before is not None:
            if of_a_part(said, before.query):
                return self._refusal(question, f"The answer before shows only the first {before.query.limit}. {ASK_WHOLE}", ())

            def again(text: str, state: DialogueState | None) -> Understanding:
                return self._understand(text, as_of, state)

            aside = counted_again(said, before, self._of, as_of, again) or by_what(said, before, self._suggester.follow_ups, again)
            if aside is not None:
                return aside
            said = question = respoken(said, before.query, self.catalog) or question
        turn = turn_of(said)
        if dialogue is not None and before is not None:
            other = changed(question, turn, dialogue, self._of, self.linker, as_of)
            if other is not None:
                return other
        verified = self._verified.find(question)
        if verified is not None:
            known = self._verified_reading(question, verified, as_of)
            if known is not None:
                return known
        routed = route(turn.text if turn.leans or said == question else question, as_of.date())
        routed = or_named(routed, question, lambda word: self.linker.knows(lemma(word)))
        worded = self._in_words(question, routed, before, as_of)
        if worded is not None:
            return worded
        if not looks_english(question, lambda word: self.linker.knows(lemma(word))):
            return self._refusal(question, not_english(question, (question,)), ())
        several = each_of(question, lambda part, state: self._understand(part, as_of, state))
        return several or self._ask(question, routed, as_of, before, watch, turn)

    def _names(self, text: str, before: Reading | None) -> bool:
        """Whether the text names what "they" may be: the things of the answer before, else anything known."""
        tokens = tokenise(text)
        things = things_of(before.query, self.catalog) if before is not None else frozenset()
        if not things:
            return any(self.linker.knows(t.key) for t in tokens)
        return any(k.exact and k.target.dataset in things for t in tokens for k in self.linker.objects([t.key], plain=[t.norm])[:2])

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
        prepared = replace(prepared, units=without_far_columns(prepared.units, self.kinds, self._of.graph))
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
            if turn.adds or talk.only_narrows(turn.text):
                return self._refusal(question, f"I cannot change the answer before ({before.paraphrase}) in this way.", ())
        if whose_is_unsaid(question, lambda text: self._names(text, before)):
            return self._refusal(question, THEY_ARE_WHO, ())
        if routed.intent is not Intent.ASK and not named:
            return self._about_nothing(question, routed, frame, before, as_of, unknown)
        errors: list[str] = []
        candidates = [] if unknown else self._of.of(frame, prepared, as_of, errors)
        if unknown:
            foreign = language_of(question, [w.text for w in unknown]) is not None
            return self._refusal(
                question, not_english(question, [w.text for w in unknown]) if foreign else not_understood(unknown), unknown
            )
        if candidates and routed.intent is not Intent.ASK:
            candidates = [c for c in candidates if c.query.metrics]  # "why do people return things": rows have no reason
            if not candidates:
                return self._refusal(question, WHICH_MEASURE[routed.intent], ())
        if not candidates or TOTAL_OF_NOTHING in frame.notes:
            asked = by_which(self._of, question, routed, prepared, frame, as_of, before.query if before is not None else None)
            return asked if asked is not None else self._refusal(question, why_none(errors), ())
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
            return self._refusal(question, not_understood(words), words)
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

    def _about_nothing(
        self, question: str, routed: Routed, frame: Frame, before: Reading | None, as_of: dt.datetime, unknown: tuple[UnknownWord, ...]
    ) -> Understanding:
        """A why, forecast or unusual question without a measure: about the one before, or about the key metrics."""
        if unknown:
            return self._refusal(question, not_understood(unknown), unknown)
        if before is not None and before.query.metrics:
            found = continued(self._of, question, routed, frame, before, as_of, named=False)
            if found is not None:
                return found
            query = self._of.shaped(before.query, routed)
            chips = chips_of(query, self._of.wording, routed.intent, {})
            return Understanding(
                question, "answer", (Reading(routed.intent, query, chips, 0.85, paraphrase(chips), horizon_steps=routed.horizon),)
            )
        found = scan(self._of, question, routed, frame, as_of) if looks_everywhere(routed, question) else None
        offered = found or unmeasured(self._of, question, routed, frame, as_of)
        return offered if offered is not None else self._refusal(question, WHICH_MEASURE.get(routed.intent, "Which measure?"), ())

    def _unknown(self, frame: Frame, prepared: Prepared) -> tuple[UnknownWord, ...]:
        """Words that no part of a reading explains."""
        out: list[UnknownWord] = []
        places = {(u.start, u.end) for u in frame.unknown}
        for unit, before, after in zip(prepared.units, (None, *prepared.units), (*prepared.units[1:], None), strict=False):
            lost = (unit.unknown or groups_in_vain(unit, before, after)) and not set(range(unit.start, unit.end)) <= frame.used
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


__all__ = ["Considered", "Token", "Understander"]
