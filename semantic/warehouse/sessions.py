"""HTTP sessions of the admin: a connection kept between requests for SET, USE and temporary tables.

A session starts with the first statement that changes one; until then a `session_id` (which clickhouse-connect always sends) costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from semantic.warehouse.engine import EngineSession
from semantic.warehouse.engine_errors import EngineError

MAX_SESSIONS = 100


@dataclass(slots=True)
class _Kept:
    session: EngineSession
    expires_at_s: float
    busy: bool = True


class Sessions:
    """Used from one thread (the event loop's). `now_s`: a monotonic clock."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._kept: dict[str, _Kept] = {}
        self._now_s = now_s

    def borrow(self, session_id: str, *, must_exist: bool) -> EngineSession | None:
        """The session, now busy; None when there is none. Raises: EngineError 373 while it is busy, 372 when it must exist and does not."""
        self._expire()
        kept = self._kept.get(session_id)
        if kept is None:
            if must_exist:
                raise EngineError(372, f"DB::Exception: Session {session_id[:80]} not found. (SESSION_NOT_FOUND)")
            return None
        if kept.busy:
            raise EngineError(373, f"DB::Exception: Session {session_id[:80]} is locked by a concurrent client. (SESSION_IS_LOCKED)")
        kept.busy = True
        return kept.session

    def start(self, session_id: str, session: EngineSession) -> None:
        if len(self._kept) >= MAX_SESSIONS:
            raise EngineError(202, f"DB::Exception: Too many sessions. Maximum: {MAX_SESSIONS}. (TOO_MANY_SIMULTANEOUS_QUERIES)")
        self._kept[session_id] = _Kept(session, expires_at_s=0.0)

    def give_back(self, session_id: str, timeout_s: float) -> None:
        kept = self._kept.get(session_id)
        if kept is not None:
            kept.busy = False
            kept.expires_at_s = self._now_s() + timeout_s

    def _expire(self) -> None:
        for session_id in [s for s, kept in self._kept.items() if not kept.busy and kept.expires_at_s < self._now_s()]:
            self._kept.pop(session_id).session.close()

    def close(self) -> None:
        for kept in self._kept.values():
            kept.session.close()
        self._kept.clear()
