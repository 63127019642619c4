"""SemanticQuery: what is asked, in catalog terms. `POST /v1/query`, the question parser and any LLM plug-in all speak it.

It holds no SQL. Same query, same catalog version, same `as_of`: same SQL text, byte for byte.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.timeseries import Grain
from semantic.expr import Expr, FieldRef, Frozen, Predicate, Unit, Window


class AggregateKind(StrEnum):
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MEDIAN = "median"
    QUANTILE = "quantile"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"


class MetricRef(Frozen):
    """A declared metric; `where` narrows this measure only ("refunded revenue" beside revenue)."""

    kind: Literal["metric"] = "metric"
    metric: str
    where: Predicate | None = None
    alias: str | None = None


class Aggregate(Frozen):
    """An ad-hoc aggregate. `count` without `of` counts rows of `dataset`; everything else needs `of`.

    `time_field` overrides the dataset's primary time for the query's window and grain (role-playing dates).
    """

    kind: Literal["aggregate"] = "aggregate"
    aggregate: AggregateKind
    dataset: str
    of: Expr | None = None
    quantile: float | None = Field(default=None, gt=0, lt=1)
    where: Predicate | None = None
    time_field: FieldRef | None = None
    alias: str | None = None


class Calculation(Frozen):
    """Arithmetic over measures, each aggregated at its own grain first ("ratio of A to B"). Division by 0 gives NULL."""

    kind: Literal["calculation"] = "calculation"
    op: Literal["+", "-", "*", "/"]
    left: Measure
    right: Measure
    alias: str | None = None


class Constant(Frozen):
    kind: Literal["constant"] = "constant"
    value: float


Measure = Annotated[MetricRef | Aggregate | Calculation | Constant, Field(discriminator="kind")]
Calculation.model_rebuild()


class Cycle(StrEnum):
    DAY_OF_WEEK = "day_of_week"
    HOUR_OF_DAY = "hour_of_day"
    DAY_OF_MONTH = "day_of_month"
    MONTH_OF_YEAR = "month_of_year"
    QUARTER_OF_YEAR = "quarter_of_year"
    WEEK_OF_YEAR = "week_of_year"
    IS_WEEKEND = "is_weekend"


class ByField(Frozen):
    """Group by a dimension; `bins` cuts a number into that many equal-width steps of a round size."""

    kind: Literal["field"] = "field"
    field: FieldRef
    alias: str | None = None
    bins: int | None = Field(default=None, ge=2, le=100)


class ByEntity(Frozen):
    """Group by an entity: by its key, showing its display field ("by customer"; two customers of one name stay two)."""

    kind: Literal["entity"] = "entity"
    entity: str
    via: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    show_key: bool = False
    alias: str | None = None


class ByTime(Frozen):
    """Group by a time grain of each measure's own time field, or of `field`. `fill` adds empty buckets inside the window."""

    kind: Literal["time"] = "time"
    grain: Grain
    field: FieldRef | None = None
    fiscal: bool = False
    fill: bool = False
    alias: str | None = None


class ByCycle(Frozen):
    kind: Literal["cycle"] = "cycle"
    cycle: Cycle
    field: FieldRef | None = None
    alias: str | None = None


class ByExpr(Frozen):
    """Group by any row-level expression of `dataset` ("by whether it was paid late")."""

    kind: Literal["expr"] = "expr"
    dataset: str
    expr: Expr
    alias: str | None = None


GroupBy = Annotated[ByField | ByEntity | ByTime | ByCycle | ByExpr, Field(discriminator="kind")]


class TimeWindow(Frozen):
    """Which time the query covers: `field` None is each measure's own time field. Bounds resolve to [start, end)."""

    window: Window
    field: FieldRef | None = None
    label: str | None = None


class ComparePeriod(Frozen):
    """Each measure again for another window, side by side as `show`.

    to: previous_period is the window of the same length just before (whole calendar units shift by a calendar unit);
    same_period_last_year shifts by a year; window is given; offset shifts by `count` `unit`s.
    """

    kind: Literal["period"] = "period"
    to: Literal["previous_period", "same_period_last_year", "window", "offset"]
    window: Window | None = None
    count: int | None = None
    unit: Unit | None = None
    show: tuple[Literal["value", "difference", "percent", "index"], ...] = ("value", "difference", "percent")


