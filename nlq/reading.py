"""A question made ready for the grammar: definitions taken out, tokens, time phrases and units, with places in the original text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nlq.definitions import QuestionDefinition, defining_phrase, take_definitions, without_join_hints
from nlq.kinds import Kinds
from nlq.linking import Linker
from nlq.misspelt import respelt
from nlq.parsing.parse import TermDefinition
from nlq.parsing.parser import Parser
from nlq.pictures import without_picture
from nlq.segment import Unit, segment
from nlq.spelt_numbers import joined
from nlq.spoken import by_name
from nlq.text import Token, tokenise
from nlq.timing.loosely import NAMES
from nlq.timing.phrases import TimePhrase, find_time_phrases
from nlq.timing.spelling import corrected
from nlq.types import Span
from semantic.catalog.model import Catalog

_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MAX_DEFINITION_TOKENS = 60
_SAME = 0.99


@dataclass(frozen=True, slots=True)
class Prepared:
    tokens: tuple[Token, ...]
    units: tuple[Unit, ...]
    terms: Mapping[str, TermDefinition]

    def span(self, start: int, end: int) -> Span:
        """The characters of tokens [start, end)."""
        if not self.tokens:
            return Span(0, 0)
        last = min(max(end - 1, start), len(self.tokens) - 1)
        return Span(self.tokens[min(start, last)].start, self.tokens[last].end)


class Preparer:
    """Prepares questions over one catalog; knows its glossary phrases."""

    def __init__(self, linker: Linker, kinds: Kinds, catalog: Catalog) -> None:
        self._linker = linker
        self._kinds = kinds
        self._catalog = catalog
        self.terms = self._glossary_terms()

    def prepare(self, text: str, as_of: dt.datetime) -> Prepared:
        asked, defined = take_definitions(without_picture(without_join_hints(text), self._linker.knows))
        tokens = by_name(self._tokens(asked), self._linker.knows)
        if not defined:
            return Prepared(tokens, self._units(tokens, as_of), self.terms)
        terms, names = self._defined(defined, as_of)
        units = segment(tokens, self._times(tokens, as_of), self._linker, names)
        return Prepared(tokens, units, terms)

    def _tokens(self, text: str) -> tuple[Token, ...]:
        """The words with slips of the pen put right and numbers of several words as one."""
        spelt = respelt(corrected(self._unquoted(tokenise(text)), self._known), self._known)
        return joined(spelt, lambda span: any(v.score >= _SAME for v in self._linker.values(span)))

    def _unquoted(self, tokens: Sequence[Token]) -> tuple[Token, ...]:
        """The tokens with what is quoted taken as words where it is a name of the catalog (“Net revenue”) and none of its values."""
        out: list[Token] = []
        for token in tokens:
            words = tokenise(token.text) if token.kind == "quoted" and not token.backtick else ()
            exact = bool(words) and any(k.exact for k in self._linker.objects([w.key for w in words], plain=[w.norm for w in words])[:1])
            if exact and not any(v.score >= _SAME for v in self._linker.values((token,))):
                at = token.start + 1
                out.extend(replace(w, start=at + w.start, end=at + w.end) for w in words)
            else:
                out.append(token)
        return tuple(out)

    def respelt(self, text: str) -> str:
        """The text with misspelt words of the grammar put right, for rules that read the text itself."""
        tokens = tokenise(text)
        out, at = [], 0
        for token, meant in zip(tokens, respelt(tokens, self._known), strict=True):
            if meant is not token:
                out.append(text[at : token.start] + meant.norm)
                at = token.end
        return "".join(out) + text[at:]

    def _known(self, token: Token) -> bool:
        """Whether the catalog or its data have the word as it is."""
        return self._linker.knows(token.key) or bool(self._linker.values((token,)))

    def _defined(
        self, defined: Sequence[QuestionDefinition], as_of: dt.datetime
    ) -> tuple[dict[str, TermDefinition], dict[tuple[str, ...], str]]:
        """Terms that hold for one question: the glossary's and its own, which may build on each other."""
        terms = dict(self.terms)
        names: dict[tuple[str, ...], str] = {}
        for number, definition in enumerate(defined):
            subject = tuple(t.key for t in tokenise(definition.subject))
            others = dict(names)
            names[subject] = f"#{number}"
            expression = tokenise(definition.expression)
            units = segment(expression, self._times(expression, as_of), self._linker, others)
            terms[f"#{number}"] = TermDefinition(units, formula=True)
        return terms, names

    def _units(self, tokens: Sequence[Token], as_of: dt.datetime) -> tuple[Unit, ...]:
        return segment(tokens, self._times(tokens, as_of), self._linker)

    def _times(self, tokens: Sequence[Token], as_of: dt.datetime) -> tuple[TimePhrase, ...]:
        named = frozenset(t.norm for t in tokens if t.norm in NAMES and self._known(t))
        return find_time_phrases(tokens, as_of, self._catalog.calendar, named)

    def _glossary_terms(self) -> dict[str, TermDefinition]:
        """Glossary words whose definition is a phrase of this grammar, such as "per month customer signups"."""
        found: dict[str, TermDefinition] = {}
        for term in self._catalog.glossary:
            if term.means or term.term.strip().lower() in ("note", "notes", ""):
                continue
            phrase, percent = defining_phrase(term.definition)
            tokens = tokenise(phrase)
            if not tokens or len(tokens) > _MAX_DEFINITION_TOKENS:
                continue
            units = self._units(tokens, _EPOCH)
            frame = Parser(units, self._kinds).parse()
            lost = any(u.unknown and not set(range(u.start, u.end)) <= frame.used for u in units) or frame.unknown
            if not lost and (frame.measures or frame.transforms or frame.outputs or frame.rank_by):
                found.setdefault(term.term, TermDefinition(units, percent))
        return found
