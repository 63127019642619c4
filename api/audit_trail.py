"""What the audit log holds of HTTP: every request that changes something, and every one that was refused for want of rights.

Questions and queries are recorded where they are answered, with what they cost; jobs where they end.
"""

from __future__ import annotations

from typing import Any

import structlog
from starlette.types import Scope

from api.services import Services
from core.errors import AppError
from core.principal import Principal
from core.store import audit
from core.store.audit import Happening

log = structlog.get_logger("api")
_SAFE = {"GET", "HEAD", "OPTIONS"}
_TOLD_ELSEWHERE = {"/v1/ask", "/v1/query", "/v1/sql", "/ask", "/query", "/sql"}
_DENIED = 403


def current_request_id() -> str | None:
    """The id of the request that this code serves; None outside of one."""
    found: Any = structlog.contextvars.get_contextvars().get("request_id")
    return str(found) if found else None


def is_told(scope: Scope, status: int, told_already: int = 0) -> bool:
    """Whether a request belongs in the audit log beside the entries that its own deeds made there (none for one that failed)."""
    state, route = scope.get("state", {}), getattr(scope.get("route"), "path", "")
    if state.get("caller") is None or (told_already and status < 400):
        return False
    changed = scope["method"] not in _SAFE and route not in _TOLD_ELSEWHERE
    return changed or status == _DENIED or "/export" in route


def tell(services: Services, scope: Scope, status: int) -> None:
    """Appends the request to its tenant's chain. A store that is away costs the entry, with an error in the log, not the answer."""
    state = scope["state"]
    caller: Principal = state["caller"]
    route = getattr(scope.get("route"), "path", "unmatched")
    outcome = "ok" if status < 400 else "denied" if status in {401, _DENIED} else "error"
    target = "/".join(str(value)[:64] for value in scope.get("path_params", {}).values())
    happening = Happening(caller.user, f"{scope['method']} {route}", target, outcome, {"status": status}, state.get("request_id"))
    try:
        with services.store.write() as connection:
            audit.append(connection, caller.tenant, happening, now=services.clock.now())
    except AppError as error:
        log.error("audit_entry_lost", action=happening.action, actor=happening.actor, tenant=caller.tenant, code=error.code)
