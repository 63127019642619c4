"""What HTTP sends and takes: pydantic, extras forbidden on the way in."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from semantic.expr import Predicate
from semantic.query import SemanticQuery, TimeWindow

Cell = str | int | float | bool | None


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskRequest(In):
    """A question. `conversation_id` continues one; `as_of` answers as if it were that day; `choice` takes one reading of a clarification."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "revenue by region last quarter compared to the year before"}]}
    )

    question: str = Field(min_length=1, max_length=4_000)
    conversation_id: str | None = Field(default=None, max_length=64)
    as_of: dt.date | None = None
    choice: int | None = Field(default=None, ge=0, le=9)


class QueryRequest(In):
    """A SemanticQuery to run as it is, as chips do after an edit. With `conversation_id` the next follow-up stands on it."""

    query: SemanticQuery
    as_of: dt.date | None = None
    question: str = Field(default="", max_length=4_000)
    conversation_id: str | None = Field(default=None, max_length=64)


class SqlParameter(In):
    """A value for `{name:Type}` in the SQL; `type` is the ClickHouse type that stands there."""

    type: str = Field(pattern=r"^(String|U?Int(8|16|32|64)|Float(32|64)|Bool|Date(32)?|DateTime|Decimal\(\d{1,2}, ?\d{1,2}\))$")
    value: str | int | float | bool


class SqlRequest(In):
    """Analyst SQL on `database.table` names of the catalog. It runs through the same guard as every other query.

    Text with quotes or backslashes is sent as a parameter: `WHERE name = {who:String}` with `parameters: {"who": {"type": "String", "value": "O'Brien"}}`.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"sql": "SELECT status, count() AS orders FROM demo.orders GROUP BY status"}]}
    )

    sql: str = Field(min_length=1, max_length=100_000)
    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")], SqlParameter] = Field(default_factory=dict, max_length=100)


class Column(BaseModel):
    name: str
    label: str
    role: str
    unit: str | None = None
    format: str | None = None
    grain: str | None = None
    source: str | None = None
    good_direction: Literal["up", "down"] | None = None


class Chip(BaseModel):
    kind: str
    label: str
    path: str
    start: int | None = None
    end: int | None = None
    source: str | None = None
    alternatives: list[str] = Field(default_factory=list)


class Unknown(BaseModel):
    text: str
    start: int
    end: int
    nearest: list[str] = Field(default_factory=list)


class Choice(BaseModel):
    """One concrete reading to choose from; send its index as `choice`, or its `query` to /v1/query."""

    index: int
    label: str
    chips: list[Chip]
    confidence: float
    query: dict[str, Any]


class Definition(BaseModel):
    """What a number means, from the catalog."""

    name: str
    label: str
    description: str
    kind: str
    formula: str


class Window(BaseModel):
    """[start, end) of the time covered, which date was used, and whether the running period is inside."""

    label: str
    start: dt.datetime | None
    end: dt.datetime | None
    field: str
    includes_current: bool
    current_is_partial: bool


class Freshness(BaseModel):
    """When a table was last loaded or refreshed. `source` brings it, None for a file; `late`: its runs fail or are missing."""

    table: str
    refreshed_at: dt.datetime
    source: str | None
    late: bool


class Receipt(BaseModel):
    """Where every number of the answer comes from."""

    sql: str
    parameters: dict[str, Any]
    definitions: list[Definition]
    windows: list[Window]
    datasets: list[str]
    catalog_version: int
    data_version: str
    query_id: str
    duration_ms: float
    rows_read: int
    bytes_read: int
    cached: bool
    notes: list[str] = Field(default_factory=list)
    freshness: list[Freshness] = Field(default_factory=list)


class JobLink(BaseModel):
    id: str
    kind: str
    href: str
    events: str


class Answer(BaseModel):
    """The outcome of a question.

    answer: columns, rows, chart, headline and receipt. clarify: choices. refuse: message and unknown words. job: a link to follow.
    define / describe: message.
    """

    id: str
    question: str
    outcome: Literal["answer", "clarify", "refuse", "job", "define", "describe"]
    intent: str = "ask"
    headline: str = ""
    message: str = ""
    paraphrase: str = ""
    confidence: float | None = None
    chips: list[Chip] = Field(default_factory=list)
    query: dict[str, Any] | None = None
    columns: list[Column] = Field(default_factory=list)
    rows: list[list[Cell]] = Field(default_factory=list)
    row_count: int = 0
    truncated: bool = False
    chart: dict[str, Any] | None = None
    receipt: Receipt | None = None
    choices: list[Choice] = Field(default_factory=list)
    unknown: list[Unknown] = Field(default_factory=list)
    suggestions: list[str] = Field(default_factory=list)
    job: JobLink | None = None
    conversation_id: str | None = None
    as_of: dt.datetime | None = None
    understanding_ms: float = 0.0
    ms: float = 0.0


class LoginRequest(In):
    email: str = Field(min_length=3, max_length=320)
    password: str = Field(min_length=1, max_length=1_000)
    tenant: str | None = Field(default=None, max_length=31)
    code: str | None = Field(default=None, max_length=40, description="Of an authenticator, or a recovery code.")


class Me(BaseModel):
    user: str
    tenant: str
    email: str
    display_name: str
    roles: list[str]
    attributes: dict[str, list[str]]
    rights: list[str] = Field(default_factory=list, description="What your roles allow; a key's scopes may allow less.")
    locale: str = Field(default="en-GB", description="How texts write numbers and dates: your choice, else your company's, else en-GB.")


class MeChange(In):
    """`locale` such as de-DE or en-US; empty: as your company writes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"locale": "de-DE"}]})

    locale: str = Field(max_length=40)


