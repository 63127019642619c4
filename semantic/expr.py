"""Row-level expressions and predicates: the parts that SemanticQuery and the catalog share.

Everything here is frozen pydantic with extras forbidden, discriminated by `kind`. A field is named `dataset.field`;
where two datasets are joined by several relationships (departure and arrival airport), `via` names the relationships to walk.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, but without the cached properties of the original, which would still tell of the old values."""
        copied = super().model_copy(update=update, deep=deep)
        for name in set(copied.__dict__) - set(type(self).model_fields):
            del copied.__dict__[name]
        return copied

    def changed(self, **changes: Any) -> Self:
        """A copy with other values, validated (model_copy does not validate)."""
        return type(self)(**{**{name: getattr(self, name) for name in type(self).model_fields}, **changes})


Scalar = bool | int | Decimal | float | dt.datetime | dt.date | str


def _day(value: object) -> object:
    """A day that was kept as text stays a day; of two types that could take it pydantic takes the time first."""
    return dt.date.fromisoformat(value) if isinstance(value, str) and _ONLY_DAY.fullmatch(value) else value


_ONLY_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
Moment = Annotated[dt.datetime | dt.date, BeforeValidator(_day)]


class FieldRef(Frozen):
    """A catalog field, reached over `via` (relationship names in walking order; empty: the only or the default path)."""

    kind: Literal["field"] = "field"
    dataset: str
    field: str
    via: tuple[str, ...] = ()

    def __str__(self) -> str:
        path = "".join(f"{name}>" for name in self.via)
        return f"{path}{self.dataset}.{self.field}"


class Literal_(Frozen):
    kind: Literal["literal"] = "literal"
    value: Scalar | None


class Arithmetic(Frozen):
    """left op right. Division is float division, NULL when the divisor is 0 or NULL."""

    kind: Literal["arithmetic"] = "arithmetic"
    op: Literal["+", "-", "*", "/"]
    left: Expr
    right: Expr


class DateDiff(Frozen):
    """Whole units from start to end as ClickHouse's dateDiff counts boundaries; `exact` gives a float of elapsed units instead."""

    kind: Literal["date_diff"] = "date_diff"
    unit: Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
    start: Expr
    end: Expr
    exact: bool = False


class DatePart(Frozen):
    """A date truncated to a grain (`trunc`) or a cyclic part as a number (ISO: Monday is 1)."""

    kind: Literal["date_part"] = "date_part"
    part: Literal[
        "trunc_minute",
        "trunc_hour",
        "trunc_day",
        "trunc_week",
        "trunc_month",
        "trunc_quarter",
        "trunc_year",
        "day_of_week",
        "hour_of_day",
        "day_of_month",
        "month_of_year",
        "quarter_of_year",
        "week_of_year",
        "year",
        "is_weekend",
    ]
    of: Expr


class MakeDate(Frozen):
    """The date of a year, month and day kept in separate fields; NULL where they are no date. `month_as`: a number, "July" or "Jul"."""

    kind: Literal["make_date"] = "make_date"
    year: Expr
    month: Expr
    day: Expr
    month_as: Literal["number", "name", "short_name"] = "number"


class Now(Frozen):
    """The `as_of` of the query: a date where `date_only`, else an instant."""

    kind: Literal["now"] = "now"
    date_only: bool = True


class Text(Frozen):
    """A text function of one expression; `concat` joins `of` and `others` with a space."""

    kind: Literal["text"] = "text"
    function: Literal["lower", "upper", "trim", "length", "concat"]
    of: Expr
    others: tuple[Expr, ...] = ()


class Case(Frozen):
    """First branch whose predicate holds, else `otherwise` (NULL when absent)."""

    kind: Literal["case"] = "case"
    branches: tuple[tuple[Predicate, Expr], ...] = Field(min_length=1)
    otherwise: Expr | None = None


class Related(Frozen):
    """An aggregate over rows related to the current row, as a row-level value: first order date of a customer, latest status.

    Compiled as a pre-aggregated join, so it never fans out. `first` and `last` take `of` at the smallest / largest `order_by`.
    """

    kind: Literal["related"] = "related"
    aggregate: Literal["count", "count_distinct", "sum", "avg", "median", "min", "max", "first", "last"]
    dataset: str
    of: Expr | None = None
    order_by: Expr | None = None
    where: Predicate | None = None
    via: tuple[str, ...] = ()


Expr = Annotated[
    FieldRef | Literal_ | Arithmetic | DateDiff | DatePart | MakeDate | Now | Text | Case | Related,
    Field(discriminator="kind"),
]


