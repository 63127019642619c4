"""What the insight and digest routes take: pydantic, extras forbidden."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.schemas import In

Id = Annotated[str, Field(max_length=64)]


class FactFeedback(In):
    """What you think of a fact; null takes it back. `mute`: never tell me this again, of any period."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"verdict": "not_useful"}]})

    verdict: Literal["useful", "not_useful", "mute"] | None


class DigestBody(In):
    """A digest: see docs/insights.md for the definition. readers: user ids; empty is yourself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Monday numbers",
                    "definition": {"metrics": ["revenue", "orders"], "cadence": "weekly", "at": "08:00", "time_zone": "Europe/Berlin"},
                }
            ]
        },
    )

    name: str = Field(min_length=1, max_length=200)
    definition: dict[str, Any]
    team: str | None = Field(default=None, max_length=100)
    readers: list[Id] = Field(default_factory=list, max_length=200)
    enabled: bool = True


class PreviewDigest(In):
    definition: dict[str, Any]


class Subscribed(In):
    subscribed: bool