class FeedbackRequest(In):
    """Whether an answer was right, and if not, what was wrong. `word` with `means` proposes a synonym (`metric:NAME`, `field:DATASET.FIELD`,
    `entity:NAME`, `dataset:NAME`, `segment:NAME`, `value:DATASET.FIELD=VALUE`); `query` proposes what the question should have run."""

    verdict: Literal["up", "down"]
    comment: str = Field(default="", max_length=4_000)
    wrong: Literal["metric", "filter", "time", "grouping", "value", "order", "other"] | None = None
    word: str = Field(default="", max_length=80)
    means: str = Field(default="", max_length=500)
    query: SemanticQuery | None = None


class DetectRequest(In):
    """What was unusual in a metric's history. `sensitivity` is the number of false alarms per year that is acceptable."""

    metric: str = Field(max_length=128)
    grain: Literal["hour", "day", "week", "month"] = "day"
    by: str | None = Field(default=None, max_length=260)
    sensitivity: float | None = Field(default=None, gt=0, le=365)


class ExplainRequest(In):
    """Why a metric changed between two periods, as SemanticQuery windows; None takes the last complete month against the one before."""

    metric: str = Field(max_length=128)
    query: SemanticQuery | None = None


class ScanRequest(In):
    """What one should know of the last complete period, or of `period`. No metrics: the main ones. `summary` also says how they stand."""

    metrics: list[Annotated[str, Field(max_length=128)]] = Field(default_factory=list, max_length=20)
    grain: Literal["day", "week", "month", "quarter"] = "day"
    where: Predicate | None = None
    period: TimeWindow | None = None
    summary: bool = False


class JobView(BaseModel):
    id: str
    kind: str
    status: str
    progress: float
    step: str
    attempts: int
    params: dict[str, Any]
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    created_at: dt.datetime
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    waiting_behind: int | None = Field(
        default=None,
        description="In the answer about one job that waits for a worker: of how many other jobs of your company it waits for the turn.",
    )


class Page(BaseModel):
    """A page of items; `next` goes back as `cursor`, None at the end."""

    items: list[Any]
    next: str | None = None
