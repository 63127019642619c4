"""What the grammar finds in a question, before names are settled: mentions, conditions, measures, groups, order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from nlq.lexicon import Target
from nlq.linking import Link, ValueLink
from nlq.segment import Unit
from nlq.timing.phrases import TimePhrase
from semantic.query import Measure

Role = Literal["count", "aggregate", "output", "group", "order", "condition", "related", "focus", "context", "start", "end"]


@dataclass(slots=True, eq=False)
class Mention:
    """Words that name a catalog object, and what the grammar says about its part in the question."""

    unit: Unit
    role: Role
    links: tuple[Link, ...]
    sentence: int = 0
    owner: bool = False
    plural: bool = False
    definite_key: bool = False
    after_of: Mention | None = None
    chosen: Target | None = None
    holder: Mention | None = None
    sole: bool = False
    first: bool = False
    last: bool = False
    per: bool = False
    indefinite: bool = False
    in_relative: bool = False
    beside: bool = False
    via: tuple[str, ...] = ()
    explained: bool = False


@dataclass(slots=True, eq=False)
class Condition:
    """One condition. `kind` says which of the other fields matter; `or_previous` joins it to the one before by OR."""

    kind: Literal[
        "value",
        "number",
        "text",
        "time",
        "flag",
        "null",
        "related",
        "average",
        "cycle",
        "segment",
        "compare_fields",
        "same_period",
        "lapse",
    ]
    mention: Mention | None = None
    measure: MeasureItem | None = None
    values: tuple[ValueLink, ...] = ()
    literal: str | None = None
    literals: tuple[str, ...] = ()
    op: str = "="
    number: float | None = None
    number_high: float | None = None
    match: str = ""
    time: TimePhrase | None = None
    negate: bool = False
    or_previous: bool = False
    inner: list[Condition] = field(default_factory=list)
    other: Mention | None = None
    units: list[Unit] = field(default_factory=list)
    both: bool = False
    all_of: bool = False
    hint: str = ""
    more_values: list[tuple[ValueLink, ...]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class MeasureItem:
    """A number to compute. `aggregate` None takes the field's or metric's own default."""

    kind: Literal[
        "count", "aggregate", "ratio", "duration", "expression", "percent", "rate", "term", "distinct_of", "given", "buckets", "of_value"
    ]
    aggregate: str | None = None
    mention: Mention | None = None
    distinct: bool = False
    conditions: list[Condition] = field(default_factory=list)
    left: MeasureItem | None = None
    right: MeasureItem | None = None
    op: str = "/"
    start: Mention | None = None
    end: Mention | None = None
    unit: str = "day"
    exact: bool = False
    scale: float = 1.0
    shown: bool = True
    units: list[Unit] = field(default_factory=list)
    superlative: str | None = None
    label: str | None = None
    constant: float | None = None
    given: Measure | None = None
    counted: bool = False

    def copied(self) -> MeasureItem:
        """The same measure with condition and unit lists of its own."""
        return replace(self, conditions=list(self.conditions), units=list(self.units))


@dataclass(slots=True, eq=False)
class OrderItem:
    measure: MeasureItem | None = None
    mention: Mention | None = None
    grain: bool = False
    descending: bool | None = None
    alphabetical: bool = False


@dataclass(slots=True, eq=False)
class TransformItem:
    kind: Literal["share", "running_total", "moving_average", "moving_sum", "growth", "difference", "rank"]
    size: int | None = None
    measure: MeasureItem | None = None
    grain: str | None = None
    units: list[Unit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MovedItem:
    """ "grew by more than 10 %": a condition on how the measure changed against the compared period. `value` has the sign of `rising`."""

    rising: bool
    op: str
    value: float
    percent: bool


@dataclass(frozen=True, slots=True)
class MovedOrder:
    """ "grew the most": ranked by the change, the most risen first or the most fallen; in percent where it went fastest."""

    rising: bool
    percent: bool = False


@dataclass(slots=True, eq=False)
class Frame:
    """Everything understood of a question, in its order."""

    mentions: list[Mention] = field(default_factory=list)
    measures: list[MeasureItem] = field(default_factory=list)
    outputs: list[Mention] = field(default_factory=list)
    groups: list[Mention] = field(default_factory=list)
    grain: str | None = None
    cycle: str | None = None
    more_cycles: tuple[str, ...] = ()
    conditions: list[Condition] = field(default_factory=list)
    having: list[Condition] = field(default_factory=list)
    orders: list[OrderItem] = field(default_factory=list)
    times: list[TimePhrase] = field(default_factory=list)
    term_times: list[TimePhrase] = field(default_factory=list)
    limit: int | None = None
    limit_asked: bool = False
    top_asked: bool = False
    ascending_top: bool = False
    rank_by: list[MeasureItem] = field(default_factory=list)
    superlative: OrderItem | None = None
    singular: bool = False
    judged: bool = False
    distinct: bool = False
    transforms: list[TransformItem] = field(default_factory=list)
    compare: str | None = None
    compare_values: list[Condition] = field(default_factory=list)
    keep_empty: bool = False
    round_digits: int | None = None
    question_word: str = ""
    limit_per_group: bool = False
    used: set[int] = field(default_factory=set)
    unknown: list[Unit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    both_sides: bool = False
    complete: bool = False
    count_word_alone: bool = False
    all_rows: bool = False
    loose_verbs: int = 0
    list_verb: bool = False
    asks_period: bool = False
    grain_implied: bool = False
    bucket: str | None = None
    versus: TimePhrase | None = None
    moved_order: MovedOrder | None = None
    moved: list[MovedItem] = field(default_factory=list)

    def names_one_thing(self) -> bool:
        """Whether the question is a bare noun with conditions: no list verb, no question word, nothing computed, ranked or cut."""
        if self.list_verb or self.question_word or len(self.outputs) != 1 or self.measures or self.rank_by or self.orders:
            return False
        return (
            self.superlative is None
            and not self.limit_asked
            and not self.distinct
            and not self.all_rows
            and self.outputs[0].role == "output"
        )
