"""What a digest looks at and when it comes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import Invalid
from core.timeseries import Grain
from semantic.expr import Predicate
from semantic.windows import zone_of
from workers.kinds import ScanParams

_GRAINS = {"daily": Grain.DAY, "weekly": Grain.WEEK, "monthly": Grain.MONTH}


class DigestDefinition(BaseModel):
    """metrics: none takes the catalog's main ones. at: local time. weekday: 0 is Monday. summary: also how metrics stand, news or not; then
    it always comes. email: to each reader's own address. channels: get the owner's view, such as a team's list or chat.

    board: this board's figures instead of news; it always comes. pdf: attached to e-mails.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: tuple[str, ...] = Field(default=(), max_length=20)
    where: Predicate | None = None
    cadence: Literal["daily", "weekly", "monthly"] = "weekly"
    at: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    weekday: int = Field(default=0, ge=0, le=6)
    day: int = Field(default=1, ge=1, le=28)
    time_zone: str | None = Field(default=None, max_length=64)
    summary: bool = False
    limit: int = Field(default=5, ge=1, le=10)
    email: bool = True
    channels: tuple[str, ...] = Field(default=(), max_length=10)
    board: str | None = Field(default=None, max_length=64)
    pdf: bool = False

    @property
    def scan(self) -> ScanParams:
        grain = _GRAINS[self.cadence]
        return ScanParams(metrics=self.metrics, where=self.where, grain=grain, summary=self.summary, limit=self.limit)


def parse_definition(found: Mapping[str, Any]) -> DigestDefinition:
    """Raises: Invalid."""
    try:
        made = DigestDefinition.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(map(str, first["loc"]))
        raise Invalid(f"A digest's {place} is not usable: {first['msg']}.", code="bad_digest", path=f"/definition/{place}") from error
    if made.time_zone is not None:
        zone_of(made.time_zone)
    return made


def next_time(definition: DigestDefinition, zone: str, after: dt.datetime) -> dt.datetime:
    """The first time after `after` (aware), in UTC; missed ones are not made up for.

    A local time that a change of clocks skips comes as much later as the clock jumped.
    """
    home = ZoneInfo(definition.time_zone or zone)
    hour, minute = map(int, definition.at.split(":"))
    day = after.astimezone(home).date()
    for _ in range(70):
        at = dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=home).astimezone(dt.UTC)
        if at > after and _is_its_day(definition, day):
            return at
        day += dt.timedelta(days=1)
    raise Invalid("This digest has no next time.", code="bad_digest")


def slot_of(definition: DigestDefinition, zone: str, at: dt.datetime) -> str:
    """The name of the issue that is due at `at`: its local date."""
    return f"{definition.cadence} {at.astimezone(ZoneInfo(definition.time_zone or zone)).date().isoformat()}"


def _is_its_day(definition: DigestDefinition, day: dt.date) -> bool:
    if definition.cadence == "weekly":
        return day.weekday() == definition.weekday
    return definition.cadence == "daily" or day.day == definition.day
