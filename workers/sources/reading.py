"""What a source looks like to the engine: something that stands where a table does, and how only its newer rows are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from semantic.warehouse.admin import quote_name

# The engine keeps trying for half a minute by default, and follows redirects to wherever a bucket sends it.
_SETTINGS: Mapping[str, str | int] = MappingProxyType(
    {"http_max_tries": 2, "http_connection_timeout": 5, "s3_max_redirects": 0, "max_http_get_redirects": 0, "s3_connect_timeout_ms": 5000}
)


LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class Since:
    """Rows above `text`, the largest value of `column` (of the plain type `kind`) that is there. again: also equal ones; back_days: and earlier ones."""

    column: str
    kind: str
    text: str
    again: bool = False
    back_days: int = 0

    @property
    def sign(self) -> str:
        return ">=" if self.again else ">"


@dataclass(frozen=True, slots=True)
class Rows:
    """text: what stands after FROM, with its condition."""

    text: str
    params: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Remote:
    """`call` stands where a table does; `params` go with every statement that holds it. secrets: values to take out of error texts."""

    call: str
    params: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    settings: Mapping[str, str | int] = field(default_factory=lambda: _SETTINGS)

    @property
    def look(self) -> str:
        """A statement that counts the first rows, and those of them with each column's value, where the columns alone prove nothing: because they
        come from the declaration. Empty where they come from the source itself."""
        return ""

    @property
    def advice(self) -> str:
        """What to do when it cannot be read."""
        return "test the connection"

    def newer(self, since: Since) -> Rows:
        floor = f"{{since:{since.kind}}}"
        if since.back_days:
            floor = f"({floor} - INTERVAL {int(since.back_days)} DAY)"
        return Rows(f"{self.call} WHERE {quote_name(since.column)} {since.sign} {floor}", {**self.params, "since": since.text})

    def strangers(self, since: Since) -> Rows | None:
        """Rows that a condition on the key cannot see. None where a column has one type."""
        return None


def bound(function: str, values: list[str], *keywords: str) -> tuple[str, dict[str, str]]:
    """The call with its values as parameters. keywords: words of the engine after the first value, such as the one without which it would sign
    with credentials of its own machine."""
    params = {f"source_{number}": value for number, value in enumerate(values)}
    places = [f"{{{name}:String}}" for name in params]
    places[1:1] = keywords
    return f"{function}({', '.join(places)})", params
