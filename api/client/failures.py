"""What can go wrong, as exceptions that say it in the service's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """The API refused or failed. `code` is stable; `request_id` is what to quote."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "http_error"))
        self.detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.suggestions = tuple(str(s) for s in problem.get("suggestions", ()))
        self.request_id = str(problem.get("request_id", ""))
        hint = f" Perhaps: {', '.join(self.suggestions)}." if self.suggestions else ""
        super().__init__(f"{self.detail}{hint} ({self.code}, {self.request_id or status})")


class JobFailed(Exception):
    """A job ended without a result."""

    def __init__(self, job_id: str, status: str, error: Mapping[str, Any] | None) -> None:
        self.job_id, self.status = job_id, status
        self.code = str((error or {}).get("code", status.lower()))
        super().__init__(f"Job {job_id} {status.lower()}: {(error or {}).get('message', 'no reason given')}")


class NotAnswered(Exception):
    """A question was asked back or refused where an answer was needed; the Answer is in `answer`."""

    def __init__(self, message: str, answer: Any) -> None:
        super().__init__(message)
        self.answer = answer