class CompareGroup(Frozen):
    """Each measure for the rows of `where`, beside the main ones ("Germany vs France")."""

    kind: Literal["group"] = "group"
    where: Predicate
    label: str
    base_label: str = "rest"
    show: tuple[Literal["value", "difference", "percent", "index"], ...] = ("value", "difference", "percent")


Compare = Annotated[ComparePeriod | CompareGroup, Field(discriminator="kind")]


class Having(Frozen):
    """A condition on an aggregated value; `measure` may be one that is not shown.

    right: a number, another measure, or an aggregate over all groups of this result (`versus`: "above the average").
    `change` compares the measure's change against the query's `compare` ("fell more than 20 %": percent < -20).
    """

    measure: Measure
    op: Literal["=", "!=", "<", "<=", ">", ">="]
    value: float | None = None
    other: Measure | None = None
    versus: Literal["avg", "median", "min", "max", "sum"] | None = None
    factor: float = 1.0
    change: Literal["value", "difference", "percent"] | None = None

    @model_validator(mode="after")
    def _one_right_side(self) -> Having:
        if sum(x is not None for x in (self.value, self.other, self.versus)) != 1:
            raise ValueError("having needs exactly one of value, other, versus")
        return self


class Order(Frozen):
    """Order by an output: index into `metrics`, into `by`, or into `fields`; or by the change of a compared metric, in its unit or in percent."""

    target: Literal["metric", "by", "field", "change", "transform"]
    index: int = Field(default=0, ge=0)
    descending: bool = True
    nulls_last: bool = True
    change: Literal["difference", "percent"] = "difference"


class LimitBy(Frozen):
    """Top `limit` within each value of `by[index]`, by the query's order."""

    limit: int = Field(ge=1, le=10_000)
    index: int = Field(default=0, ge=0)


class Transform(Frozen):
    """A window over the aggregated result, added beside `metric` (an index into `metrics`) unless `replace`.

    share: of the total, or of the parent `per` (indices into `by`). running_total, moving_average and moving_sum (`size` buckets), growth
    (to the previous bucket, percent), difference (to the previous bucket), rank (1 is largest, ties share, dense): along the time group,
    or over the order.
    """

    kind: Literal["share", "running_total", "moving_average", "moving_sum", "growth", "difference", "rank", "lag"]
    metric: int = Field(default=0, ge=0)
    per: tuple[int, ...] = ()
    size: int | None = Field(default=None, ge=2, le=366)
    descending: bool = True
    replace: bool = False
    percent: bool = True
    alias: str | None = None


class Output(Frozen):
    """One column of an entity-rows query."""

    expr: Expr
    alias: str | None = None


class SemanticQuery(Frozen):
    """Either aggregates (`metrics`, grouped `by`) or rows of an entity (`fields` of `rows_of`), never both.

    rows_of: the dataset whose rows are listed; fields of datasets it points to (many-to-one) may be shown, and fields of datasets
    that point to it only when `expand` is true (one output row per related row, as in "policies and their claims").
    zero_sums: a sum over no rows is 0 instead of nothing in groups that are kept empty or filled.
    """

    metrics: tuple[Measure, ...] = ()
    by: tuple[GroupBy, ...] = ()
    rows_of: str | None = None
    fields: tuple[Output, ...] = ()
    distinct: bool = False
    expand: bool = False
    where: Predicate | None = None
    having: tuple[Having, ...] = ()
    time: TimeWindow | None = None
    complete_periods_only: bool = False
    compare: Compare | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = Field(default=None, ge=1, le=1_000_000)
    offset: int = Field(default=0, ge=0)
    limit_by: LimitBy | None = None
    with_other: bool = False
    with_ties: bool = False
    keep_empty: bool = False
    zero_sums: bool = False
    transform: tuple[Transform, ...] = ()
    round_digits: int | None = Field(default=None, ge=0, le=12)

    @model_validator(mode="after")
    def _aggregates_or_rows(self) -> SemanticQuery:
        if bool(self.metrics or self.by) == bool(self.rows_of):
            raise ValueError("give either metrics and/or by, or rows_of with fields")
        if self.rows_of and not self.fields:
            raise ValueError("rows_of needs at least one entry in fields")
        if self.fields and not self.rows_of:
            raise ValueError("fields need rows_of")
        return self
