"""Errors as RFC 9457 problems, with a stable code and the request id. The one place where our errors become HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from api.preconditions import ChangedSince
from core.disk import no_room
from core.errors import AppError, Unavailable, UserError

log = structlog.get_logger("api")
MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One thing that is wrong with the input: where, and what was expected."""

    path: str
    message: str


class Problem(BaseModel):
    """RFC 9457, with `code` (stable, for programs), `request_id` (for support) and `suggestions` (what to do next)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "The catalog has no metric 'revenu'.",
                    "code": "unknown_metric",
                    "request_id": "req_01",
                    "suggestions": ["revenue"],
                    "errors": [],
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    suggestions: list[str] = Field(default_factory=list)
    errors: list[FieldProblem] = Field(default_factory=list)
    current: dict[str, Any] | None = Field(default=None, description="With 412: what is there now.")


def request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    suggestions: Sequence[str] = (),
    errors: Sequence[FieldProblem] = (),
    headers: dict[str, str] | None = None,
    current: Mapping[str, Any] | None = None,
) -> JSONResponse:
    body = Problem(
        title=_title(status),
        status=status,
        detail=detail,
        code=code,
        request_id=request_id(request),
        suggestions=list(suggestions),
        errors=list(errors),
        current=jsonable_encoder(current),
    )
    if request.url.path.startswith("/scim/"):  # RFC 7644, section 3.12
        said = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": detail, "code": code}
        return JSONResponse(said, status_code=status, media_type="application/scim+json", headers=headers)
    shown = body.model_dump(exclude={"current"} if body.current is None else None)
    return JSONResponse(shown, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def from_app_error(request: Request, error: AppError) -> JSONResponse:
    """UserError is shown; Unavailable asks to come back; anything else is hidden and reported."""
    if isinstance(error, UserError):
        headers = {"WWW-Authenticate": 'Bearer realm="querent"'} if error.status == HTTPStatus.UNAUTHORIZED else {}
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            headers["Retry-After"] = str(getattr(error, "retry_after_s", 60))
        current = None
        if isinstance(error, ChangedSince):
            headers, current = headers | ({"ETag": error.etag} if error.etag else {}), error.current
        errors = [FieldProblem(path=error.path, message=error.message)] if error.path else []
        return problem(
            request, error.status, error.code, error.message, suggestions=error.suggestions, errors=errors, headers=headers, current=current
        )
    if isinstance(error, Unavailable):
        return problem(request, error.status, error.code, error.message, headers={"Retry-After": str(error.retry_after_s)})
    log.error("internal_error", code=error.code, request_id=request_id(request), exc_info=error)
    return problem(request, 500, "internal_error", "Something went wrong on our side. Quote the request id when you report it.")


def from_validation(request: Request, errors: Sequence[Any]) -> JSONResponse:
    found = [
        FieldProblem(path="/" + "/".join(str(part) for part in e["loc"] if part != "body"), message=str(e["msg"])) for e in errors[:20]
    ]
    detail = "; ".join(f"{item.path or '/'}: {item.message}" for item in found[:3]) or "The request is not valid."
    return problem(request, 422, "invalid_request", detail, errors=found)


def install(app: FastAPI) -> None:
    """Registers the handlers."""

    async def app_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, AppError)
        return from_app_error(request, error)

    async def validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError | ValidationError)
        return from_validation(request, jsonable_encoder(error.errors(), custom_encoder={Exception: str, bytes: lambda _: "<bytes>"}))

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return problem(request, error.status_code, code, str(error.detail), headers=dict(error.headers or {}))

    async def of_the_system(request: Request, error: Exception) -> JSONResponse:
        full = no_room(error)
        if full is None:
            raise error
        log.error("no_room", request_id=request_id(request), path=getattr(error, "filename", None))
        return from_app_error(request, full)

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected_error", request_id=request_id(request), exc_info=error)
        said = "Something went wrong on our side. Quote the request id when you report it."
        return problem(
            request, 500, "internal_error", said, headers={"Connection": "close"}
        )  # as the server does then, so that nobody sends more on it

    app.add_exception_handler(AppError, app_error)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(OSError, of_the_system)
    app.add_exception_handler(Exception, unexpected)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Closed Request" if status == 499 else "Error"
