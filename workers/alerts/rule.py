"""What a person may ask to be told about: the rules, as pydantic models with extras forbidden."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from anomaly.thresholds import DEFAULT_SENSITIVITY
from core.errors import Invalid
from core.timeseries import Grain
from semantic.expr import FieldRef, Predicate

Direction = Literal["up", "down", "both"]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
MAX_WINDOWS = 50
MOST_TOGETHER = 4


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Schedule(Part):
    """When the rule looks: every so many minutes; `at` (local time of the catalog's calendar) makes it once a day."""

    every_minutes: int = Field(default=60, ge=5, le=10_080)
    at: Clock | None = None


class Completeness(Part):
    """The newest bucket waits while its rows are fewer than `min_rows_share` of what the same slot had before, at most `wait_buckets`.

    min_rows_share 0 judges at once. 0.9: a region that is a tenth of the rows and not loaded yet is noticed.
    """

    min_rows_share: float = Field(default=0.9, ge=0, le=1)
    wait_buckets: int = Field(default=1, ge=0, le=14)


class QuietHours(Part):
    """Nothing is sent from `start` to `end` local time (over midnight when end is earlier); Monday is 0. Incidents are still kept."""

    start: Clock
    end: Clock
    days: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5, 6)

    @model_validator(mode="after")
    def _some_time(self) -> QuietHours:
        if self.start == self.end:
            raise ValueError("start and end of quiet hours are the same; leave them out, or disable the rule")
        return self


class Maintenance(Part):
    """What happens from `start` to `end` (aware) was planned: no incident begins there."""

    start: dt.datetime
    end: dt.datetime
    reason: str = Field(default="", max_length=300)

    @model_validator(mode="after")
    def _forward(self) -> Maintenance:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end need a time zone, such as 2026-05-01T22:00:00Z")
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class RuleBase(Part):
    """What all kinds have.

    min_volume: smallest mean absolute value per bucket of a segment that is watched; of a ratio its denominator, and buckets with less are
    not judged. evaluation_delay_minutes: how long after a bucket's
    end it is first judged. cooldown_buckets: what begins so soon after an incident belongs to it. recovery_buckets: so many quiet buckets
    resolve one. Both are two when not given, of minutes 30 and 15 (see timing).
    """

    metric: str = Field(min_length=1, max_length=200)
    where: Predicate | None = None
    segments: tuple[FieldRef, ...] = Field(default=(), max_length=2)
    max_segments: int = Field(default=50, ge=1, le=500)
    min_volume: float = Field(default=0.0, ge=0)
    grain: Literal[Grain.MINUTE, Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH] = Grain.DAY
    direction: Direction = "both"
    schedule: Schedule = Schedule()
    evaluation_delay_minutes: int = Field(default=0, ge=0, le=20_160)
    completeness: Completeness = Completeness()
    quiet_hours: tuple[QuietHours, ...] = Field(default=(), max_length=10)
    maintenance: tuple[Maintenance, ...] = Field(default=(), max_length=MAX_WINDOWS)
    cooldown_buckets: int | None = Field(default=None, ge=0, le=100)
    recovery_buckets: int | None = Field(default=None, ge=1, le=100)

    @field_validator("segments")
    @classmethod
    def _each_once(cls, segments: tuple[FieldRef, ...]) -> tuple[FieldRef, ...]:
        if len(set(segments)) < len(segments):
            raise ValueError("segments names each field once")
        return segments


class AnomalyRule(RuleBase):
    """Tells when the metric is not what its own history makes one expect.

    sensitivity: false alarms per year that one can bear of the whole; n segments get it over the root of n each.
    min_effect: smallest |actual - expected| in the metric's unit;
    min_effect_share: the same as a share of what was expected. yearly: what came at the same time last year too is no news (days and weeks).
    second_opinion: a PyOD detector that is heard as well. together: other metrics that the whole is judged together with; what they do not
    account for is an anomaly as well.
    """

    kind: Literal["anomaly"] = "anomaly"
    sensitivity: float = Field(default=DEFAULT_SENSITIVITY, ge=0.1, le=365)
    yearly: bool = True
    second_opinion: Literal["ecod", "iforest", "knn", "ensemble"] | None = None
    together: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(default=(), max_length=MOST_TOGETHER)
    min_effect: float = Field(default=0.0, ge=0)
    min_effect_share: float = Field(default=0.0, ge=0, le=10)

    @model_validator(mode="after")
    def _others(self) -> AnomalyRule:
        if self.metric in self.together or len(set(self.together)) < len(self.together):
            raise ValueError("together names other metrics, each once")
        return self


