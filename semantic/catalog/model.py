"""The catalog's values: frozen, extras forbidden, the same shape as its YAML."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator
from rapidfuzz import process

from core.errors import NotFound
from core.timeseries import Grain
from semantic.expr import Expr, FieldRef, Frozen, Predicate
from semantic.query import AggregateKind, SemanticQuery

_T = TypeVar("_T")

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


class FieldType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


class FieldRole(StrEnum):
    """What a field is for. KEY identifies rows or points to others; CATEGORY has few values and groups; NAME displays an entity;
    MEASURE is added up or averaged; ATTRIBUTE is a number or code that is shown but not aggregated by default; TEXT is free text."""

    KEY = "key"
    NAME = "name"
    CATEGORY = "category"
    MEASURE = "measure"
    ATTRIBUTE = "attribute"
    TIME = "time"
    FLAG = "flag"
    TEXT = "text"


class DataClass(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


PersonalKind = Literal["email", "phone", "contact", "iban", "card", "ip", "national_id", "birth", "address", "name", "secret"]


class CatalogField(Frozen):
    """A column, or an expression over columns of the same table.

    `aggregate` is the sensible default (sum for amounts, avg for rates and prices, count_distinct for keys). `additive` False marks rates,
    prices and balances. `time_format` parses a text column into a time (ClickHouse parseDateTime pattern); `epoch` says an integer column is a
    Unix time in that unit. `values` are the known values of a category, most frequent first (a sample; the value index has them all).
    `personal` is what inference took it for where it seems to tell of a person, until somebody looked.
    """

    name: Name
    column: str | None = None
    expression: Expr | None = None
    type: FieldType
    nullable: bool = False
    role: FieldRole
    label: str
    description: str = ""
    synonyms: tuple[str, ...] = ()
    aggregate: AggregateKind | None = None
    additive: bool = True
    unit: str | None = None
    format: str | None = None
    good_direction: Literal["up", "down"] | None = None
    time_format: str | None = None
    epoch: Literal["s", "ms", "us"] | None = None
    values: tuple[str, ...] = ()
    value_synonyms: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    cardinality: int | None = None
    pii: bool = False
    personal: PersonalKind | None = None
    data_class: DataClass = DataClass.INTERNAL
    hidden: bool = False


class DatasetKind(StrEnum):
    FACT = "fact"
    DIMENSION = "dimension"
    BRIDGE = "bridge"
    SNAPSHOT = "snapshot"
    SUBTYPE = "subtype"


class Dataset(Frozen):
    """A ClickHouse table or view. `time` names its primary time field.

    Tenancy: with `tenant_column` the table is shared and every read is narrowed to the caller's value; without it the table must lie in the
    tenant's own database. The guard refuses anything else. `filter` (optional) narrows every read, as for a derived subset of a table.
    """

    name: Name
    database: Name
    table: str
    label: str
    description: str = ""
    synonyms: tuple[str, ...] = ()
    kind: DatasetKind = DatasetKind.FACT
    primary_key: tuple[Name, ...] = ()
    time: Name | None = None
    tenant_column: str | None = None
    filter: Predicate | None = None
    fields: tuple[CatalogField, ...]
    row_count: int | None = None
    hidden: bool = False

    @cached_property
    def _by_name(self) -> dict[str, CatalogField]:
        return {f.name: f for f in self.fields}

    def field(self, name: str) -> CatalogField:
        try:
            return self._by_name[name]
        except KeyError:
            raise NotFound(
                f"Dataset {self.name!r} has no field {name!r}.",
                code="unknown_field",
                suggestions=tuple(self._by_name)[:10],
            ) from None

    def has_field(self, name: str) -> bool:
        return name in self._by_name


class Relationship(Frozen):
    """from_dataset.from_fields point to to_dataset.to_fields. Many-to-one walks from the many side to the one.

    `role` tells parallel relationships apart in words ("departure airport"); `default` is taken when none is named.
    """

    name: Name
    from_dataset: Name
    from_fields: tuple[Name, ...]
    to_dataset: Name
    to_fields: tuple[Name, ...]
    cardinality: Literal["many_to_one", "one_to_one", "many_to_many"] = "many_to_one"
    role: str | None = None
    synonyms: tuple[str, ...] = ()
    default: bool = False
    source: Literal["declared", "name", "values", "manual"] = "manual"


class Entity(Frozen):
    """A thing people name: its dataset, key and display fields ("customer": key customer_id, display name)."""

    name: Name
    dataset: Name
    key: tuple[Name, ...]
    display: tuple[Name, ...] = ()
    label: str
    plural: str = ""
    synonyms: tuple[str, ...] = ()


class MetricBase(Frozen):
    name: Name
    label: str
    description: str = ""
    synonyms: tuple[str, ...] = ()
    unit: str | None = None
    format: str | None = None
    good_direction: Literal["up", "down"] | None = None
    default_grain: Grain | None = None
    non_additive: tuple[FieldRef, ...] = ()
    hidden: bool = False
    owner: str | None = None
    certified: bool = False
    source: str = "manual"


class SimpleMetric(MetricBase):
    """One aggregate over one dataset. `time_field` overrides the dataset's primary time."""

    type: Literal["simple"] = "simple"
    dataset: Name
    aggregate: AggregateKind
    of: Expr | None = None
    quantile: float | None = None
    where: Predicate | None = None
    time_field: FieldRef | None = None


class RatioMetric(MetricBase):
    """numerator / denominator x scale, each aggregated first; never averaged over groups."""

    type: Literal["ratio"] = "ratio"
    numerator: Name
    denominator: Name
    scale: float = 1.0


