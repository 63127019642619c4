"""What is on its way out: said in the answer's headers (RFC 9745, RFC 8594) and in the OpenAPI document, until its day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs

from starlette.types import Scope


@dataclass(frozen=True, slots=True)
class Deprecation:
    """since: when it was called deprecated; sunset: when it may be gone. instead: what does the same, in words."""

    since: datetime
    sunset: datetime
    instead: str

    def headers(self) -> dict[str, str]:
        """Deprecation as a structured date, Sunset as an HTTP date, and where it is described."""
        return {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": format_datetime(self.sunset, usegmt=True),
            "Link": '</v1/openapi.json>; rel="deprecation"; type="application/json"',
        }


OPERATIONS: Mapping[tuple[str, str], Deprecation] = {}
"""(method, path of the route) -> why."""
PARAMETERS: Mapping[tuple[str, str, str], Deprecation] = {
    ("GET", "/v1/catalog/versions", "before"): Deprecation(
        datetime(2026, 11, 22, tzinfo=UTC), datetime(2027, 11, 22, tzinfo=UTC), "cursor, as of all lists"
    ),
}
"""(method, path of the route, query parameter) -> why; counts only when the parameter is given."""


def deprecation_of(scope: Scope) -> Deprecation | None:
    """What a request used that is on its way out; the operation before its parameters."""
    method, path = scope["method"], getattr(scope.get("route"), "path", "")
    found = OPERATIONS.get((method, path))
    if found is not None or not scope["query_string"]:
        return found
    given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return next((PARAMETERS[method, path, name] for name in given if (method, path, name) in PARAMETERS), None)
