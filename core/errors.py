"""The error tree. Raise where the fact is known, translate once at the edge.

A message says what was expected, what was found and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence


class AppError(Exception):
    """Any error of ours. `code` is stable, snake_case and documented; `retryable` says whether trying again can help."""

    code = "internal_error"
    status = 500
    retryable = False

    def __init__(self, message: str, *, code: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class UserError(AppError):
    """May be shown to the caller. `suggestions` are next steps or nearest known names, best first."""

    code = "bad_request"
    status = 400

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        suggestions: Sequence[str] = (),
        path: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message, code=code, retryable=retryable)
        if status is not None:
            self.status = status
        self.suggestions = tuple(suggestions)
        self.path = path


class NotFound(UserError):
    """The object does not exist, or belongs to another tenant: the two are not told apart."""

    code = "not_found"
    status = 404


class Unauthenticated(UserError):
    code = "unauthenticated"
    status = 401


class Forbidden(UserError):
    code = "forbidden"
    status = 403


class Conflict(UserError):
    code = "conflict"
    status = 409


class Invalid(UserError):
    """Well-formed input that does not mean anything valid here."""

    code = "invalid"
    status = 422


class TooLarge(UserError):
    code = "too_large"
    status = 413


class RateLimited(UserError):
    code = "rate_limited"
    status = 429
    retryable = True


class QueryRejected(UserError):
    """The guard or the verifier refuses the SQL. Never executed."""

    code = "query_rejected"
    status = 422


class QueryTooExpensive(UserError):
    """A cap on time, memory, rows read or result size was hit."""

    code = "query_too_expensive"
    status = 422


class NotEnoughData(UserError):
    code = "not_enough_data"
    status = 422


class Cancelled(UserError):
    code = "cancelled"
    status = 499


class InternalError(AppError):
    """A defect of ours: hidden from the caller, reported with its request id."""


class Unavailable(AppError):
    """A part we need does not answer now (503), or not in time (504)."""

    code = "unavailable"
    status = 503
    retryable = True

    def __init__(self, message: str, *, code: str | None = None, retry_after_s: int = 5) -> None:
        super().__init__(message, code=code)
        self.retry_after_s = retry_after_s