class DerivedMetric(MetricBase):
    """Arithmetic over other metrics, as text: names, numbers, + - * / and parentheses ("(revenue - cost) / cost * 100")."""

    type: Literal["derived"] = "derived"
    expression: str


class CumulativeMetric(MetricBase):
    """`metric` summed over the time before: a sliding `window` of units, or to date within `grain_to_date`."""

    type: Literal["cumulative"] = "cumulative"
    metric: Name
    window_count: int | None = None
    window_unit: Grain | None = None
    grain_to_date: Grain | None = None


Metric = Annotated[SimpleMetric | RatioMetric | DerivedMetric | CumulativeMetric, Field(discriminator="type")]


class Hierarchy(Frozen):
    """Levels from coarse to fine, such as region > country > city."""

    name: Name
    label: str
    levels: tuple[FieldRef, ...] = Field(min_length=2)


class GlossaryTerm(Frozen):
    """A word of the business. `means` ties it to a catalog object: `metric:name`, `field:dataset.field`, `entity:name` or `segment:name`."""

    term: str
    definition: str
    synonyms: tuple[str, ...] = ()
    means: str | None = None
    source: str = "manual"


class Segment(Frozen):
    """A named condition on a dataset's rows ("active customers", "weekend sales")."""

    name: Name
    label: str
    dataset: Name
    where: Predicate
    synonyms: tuple[str, ...] = ()
    description: str = ""


class VerifiedQuestion(Frozen):
    question: str
    query: SemanticQuery
    approved_by: str = ""
    note: str = ""


class CalendarEvent(Frozen):
    """Days that matter to this business and are no public holidays, such as Black Friday or a yearly fair.

    `dates`: first days as they come; or every year, the `nth` `weekday` of `month` (or its `day`), moved by `offset_days`. It lasts `length_days`.
    """

    name: str = Field(min_length=1, max_length=80)
    dates: tuple[dt.date, ...] = Field(default=(), max_length=400)
    month: int | None = Field(default=None, ge=1, le=12)
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = None
    nth: int | None = Field(default=None, ge=1, le=5)
    day: int | None = Field(default=None, ge=1, le=31)
    offset_days: int = Field(default=0, ge=-60, le=60)
    length_days: int = Field(default=1, ge=1, le=60)

    @model_validator(mode="after")
    def _one_rule(self) -> CalendarEvent:
        yearly = self.month is not None and (self.day is not None) != (self.weekday is not None and self.nth is not None)
        if bool(self.dates) == yearly or (self.month is not None and not yearly):
            raise ValueError("an event needs either dates, or a month with a day, or a month with a weekday and nth")
        return self


class CatalogCalendar(Frozen):
    """`country` (ISO code) gives the public holidays; `events` are the business's own."""

    time_zone: str = "UTC"
    week_start: Literal["monday", "sunday"] = "monday"
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)
    country: str | None = None
    events: tuple[CalendarEvent, ...] = ()


class RowPolicy(Frozen):
    """Rows that holders of `roles` may see: `field` must be among the caller's attribute `attribute`; an absent attribute sees nothing.

    With `where` instead of `field`: the rows that satisfy it. Roles not named are not narrowed by this policy.
    """

    name: Name
    dataset: Name
    roles: tuple[str, ...]
    field: Name | None = None
    attribute: str | None = None
    where: Predicate | None = None


class ColumnRule(Frozen):
    """`hide` makes the field unknown to `roles`; `mask` shows a placeholder; `hash` shows a stable pseudonym."""

    dataset: Name
    field: Name
    roles: tuple[str, ...]
    action: Literal["hide", "mask", "hash"]


class Clearance(Frozen):
    """Holders of `role` see fields up to this class; the highest of one's roles counts."""

    role: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    up_to: DataClass


class Catalog(Frozen):
    """Everything Querent knows about one tenant's data. `version` is set by the store, not by hand."""

    name: str = "catalog"
    description: str = ""
    version: int = 0
    calendar: CatalogCalendar = CatalogCalendar()
    datasets: tuple[Dataset, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    entities: tuple[Entity, ...] = ()
    metrics: tuple[Metric, ...] = ()
    hierarchies: tuple[Hierarchy, ...] = ()
    segments: tuple[Segment, ...] = ()
    glossary: tuple[GlossaryTerm, ...] = ()
    verified: tuple[VerifiedQuestion, ...] = ()
    row_policies: tuple[RowPolicy, ...] = ()
    column_rules: tuple[ColumnRule, ...] = ()
    clearances: tuple[Clearance, ...] = ()

    @cached_property
    def _datasets(self) -> dict[str, Dataset]:
        return {d.name: d for d in self.datasets}

    @cached_property
    def _metrics(self) -> dict[str, Metric]:
        return {m.name: m for m in self.metrics}

    @cached_property
    def _entities(self) -> dict[str, Entity]:
        return {e.name: e for e in self.entities}

    @cached_property
    def _relationships(self) -> dict[str, Relationship]:
        return {r.name: r for r in self.relationships}

    def dataset(self, name: str) -> Dataset:
        return _get(self._datasets, name, "dataset")

    def metric(self, name: str) -> Metric:
        return _get(self._metrics, name, "metric")

    def entity(self, name: str) -> Entity:
        return _get(self._entities, name, "entity")

    def relationship(self, name: str) -> Relationship:
        return _get(self._relationships, name, "relationship")

    def field(self, ref: FieldRef) -> CatalogField:
        return self.dataset(ref.dataset).field(ref.field)


def _get(known: dict[str, _T], name: str, what: str) -> _T:
    try:
        return known[name]
    except KeyError:
        near = [match for match, _, _ in process.extract(name, known.keys(), limit=3)]
        raise NotFound(f"The catalog has no {what} {name!r}.", code=f"unknown_{what}", suggestions=near) from None
