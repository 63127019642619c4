"""Units -> Frame: a left-to-right analyst's grammar. Robust against missing grammar, keywords only and several sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nlq.afterthoughts import settle_busiest, settle_listed, settle_subject
from nlq.buckets import plain_units
from nlq.frame import Condition, Frame, MeasureItem, Mention, MovedItem, OrderItem, TransformItem
from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.phrases import RELATING
from nlq.segment import Unit

_MEANINGFUL = frozenset(
    (
        "neg",
        "cmp",
        "super",
        "top",
        "share",
        "ratio",
        "transform",
        "change",
        "compare",
        "null",
        "contains",
        "duration",
        "versus_avg",
        "cycle",
        "between",
        "moved",
    )
)
_SENTENCE_END = frozenset((".", "?", "!", ";"))
_LACKING = frozenset(
    (
        "with no",
        "without",
        "no",
        "have no",
        "has no",
        "had no",
        "that have no",
        "without any",
        "lacking",
        "lack",
        "do not have",
        "does not have",
        "do not have any",
    )
)
_INSTRUCTIONS = frozenset(("use", "always", "ensure", "remember", "recall", "assume", "make", "convert"))
_PARTICIPLES = frozenset(
    """
    ordered made placed sold bought written posted given paid done created issued submitted authored published taken reviewed owned
    handled operated offered taught reported sent ordered purchased followed held cited manufactured produced  managed attended run
    provided supplied served booked used earned received spent received hired
    """.split()
)
_UNIT_NOUNS = frozenset(
    """
    meters metres meter kilometers kilometres kilometer kilometre sq km miles mile feet foot inches pounds kg kilograms grams dollars
    dollar usd eur euros percent people square per hours minutes seconds days years  points stars times degrees units cents tons
    liters litres gallons cm mm m
    """.split()
)
_TYING = frozenset(
    """
    made make makes placed place received receive get gets got took take bought buy purchased purchase paid pay filed submitted posted
    have had has gave given used use visited visit opened wrote write sold sell
    """.split()
)
_MOVED = re.compile(
    r"^(?:did|has|have|is|are)\b.*\b(?:go|gone|going|went)? ?(?:up|down|increase|increased|decrease|decreased|rise|risen|fall|fallen"
    r"|drop|dropped|grow|grown|decline|declined|improve|improved|change|changed)\b"
)


@dataclass(frozen=True, slots=True)
class TermDefinition:
    """A glossary definition in units. `percent`: a change in it is relative to the value before."""

    units: tuple[Unit, ...]
    percent: bool = True
    formula: bool = False


@dataclass(slots=True)
class _State:
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


class Parser:
    """One parse of one question. `units` cover it; `kinds` knows the catalog."""

    def __init__(self, units: Sequence[Unit], kinds: Kinds, terms: Mapping[str, TermDefinition] | None = None) -> None:
        self.terms = terms or {}
        self.units = units
        self.kinds = kinds
        self.frame = Frame()
        self.s = _State()
        self._handlers: dict[str, Callable[[int, Unit], int]] = {
            "agg": self._on_aggregate, "count": self._on_count, "distinct": self._on_distinct, "super": self._on_super, "top": self._on_top,
            "by": self._on_by, "each": self._on_each, "cmp": self._on_compare_op, "between": self._on_between, "neg": self._on_negation,
            "order": self._on_order, "direction": self._on_direction, "output": self._on_output, "wh": self._on_wh, "transform": self._on_transform,
            "change": self._on_change, "compare": self._on_compare, "ratio": self._on_ratio, "share": self._on_share, "grain": self._on_grain,
            "cycle": self._on_cycle, "duration": self._on_duration, "both": self._on_both, "and": self._on_and, "or": self._on_or,
            "comma": self._on_comma, "relative": self._on_relative, "pronoun": self._on_pronoun, "prep": self._on_prep, "of": self._on_of,
            "postcmp": self._on_post_compare, "null": self._on_null, "contains": self._on_contains, "round": self._on_round,
            "versus_avg": self._on_versus_average, "have": self._on_have, "open": self._skip, "close": self._skip, "op": self._on_op,
            "moved": self._on_moved, "define": self._on_define, "soft": self._skip, "stop": self._skip,
        }  # fmt: skip

    def parse(self) -> Frame:
        i = 0
        while i < len(self.units):
            if self.units[i].text.lower() in _INSTRUCTIONS and i and self.units[i - 1].text in (".", ";", "!") and self.s.sentence:
                i = self._instruction(i)
                continue
            i = self._step(i)
        self._finish()
        return self.frame

    def _instruction(self, i: int) -> int:
        """A sentence on how to get there ("Use the most recent date in ..."): it adds nothing to what is asked."""
        self.frame.notes.append("instruction")
        while i < len(self.units) and self.units[i].text not in _SENTENCE_END:
            self._use(self.units[i])
            i += 1
        return i

    def _step(self, i: int) -> int:
        u = self.units[i]
        if u.time is not None and not u.values:
            return self._on_time(i, u)
        if (
            u.links
            and u.func is not None
            and u.func.kind in ("agg", "count", "super", "distinct", "top", "grain")
            and self._works_on_next(i)
        ):
            return self._handlers[u.func.kind](i, u)
        if u.is_object or u.quoted:
            return self._on_object(i, u)
        if u.func is not None and u.func.kind in self._handlers:
            return self._handlers[u.func.kind](i, u)
        if u.number is not None:
            return self._on_number(i, u)
        if u.text in _SENTENCE_END:
            return self._on_sentence_end(i)
        if u.unknown:
            return self._on_unknown(i, u)
        if u.text.lower() in (
            "month",
            "months",
            "year",
            "years",
            "week",
            "weeks",
            "quarter",
            "quarters",
            "day",
            "days",
            "date",
            "hour",
            "hours",
        ):
            return self._on_bare_period(i, u)
        if u.text.lower() == "same":
            return self._on_same(i, u)
        if u.text.lower() == "rate" and self.s.last_condition is not None:
            return self._on_rate(i, u)
        if u.text.lower() in ("count", "counts"):
            self.frame.count_word_alone = True
        if u.soft and u.text.lower() in RELATING:
            if self.s.negate and self.s.last is not None and self._closes_clause(i) and self.kinds.likely(self.s.last.unit, "dataset"):
                return self._on_negated_verb(i, u)
            self.frame.loose_verbs += 1
        if (
            u.text.lower() in _TYING
            and self.s.last is not None
            and self.s.mode == "head"
            and self.kinds.likely(self.s.last.unit, "dataset")
            and self.s.last.role in ("output", "count")
        ):
            self.s.relative = True
        return i + 1

    def _works_on_next(self, i: int) -> bool:
        """Whether a word such as "total" belongs to the noun right after it, and is no noun itself."""
        j = i + 1
        while j < len(self.units) and self.units[j].text.lower() in ("the", "of", "of the", "number of", "count of"):
            j += 1
        following = self.units[j] if j < len(self.units) else None
        return following is not None and following.is_object and not following.is_func("cmp", "relative", "have")

    # ---------------------------------------------------------------- helpers

    def _use(self, *units: Unit) -> None:
        for unit in units:
            self.frame.used.update(range(unit.start, unit.end))

    def _skip(self, i: int, u: Unit) -> int:
        return i + 1

    def _peek(self, i: int, *, skip_soft: bool = True) -> tuple[int, Unit | None]:
        """The next unit that carries meaning, from position i on."""
        while i < len(self.units):
            u = self.units[i]
            if not (skip_soft and u.soft and u.func is None and u.text not in _SENTENCE_END and u.text != ","):
                return i, u
            i += 1
        return i, None

    def _before(self, i: int) -> Unit | None:
        i -= 1
        while i >= 0:
            u = self.units[i]
            if not (u.soft and u.func is None and u.text.lower() in ("the", "a", "an", "all", "any", "this", "that")):
                return u
            i -= 1
        return None

    def _mention(self, u: Unit, role: str) -> Mention:
        last_word = u.text.split()[-1].lower()
        mention = Mention(
            unit=u,
            role=role,  # type: ignore[arg-type]
            links=u.links,
            sentence=self.s.sentence,
            owner=self.s.pronoun,
            plural=last_word.endswith("s") and not last_word.endswith(("ss", "us")),
            in_relative=self.s.relative,
            holder=self._holder(),
        )
        self.frame.mentions.append(mention)
        self._use(u)
        self.s.last = mention
        self.s.pronoun = False
        return mention

    def _holder(self) -> Mention | None:
        """The thing whose relative clause or "with" phrase is running."""
        if not self.s.relative:
            return None
        for mention in reversed(self.frame.mentions):
            if mention.sentence == self.s.sentence and self.kinds.likely(mention.unit, "dataset"):
                return mention
        return None

    def _take_pending(self) -> list[Unit]:
        units, self.s.pending_units = self.s.pending_units, []
        self._use(*units)
        return units

    def _reset_noun(self) -> None:
        s = self.s
        s.aggregate, s.count, s.distinct, s.superlative, s.super_number = None, False, False, None, False
        s.of_next = s.prep_next = False
        s.number, s.compare_op = None, None

    def _add_condition(self, condition: Condition) -> None:
        s = self.s
        if condition.negate and s.negate_unit is not None:
            self._use(s.negate_unit)
            s.negate_unit = None
        condition.or_previous = s.or_next
        s.or_next = False
        if s.related is not None and condition is not s.related:
            s.related.inner.append(condition)
        else:
            self.frame.conditions.append(condition)
        s.last_condition = condition
        self._use(*condition.units)

    # ---------------------------------------------------------------- sentences and clauses

    def _on_define(self, i: int, u: Unit) -> int:
        """ "based on X" settles which number the measure before means; "Xs are considered Y if ..." only explains."""
        s = self.s
        kind = u.func.value if u.func else ""
        if kind == "considered":
            j = i
            while j >= 0 and self.units[j].text not in _SENTENCE_END:
                self._use(self.units[j])
                j -= 1
            while i < len(self.units) and self.units[i].text not in ("?", "!", ";"):
                self._use(self.units[i])
                i += 1
            if s.last is not None and s.last.sentence == s.sentence:
                self._retract(s.last)
            return i
        if kind == "basis":
            j, nxt = self._peek(i + 1)
            old = s.last
            if nxt is not None and nxt.links and old is not None and old.role in ("aggregate", "output", "count"):
                mention = self._mention(nxt, "context")
                if not any(link.score >= 0.6 and link.target.kind in ("metric", "field") for link in old.links):
                    for other in self.frame.mentions:
                        if other.unit.keys == old.unit.keys:
                            other.links = mention.links
                    for item in [*self.frame.measures, *self.frame.rank_by]:
                        if item.mention is not None and item.mention.unit.keys == old.unit.keys:
                            item.aggregate = item.aggregate or "sum"
                return j + 1
            if nxt is not None and (nxt.links or nxt.is_func("agg", "count", "super")) and s.base_mode in ("head", "output"):
                s.mode = "rankby" if self.frame.limit_asked else s.mode
            return i + 1
        return i + 1

    def _on_sentence_end(self, i: int) -> int:
        s = self.s
        u = self.units[i]
        following = self.units[i + 1] if i + 1 < len(self.units) else None
        if u.text == "." and following is None:
            return i + 1
        last = s.last
        self.s = _State(sentence=s.sentence + 1, last=None, last_measure=s.last_measure)
        self.s.last = last if u.text == ";" else None
        return i + 1

    def _on_output(self, i: int, u: Unit) -> int:
        words = u.text.lower()
        if words in ("including", "include") and self._keep_empty(i):
            return self._keep_empty_end(i)
        s = self.s
        self.frame.list_verb = True
        self._flush_count()
        s.mode = s.base_mode = "output"
        s.relative, s.related, s.negate = False, None, False
        self._reset_noun()
        return i + 1

    def _keep_empty(self, i: int) -> bool:
        words = [u.text.lower() for u in self.units[i + 1 : i + 9]]
        text = " ".join(words)
        return any(
            w in text
            for w in (
                "those where",
                "months where",
                "where there were no",
                "those with no",
                "those without",
                "those that have no",
                "with zero",
                "where metrics are",
                "with 0",
            )
        )

    def _keep_empty_end(self, i: int) -> int:
        self.frame.keep_empty = True
        while i < len(self.units) and self.units[i].text not in _SENTENCE_END:
            self._use(self.units[i])
            i += 1
        return i

    def _on_wh(self, i: int, u: Unit) -> int:
        self._flush_count()
        s = self.s
        if not self.frame.question_word:
            self.frame.question_word = (u.func.value if u.func else "") or "what"
        if u.func is not None and u.func.value == "when":
            self.frame.question_word = "when"
        if s.mode in ("group", "order"):
            s.mode = "head"
        s.base_mode = s.mode = "head"
        s.relative, s.related = False, None
        return i + 1

    def _on_relative(self, i: int, u: Unit) -> int:
        s = self.s
        words = u.text.lower()
        starts = i == 0 or self.units[i - 1].text in (*_SENTENCE_END, ",")
        if i == 0 and words.split()[-1] == "which":
            return self._on_wh(i, u)
        if words.split()[0] in ("which", "who") and (i == 0 or self.units[i - 1].text in _SENTENCE_END or (s.last is None)):
            return self._on_wh(i, u)
        if words == "with the" or words == "with":
            _, nxt = self._peek(i + 1)
            if nxt is not None and nxt.is_func("super", "cmp"):
                s.relative = True
                return i + 1
        if words == "that" and starts:
            return i + 1
        if (
            words == "that"
            and i + 2 < len(self.units)
            and self.units[i + 1].text.lower() in ("a", "an")
            and self.units[i + 2].links
            and self.kinds.likely(self.units[i + 2], "dataset")
        ):
            someone = self._mention(self.units[i + 2], "group")
            someone.indefinite = True
            self.frame.groups.append(someone)
            self.s.relative = False
            return i + 3
        self._flush_count()
        s.relative, s.related = True, None
        if s.mode in ("group", "order", "rankby"):
            s.mode = s.base_mode
        s.each = False
        return i + 1

    def _on_comma(self, i: int, u: Unit) -> int:
        s = self.s
        _, nxt = self._peek(i + 1)
        if s.related is not None and not (nxt is not None and nxt.is_func("or")):
            s.related = None
        if s.relative and nxt is not None and (nxt.is_func("wh", "count", "output", "agg") or nxt.text.lower() in ("what",)):
            s.relative = False
            s.mode = s.base_mode
        s.of_next = s.prep_next = False
        return i + 1

    def _on_and(self, i: int, u: Unit) -> int:
        self._flush_count(soft=True)
        self.s.of_next = self.s.prep_next = False
        return i + 1

    def _on_or(self, i: int, u: Unit) -> int:
        if u.text.lower() != "either":
            self.s.or_next = True
        return i + 1

    def _on_both(self, i: int, u: Unit) -> int:
        self.s.both = True
        return i + 1

    def _on_have(self, i: int, u: Unit) -> int:
        text = u.text.lower()
        if text in ("have", "has", "had", "got", "have had") and self.s.last is not None:
            self.s.relative = True
        if text in ("were", "was", "are", "is", "been", "be"):
            self.s.passive = True
        return i + 1

    def _on_of(self, i: int, u: Unit) -> int:
        self.s.of_next = True
        return i + 1

    def _on_prep(self, i: int, u: Unit) -> int:
        words = u.text.lower()
        self.s.prep_next = True
        if words.startswith(("of", "for all")) or words == "out of":
            self.s.of_next = True
        if self.s.mode == "group" and not self.s.each and words.split()[0] in ("for", "in", "from", "during"):
            self.s.mode = self.s.base_mode
        if self.s.each:
            self.s.each = False
            self.s.mode = self.s.base_mode
        return i + 1

    def _on_pronoun(self, i: int, u: Unit) -> int:
        self.s.pronoun = True
        return i + 1

    def _on_negation(self, i: int, u: Unit) -> int:
        s = self.s
        words = u.text.lower()
        if s.exclude:
            s.exclude = False
            s.negate = False
            s.relative = True
            if s.negate_unit is not None:
                self._use(u, s.negate_unit)
            s.negate_unit = None
            return i + 1
        s.negate = not s.negate
        s.negate_unit = u
        if words in ("ignore", "ignoring", "exclude", "excluding", "except", "leaving out"):
            j, nxt = self._peek(i + 1)
            k, after = self._peek(j + 1)
            if (
                nxt is not None
                and after is not None
                and nxt.links
                and self.kinds.likely(nxt, "dataset")
                and (after.is_func("relative") or after.is_func("neg"))
            ):
                self._mention(nxt, "context")
                s.negate, s.exclude, s.relative, s.related = True, True, True, None
                self._use(u)
                return j + 1 if after.is_func("neg") else k + 1
        if words in (
            "excluding",
            "except",
            "without",
            "except for",
            "other than",
            "exclude",
            "ignore",
            "ignoring",
            "not including",
            "apart from",
        ):
            self._flush_count()
            if s.mode in ("group", "order"):
                s.mode = s.base_mode
            s.related = None
        if words.startswith(("have", "has", "had", "do", "does", "did", "that", "with", "without")) or "have" in words or words == "no":
            s.relative = True
        return i + 1

    # ---------------------------------------------------------------- waiting words

    def _on_aggregate(self, i: int, u: Unit) -> int:
        s = self.s
        _j, nxt = self._peek(i + 1)
        if u.text.lower() == "in total" or ((nxt is None or nxt.text in _SENTENCE_END) and s.last_measure is not None):
            self._use(u)
            return i + 1
        if nxt is not None and nxt.is_func("grain", "super"):
            pass
        if (u.func is not None and s.aggregate is None) or (u.func is not None and u.func.value != "sum"):
            s.aggregate = u.func.value
        s.pending_units.append(u)
        return i + 1

    def _on_count(self, i: int, u: Unit) -> int:
        s = self.s
        _, nxt = self._peek(i + 1)
        words = u.text.lower()
        if (
            words in ("count", "counts", "counting")
            and s.last is not None
            and self._adjacent(i)
            and s.last.role in ("output", "focus", "aggregate", "order")
            and self._last_is_dataset()
        ):
            self._retract(s.last)
            self._add_measure(MeasureItem("count", None, s.last, units=[u]))
            s.last.role = "count"
            self._use(u)
            return i + 1
        if words in ("count", "counts") and (
            nxt is None or nxt.text in _SENTENCE_END or nxt.is_func("and", "comma", "by", "each", "for", "direction")
        ):
            self.frame.count_word_alone = True
            self._use(u)
            return i + 1
        if (
            nxt is not None
            and nxt.text.lower() in ("days", "weeks", "months", "years", "hours", "minutes")
            and any(m.kind == "duration" for m in self.frame.measures)
        ):
            k = i
            while k < len(self.units) and self.units[k].text not in _SENTENCE_END and not self.units[k].is_func("comma"):
                self._use(self.units[k])
                k += 1
            return k
        if (
            nxt is not None
            and nxt.is_func("neg")
            and s.last_condition is not None
            and s.last_condition.kind == "flag"
            and s.last_condition.mention is not None
        ):
            k, after = self._peek(self.units.index(nxt) + 1)
            if after is None or after.text in _SENTENCE_END:
                condition = s.last_condition
                self.frame.conditions = [c for c in self.frame.conditions if c is not condition]
                for measure in self.frame.measures:
                    measure.conditions = [c for c in measure.conditions if c is not condition]
                mention = s.last_condition.mention
                mention.role = "group"
                self.frame.groups.append(mention)
                self._use(u, nxt)
                return self.units.index(nxt) + 1
        self._flush_count()
        s.count = True
        s.pending_units.append(u)
        if words.startswith("how many"):
            self.frame.question_word = self.frame.question_word or "how many"
            s.mode = s.base_mode = "head"
            s.relative, s.related = False, None
        return i + 1

    def _adjacent(self, i: int) -> bool:
        j = i - 1
        while j >= 0 and self.units[j].soft and self.units[j].func is None:
            j -= 1
        return j >= 0 and self.s.last is not None and self.units[j] is self.s.last.unit

    def _last_is_dataset(self) -> bool:
        return self.s.last is not None and self.kinds.likely(self.s.last.unit, "dataset")

    def _retract(self, mention: Mention) -> None:
        self.frame.outputs = [m for m in self.frame.outputs if m is not mention]
        self.frame.measures = [m for m in self.frame.measures if m.mention is not mention]

    def _flush_count(self, *, soft: bool = False) -> None:
        """A count word that found no noun counts the rows of what the sentence is about."""
        s = self.s
        if s.count and not soft:
            s.count = False
            self.frame.count_word_alone = True
            self._take_pending()

    def _on_distinct(self, i: int, u: Unit) -> int:
        self.s.distinct = True
        if (not self.s.count and self.s.base_mode == "output") or "list" in u.text.lower():
            self.frame.distinct = True
        if "number" in u.text.lower():
            self.s.count = True
        self.s.pending_units.append(u)
        return i + 1

    def _on_super(self, i: int, u: Unit) -> int:
        s = self.s
        if s.superlative is not None and s.pending_units:
            self._use(*[x for x in s.pending_units if x.is_func("super")])
        value = u.func.value if u.func else "desc"
        words = u.text.lower()
        j, number = self._peek(i + 1)
        _, after = self._peek(j + 1)
        if (
            words in ("first", "last")
            and number is not None
            and number.number is not None
            and not number.is_object
            and (after is None or after.text in _SENTENCE_END)
        ):
            self.frame.limit, self.frame.limit_asked = int(number.number), True
            self._use(u, number)
            return j + 1
        if words in ("first", "last") and not self._next_is_object(i) and (s.base_mode == "output" or self.frame.orders):
            self._use(u)
            return i + 1
        s.superlative = value
        s.super_number = "number" in words or "count" in words or "amount of" in words
        if words.startswith(
            (
                "most frequent",
                "most common",
                "most popular",
                "most often",
                "best selling",
                "most sold",
                "most active",
                "least frequent",
                "least common",
                "bestselling",
                "least popular",
                "busiest",
                "most bought",
                "best rated",
                "highest rated",
                "top rated",
                "lowest rated",
                "worst rated",
                "worst selling",
            )
        ):
            self._use(u)
            order = OrderItem(descending=value == "desc")
            order.measure = MeasureItem("count", None, None, shown=True, units=[u], label=words)
            self.frame.superlative = order
            s.superlative = None
            s.top = s.top or self.frame.limit is not None
            if self.frame.limit is None:
                self.frame.singular = True
            return i + 1
        s.pending_units.append(u)
        return i + 1

    def _next_is_object(self, i: int) -> bool:
        _, nxt = self._peek(i + 1)
        return nxt is not None and nxt.is_object

    def _on_top(self, i: int, u: Unit) -> int:
        s = self.s
        j, nxt = self._peek(i + 1)
        self._use(u)
        self.frame.limit_asked = True
        self.frame.ascending_top = bool(u.func and u.func.value == "asc")
        if nxt is not None and nxt.number is not None and not nxt.is_object:
            self.frame.limit = int(nxt.number)
            self._use(nxt)
            i = j
        elif self.frame.limit is None:
            self.frame.limit = 10 if self._plural_ahead(i) else 1
        s.top = True
        s.relative = False
        if s.mode in ("group", "order"):
            s.mode = s.base_mode
        return i + 1

    def _plural_ahead(self, i: int) -> bool:
        _, nxt = self._peek(i + 1)
        return nxt is not None and nxt.text.lower().endswith("s")

    def _on_by(self, i: int, u: Unit) -> int:
        s = self.s
        _, nxt = self._peek(i + 1)
        before = self._before(i)
        previous = self.units[i - 1] if i else None
        if nxt is None:
            return i + 1
        if s.mode == "order":
            return i + 1
        participle = previous is not None and previous.text.lower().split()[-1] in _PARTICIPLES
        named = self.kinds.certainly(nxt, "dataset") or (participle and self.kinds.likely(nxt, "dataset"))
        plural_dataset = nxt.is_object and named and nxt.text.lower().endswith("s")
        filtered = self._filtered_after(i + 1)
        if u.text.lower() == "by" and plural_dataset and (participle or filtered or (before is not None and s.passive)):
            s.by_agent = True
            s.relative = True
            return i + 1
        ranking = any(t.kind == "rank" and t.measure is None for t in self.frame.transforms) and not self.frame.rank_by
        if s.top and self._groups_the_top(u, nxt):
            self.frame.limit_per_group = self.frame.limit is not None
            s.mode, s.each = "group", False
            return i + 1
        unmeasured = self._unmeasured_superlative() and (
            nxt.is_func("count", "agg") or self.kinds.likely(nxt, "measure") or self.kinds.certainly(nxt, "dataset")
        )
        if (s.top or ranking or unmeasured) and not nxt.is_func("each", "grain"):
            s.mode = "rankby"
            s.top = False
            return i + 1
        self._flush_count()
        s.mode = "group"
        s.each = False
        s.relative, s.related = False, None
        if nxt.is_func("count", "agg") and not self.frame.rank_by and self.frame.groups:
            s.mode = "rankby"
        return i + 1

    def _groups_the_top(self, u: Unit, nxt: Unit) -> bool:
        """ "top 3 products per category": a label that is no number splits the ranking instead of making it."""
        if not nxt.links or self.kinds.likely(nxt, "measure") or self.kinds.likely(nxt, "number") or not self.frame.outputs:
            return False
        return "per" in u.text.lower().split() or not self.kinds.likely(nxt, "dataset")

    def _unmeasured_superlative(self) -> bool:
        """Whether a superlative was heard that does not say yet what makes the first one first ("best selling", "worst 3 channels")."""
        superlative = self.frame.superlative
        return (
            superlative is not None
            and superlative.measure is not None
            and superlative.measure.mention is None
            and superlative.measure.kind in ("count", "aggregate")
        )

    def _rank_with(self, item: MeasureItem) -> None:
        """What a ranking goes by, for the superlative that waits for it or else for the list."""
        if self._unmeasured_superlative() and self.frame.superlative is not None:
            self.frame.superlative.measure = item
        else:
            self.frame.rank_by.append(item)

    def _filtered_after(self, i: int) -> bool:
        """Whether the noun after `by` is followed by a relative clause or a value: then it is an agent, not a grouping."""
        j, noun = self._peek(i)
        _, after = self._peek(j + 1)
        if noun is None or after is None:
            return False
        if after.is_func("relative"):
            return True
        if after.is_func("prep"):
            k, value = self._peek(j + 1)
            _, value = self._peek(k + 1)
            return value is not None and bool(value.values) and not value.links
        return False

    def _on_each(self, i: int, u: Unit) -> int:
        s = self.s
        self._flush_count()
        s.each = True
        if self.frame.limit is not None and (self.frame.rank_by or self.frame.superlative is not None) and s.sentence == 0:
            self.frame.limit_per_group = True
        if s.mode != "group":
            s.base_mode = s.mode if s.mode in ("head", "output") else s.base_mode
        s.mode = "group"
        s.relative = s.relative and False
        s.related = None
        self._use(u)
        return i + 1

    # ---------------------------------------------------------------- numbers and comparisons

    def _on_number(self, i: int, u: Unit) -> int:
        s = self.s
        j, nxt = self._peek(i + 1)
        if nxt is not None and nxt.is_func("super", "top") and u.number is not None and u.number <= 1000:
            self.frame.limit, self.frame.limit_asked = int(u.number), True
            s.top = True
            self._use(u)
            return i + 1
        if nxt is not None and nxt.is_func("postcmp") and nxt.func is not None:
            s.number, s.compare_op = u.number, nxt.func.value
            self._use(u, nxt)
            return self._close_comparison(j + 1)
        if s.superlative is not None and u.number is not None:
            self.frame.limit, self.frame.limit_asked = int(u.number), True
            self._use(u)
            return i + 1
        if s.compare_op is not None:
            s.number = u.number
            self._use(u)
            return self._close_comparison(i + 1)
        if s.last is not None and self._binds_literal(i) and u.number is not None:
            self._bind_literal(u, s.last)
            return i + 1
        if (
            nxt is not None
            and nxt.is_object
            and s.base_mode in ("head", "output")
            and not s.relative
            and u.number is not None
            and 1 <= u.number <= 1000
            and not s.count
            and s.mode != "group"
        ):
            self.frame.limit, self.frame.limit_asked = int(u.number), True
            s.top = True
            self._use(u)
            return i + 1
        if s.relative and nxt is not None and nxt.is_object and self.kinds.likely(nxt, "dataset"):
            s.number, s.compare_op = u.number, "="
            self._use(u)
            return i + 1
        if u.text.isdigit() or u.number is not None:
            if u.text.lower() in ("one", "single", "a", "couple", "zero"):
                return i + 1
            self.frame.unknown.append(u)
        return i + 1

    def _binds_literal(self, i: int) -> bool:
        """Whether the last mention stands right before position i, with at most light words between."""
        j = i - 1
        steps = 0
        while j >= 0 and steps < 4:
            v = self.units[j]
            if self.s.last is not None and v is self.s.last.unit:
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

    def _on_compare_op(self, i: int, u: Unit) -> int:
        s = self.s
        if u.func is None:
            return i + 1
        j, nxt = self._peek(i + 1)
        if (
            nxt is not None
            and nxt.number is None
            and nxt.is_object
            and s.last is not None
            and u.func.value in (">", "<", ">=", "<=", "=", "!=")
        ):
            if nxt.values and (nxt.quoted or not nxt.links):
                s.negate = s.negate or u.func.value == "!="
                self._use(u)
                return i + 1
            if nxt.links and self.kinds.likely(nxt, "number") and self.kinds.likely(s.last.unit, "number"):
                last = s.last
                self._retract(last)
                other = self._mention(nxt, "condition")
                last.role = "condition"
                self._add_condition(Condition("compare_fields", last, op=u.func.value, other=other, units=[u]))
                return j + 1
        if nxt is None or (nxt.number is None and not nxt.is_func("agg", "super", "neg")):
            if nxt is not None and nxt.quoted:
                s.negate = s.negate or u.func.value == "!="
                self._use(u)
            return i + 1
        s.compare_op = u.func.value
        s.pending_units.append(u)
        if s.negate:
            s.compare_op = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "=": "!=", "!=": "="}[s.compare_op]
            s.negate = False
        return i + 1

    def _close_comparison(self, i: int) -> int:
        """A comparison and its number are known: find what is compared, behind or ahead."""
        s = self.s
        units = self._take_pending()
        number, op = s.number, s.compare_op or "="
        j, nxt = self._peek(i)
        if nxt is not None and nxt.text.lower() == "times" and (s.last is None or s.last.role != "related"):
            self.frame.unknown.append(nxt)
        while nxt is not None and (nxt.text.lower() in _UNIT_NOUNS or nxt.is_func("agg")) and not nxt.links:
            self._use(nxt)
            j, nxt = self._peek(j + 1)
        if nxt is not None and nxt.is_func("distinct"):
            j, nxt = self._peek(j + 1)
        if nxt is not None and nxt.text.lower() in ("in", "of", "as"):
            k, owner = self._peek(j + 1)
            if owner is not None and owner.links and self.kinds.likely(owner, "number") and not self._measured_before():
                j, nxt, i = k, owner, k - 1
        if nxt is not None and nxt.links and not (nxt.values and not nxt.links) and j - i <= 2 and not self._measured_before():
            target = self._mention(nxt, "condition")
            self._number_condition(target, op, number, units, ahead=True)
            self._reset_noun()
            return j + 1
        if s.last is not None:
            self._number_condition(s.last, op, number, units, ahead=False)
        else:
            self.frame.unknown.extend(units)
        self._reset_noun()
        return max(i, j) if nxt is None or nxt.text.lower() not in _UNIT_NOUNS else j

    def _measured_before(self) -> bool:
        """Whether a number-like mention stands directly before the comparison ("rating above 4")."""
        last = self.s.last
        if last is None:
            return False
        counted = last.role == "count" and (last.in_relative or self.frame.question_word == "" or self.s.base_mode == "output")
        return self.kinds.likely(last.unit, "number") or counted or (self.kinds.likely(last.unit, "measure") and last.role != "count")

    def _number_condition(self, mention: Mention, op: str, number: float | None, units: list[Unit], *, ahead: bool) -> None:
        s = self.s
        if mention.role == "related" and not ahead and s.related is not None:
            following = self.units[self._after_number(units)].text.lower() if self._after_number(units) < len(self.units) else ""
            if following in ("times", "time") and s.related.mention is mention:
                s.related.op, s.related.number = op, number
                return
            amounts = self.kinds.amounts_of(mention.unit)
            if len(amounts) == 1:
                amount = Mention(mention.unit, "condition", (Link(amounts[0], 1.0, True),), s.sentence)
                self.frame.mentions.append(amount)
                self._add_condition(Condition("number", amount, op=op, number=number, units=units))
                return
        measure = next((m for m in self.frame.measures if m.mention is mention), None)
        if measure is not None and s.mode != "head_cond":
            if measure.superlative is None and self._only_for_condition(measure):
                self.frame.measures.remove(measure)
            self.frame.having.append(Condition("number", mention, measure, op=op, number=number, units=units))
            return
        if (
            self.kinds.likely(mention.unit, "metric")
            and not self.kinds.likely(mention.unit, "number")
            and not self.kinds.likely(mention.unit, "dataset")
        ):
            self._retract(mention)
            mention.role = "aggregate"
            item = MeasureItem("aggregate", None, mention, units=units)
            self.frame.measures.append(item)
            self.frame.having.append(Condition("number", mention, item, op=op, number=number, units=units))
            return
        if self.kinds.likely(mention.unit, "dataset") and (ahead or mention.role in ("related", "focus")):
            item = MeasureItem("count", None, mention, units=units)
            if mention.role == "related" and s.last_condition is not None and s.last_condition.mention is mention:
                self.frame.conditions.remove(s.last_condition)
                s.related = None
            mention.role = "count"
            self.frame.having.append(Condition("number", mention, item, op=op, number=number, units=units))
            return
        if mention.role in ("output", "focus") and not ahead and self.kinds.certainly(mention.unit, "dataset"):
            mention = Mention(mention.unit, "condition", mention.links, s.sentence)
            self.frame.mentions.append(mention)
        elif mention.role in ("output", "focus"):
            self._retract(mention)
        mention.role = "condition"
        self._add_condition(Condition("number", mention, op=op, number=number, units=units))

    def _after_number(self, units: Sequence[Unit]) -> int:
        """The position after a comparison's words and its number."""
        end = max((u.end for u in units), default=0)
        position = next((k for k, v in enumerate(self.units) if v.start >= end), len(self.units))
        while position < len(self.units) and self.units[position].number is not None:
            position += 1
        return position

    def _only_for_condition(self, measure: MeasureItem) -> bool:
        """A measure named after "with" or "having" is there for its condition, not to be shown."""
        return measure.mention is not None and measure.mention.in_relative

    def _on_post_compare(self, i: int, u: Unit) -> int:
        return i + 1

    def _on_between(self, i: int, u: Unit) -> int:
        j, low = self._peek(i + 1)
        if low is None or low.number is None:
            return i + 1
        k, joint = self._peek(j + 1)
        m, high = self._peek(k + 1)
        if joint is None or high is None or high.number is None or not (joint.is_func("and") or joint.text.lower() in ("to", "-")):
            return i + 1
        self._use(u, low, joint, high)
        target = self.s.last
        n, nxt = self._peek(m + 1)
        if target is None and nxt is not None and nxt.links:
            target = self._mention(nxt, "condition")
            m = n
        if target is None:
            self.frame.unknown.append(u)
            return m + 1
        measure = next((x for x in self.frame.measures if x.mention is target), None)
        condition = Condition(
            "number", target, measure, op="between", number=low.number, number_high=high.number, units=[u], negate=self.s.negate
        )
        self.s.negate = False
        if measure is not None:
            if self._only_for_condition(measure):
                self.frame.measures.remove(measure)
            self.frame.having.append(condition)
        else:
            self._retract(target)
            target.role = "condition"
            self._add_condition(condition)
        return m + 1

    def _on_versus_average(self, i: int, u: Unit) -> int:
        op = "<" if u.func is not None and u.func.value.endswith("<") else ">"
        j, nxt = self._peek(i + 1)
        target = self.s.last
        if nxt is not None and nxt.links and (target is None or not self._measured_before()):
            target = self._mention(nxt, "condition")
            i = j
        if target is None:
            self.frame.unknown.append(u)
            return i + 1
        measure = next((m for m in self.frame.measures if m.mention is target), None)
        if nxt is not None and nxt.links and nxt.keys == target.unit.keys:
            self._use(nxt)
            i = j
        condition = Condition("average", target, measure, op=op, units=[u])
        self._use(u)
        if measure is not None:
            if self._only_for_condition(measure):
                self.frame.measures.remove(measure)
            self.frame.having.append(condition)
        else:
            self._retract(target)
            target.role = "condition"
            self._add_condition(condition)
        return i + 1

    # ---------------------------------------------------------------- order, transforms, time

    def _on_order(self, i: int, u: Unit) -> int:
        s = self.s
        self._flush_count()
        self._use(u)
        s.mode = "order"
        s.relative, s.related, s.each = False, None, False
        s.direction = None
        return i + 1

    def _on_direction(self, i: int, u: Unit) -> int:
        s = self.s
        value = u.func.value == "desc" if u.func else True
        self._use(u)
        alphabetical = "alphabet" in u.text.lower()
        if s.mode == "order":
            if self.frame.orders and self.frame.orders[-1].descending is None and not alphabetical:
                self.frame.orders[-1].descending = value
            else:
                _, nxt = self._peek(i + 1)
                if nxt is not None and (nxt.is_object or nxt.is_func("count", "agg", "of", "grain")) and not alphabetical:
                    s.direction = value
                else:
                    self.frame.orders.append(OrderItem(descending=value, alphabetical=alphabetical))
            return i + 1
        _, nxt = self._peek(i + 1)
        self.frame.orders.append(OrderItem(descending=value, alphabetical=alphabetical))
        return i + 1

    def _on_transform(self, i: int, u: Unit) -> int:
        kind = u.func.value if u.func else ""
        size: int | None = None
        before = self._before(i)
        if kind == "moving":
            grain = self._grain_before(i)
            if grain is not None:
                self.frame.grain = grain
            if before is not None and before.number is not None:
                size = int(before.number)
            for v in self.units[max(0, i - 4) : i]:
                if v.number is not None:
                    size = int(v.number)
                    self._use(v)
                    self.frame.unknown = [x for x in self.frame.unknown if x is not v]
        if kind == "rank":
            _j, nxt = self._peek(i + 1)
            if nxt is not None and nxt.is_func("by", "order"):
                self.s.top = True
                self.s.mode = "head"
                self._use(nxt)
        if u.text.lower().startswith(("in ", "as ")) and any(t.kind in ("growth", "difference", "share") for t in self.frame.transforms):
            self._use(u)
            return i + 1
        names = {"share": "share", "running": "running_total", "moving": "moving_average", "rank": "rank"}
        self.frame.transforms.append(TransformItem(names[kind], size=size, units=[u]))  # type: ignore[arg-type]
        self._use(u)
        return i + 1

    def _grain_before(self, i: int) -> str | None:
        """The step of a "7 day moving average"; its number is near."""
        for v in self.units[max(0, i - 3) : i]:
            word = v.text.lower().rstrip("s")
            if word in ("day", "week", "month", "quarter", "year", "hour"):
                return word
        return None

    def _on_change(self, i: int, u: Unit) -> int:
        kind = u.func.value if u.func else "any"
        grain = {"mom": "month", "yoy": "year", "wow": "week", "qoq": "quarter", "dod": "day"}.get(kind)
        words = u.text.lower()
        percent = any(w in words for w in ("growth", "percent", "%", "rate"))
        if u.links and u.links[0].target.kind == "term":
            return self._on_term(i, u)
        if grain is not None and not self.frame.grain:
            self.frame.grain = grain
            self.frame.grain_implied = True
        if "change" in words and not percent:
            self.frame.transforms.append(TransformItem("difference", grain=grain, units=[u]))
        self.frame.transforms.append(TransformItem("growth", grain=grain, units=[u]))
        self._use(u)
        return i + 1

    def _on_moved(self, i: int, u: Unit) -> int:
        """ "grew by more than 10 %", "whose revenue fell": a condition on the change; "did revenue rise" only compares."""
        ahead = self.units[i + 1 : i + 9]
        at = next(
            (
                k
                for k, v in enumerate(ahead)
                if v.number is not None or v.text in _SENTENCE_END or v.is_func("compare") or v.time is not None
            ),
            None,
        )
        number = ahead[at] if at is not None and ahead[at].number is not None else None
        self._use(u)
        first = next((v for n, v in enumerate(ahead[:3]) if v.is_func("super") and all(w.links or w.soft for w in ahead[:n])), None)
        if first is not None and first.text.lower() in ("most", "the most", "least", "the least", "fastest", "the fastest"):
            rising = u.func is not None and u.func.value == "up"
            self.frame.moved_order = rising is ("least" not in first.text.lower())
            self._use(first)
            self.units = [v for v in self.units if v is not first]
            return i + 1
        if number is not None and number.number is not None and at is not None:
            words = [v for v in ahead[:at] if v.is_func("cmp") or v.text.lower() == "by"]
            comparison = next((v.func.value for v in words if v.func is not None and v.func.kind == "cmp"), ">=")
            sign = ahead[at + 1] if at + 1 < len(ahead) and ahead[at + 1].text.lower() in ("%", "percent", "pct") else None
            percent = "%" in number.text or sign is not None
            self.frame.moved.append(MovedItem(u.func is not None and u.func.value == "up", comparison, number.number, percent))
            taken = [*words, number, *([sign] if sign is not None else [])]
            self._use(*taken)
            self.units = [v for v in self.units if v not in taken]
        elif self.frame.outputs and (self.s.relative or self.frame.question_word in ("what", "that", "who")):
            self.frame.moved.append(MovedItem(u.func is not None and u.func.value == "up", ">", 0.0, True))
        elif self.frame.compare is None:
            self.frame.compare = "previous_period"
        return i + 1

    def _on_compare(self, i: int, u: Unit) -> int:
        value = u.func.value if u.func else "vs"
        self._use(u)
        j, nxt = self._peek(i + 1)
        if nxt is not None and nxt.is_func("pronoun"):
            j, nxt = self._peek(j + 1)
        if nxt is not None and nxt.is_func("duration"):
            return j
        if value == "same_period":
            self.frame.compare = "same_period_last_year"
        elif value == "previous":
            self.frame.compare = "previous_period"
        elif self.frame.compare is None:
            self.frame.compare = "vs"
            if "difference" in u.text.lower():
                self.frame.notes.append("difference")
            if nxt is not None and nxt.time is not None:
                self.frame.versus = nxt.time
            self.s.comparing = u.text.lower() in (
                "compare",
                "comparing",
                "comparison of",
                "comparison",
                "difference between",
                "the difference between",
            )
        return i + 1

    def _on_time(self, i: int, u: Unit) -> int:
        s = self.s
        phrase = u.time
        if phrase is None:
            return i + 1
        self._use(u)
        if s.each:
            unit = getattr(phrase.window, "unit", None)
            if unit is not None:
                self.frame.grain = str(unit.value)
            s.each = False
            s.mode = s.base_mode
        if (
            s.last is not None
            and self._adjacent_time(i)
            and (self.kinds.likely(s.last.unit, "time") or self.kinds.certainly(s.last.unit, "year"))
            and not self.kinds.likely(s.last.unit, "dataset")
            and s.last.role not in ("aggregate", "count", "end")
        ):
            mention = s.last
            self._retract(mention)
            mention.role = "condition"
            self._add_condition(Condition("time", mention, time=phrase, negate=s.negate, units=[u]))
            s.negate = False
            return i + 1
        if s.negate and s.related is not None and not s.related.negate and any(c.kind == "time" for c in s.related.inner):
            again = Condition("related", s.related.mention, negate=True, units=[u])
            again.inner.append(Condition("time", None, time=phrase, units=[u]))
            s.negate, s.related = False, None
            self._add_condition(again)
            return i + 1
        if s.negate:
            s.negate = False
            condition = Condition("time", None, time=phrase, negate=True, units=[u])
            self._add_condition(condition)
            return i + 1
        if s.related is not None and not self._lacks(s.related):
            self._add_condition(Condition("time", None, time=phrase, units=[u]))
            return i + 1
        self.frame.times.append(phrase)
        if s.mode == "group":
            s.mode = s.base_mode
        return i + 1

    def _lacks(self, condition: Condition) -> bool:
        """ "orders without a refund in March": the month is that of the orders, events with a date of their own that lack another."""
        if not condition.negate or condition.mention is None or condition.mention.unit.text.lower() in (RELATING | _PARTICIPLES):
            return False
        subject = next((m for m in self.frame.mentions if m.role in ("output", "count", "aggregate")), None)
        return subject is not None and self.kinds.is_fact(subject.unit)

    def _adjacent_time(self, i: int) -> bool:
        j = i - 1
        steps = 0
        while j >= 0 and steps < 3:
            v = self.units[j]
            if self.s.last is not None and v is self.s.last.unit:
                return True
            if not (v.soft or v.is_func("have", "prep", "cmp")):
                return False
            steps += 1
            j -= 1
        return False

    def _on_same(self, i: int, u: Unit) -> int:
        """ "in the same month as they signed up": two dates fall into one period."""
        j, period = self._peek(i + 1, skip_soft=False)
        if period is None or period.text.lower().rstrip("s") not in ("day", "week", "month", "quarter", "year"):
            return i + 1
        for k in range(j + 1, min(j + 8, len(self.units))):
            v = self.units[k]
            if v.text in _SENTENCE_END:
                break
            if v.links and (self.kinds.likely(v, "time") or self.kinds.likely(v, "dataset") or self.kinds.likely(v, "flag")):
                mention = self._mention(v, "end")
                self._use(u, period)
                self._add_condition(Condition("same_period", mention, literal=period.text.lower().rstrip("s"), units=[u, period]))
                return k + 1
        self.frame.unknown.append(u)
        return i + 1

    def _on_grain(self, i: int, u: Unit) -> int:
        value = u.func.value if u.func else "auto"
        s = self.s
        self._use(u)
        if self._aggregates_periods(u):
            self.frame.bucket = value
            return i + 1
        if s.mode == "order":
            self.frame.orders.append(OrderItem(grain=True, descending=s.direction))
            return i + 1
        if self.frame.grain is None or self.frame.grain == "auto" or (self.frame.grain_implied and value != "auto"):
            self.frame.grain = value
            self.frame.grain_implied = False
        self._flush_count(soft=True)
        return i + 1

    def _aggregates_periods(self, u: Unit) -> bool:
        """ "average daily X", "highest monthly X", "average number of X per day": single periods are aggregated, not listed."""
        s = self.s
        if self.frame.bucket is not None:
            return False
        if plain_units(u.text.lower().split()) is not None:
            return s.aggregate in ("avg", "median", "min", "max") or (s.superlative in ("desc", "asc") and not self.frame.outputs)
        last = s.last_measure
        return (
            u.text.lower().startswith("per ")
            and last is not None
            and last.aggregate == "avg"
            and last.mention is s.last
            and not self.frame.grain
        )

    def _on_bare_period(self, i: int, u: Unit) -> int:
        word = u.text.lower().rstrip("s")
        s = self.s
        if i and self.units[i - 1].text.lower() == "all" and s.base_mode == "output":
            self.frame.keep_empty = True
            self._use(u)
            return i + 1
        word = {"date": "day"}.get(word, word)
        if s.superlative in ("desc", "asc") and word in ("day", "week", "month", "quarter", "year", "hour"):
            self._take_pending()
            self.frame.grain = word
            self.frame.superlative = OrderItem(descending=s.superlative == "desc")
            self.frame.singular = self.frame.limit is None
            self._reset_noun()
            self._use(u)
            return i + 1
        if s.top and self.frame.limit_asked and not self.frame.outputs and word in ("day", "week", "month", "quarter", "year", "hour"):
            self.frame.grain, self.frame.asks_period = word, True
            self._use(u)
            return i + 1
        if s.each or s.mode == "group":
            self.frame.grain = word
            self._use(u)
            s.each = False
            if s.mode == "group" and s.base_mode != "group":
                s.mode = s.base_mode
        elif s.mode == "order":
            self.frame.orders.append(OrderItem(grain=True, descending=s.direction))
            self._use(u)
        elif (
            s.mode == "output"
            and word in ("month", "year", "week", "quarter", "day")
            and self.frame.grain in (None, "auto", word)
            and not s.count
            and self._listed(i)
        ) or (
            s.base_mode == "head"
            and self.frame.question_word in ("what", "that")
            and s.superlative is None
            and i <= 3
            and word in ("month", "year", "week", "quarter", "day", "hour")
            and not s.count
            and not self.frame.mentions
        ):
            self.frame.grain = word
            self.frame.asks_period = self.units[0].text.lower().split()[-1] in ("which", "what")
            self._use(u)
        elif (
            self._unmeasured_superlative()
            and i
            and self.units[i - 1].is_func("super")
            and word in ("month", "year", "week", "quarter", "day", "hour")
        ):
            if word == "hour":
                self.frame.cycle = "hour_of_day"
            else:
                self.frame.grain = word
            self.frame.asks_period = True
            self._use(u)
        return i + 1

    def _listed(self, i: int) -> bool:
        before = self.units[i - 1] if i else None
        following = self.units[i + 1] if i + 1 < len(self.units) else None
        around = (
            before is None or before.is_func("comma", "and", "output") or before.text.lower() in ("the",),
            following is None or following.is_func("comma", "and", "open") or following.text in _SENTENCE_END,
        )
        return all(around)

    def _on_cycle(self, i: int, u: Unit) -> int:
        value = u.func.value if u.func else ""
        self._use(u)
        others = {v.text.lower().split()[-1] for v in self.units if v is not u and v.is_func("cycle")}
        mine = u.text.lower().split()[-1]
        if (mine.startswith("weekend") and others & {"weekday", "weekdays"}) or (
            mine.startswith("weekday") and others & {"weekend", "weekends"}
        ):
            self.frame.cycle = "is_weekend"
            for v in self.units:
                if v.is_func("cycle", "compare"):
                    self._use(v)
            return i + 1
        if value in ("weekend", "weekday"):
            condition = Condition("cycle", op="=", literal="weekend", negate=(value == "weekday") ^ self.s.negate, units=[u])
            self.s.negate = False
            _, nxt = self._peek(i + 1)
            if nxt is not None and nxt.links and self.s.mode == "output":
                self.s.pending_units.append(u)
                self.s.last_condition = condition
                mention = self._mention(nxt, "count")
                item = MeasureItem("count", None, mention, units=[u])
                item.conditions.append(condition)
                self._add_measure(item)
                return self.units.index(nxt) + 1
            if self.s.last_measure is not None and (self._second_count(i) or self._in_total_and(i)):
                item = self._copy_measure(self.s.last_measure)
                item.conditions.append(condition)
                item.units = [u]
                if not self._second_count(i):
                    self.frame.measures.append(item)
                else:
                    self.s.last_measure.conditions.append(condition)
                return i + 1
            self._add_condition(condition)
            return i + 1
        self.frame.cycle = value
        return i + 1

    def _second_count(self, i: int) -> bool:
        """The running sentence's own measure narrows an earlier one ("How many of these ... on weekends?")."""
        return (
            self.s.sentence > 0
            and self.s.last_measure is not None
            and self.s.last_measure.mention is not None
            and self.s.last_measure.mention.sentence == self.s.sentence
        )

    def _in_total_and(self, i: int) -> bool:
        before = [u.text.lower() for u in self.units[max(0, i - 3) : i]]
        return "and" in before and "in total" in before

    def _copy_measure(self, item: MeasureItem) -> MeasureItem:
        return replace(item, conditions=list(item.conditions), units=list(item.units))

    def _on_round(self, i: int, u: Unit) -> int:
        self._use(u)
        for v in self.units[i : i + 4]:
            if v.number is not None or (v.text[:1].isdigit()):
                digits = v.number if v.number is not None else float(v.text.split()[0])
                self.frame.round_digits = int(min(digits, 12))
                self._use(v)
                return self.units.index(v) + 1
            for word in v.text.lower().split():
                if word in ("two", "2"):
                    self.frame.round_digits = 2
        return i + 1

    def _on_null(self, i: int, u: Unit) -> int:
        s = self.s
        if s.last is None or s.mode == "group":
            if u.links or u.unknown:
                self.frame.unknown.append(u)
            return i + 1
        mention = s.last
        if not u.text.lower().startswith(("is", "are")):
            j, nxt = self._peek(i + 1)
            if nxt is not None and nxt.links and j == i + 1:
                mention = self._mention(nxt, "condition")
                i = j
        self._retract(mention)
        mention.role = "condition"
        self._add_condition(Condition("null", mention, negate=s.negate, units=[u]))
        s.negate = False
        return i + 1

    def _on_contains(self, i: int, u: Unit) -> int:
        s = self.s
        match = {"contains": "contains", "starts": "starts_with", "ends": "ends_with"}[u.func.value if u.func else "contains"]
        if u.text.lower() in ("in its name", "in their name", "in the name"):
            return i + 1
        j, nxt = self._peek(i + 1)
        raw = self.units[i + 1] if i + 1 < len(self.units) else None
        if raw is not None and len(raw.text) == 1 and raw.text.isupper():
            j, nxt = i + 1, raw
        if (
            nxt is not None
            and not nxt.quoted
            and nxt is not raw
            and nxt.text.lower() in ("the", "letter", "word", "letters", "prefix", "string", "text", "phrase", "a")
        ):
            j, nxt = self._peek(j + 1)
        if nxt is None or not (nxt.quoted or nxt.unknown or nxt.values or nxt.number is not None or nxt.text.isalpha()) or s.last is None:
            return i + 1
        mention = s.last
        if s.last_condition is not None and s.or_next and s.last_condition.kind == "text" and s.last_condition.mention is not None:
            mention = s.last_condition.mention
        if mention.role in ("output", "focus") and not self.kinds.certainly(mention.unit, "dataset"):
            self._retract(mention)
            mention.role = "condition"
        self._use(u, nxt)
        self._add_condition(Condition("text", mention, literal=nxt.text, match=match, negate=s.negate, units=[u, nxt]))
        s.negate = False
        return j + 1

    # ---------------------------------------------------------------- ratios, shares, durations

    def _on_op(self, i: int, u: Unit) -> int:
        s = self.s
        if u.text in ("/", "-", "+") and not (s.last_measure is not None and self._adjacent_measure(i)):
            return i + 1
        op = u.func.value if u.func else "/"
        if s.last_measure is None or op == "=":
            return i + 1
        j, nxt = self._peek(i + 1)
        if nxt is not None and nxt.number is not None and not nxt.is_object:
            left = s.last_measure
            right = MeasureItem("expression", constant=nxt.number)
            self._use(u, nxt)
            while j + 1 < len(self.units) and self.units[j + 1].text.lower() in _UNIT_NOUNS:
                j += 1
            self._replace_measure(left, MeasureItem("expression", left=left, right=right, op=op, units=[u, nxt]))
            return j + 1
        end = self._operand_end(i + 1)
        right_item, extra = self._operand(self.units[i + 1 : end])
        if right_item is None:
            return i + 1
        self._use(u)
        left = s.last_measure
        self._replace_measure(left, MeasureItem("expression", left=left, right=right_item, op=op, units=[u]))
        self.frame.conditions.extend(extra)
        return end

    def _adjacent_measure(self, i: int) -> bool:
        return self.s.last is not None and self._binds_literal(i)

    def _replace_measure(self, old: MeasureItem, new: MeasureItem) -> None:
        self.frame.measures = [new if m is old else m for m in self.frame.measures]
        if new not in self.frame.measures:
            self.frame.measures.append(new)
        self.s.last_measure = new

    def _operand_end(self, i: int) -> int:
        j = i
        while j < len(self.units):
            u = self.units[j]
            if u.text in _SENTENCE_END or u.is_func("each", "by", "grain", "order", "output", "comma"):
                return j
            if u.is_func("wh") and j > i:
                return j
            j += 1
        return j

    def _operand(self, units: Sequence[Unit]) -> tuple[MeasureItem | None, list[Condition]]:
        """A measure from a slice of the question, with the conditions that belong to it alone."""
        parser = Parser(units, self.kinds, self.terms)
        parser.s.sentence = self.s.sentence
        sub = parser.parse()
        self.frame.used |= sub.used
        self.frame.mentions.extend(sub.mentions)
        self.frame.unknown.extend(sub.unknown)
        self.frame.times.extend(sub.times)
        item: MeasureItem | None = sub.measures[0] if sub.measures else None
        if item is None and sub.outputs:
            mention = sub.outputs[0]
            is_dataset = self.kinds.likely(mention.unit, "dataset")
            mention.role = "count" if is_dataset else "aggregate"
            item = MeasureItem("count" if is_dataset else "aggregate", None, mention)
        if item is None and sub.having and sub.mentions:
            mention = sub.mentions[0]
            item = MeasureItem("count", None, mention)
        if item is None:
            return None, sub.conditions
        for having in sub.having:
            having.inner = []
            item.conditions.append(having)
        item.conditions.extend(sub.conditions)
        self.frame.groups.extend(m for m in sub.groups)
        if sub.grain and not self.frame.grain:
            self.frame.grain = sub.grain
        return item, []

    def _on_ratio(self, i: int, u: Unit) -> int:
        j, nxt = self._peek(i + 1)
        if nxt is not None and nxt.is_func("of"):
            i = j
        end = self._operand_end(i + 1)
        split = next((k for k in range(i + 1, end) if self._separates(self.units[k], u)), None)
        if split is None:
            return i + 1
        left, extra_left = self._operand(self.units[i + 1 : split])
        right, extra_right = self._operand(self.units[split + 1 : end])
        if left is None or right is None:
            return i + 1
        self._use(u, self.units[split])
        if "all" in self.units[split].text.lower() and right is not None and left is not None:
            left.conditions.extend(right.conditions)
        aggregate = self.s.aggregate
        self._take_pending()
        self._reset_noun()
        item = MeasureItem("ratio", aggregate, left=left, right=right, op="/", units=[u])
        self._share_trailing(item)
        self._add_measure(item)
        self.frame.conditions.extend(extra_left + extra_right)
        return end

    def _separates(self, k: Unit, ratio: Unit) -> bool:
        words = k.text.lower()
        if words in (
            "to",
            "to the",
            "divided by",
            "over",
            "/",
            "over the",
            "out of",
            "vs",
            "versus",
            "relative to",
            "out of all",
            "of all the",
            "to all",
            "out of the",
            "to total",
        ):
            return True
        return words == "and" and "between" in ratio.text.lower()

    def _share_trailing(self, item: MeasureItem) -> None:
        """A place named once after both operands narrows both ("... above 4 to ... below 4 in New York")."""
        left, right = item.left, item.right
        if left is None or right is None:
            return
        left_fields = {(v.dataset, v.field) for c in left.conditions if c.kind == "value" for v in c.values}
        for condition in right.conditions:
            if (
                condition.kind == "value"
                and condition is right.conditions[-1]
                and len(right.conditions) > 1
                and not left_fields & {(v.dataset, v.field) for v in condition.values}
            ):
                left.conditions.append(condition)
        if (
            right.mention is not None
            and not left_fields
            and len(right.conditions) == 1
            and right.conditions[0].kind == "value"
            and left.conditions
        ):
            left.conditions.append(right.conditions[0])

    def _on_share(self, i: int, u: Unit) -> int:
        """ "percentage of A that B": A counted where B, over A."""
        s = self.s
        end = self._operand_end(i + 1)
        _j, nxt = self._peek(i + 1)
        if nxt is None or not (nxt.is_object or nxt.is_func("agg", "count", "distinct", "of")):
            return i + 1
        item, extra = self._operand(self.units[i + 1 : end])
        if item is None:
            return i + 1
        self._use(u)
        self._take_pending()
        self._reset_noun()
        inner = item.conditions
        if not inner:
            self._add_measure(item)
            self.frame.transforms.append(TransformItem("share", units=[u], measure=item))
            return end
        whole = self._copy_measure(item)
        whole.conditions = []
        narrowed = self._copy_measure(item)
        narrowed.conditions = inner
        self._add_measure(MeasureItem("percent", left=narrowed, right=whole, scale=100.0, units=[u]))
        self.frame.conditions.extend(extra)
        s.relative = False
        return end

    def _on_rate(self, i: int, u: Unit) -> int:
        """ "success rate": the share of rows that have this value."""
        s = self.s
        condition = s.last_condition
        if (
            condition is None
            or condition.kind not in ("value", "flag", "segment")
            or not condition.units
            or self.units[i - 1] is not condition.units[-1]
        ):
            return i + 1
        for conditions in (self.frame.conditions, s.related.inner if s.related else []):
            if condition in conditions:
                conditions.remove(condition)
        self._use(u)
        item = MeasureItem("rate", conditions=[condition], scale=100.0, units=[u], mention=s.last)
        same = None
        if s.mode == "order":
            self.frame.orders.append(OrderItem(measure=same or item, descending=s.direction))
            if same is None:
                self.frame.measures.append(item)
            return i + 1
        if same is None:
            self._take_pending()
            self._add_measure(item)
        return i + 1

    def _on_duration(self, i: int, u: Unit) -> int:
        words = u.text.lower()
        found: list[tuple[int, Unit]] = []
        j = i + 1
        while j < len(self.units) and len(found) < 2 and self.units[j].text not in _SENTENCE_END:
            v = self.units[j]
            if v.links and (self.kinds.likely(v, "time") or self.kinds.likely(v, "dataset") or v.is_func("super")):
                found.append((j, v))
            elif v.is_func("by", "each", "order") and found:
                break
            j += 1
        if words in ("time to", "how long"):
            return self._time_to(i, u)
        if not found or not any(self.kinds.likely(v, "time") for _, v in found):
            return i + 1
        unit = next((w for w in ("second", "minute", "hour", "day", "week", "month", "year") if w in words), None)
        said = unit is not None or any(
            w in x.text.lower()
            for w in ("day", "hour", "minute", "week", "month", "year")
            for x in self.units
            if x.soft or x.unknown or x.func
        )
        unit = unit or next(
            (w for w in ("minute", "hour", "day", "week", "month", "year") if any(w in x.text.lower() for x in self.units)), "day"
        )
        superlative = None
        if self.s.superlative:
            superlative = self.s.superlative
        aggregate = self.s.aggregate
        for v in self.units[i : found[-1][0] + 1]:
            self._use(v)
        self._take_pending()
        self._reset_noun()
        before_last = [v for v in self.units[i : found[-1][0]] if v.is_func("super")]
        start = self._mention(found[0][1], "start")
        end = self._mention(found[1][1], "end") if len(found) > 1 else None
        for mention, (place, unit_of) in zip((start, end), found, strict=False):
            lead = self.units[place - 1] if place else None
            if (
                mention is not None
                and lead is not None
                and lead.is_func("super")
                and lead.func is not None
                and lead.func.value in ("earliest", "latest")
                and self.kinds.likely(unit_of, "dataset")
            ):
                mention.links = tuple(k for k in mention.links if k.target.kind == "dataset") or mention.links
                mention.first = lead.func.value == "earliest"
                mention.last = lead.func.value == "latest"
        if end is None and before_last and "since" in words:
            aggregate = "min" if before_last[-1].func is not None and before_last[-1].func.value == "latest" else "max"
        item = MeasureItem("duration", aggregate, start=start, end=end, unit=unit, exact=not said, units=[u], superlative=superlative)
        if superlative:
            self.frame.superlative = OrderItem(measure=item, descending=superlative in ("desc", "latest"))
            self.frame.singular = self.frame.limit is None
        if self.s.mode == "order":
            self.frame.orders.append(OrderItem(measure=item, descending=self.s.direction))
        else:
            self._add_measure(item)
        return found[-1][0] + 1

    def _time_to(self, i: int, u: Unit) -> int:
        """ "time to settle a claim": from the thing's first date to the date that the verb names."""
        s = self.s
        j, verb = self._peek(i + 1)
        while verb is not None and (verb.is_func("have", "prep") or verb.text.lower() in ("it", "take", "takes")):
            j, verb = self._peek(j + 1)
        if verb is None or not verb.links or not self.kinds.likely(verb, "time"):
            return i + 1
        end = self._mention(verb, "end")
        item = MeasureItem("duration", s.aggregate, start=None, end=end, unit="day", units=[u])
        self._take_pending()
        self._reset_noun()
        s.of_next = True
        self._add_measure(item)
        return j + 1

    # ---------------------------------------------------------------- nouns

    def _on_unknown(self, i: int, u: Unit) -> int:
        s = self.s
        if u.text.lower() == "new" and i + 1 < len(self.units) and self.kinds.is_dated(self.units[i + 1]) and self._has_time():
            self._use(u)
            return i + 1
        if u.text.lower() in ("rolling", "moving", "trailing"):
            window = self.units[i + 1 : i + 5]
            size = next((v for v in window if v.number is not None), None)
            average = next((v for v in window if v.is_func("agg") and v.func is not None and v.func.value == "avg"), None)
            grain = next(
                (v.text.lower().rstrip("s") for v in window if v.text.lower().rstrip("s") in ("day", "week", "month", "quarter", "hour")),
                None,
            )
            if size is not None and average is not None and grain is not None and size.number is not None:
                self._use(u, *window[: window.index(average) + 1])
                self.frame.grain = grain
                self.frame.transforms.append(TransformItem("moving_average", size=int(size.number), units=[u]))
                return i + 2 + window.index(average)
        j, nxt = self._peek(i + 1)
        before = self._before(i)
        if (
            u.text.lower() in _UNIT_NOUNS
            and before is not None
            and (before.is_func("prep", "by", "grain") or before.number is not None or before.text.lower() in _UNIT_NOUNS)
        ):
            self._use(u)
            return i + 1
        if u.text.startswith(".") and nxt is not None and nxt.links:
            mention = self._mention(nxt, "condition")
            self._add_condition(Condition("text", mention, literal=u.text, match="ends_with", negate=s.negate, units=[u]))
            s.negate = False
            return j + 1
        if s.last is not None and self._binds_literal(i) and self._literal_like(u) and s.last.role != "group":
            self._bind_literal(u, s.last)
            return i + 1
        self.frame.unknown.append(u)
        return i + 1

    def _has_time(self) -> bool:
        """Whether a period or a step in time is named: things are new by the date on which they came."""
        return any(v.time is not None or v.is_func("grain") for v in self.units)

    def _literal_like(self, u: Unit) -> bool:
        return any(c.isdigit() for c in u.text) and any(c.isalnum() for c in u.text)

    def _bind_literal(self, u: Unit, mention: Mention) -> None:
        if mention.role in ("output", "focus") and not self.kinds.certainly(mention.unit, "dataset"):
            self._retract(mention)
            mention.role = "condition"
        last = self.s.last_condition
        if last is not None and last.kind == "value" and last.mention is mention and last.literal is not None:
            last.literals = (*last.literals, u.text)
            last.units.append(u)
            self._use(u)
            return
        self._add_condition(Condition("value", mention, literal=u.text, number=u.number, negate=self.s.negate, units=[u]))
        self.s.negate = False

    def _on_object(self, i: int, u: Unit) -> int:
        if u.quoted and not u.links:
            return self._on_quoted(i, u)
        if self._is_value(i, u):
            return self._on_value(i, u)
        return self._on_noun(i, u)

    def _on_quoted(self, i: int, u: Unit) -> int:
        s = self.s
        j, nxt = self._peek(i + 1)
        if nxt is not None and nxt.text.lower() in ("in", "in the", "within"):
            k, owner = self._peek(j + 1)
            if owner is not None and owner.is_func("pronoun"):
                k, owner = self._peek(k + 1)
            if owner is not None and owner.links and not self.kinds.certainly(owner, "dataset") and not self.kinds.likely(owner, "time"):
                mention = self._mention(owner, "condition")
                self._add_condition(Condition("text", mention, literal=u.text, match="contains", negate=s.negate, units=[u]))
                s.negate = False
                return k + 1
        if u.values:
            return self._on_value(i, u)
        if s.last is not None:
            self._bind_literal(u, s.last)
            return i + 1
        if nxt is not None and nxt.links:
            mention = self._mention(nxt, "condition")
            self._add_condition(Condition("value", mention, literal=u.text, negate=s.negate, units=[u]))
            return j + 1
        self.frame.unknown.append(u)
        return i + 1

    def _is_value(self, i: int, u: Unit) -> bool:
        s = self.s
        if not u.values:
            return False
        if not u.links:
            return True
        value, link = u.values[0].score, u.links[0].score
        if u.quoted:
            return value >= link
        _, nxt = self._peek(i + 1)
        around = [x for x in (s.last.unit if s.last is not None else None, nxt) if x is not None]
        things = {k.target.dataset for x in around for k in x.links[:3] if k.target.dataset}
        if any(self.kinds.is_flag(k.target) and k.score >= 0.95 and k.target.dataset in things for k in u.links[:3]):
            return False
        before = self._before(i)
        if value >= 0.95 and link < 0.9:
            after_count = before is not None and before.is_func("count", "each", "by", "agg")
            return not (after_count and not (nxt is not None and nxt.links))
        if value < 0.95:
            return False
        premodifier = nxt is not None and bool(nxt.links) and i + 1 < len(self.units) and self.units[i + 1] is nxt
        if premodifier and nxt is not None:
            owners = {link.target.dataset for link in nxt.links[:3]}
            return any(v.dataset in owners for v in u.values) and not self.kinds.likely(u, "dataset")
        owners = {k.target.dataset for k in s.last.links[:3]} if s.last is not None else set()
        if any(k.target.dataset in owners and k.exact for k in u.links[:3]) and not any(v.dataset in owners for v in u.values):
            return False
        after_place = before is not None and before.is_func("prep", "neg", "cmp", "have", "relative")
        return after_place and not self.kinds.likely(u, "dataset") and not self.kinds.likely(u, "measure")

    def _on_value(self, i: int, u: Unit) -> int:
        s = self.s
        owner: Mention | None = None
        if s.last is not None and self._binds_literal(i):
            fits = self._fitting(u, s.last)
            if fits:
                owner = s.last
                if owner.role in ("output", "focus") and self._names_field(u, owner):
                    self._retract(owner)
                    owner.role = "condition"
        last = s.last_condition
        if (
            last is not None
            and last.kind == "value"
            and last.values
            and self._listed_with(i, last)
            and not self._same_field(u, last)
            and not s.both
            and self._in_or_list(i)
        ):
            s.or_next = True
        if (
            last is not None
            and last.kind == "value"
            and last.values
            and self._listed_with(i, last)
            and self._same_field(u, last)
            and not s.both
        ):
            last.more_values.append(u.values)
            last.units.append(u)
            if s.comparing or (i and self.units[i - 1].is_func("compare")):
                self.frame.compare_values.append(last)
            s.or_next = False
            self._use(u)
            return i + 1
        condition = Condition("value", owner, values=u.values, negate=s.negate, units=[u], both=s.both)
        if u.quoted:
            condition.literal = u.text
        s.negate = False
        if s.count and not self._noun_follows(i):
            pass
        self._add_condition(condition)
        return i + 1

    def _noun_follows(self, i: int) -> bool:
        _, nxt = self._peek(i + 1)
        return nxt is not None and bool(nxt.links)

    def _names_field(self, u: Unit, mention: Mention) -> bool:
        """Whether the mention names the very field of the value ("status pending"), and no thing or metric."""
        top = mention.links[0].score if mention.links else 0.0
        near = [link.target for link in mention.links if link.score >= top - 0.06]
        if any(t.kind in ("dataset", "metric") for t in near):
            return False
        fields = {(v.dataset, v.field) for v in u.values}
        return any(t.kind == "field" and (t.dataset, t.field) in fields for t in near)

    def _fitting(self, u: Unit, mention: Mention) -> bool:
        for value in u.values:
            for link in mention.links[:6]:
                if link.target.kind == "field" and (link.target.dataset, link.target.field) == (value.dataset, value.field):
                    return True
                if link.target.kind == "dataset" and link.target.dataset == value.dataset:
                    return True
        return False

    def _listed_with(self, i: int, last: Condition) -> bool:
        if not last.units:
            return False
        j = i - 1
        while j >= 0:
            v = self.units[j]
            if v is last.units[-1]:
                return True
            if not (v.is_func("and", "or", "comma", "compare") or v.text.lower() in ("the", "in", "for") or v.soft):
                return False
            j -= 1
        return False

    def _in_or_list(self, i: int) -> bool:
        """Whether the list that position i is in ends with "or"."""
        for v in self.units[max(0, i - 1) : i + 10]:
            if v.is_func("or"):
                return True
            if v.text in _SENTENCE_END or v.is_func("close", "and"):
                return False
        return False

    def _same_field(self, u: Unit, last: Condition) -> bool:
        fields = {(v.dataset, v.field) for v in last.values}
        return any((v.dataset, v.field) in fields for v in u.values)

    def _on_noun(self, i: int, u: Unit) -> int:
        s = self.s
        _j, nxt = self._peek(i + 1)
        words = u.text.lower()
        before = self.units[i - 1] if i else None
        if words in ("date", "number", "integer") and before is not None and before.text.lower() in ("as a", "as an", "as"):
            self._use(u)
            return i + 1
        if (
            words in ("make", "makes")
            and any(v.is_func("have") and v.text.lower() in ("did", "do", "does", "to", "can") for v in self.units[:i])
            and not (before is not None and before.is_func("comma", "and", "by", "each", "of"))
        ):
            self._use(u)
            return i + 1
        if u.links[0].target.kind == "unflag":
            mention = self._mention(u, "condition")
            self._add_condition(Condition("flag", mention, negate=not s.negate, units=[u]))
            s.negate = False
            return i + 1
        if u.links[0].target.kind == "segment" and u.links[0].score >= 0.95:
            target = u.links[0].target
            mention = self._mention(u, "condition")
            mention.links = (u.links[0],)
            self._add_condition(Condition("segment", mention, negate=s.negate, units=[u]))
            s.negate = False
            if i + 1 < len(self.units) and self.units[i + 1].text.lower() == "rate":
                return i + 1
            u = replace(u, links=(Link(Target("dataset", target.dataset or "", target.dataset), 1.0, True),), values=())
            self.units = [*self.units[:i], u, *self.units[i + 1 :]]
        if u.links[0].target.kind == "term" and (u.links[0].target.name.startswith("#") or not (s.mode == "group" and not s.each)):
            return self._on_term(i, u)
        if self._verb_like(i, u):
            return self._on_verb(i, u)
        if s.mode == "order":
            return self._order_noun(i, u)
        if s.compare_op is not None and s.number is not None:
            mention = self._mention(u, "condition")
            op, number = s.compare_op, s.number
            self._reset_noun()
            self._number_condition(mention, op, number, self._take_pending(), ahead=True)
            return i + 1
        if s.each or s.mode == "group":
            return self._group_noun(i, u)
        if s.count and not s.aggregate and s.superlative is None:
            return self._count_noun(i, u)
        if s.superlative is not None:
            return self._super_noun(i, u)
        if s.aggregate is not None:
            return self._aggregate_noun(i, u)
        if s.mode == "rankby":
            return self._rank_noun(i, u)
        if self.kinds.certainly(u, "flag") and (
            s.relative
            or s.negate
            or s.prep_next
            or words.startswith(("on ", "during ", "at "))
            or (nxt is not None and nxt.links and s.base_mode != "output")
            or (s.passive and s.last is not None)
        ):
            mention = self._mention(u, "condition")
            self._add_condition(Condition("flag", mention, negate=s.negate, units=[u]))
            s.negate = False
            s.passive = False
            return i + 1
        if (before is not None and before.text.lower() in ("corresponding", "respective", "correspoinding")) or (
            before is not None and before.soft and "corresp" in before.text.lower()
        ):
            s.relative, s.related = False, None
        lacking = s.negate and s.negate_unit is not None and s.negate_unit.text.lower() in _LACKING
        if lacking and not self.kinds.likely(u, "dataset") and u.links[0].target.kind == "field" and not self.kinds.likely(u, "measure"):
            mention = self._mention(u, "condition")
            s.negate = False
            self._add_condition(Condition("null", mention, units=[x for x in (s.negate_unit, u) if x is not None]))
            s.negate_unit = None
            return i + 1
        if (s.negate or s.relative or s.by_agent) and self.kinds.likely(u, "dataset") and (self.frame.mentions or s.negate):
            return self._related_noun(i, u)
        return self._plain_noun(i, u)

    def _verb_like(self, i: int, u: Unit) -> bool:
        """A verb form that only ties nouns together ("publications published in", "cars that were sold")."""
        words = u.text.lower()
        if (words not in RELATING and words not in _PARTICIPLES) or (u.values and u.values[0].score >= 0.95):
            return False
        if not self.kinds.likely(u, "dataset"):
            return bool(self.frame.mentions) and not (u.links and u.links[0].exact) and not self.kinds.likely(u, "time")
        return bool(self.frame.mentions)

    def _on_verb(self, i: int, u: Unit) -> int:
        s = self.s
        if s.negate and self._closes_clause(i) and not self.kinds.likely(u, "dataset"):
            return self._on_negated_verb(i, u)
        if not self.kinds.likely(u, "dataset"):
            self._use(u)
            return i + 1
        known = {link.target.dataset for m in self.frame.mentions for link in m.links[:2] if link.score >= 0.9}
        link = next((k for k in u.links if k.target.kind == "dataset"), u.links[0])
        self._use(u)
        if (link.target.dataset in known and not s.negate) or link.score < 0.8:
            return i + 1
        mention = self._mention(u, "related")
        mention.links = tuple(k for k in mention.links if k.target.kind == "dataset") or mention.links
        condition = Condition("related", mention, negate=s.negate, units=[u])
        s.related = None
        self._add_condition(condition)
        s.related = condition
        s.negate = s.passive = False
        s.last = mention
        return i + 1

    def _closes_clause(self, i: int) -> bool:
        """Whether nothing that a verb could be about follows it ("were never sold in April", not "never bought laptops")."""
        _, nxt = self._peek(i + 1)
        return nxt is None or nxt.text in _SENTENCE_END or nxt.time is not None or nxt.is_func("and", "or", "comma", "prep", "by", "grain")

    def _on_negated_verb(self, i: int, u: Unit) -> int:
        """ "never sold", "not refunded": no row of the events that the verb tells of. A verb that tells of none is not understood."""
        s = self.s
        thing = next((k.target.dataset for k in s.last.links if k.target.kind == "dataset"), None) if s.last is not None else None
        event = self.kinds.event_of(u, thing) if thing is not None else None
        if event is None:
            self.frame.unknown.append(u)
            return i + 1
        if s.negate_unit is not None:
            self._use(s.negate_unit)
        mention = self._mention(u, "related")
        mention.links = (Link(Target("dataset", event, event), 0.9, False),)
        condition = Condition("related", mention, negate=True, units=[u])
        s.related = None
        self._add_condition(condition)
        s.related, s.negate, s.passive = condition, False, False
        return i + 1

    def _on_term(self, i: int, u: Unit) -> int:
        """A glossary word with a definition in words: what the definition says takes its place."""
        s = self.s
        definition = self.terms.get(u.links[0].target.name)
        if definition is None:
            if u.func is not None and u.func.kind in self._handlers:
                return self._handlers[u.func.kind](i, replace(u, links=()))
            self.frame.unknown.append(u)
            return i + 1
        parser = Parser([replace(v, start=u.start, end=u.end) for v in definition.units], self.kinds, self.terms)
        sub = parser.parse()
        self._use(u)
        self._take_pending()
        aggregate = s.aggregate
        self._reset_noun()
        f = self.frame
        f.mentions.extend(sub.mentions)
        if definition.formula:
            return self._on_formula(i, u, definition, sub, aggregate)
        for item in [*sub.measures, *sub.rank_by]:
            item.conditions.extend(sub.conditions)
        ranks = any(t.kind == "rank" for t in sub.transforms)
        for mention in [] if ranks else sub.outputs:
            kind = "count" if self.kinds.likely(mention.unit, "dataset") or self.kinds.likely(mention.unit, "time") else "aggregate"
            mention.role = kind  # type: ignore[assignment]
            sub.measures.append(MeasureItem(kind, None, mention, conditions=list(sub.conditions)))  # type: ignore[arg-type]
        if definition.units and not (sub.measures or sub.transforms):
            f.unknown.append(u)
        for transform in sub.transforms:
            if transform.kind == "rank" and transform.measure is None:
                ordered = [o.measure or (MeasureItem("aggregate", None, o.mention) if o.mention is not None else None) for o in sub.orders]
                ranked = sub.rank_by or [m for m in ordered if m is not None] or sub.measures
                transform.measure = ranked[0] if ranked else None
            if transform.kind in ("growth", "difference") and sub.measures:
                transform.measure = sub.measures[0]
                transform.kind = "growth" if definition.percent else "difference"
            f.transforms.append(transform)
        if any(t.kind == "rank" for t in sub.transforms):
            f.measures.extend(t.measure for t in sub.transforms if t.measure is not None)
        else:
            items = sub.measures or sub.rank_by
            if s.mode == "rankby":
                f.rank_by.extend(items)
            elif s.mode == "order":
                f.orders.extend(OrderItem(measure=m, descending=s.direction) for m in items)
            else:
                f.measures.extend(items)
            if items:
                s.last_measure = items[0]
        if sub.groups and not any(t.kind == "rank" for t in sub.transforms):
            f.groups.extend(sub.groups)
        if sub.grain and not f.grain:
            f.grain = sub.grain
        f.term_times.extend(sub.times)
        return i + 1

    def _on_formula(self, i: int, u: Unit, definition: TermDefinition, sub: Frame, aggregate: str | None) -> int:
        """A number that the question defines: "total loss is the sum of a, b and c"."""
        s = self.s
        parts = list(sub.measures)
        for mention in sub.outputs:
            mention.role = "aggregate"
            parts.append(MeasureItem("aggregate", "sum", mention))
        parts.sort(key=lambda m: next((n for n, x in enumerate(sub.mentions) if x is m.mention), 0))
        first = definition.units[0].text.lower().split()[0] if definition.units else ""
        if not parts or sub.unknown:
            self.frame.unknown.append(u)
            return i + 1
        item = parts[0]
        for part in parts[1:]:
            item = MeasureItem("expression", left=item, right=part, op="-" if first == "difference" else "+")
        item.label = u.text
        item.conditions = [*item.conditions, *sub.conditions]
        if aggregate not in (None, "sum") and len(parts) > 1:
            item.aggregate = aggregate
        if s.mode == "rankby":
            self.frame.rank_by.append(item)
        elif s.mode == "order":
            self.frame.orders.append(OrderItem(measure=item, descending=s.direction))
        elif s.superlative is not None:
            self.frame.superlative = OrderItem(measure=item, descending=s.superlative == "desc")
        else:
            self._add_measure(item)
        return i + 1

    def _names_value_field(self, i: int, u: Unit) -> bool:
        """Whether a noun only says what kind of thing the single value before it is ("the Music category", "EMEA region")."""
        last = self.s.last_condition
        if last is None or last.kind != "value" or last.more_values or not last.units or not i or self.units[i - 1] is not last.units[-1]:
            return False
        fields = {(v.dataset, v.field) for v in last.values}
        return any(k.target.kind == "field" and (k.target.dataset, k.target.field) in fields for k in u.links[:4])

    def _plain_noun(self, i: int, u: Unit) -> int:
        s = self.s
        words = u.text.lower()
        if (
            (self.kinds.likely(u, "dataset") or self.kinds.likely(u, "key"))
            and i
            and (self.units[i - 1].text.lower().split()[-1] == "all" or self.units[i - 1].text.lower() in ("all the",))
        ):
            self.frame.all_rows = True
        if (
            s.last is not None
            and i
            and self.units[i - 1] is s.last.unit
            and s.last.role == "group"
            and self.kinds.likely(s.last.unit, "dataset")
            and s.last in self.frame.groups
        ):
            self.frame.groups.remove(s.last)
            s.last.role = "context"
            mention = self._mention(u, "group")
            self.frame.groups.append(mention)
            self._reset_noun()
            return i + 1
        if (
            s.last is not None
            and i
            and self.units[i - 1] is s.last.unit
            and s.last.role in ("output", "context")
            and self.kinds.likely(s.last.unit, "dataset")
        ):
            self._retract(s.last)
            if s.last.role == "context":
                s.of_next = True
            s.last.role = "context"
        after_of, prep = s.of_next, s.prep_next
        if self._names_value_field(i, u):
            self._mention(u, "condition")
            self._reset_noun()
            return i + 1
        modified = (
            i
            and s.last_condition is not None
            and s.last_condition.units
            and self.units[i - 1] is s.last_condition.units[-1]
            and s.last_condition.kind in ("value", "flag", "segment")
        )
        if modified and s.last_condition is not None and self._repeats_field(u, s.last_condition):
            mention = self._mention(u, "condition")
            s.last_condition.mention = s.last_condition.mention or mention
            self._reset_noun()
            return i + 1
        if modified and (self.frame.measures or self.frame.outputs) and self.kinds.likely(u, "dataset"):
            self._mention(u, "context").links = tuple(k for k in u.links if k.target.kind == "dataset") or u.links
            self._reset_noun()
            return i + 1
        holder = s.last
        dataset = self.kinds.likely(u, "dataset")
        role = "output"
        counted = self.kinds.likely(u, "metric") and not self.frame.measures and not self.frame.outputs
        if (
            dataset
            and not counted
            and (after_of or prep)
            and (self.frame.mentions or self.frame.measures or (self.frame.limit_asked is False and prep and not after_of))
        ):
            role = "context"
        _, nxt_clause = self._peek(i + 1)
        mention = self._mention(u, role)
        mention.sole = (
            not (nxt_clause is not None and nxt_clause.is_func("relative", "neg", "have"))
            and not self.frame.question_word
            and s.base_mode == "head"
            and len(self.frame.mentions) == 1
        )
        if prep and self.frame.measures + self.frame.outputs and self.kinds.certainly(u, "metric") and not after_of:
            self.frame.unknown.append(u)
        if after_of and holder is not None:
            holder.after_of = mention
        if after_of:
            mention.after_of = None
        if (
            role == "output"
            and self.kinds.certainly(u, "time")
            and not mention.plural
            and not (s.passive or s.relative or s.negate)
            and self.frame.mentions[:-1]
            and not any(w in words.split() for w in ("date", "time", "timestamp", "day"))
            and s.base_mode == "head"
            and not (u.links and u.links[0].exact)
        ):
            mention.role = "context"
        elif (
            role == "output"
            and self.kinds.certainly(u, "time")
            and (s.passive or s.relative or s.negate)
            and words.endswith(("ed", "up", "en", "t"))
            and "date" not in words
        ):
            mention.role = "condition"
            self._add_condition(Condition("null", mention, negate=not s.negate, units=[u]))
            if s.negate and s.negate_unit is not None:
                self._use(s.negate_unit)
            s.negate = False
        elif role == "output":
            self.frame.outputs.append(mention)
        if s.distinct:
            self.frame.distinct = True
        if s.negate and not dataset:
            self.frame.unknown.append(u)
            s.negate = False
        s.top = s.top
        self._take_pending()
        keep_count = s.count
        self._reset_noun()
        s.count = keep_count and False
        s.passive = False
        return i + 1

    def _repeats_field(self, u: Unit, condition: Condition) -> bool:
        """ "the Audio category", "EMEA region": the noun only says which field the value before it belongs to."""
        fields = {(v.dataset, v.field) for v in condition.values}
        top = u.links[0].score if u.links else 0.0
        return any(k.target.kind == "field" and (k.target.dataset, k.target.field) in fields for k in u.links if k.score >= top - 0.03)

    def _related_noun(self, i: int, u: Unit) -> int:
        s = self.s
        mention = self._mention(u, "related")
        condition = Condition("related", mention, negate=s.negate, units=[u], both=s.both)
        s.related = None
        self._add_condition(condition)
        s.related = condition if s.negate or s.relative else None
        s.negate = False
        s.by_agent = False
        self._reset_noun()
        if s.or_next:
            s.or_next = False
        return i + 1

    def _group_noun(self, i: int, u: Unit) -> int:
        s = self.s
        if s.count or s.aggregate or s.superlative:
            each = s.each
            s.each = False
            mode, s.mode = s.mode, s.base_mode
            result = self._on_noun(i, u)
            s.mode, s.each = mode if not each else s.base_mode, False
            return result
        if (
            s.last is not None
            and i
            and self.units[i - 1] is s.last.unit
            and s.last in self.frame.groups
            and self.kinds.likely(s.last.unit, "dataset")
        ):
            self.frame.groups.remove(s.last)
            s.last.role = "context"
        mention = self._mention(u, "group")
        mention.per = bool(i and self.units[i - 1].text.lower().startswith("per"))
        self.frame.groups.append(mention)
        self._reset_noun()
        if s.each:
            _, _nxt = self._peek(i + 1)
            k, after = self._peek(i + 1)
            more = after is not None and after.is_func("and", "comma") and self._field_after(k)
            if not more:
                s.each = False
                s.mode = s.base_mode
        return i + 1

    def _field_after(self, k: int) -> bool:
        _, nxt = self._peek(k + 1)
        return nxt is not None and bool(nxt.links) and not self.kinds.likely(nxt, "dataset") and not self.kinds.likely(nxt, "measure")

    def _add_measure(self, item: MeasureItem) -> None:
        self.frame.measures.append(item)
        self.s.last_measure = item
        self._use(*item.units)

    def _count_noun(self, i: int, u: Unit) -> int:
        s = self.s
        units = self._take_pending()
        mention = self._mention(u, "count")
        item = MeasureItem("count", None, mention, distinct=s.distinct, units=units)
        in_relative = s.relative
        self._reset_noun()
        if s.mode == "rankby":
            self._rank_with(item)
            return i + 1
        s.relative = False
        self._add_measure(item)
        mention.in_relative = in_relative
        return i + 1

    def _aggregate_noun(self, i: int, u: Unit) -> int:
        s = self.s
        units = self._take_pending()
        mention = self._mention(u, "aggregate")
        item = MeasureItem("aggregate", s.aggregate, mention, distinct=s.distinct, units=units)
        if s.count and self.kinds.certainly(u, "dataset"):
            item.kind = "count"
            item.aggregate = s.aggregate if s.aggregate != "sum" else None
            mention.role = "count"
        self._reset_noun()
        if s.mode == "rankby":
            self._rank_with(item)
            return i + 1
        mention.in_relative = s.relative
        self._add_measure(item)
        return i + 1

    def _rank_noun(self, i: int, u: Unit) -> int:
        mention = self._mention(u, "aggregate")
        item = MeasureItem("count" if self.kinds.certainly(u, "dataset") else "aggregate", None, mention)
        if item.kind == "count":
            mention.role = "count"
        self._rank_with(item)
        self._reset_noun()
        return i + 1

    def _super_noun(self, i: int, u: Unit) -> int:
        """ "highest X": rank by X when a thing to rank was named, else the maximum of X."""
        s = self.s
        value = s.superlative or "desc"
        units = self._take_pending()
        dataset = self.kinds.likely(u, "dataset")
        time = self.kinds.certainly(u, "time")
        number = self.kinds.likely(u, "measure") or self.kinds.likely(u, "number")
        aggregate = s.aggregate
        count = s.count or s.super_number
        self._reset_noun()
        if dataset and not count and value in ("latest", "earliest"):
            return self._latest_noun(i, u, value, units)
        start = i - 1
        while start >= 0 and (self.units[start] in units or self.units[start].text.lower() in ("the", "a", "also")):
            start -= 1
        listed = start >= 0 and self.units[start].is_func("comma", "and")
        rankable = self._rankable(listed)
        counting = count or any(x.text.lower() in ("most", "fewest", "the most", "least") or "number" in x.text.lower() for x in units)
        if counting and not count and not number and not time and not dataset and self.kinds.certainly(u, "category"):
            # "most prescribed drug": how often each occurs.
            mention = self._mention(u, "output")
            self.frame.outputs.append(mention)
            often = MeasureItem("count", None, None, units=units, label=units[0].text.lower() if units else value)
            self.frame.superlative = OrderItem(measure=often, descending=value == "desc")
            self.frame.singular = not mention.plural and self.frame.limit is None
            self._use(*units)
            return i + 1
        if dataset and not number and counting and (rankable or count):
            mention = self._mention(u, "count")
            item = MeasureItem("count", None, mention, units=units, superlative=value)
            return self._rank_or_max(i, item, value, rankable)
        if dataset and not number:
            mention = self._mention(u, "output")
            self.frame.outputs.append(mention)
            self.frame.superlative = OrderItem(descending=value in ("desc", "latest"))
            self.frame.superlative.measure = MeasureItem(
                "aggregate", None, None, units=units, label=units[0].text.lower() if units else value
            )
            self.frame.singular = not mention.plural and self.frame.limit is None
            self._use(*units)
            return i + 1
        mention = self._mention(u, "aggregate")
        item = MeasureItem("count" if count and not number else "aggregate", aggregate, mention, units=units, superlative=value)
        if time or value in ("latest", "earliest"):
            item.aggregate = "max" if value in ("latest", "desc") else "min"
        return self._rank_or_max(i, item, value, rankable)

    def _latest_noun(self, i: int, u: Unit, value: str, units: list[Unit]) -> int:
        mention = self._mention(u, "output" if not self.frame.outputs else "context")
        mention.links = tuple(link for link in mention.links if link.target.kind == "dataset") or mention.links
        if self.frame.question_word == "when" and not self.frame.outputs:
            mention.role = "aggregate"
            self._use(*units)
            self._add_measure(MeasureItem("aggregate", "max" if value == "latest" else "min", mention, units=units, label="when"))
            return i + 1
        if mention.role == "output":
            self.frame.outputs.append(mention)
        item = MeasureItem("aggregate", None, mention, units=units, superlative=value, label="time")
        self.frame.superlative = OrderItem(measure=item, descending=value == "latest")
        self.frame.singular = not mention.plural and self.frame.limit is None
        self._use(*units)
        return i + 1

    def _rankable(self, listed: bool = False) -> bool:
        """Whether the sentence has named a thing that can be ranked, and not grouped it with each."""
        s = self.s
        if self.frame.limit_asked or self.frame.asks_period:
            return True
        if self.frame.groups and s.sentence == self.frame.groups[-1].sentence:
            return False
        if listed and not s.relative:
            return False
        things = [m for m in self.frame.outputs if m.sentence == s.sentence and m.role in ("output", "focus")]
        if not things:
            return False
        return (
            s.relative
            or (self.frame.question_word in ("what", "who") and self.kinds.likely(things[-1].unit, "dataset"))
            or self.units[0].is_func("relative", "wh")
        )

    def _rank_or_max(self, i: int, item: MeasureItem, value: str, rankable: bool) -> int:
        if rankable:
            if self.frame.limit is None:
                last = next((m for m in reversed(self.frame.outputs) if m.role in ("output", "focus")), None)
                self.frame.singular = True
                if self.frame.asks_period and any(
                    v.text.lower() in ("days", "weeks", "months", "quarters", "years", "hours") for v in self.units[:4]
                ):
                    self.frame.singular = False
                if last is not None and last.plural:
                    self.frame.singular = False
                    self.frame.limit = None
            self.frame.superlative = OrderItem(measure=item, descending=value in ("desc", "latest"))
            self._use(*item.units)
            self.s.last_measure = item
            return i + 1
        if item.kind == "aggregate" and item.aggregate is None:
            item.aggregate = "max" if value in ("desc", "latest") else "min"
        if self.s.mode == "rankby":
            self.frame.rank_by.append(item)
            return i + 1
        self._add_measure(item)
        return i + 1

    def _order_noun(self, i: int, u: Unit) -> int:
        s = self.s
        descending = s.direction
        if descending is None and s.superlative is not None:
            descending = s.superlative in ("desc", "latest")
        if s.count or (s.aggregate is not None):
            units = self._take_pending()
            mention = self._mention(u, "count" if s.count else "aggregate")
            item = MeasureItem("count" if s.count else "aggregate", s.aggregate, mention, distinct=s.distinct, units=units, shown=False)
            self._reset_noun()
            self.frame.orders.append(OrderItem(measure=item, descending=descending))
            return i + 1
        self._take_pending()
        self._reset_noun()
        mention = self._mention(u, "order")
        self.frame.orders.append(OrderItem(mention=mention, descending=descending))
        return i + 1

    def _unused(self) -> list[Unit]:
        """Words that would change the answer but found no place."""
        left: list[Unit] = []
        for u in self.units:
            if u.func is None or u.func.kind not in _MEANINGFUL or u.links or set(range(u.start, u.end)) <= self.frame.used:
                continue
            left.append(u)
        return left

    def _finish(self) -> None:
        self._flush_count()
        settle_subject(self.frame, self.kinds)
        settle_busiest(self.frame, self.kinds)
        settle_listed(self.frame, self.units, self.kinds)
        if self.frame.names_one_thing():
            self.frame.outputs[0].sole = True
        words = " ".join(u.text.lower() for u in self.units)
        if self.frame.compare is None and self.frame.times and "up or down" in words:
            self.frame.compare = "previous_period"
        if self.frame.compare is None and self.frame.times and _MOVED.search(words):
            self.frame.compare = "previous_period"
        if self.s.superlative is not None or self.s.aggregate is not None or self.s.pending_units:
            for unit in self.s.pending_units:
                if not (set(range(unit.start, unit.end)) <= self.frame.used):
                    self.frame.notes.append(f"dangling:{unit.text}")
        self.frame.unknown.extend(u for u in self._unused() if u not in self.frame.unknown)
