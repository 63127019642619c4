"""Streams that were opened together do not speak together, and look at one credential once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from api import credentials
from api.heartbeats import LONGEST_S, next_heartbeat_s
from core.errors import Unauthenticated
from core.ids import TenantId, UserId
from core.principal import Principal, Role

ANALYST = Principal(TenantId("acme"), UserId("usr_1"), frozenset({Role.ANALYST}))


def test_a_thousand_streams_spread_over_the_time_between_two_heartbeats() -> None:
    pauses = [next_heartbeat_s() for _ in range(1_000)]
    assert max(pauses) <= LONGEST_S
    assert max(pauses) - min(pauses) > LONGEST_S / 3


def test_one_credential_is_looked_at_once_for_many_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def authenticate(services: object, text: str) -> Principal:
        looks.append(text)
        if looks.count(text) > 1:
            raise Unauthenticated("The key was revoked.")
        return ANALYST

    app = SimpleNamespace(state=SimpleNamespace())
    requests = [Request({"type": "http", "app": app, "headers": []}) for _ in range(50)]
    assert all(credentials._lately(r, None, authenticate, "key") is ANALYST for r in requests)  # type: ignore[arg-type]
    assert looks == ["key"]
    assert credentials._lately(requests[0], None, authenticate, "other") is ANALYST  # type: ignore[arg-type]
    monkeypatch.setattr(credentials, "_SAME_S", 0.0)
    with pytest.raises(Unauthenticated):
        credentials._lately(requests[0], None, authenticate, "key")  # type: ignore[arg-type]
    monkeypatch.undo()
    with pytest.raises(Unauthenticated):  # what was known is forgotten with the refusal
        credentials._lately(requests[0], None, authenticate, "key")  # type: ignore[arg-type]
