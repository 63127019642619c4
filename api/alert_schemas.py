"""What the alert routes take: pydantic, extras forbidden."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, EmailStr, Field, SecretStr

from api.schemas import In

Id = Annotated[str, Field(max_length=64)]
_TURNS_TEXT = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """Without spaces around it. Raises: ValueError for an empty one, line breaks, control characters and what turns text around."""
    kept = text.strip()
    if not kept or any(unicodedata.category(c) in ("Cc", "Cs") or c in _TURNS_TEXT for c in kept):
        raise ValueError("expected one line of text; found none, a line break or a character that cannot be seen")
    return kept


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line)]


class RuleBody(In):
    """A rule's definition; `kind` is anomaly, threshold, no_data, goal or forecast_breach. See docs/alerts.md for the fields."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Orders look odd",
                    "definition": {"kind": "anomaly", "metric": "orders", "grain": "day", "sensitivity": 6, "direction": "down"},
                    "notify": [],
                }
            ]
        },
    )

    name: Name
    definition: dict[str, Any]
    enabled: bool = True
    notify: list[Id] = Field(default=[], max_length=20, description="Channels that are told; your inbox always is.")


class PreviewBody(In):
    """A definition, or the id of a rule whose feedback counts too."""

    definition: dict[str, Any]
    rule_id: Id | None = None


class Until(In):
    """None undoes it."""

    until: dt.datetime | None


class Comment(In):
    comment: str = Field(default="", max_length=4_000)


class Assign(In):
    user: Id


class Feedback(In):
    """None takes the vote back."""

    useful: bool | None
    comment: str = Field(default="", max_length=1_000)


class EmailConfig(In):
    kind: Literal["email"]
    to: list[EmailStr] = Field(min_length=1, max_length=20)


class WebhookConfig(In):
    """secret: Standard Webhooks, `whsec_` and base64; left out it is made, and shown once."""

    kind: Literal["webhook"]
    url: SecretStr = Field(min_length=8, max_length=2_000)
    secret: SecretStr | None = Field(default=None, max_length=200)


class ChatConfig(In):
    """An apprise address, such as slack://token or workflows://... for Teams."""

    kind: Literal["apprise"]
    url: SecretStr = Field(min_length=5, max_length=2_000)


class ChannelBody(In):
    model_config = ConfigDict(
        extra="forbid",
        regex_engine="python-re",
        json_schema_extra={"examples": [{"name": "Shop team", "config": {"kind": "email", "to": ["shop@example.com"]}}]},
    )

    name: Annotated[Name, Field(pattern=r"^(?!inbox of )")]
    config: Annotated[EmailConfig | WebhookConfig | ChatConfig, Field(discriminator="kind")]
    enabled: bool = True


class ChannelSwitch(In):
    enabled: bool


class SubscriptionBody(In):
    """Whom to tell of what. channel_id None is your own inbox. escalate_after_minutes: only when nobody acknowledged for so long."""

    channel_id: Id | None = None
    team: str | None = Field(default=None, max_length=100)
    rule_id: Id | None = None
    metric: str | None = Field(default=None, max_length=200)
    min_severity: float = Field(default=0, ge=0, le=100)
    mode: Literal["now", "daily", "weekly"] = "now"
    escalate_after_minutes: int | None = Field(default=None, ge=1, le=10_080)
    muted_until: dt.datetime | None = None