class Comparison(Frozen):
    """left op right; NULL compares as not matching. Text equality ignores case when `ignore_case`."""

    kind: Literal["compare"] = "compare"
    op: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Expr
    right: Expr
    ignore_case: bool = False


class In(Frozen):
    """`negate` keeps rows whose value is NULL (what a person means by "not EMEA")."""

    kind: Literal["in"] = "in"
    field: Expr
    values: tuple[Scalar, ...] = Field(min_length=1)
    negate: bool = False
    ignore_case: bool = False


class Between(Frozen):
    """low <= field <= high unless an end is exclusive."""

    kind: Literal["between"] = "between"
    field: Expr
    low: Expr
    high: Expr
    low_inclusive: bool = True
    high_inclusive: bool = True


class Like(Frozen):
    """Plain text match (no wildcards in `value`; they are escaped); case-insensitive unless said otherwise."""

    kind: Literal["like"] = "like"
    field: Expr
    match: Literal["contains", "starts_with", "ends_with"]
    value: str
    ignore_case: bool = True


class IsNull(Frozen):
    """Missing: NULL, and the empty string for text."""

    kind: Literal["null"] = "null"
    field: Expr
    negate: bool = False


class InWindow(Frozen):
    """The field's instant is inside a time window; see query.TimeWindow for how the window is said."""

    kind: Literal["in_window"] = "in_window"
    field: Expr
    window: Window
    negate: bool = False


class Has(Frozen):
    """The row has (or, negated, has no) related rows in `dataset` that satisfy `where`; `count` bounds how many.

    Compiled as a semi- or anti-join on the relationship keys, so it never multiplies rows.
    """

    kind: Literal["has"] = "has"
    dataset: str
    where: Predicate | None = None
    via: tuple[str, ...] = ()
    negate: bool = False
    count_op: Literal["=", "!=", "<", "<=", ">", ">="] | None = None
    count: int | None = None


class And(Frozen):
    kind: Literal["and"] = "and"
    items: tuple[Predicate, ...] = Field(min_length=1)


class Or(Frozen):
    kind: Literal["or"] = "or"
    items: tuple[Predicate, ...] = Field(min_length=1)


class Not(Frozen):
    kind: Literal["not"] = "not"
    item: Predicate


class VersusAggregate(Frozen):
    """Comparison of a row value with an aggregate of the same expression ("price above the average").

    `scope` "all": over every row of the dataset (same tenant and policies); "filtered": over the rows that pass the other filters.
    `per`: the aggregate is taken within the same value of these fields ("above the average of their region").
    """

    kind: Literal["versus_aggregate"] = "versus_aggregate"
    op: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Expr
    aggregate: Literal["avg", "median", "min", "max", "sum"]
    factor: float = 1.0
    scope: Literal["all", "filtered"] = "all"
    per: tuple[FieldRef, ...] = ()


Predicate = Annotated[
    Comparison | In | Between | Like | IsNull | InWindow | Has | And | Or | Not | VersusAggregate,
    Field(discriminator="kind"),
]


class Unit(StrEnum):
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Absolute(Frozen):
    """[start, end): a None end is open. Dates are midnight in the calendar's zone."""

    kind: Literal["absolute"] = "absolute"
    start: Moment | None = None
    end: Moment | None = None


class Rolling(Frozen):
    """The last `count` units up to `as_of`.

    `anchor` "now": sliding, from (as_of day - count units) on, the whole as_of day included ("past 30 days");
    `inclusive_start` False starts one day later. `anchor` "period": whole calendar units; `include_current` adds the running one,
    which replaces none of the `count` complete ones unless `current_counts`.
    """

    kind: Literal["rolling"] = "rolling"
    count: int = Field(ge=1)
    unit: Unit
    anchor: Literal["now", "period"] = "now"
    include_current: bool = False
    current_counts: bool = False
    inclusive_start: bool = True
    direction: Literal["past", "future"] = "past"
    fiscal: bool = False


class Calendar_(Frozen):
    """One calendar unit: offset 0 is the running one, -1 the previous. `to_date` cuts it after the as_of day."""

    kind: Literal["calendar"] = "calendar"
    unit: Unit
    offset: int = 0
    to_date: bool = False
    fiscal: bool = False


Window = Annotated[Absolute | Rolling | Calendar_, Field(discriminator="kind")]

for _model in (
    Arithmetic,
    DateDiff,
    DatePart,
    MakeDate,
    Text,
    Case,
    Related,
    Comparison,
    In,
    Between,
    Like,
    IsNull,
    InWindow,
    Has,
    And,
    Or,
    Not,
    VersusAggregate,
):
    _model.model_rebuild()