class ThresholdRule(RuleBase):
    """Tells when the metric is above `upper` or below `lower` for `buckets` in a row; over when it is back by `recovery_margin`."""

    kind: Literal["threshold"] = "threshold"
    upper: float | None = None
    lower: float | None = None
    buckets: int = Field(default=1, ge=1, le=100)
    recovery_margin: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _a_line(self) -> ThresholdRule:
        if self.upper is None and self.lower is None:
            raise ValueError("give upper, lower or both")
        if self.upper is not None and self.lower is not None and self.lower + 2 * self.recovery_margin >= self.upper:
            raise ValueError("lower must be below upper by more than twice the recovery margin")
        return self


class NoDataRule(RuleBase):
    """Tells when there are no rows for `buckets` complete buckets in a row."""

    kind: Literal["no_data"] = "no_data"
    buckets: int = Field(default=1, ge=1, le=100)


class GoalRule(RuleBase):
    """Tells when the metric, added up within the month or quarter, is behind (direction down) or beyond (up) its goal.

    Behind: below `tolerance` times the goal's part that has passed, in proportion to the days. Fit for counts and sums.
    """

    kind: Literal["goal"] = "goal"
    goal: float = Field(gt=0)
    period: Literal["month", "quarter"] = "month"
    tolerance: float = Field(default=0.9, gt=0, le=1)
    min_days: int = Field(default=7, ge=1, le=60)

    @field_validator("grain")
    @classmethod
    def _daily(cls, grain: Grain) -> Grain:
        if grain is not Grain.DAY:
            raise ValueError("a goal is followed by day")
        return grain


class ForecastRule(RuleBase):
    """Tells when the metric leaves the band that was forecast for it, for `buckets` in a row; back inside it is over.

    level: of the forecast interval, in per cent. The author's own forecasts count, made before the bucket began; buckets without one are
    not judged.
    """

    kind: Literal["forecast_breach"] = "forecast_breach"
    level: Literal[80, 95] = 95
    buckets: int = Field(default=1, ge=1, le=100)


AnyRule = AnomalyRule | ThresholdRule | NoDataRule | GoalRule | ForecastRule
Rule = Annotated[AnyRule, Field(discriminator="kind")]
FIELDS = sorted({name for kind in get_args(AnyRule) for name in kind.model_fields})
_RULE: TypeAdapter[AnyRule] = TypeAdapter(Rule)


def parse_rule(definition: Mapping[str, Any]) -> AnyRule:
    """The rule. Raises: Invalid that names the first field that is wrong, what was expected and what to do."""
    try:
        return _RULE.validate_python({"kind": "anomaly", **definition})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "definition"
        why = re.sub(r"<\w+\.\w+: ('\w+')>", r"\1", first["msg"].removeprefix("Value error, "))
        if first["type"] == "extra_forbidden":
            alike = difflib.get_close_matches(str(first["loc"][-1]), FIELDS, 1)
            rather = f" Did you mean {alike[0]}?" if alike else ""
            raise Invalid(f"The rule has no field {place}.{rather}", code="bad_rule", path=f"/{place}", suggestions=alike) from error
        given = first.get("input")
        found = "" if isinstance(given, Mapping) else f"; found {given!r:.60}"  # of a whole part the reason says what is wrong with it
        raise Invalid(f"The rule's {place} is not usable: {why}{found}.", code="bad_rule", path=f"/{place}") from error


def as_definition(rule: AnyRule) -> dict[str, Any]:
    """The rule as JSON values, all defaults written out."""
    return rule.model_dump(mode="json")
