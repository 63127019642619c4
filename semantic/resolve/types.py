"""ResolvedQuery: names bound, join paths chosen, windows absolute. What is left is printing.

Expressions stay `semantic.expr` values in a canonical form: every FieldRef is a plain column and carries its whole path in `via` (`~name` walks a
relationship in reverse; no path means the block's own dataset), windows are Absolute, `Now` is a literal, fields defined by an expression are
replaced by it. A predicate over rows of a to-many dataset has become a `Has`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from semantic.catalog.model import Catalog, FieldType
from semantic.expr import Expr, FieldRef, Predicate
from semantic.query import AggregateKind, Having, LimitBy, Order, SemanticQuery, Transform
from semantic.states import WindowUsed
from semantic.windows import Shift


@dataclass(frozen=True, slots=True)
class Atom:
    """One aggregate over rows of one dataset; `where` narrows this atom only."""

    aggregate: AggregateKind
    dataset: str
    of: tuple[Expr, ...] = ()
    quantile: float | None = None
    where: Predicate | None = None
    latest_by: FieldRef | None = None


@dataclass(frozen=True, slots=True)
class AtomValue:
    """The value of `atoms[slot]`."""

    slot: int


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Operation:
    op: Literal["+", "-", "*", "/"]
    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Accumulated:
    """`of` summed over the time buckets up to this one: the last `buckets` of them, or since the start of `grain_to_date`."""

    of: Formula
    buckets: int | None = None
    grain_to_date: str | None = None


Formula = AtomValue | Number | Operation | Accumulated


@dataclass(frozen=True, slots=True)
class ResolvedMeasure:
    """A shown measure: how its value follows from atoms, and how to present it."""

    name: str
    label: str
    formula: Formula
    unit: str | None = None
    format: str | None = None
    good_direction: Literal["up", "down"] | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """One column of the group key. Hidden ones separate groups without being shown. `by` points into query.by."""

    name: str
    label: str
    role: Literal["dimension", "time", "key", "attribute"]
    type: FieldType
    by: int
    shown: bool = True
    source: str | None = None
    grain: str | None = None
    fiscal: bool = False
    unit: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class BlockKey:
    """How one block computes one KeyColumn. `bins` cuts a number; `shift` moves a time bucket so that it lines up with another window's."""

    expr: Expr
    bins: int | None = None
    fiscal: bool = False
    shift: Shift | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Atoms that share a dataset, a filter and a time field: one aggregation at that dataset's own grain.

    distinct: the keys lie on a to-many side, so rows are made distinct by the dataset's primary key and the group keys first.
    compared: fills the comparison's columns instead of the main ones.
    """

    dataset: str
    slots: tuple[int, ...]
    keys: tuple[BlockKey, ...]
    where: Predicate | None = None
    distinct: bool = False
    compared: bool = False


@dataclass(frozen=True, slots=True)
class DimensionBlock:
    """Distinct group keys of a dimension, so that groups without facts are kept. `columns` are indices into `keys`."""

    dataset: str
    columns: tuple[int, ...]
    keys: tuple[BlockKey, ...]
    where: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """Empty time buckets to add: key column, and the first and past-the-last bucket (wall clock) where the window has them.

    shown: they were asked for; else they only keep windows over buckets (moving averages, growth) from skipping gaps, and are dropped after.
    keep_from: buckets before this one were only read for what accumulates into later ones.
    """

    column: int
    start: dt.datetime | None
    end: dt.datetime | None
    shown: bool = True
    keep_from: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Comparison_:
    """What the compared measures are called and which forms are shown. Their atoms follow the main ones at `slot + offset`."""

    show: tuple[Literal["value", "difference", "percent", "index"], ...]
    label: str
    base_label: str
    only_main_groups: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedHaving:
    having: Having
    left: Formula
    right: Formula | None = None


@dataclass(frozen=True, slots=True)
class Aggregation:
    """The plan of a query with measures and/or groups."""

    keys: tuple[KeyColumn, ...]
    atoms: tuple[Atom, ...]
    measures: tuple[ResolvedMeasure, ...]
    blocks: tuple[Block, ...]
    having: tuple[ResolvedHaving, ...] = ()
    compare: Comparison_ | None = None
    fill: Fill | None = None
    empties: tuple[DimensionBlock, ...] = ()
    zero_sums: bool = False


@dataclass(frozen=True, slots=True)
class RowColumn:
    name: str
    label: str
    expr: Expr
    type: FieldType
    role: Literal["key", "dimension", "time", "attribute"]
    source: str | None = None
    unit: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The plan of a query for rows. `tie_breakers` order rows that are otherwise equal."""

    dataset: str
    columns: tuple[RowColumn, ...]
    where: Predicate | None = None
    tie_breakers: tuple[FieldRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """Order, cuts and presentation, as asked."""

    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    limit_by: LimitBy | None = None
    with_other: bool = False
    with_ties: bool = False
    distinct: bool = False
    transform: tuple[Transform, ...] = ()
    round_digits: int | None = None


@dataclass(frozen=True, slots=True)
class ResolvedQuery:
    """A query that is known to be answerable. Made by semantic.resolve only."""

    query: SemanticQuery
    catalog: Catalog
    as_of: dt.datetime
    plan: Aggregation | Listing
    shape: Shape
    windows: tuple[WindowUsed, ...] = ()
    notes: tuple[str, ...] = ()
