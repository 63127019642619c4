"""The state of one parse: the frame so far, and what has been heard and waits for its noun."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nlq.frame import Condition, Frame, MeasureItem, Mention, TransformItem
from nlq.kinds import Kinds
from nlq.linking import Link
from nlq.parsing.words import EXTREMES, SENTENCE_END
from nlq.segment import Unit
from nlq.text import is_plural


@dataclass(frozen=True, slots=True)
class TermDefinition:
    """A glossary definition in units. `percent`: a change in it is relative to the value before."""

    units: tuple[Unit, ...]
    percent: bool = True
    formula: bool = False


@dataclass(slots=True)
class Waiting:
    """What has been heard and waits for its noun."""

    mode: str = "head"
    base_mode: str = "head"
    aggregate: str | None = None
    count: bool = False
    distinct: bool = False
    superlative: str | None = None
    super_number: bool = False
    top: bool = False
    negate: bool = False
    each: bool = False
    or_next: bool = False
    both: bool = False
    number: float | None = None
    compare_op: str | None = None
    relative: bool = False
    related: Condition | None = None
    last: Mention | None = None
    last_condition: Condition | None = None
    sentence: int = 0
    of_next: bool = False
    prep_next: bool = False
    pronoun: bool = False
    transform: TransformItem | None = None
    percent: bool = False
    pending_units: list[Unit] = field(default_factory=list)
    direction: bool | None = None
    last_measure: MeasureItem | None = None
    by_agent: bool = False
    exclude: bool = False
    comparing: bool = False
    negate_unit: Unit | None = None
    passive: bool = False
    held: list[Condition] = field(default_factory=list)
    also: list[str] = field(default_factory=list)
    part: Link | None = None


class Parse:
    """One parse of one question. `units` cover it; `kinds` knows the catalog; `handlers` are the rules by kind of function word.

    A rule takes the position of its unit and returns the position to go on from. `read` parses a stretch of units on its own.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        kinds: Kinds,
        terms: Mapping[str, TermDefinition],
        handlers: Mapping[str, Handler],
        read: Callable[[Sequence[Unit], int], Frame],
    ) -> None:
        self.units = units
        self.kinds = kinds
        self.terms = terms
        self.handlers = handlers
        self.read = read
        self.frame = Frame()
        self.waiting = Waiting()

    def use(self, *units: Unit) -> None:
        for unit in units:
            self.frame.used.update(range(unit.start, unit.end))

    def peek(self, i: int, *, skip_soft: bool = True) -> tuple[int, Unit | None]:
        """The next unit that carries meaning, from position i on."""
        while i < len(self.units):
            u = self.units[i]
            if not (skip_soft and u.soft and u.func is None and u.text not in SENTENCE_END and u.text != ","):
                return i, u
            i += 1
        return i, None

    def before(self, i: int) -> Unit | None:
        i -= 1
        while i >= 0:
            u = self.units[i]
            if not (u.soft and u.func is None and u.text.lower() in ("the", "a", "an", "all", "any", "this", "that")):
                return u
            i -= 1
        return None

    def follows_last(self, i: int) -> bool:
        """Whether the unit right before position i is the last mention."""
        return i > 0 and self.waiting.last is not None and self.units[i - 1] is self.waiting.last.unit

    def adjacent(self, i: int) -> bool:
        j = i - 1
        while j >= 0 and self.units[j].soft and self.units[j].func is None:
            j -= 1
        return j >= 0 and self.waiting.last is not None and self.units[j] is self.waiting.last.unit

    def binds_literal(self, i: int) -> bool:
        """Whether the last mention stands right before position i, with at most light words between."""
        j = i - 1
        steps = 0
        while j >= 0 and steps < 4:
            v = self.units[j]
            if self.waiting.last is not None and v is self.waiting.last.unit:
                return True
            if not (
                v.soft
                or v.is_func("have", "of", "cmp", "relative", "close", "op")
                or v.text.lower() in ("named", "called", "titled", "is", "=", ":", "no", "number", "id", "name")
            ):
                return False
            steps += 1
            j -= 1
        return False

    def last_is_dataset(self) -> bool:
        return self.waiting.last is not None and self.kinds.likely(self.waiting.last.unit, "dataset")

    def mention(self, u: Unit, role: str) -> Mention:
        mention = Mention(
            unit=u,
            role=role,  # type: ignore[arg-type]
            links=u.links,
            sentence=self.waiting.sentence,
            owner=self.waiting.pronoun,
            plural=is_plural(u.text),
            in_relative=self.waiting.relative,
            holder=self._holder(),
        )
        part = self.waiting.part
        if part is not None and any(k.target.kind == "dataset" and k.target.dataset == part.target.dataset for k in u.links):
            mention.links, self.waiting.part = (part,), None
        self.frame.mentions.append(mention)
        self.use(u)
        self.waiting.last = mention
        self.waiting.pronoun = False
        return mention

    def _holder(self) -> Mention | None:
        """The thing whose relative clause or "with" phrase is running."""
        if not self.waiting.relative:
            return None
        for mention in reversed(self.frame.mentions):
            if mention.sentence == self.waiting.sentence and self.kinds.likely(mention.unit, "dataset"):
                return mention
        return None

    def take_pending(self) -> list[Unit]:
        units, self.waiting.pending_units = self.waiting.pending_units, []
        self.use(*units)
        return units

    def reset_noun(self) -> None:
        s = self.waiting
        s.aggregate, s.count, s.distinct, s.superlative, s.super_number = None, False, False, None, False
        s.of_next = s.prep_next = False
        s.number, s.compare_op = None, None

    def flush_count(self, *, soft: bool = False) -> None:
        """A count word that found no noun counts the rows of what the sentence is about."""
        s = self.waiting
        if s.count and not soft:
            s.count = False
            self.frame.count_word_alone = True
            self.take_pending()

    def add_condition(self, condition: Condition) -> None:
        s = self.waiting
        if condition.negate and s.negate_unit is not None:
            self.use(s.negate_unit)
            s.negate_unit = None
        condition.or_previous = s.or_next
        s.or_next = False
        if s.related is not None and condition is not s.related:
            s.related.inner.append(condition)
        else:
            self.frame.conditions.append(condition)
        s.last_condition = condition
        self.use(*condition.units)

    def add_measure(self, item: MeasureItem) -> None:
        self.frame.measures.append(item)
        self.waiting.last_measure = item
        self.use(*item.units)

    def stack_aggregate(self, i: int) -> None:
        """ "min, max and average": the aggregate that waits is kept beside the one at position i that is listed with it."""
        s = self.waiting
        if not i or not self.units[i - 1].is_func("and", "comma"):
            return
        kind = s.aggregate or EXTREMES.get(s.superlative or "")
        if kind is not None and not s.count:
            s.also.append(kind)
            s.aggregate = s.superlative = None

    def retract(self, mention: Mention) -> None:
        self.frame.outputs = [m for m in self.frame.outputs if m is not mention]
        self.frame.measures = [m for m in self.frame.measures if m.mention is not mention]


Handler = Callable[[Parse, int, Unit], int]
