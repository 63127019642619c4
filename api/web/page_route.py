"""Errors of page routes become pages, not JSON."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.web.shell import SignInFirst, menu, problem_page, visitor
from core.errors import AppError, Forbidden, Invalid


def _hidden(error: Exception) -> AppError:
    made = AppError("unexpected")
    made.__cause__ = error
    return made


class PageRoute(APIRoute):
    """A route whose errors are shown to a person: to sign in, or as a sentence with the next step."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handle(request)
            except SignInFirst as error:
                return error.response
            except AppError as error:
                if isinstance(error, Forbidden):  # told before the page knew who looks
                    await menu(request)
                return problem_page(request, error)
            except RequestValidationError as error:
                try:
                    await visitor(request)  # who is not signed in learns nothing about what a route takes
                except SignInFirst as first_sign_in:
                    return first_sign_in.response
                except AppError as refused:
                    return problem_page(request, refused)
                first = error.errors()[0]
                field = str(first["loc"][-1])
                return problem_page(request, Invalid(f"The field {field!r} is not usable: {first['msg']}.", code="invalid_request"))
            except Exception as error:  # the person gets a page with the request id; the log gets the rest
                return problem_page(request, _hidden(error))

        return shown
