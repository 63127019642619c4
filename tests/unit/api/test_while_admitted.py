"""A stream ends with the credential, the right or the thing it was opened with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from api import credentials
from core.errors import NotFound, Unauthenticated, Unavailable
from core.ids import TenantId, UserId
from core.principal import Principal, Role

ANALYST = Principal(TenantId("acme"), UserId("usr_1"), frozenset({Role.ANALYST}))
NOBODY = Principal(TenantId("acme"), UserId("usr_1"))


def parts_of(answers: list[Principal | Exception], look: Callable[[Principal], object] = lambda caller: None) -> tuple[list[str], bool]:
    """What came of ten parts, when authenticating answers in turn and then as the last time; and whether the stream was closed."""
    closed = False

    async def stream() -> AsyncGenerator[str, None]:
        nonlocal closed
        try:
            for number in range(10):
                yield str(number)
        finally:
            closed = True

    def authenticate() -> Principal:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    request = Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/v1/jobs/job_1/events",
            "headers": [],
            "route": SimpleNamespace(path="/v1/jobs/{job_id}/events"),
        }
    )
    request.state.authenticate = authenticate

    async def all_of() -> list[str]:
        return [part async for part in credentials.while_admitted(request, stream(), look)]

    return asyncio.run(all_of()), closed


def gone(caller: Principal) -> None:
    raise NotFound("There is no such board.")


@pytest.fixture(autouse=True)
def always_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "LOOKED_AGAIN_S", 0.0)


def test_it_goes_on_while_all_holds_and_while_nobody_can_tell() -> None:
    assert len(parts_of([ANALYST])[0]) == 10
    assert len(parts_of([ANALYST, Unavailable("The state store is away."), ANALYST])[0]) == 10


def test_it_ends_with_the_session_the_role_or_the_thing() -> None:
    assert parts_of([ANALYST, ANALYST, Unauthenticated("The session has ended.")]) == (["0", "1"], True)
    assert parts_of([ANALYST, NOBODY]) == (["0"], True)
    assert parts_of([ANALYST], gone) == ([], True)


def test_it_is_not_looked_at_for_every_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "LOOKED_AGAIN_S", 1000.0)
    assert len(parts_of([Unauthenticated("The session has ended.")])[0]) == 10
