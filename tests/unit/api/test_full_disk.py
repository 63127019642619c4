"""A full disk: what is answered, and that a log which cannot be written stops nobody."""

from __future__ import annotations

import errno
import sys

import pytest
import structlog
from clickhouse_connect.driver.exceptions import DatabaseError
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.cli.logs import configure_logging
from api.problems import install
from core.errors import Unavailable
from semantic.warehouse.error_codes import to_app_error


@pytest.mark.parametrize(("number", "status", "code"), [(errno.ENOSPC, 503, "no_room"), (errno.EIO, 500, "internal_error")])
def test_who_writes_is_told_to_come_back(number: int, status: int, code: str) -> None:
    app = FastAPI()
    install(app)

    @app.get("/")
    def write() -> None:
        raise OSError(number, "of the system", "/srv/secret/path")

    answer = TestClient(app, raise_server_exceptions=False).get("/")
    assert (answer.status_code, answer.json()["code"], "retry-after" in answer.headers) == (status, code, status == 503)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "text", ["Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space", "Code: 1001. DB::Exception: No space left on device"]
)
def test_a_warehouse_without_room_is_waited_for(text: str) -> None:
    error = DatabaseError(text)
    error.code = int(text.split()[1].rstrip("."))  # type: ignore[attr-defined]
    ours = to_app_error(error)
    assert (type(ours), ours.code, ours.retryable) == (Unavailable, "warehouse_full", True)


def test_a_log_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    before, full = structlog.get_config(), open("/dev/full", "w")  # noqa: SIM115 its closing is what fails
    try:
        monkeypatch.setattr(sys, "stderr", full)
        monkeypatch.setattr("logging.basicConfig", lambda **_: None)
        configure_logging("INFO", json=True)
        structlog.get_logger("x").warning("lost")
    finally:
        structlog.configure(**before)
        with pytest.raises(OSError):  # it was the device that is full
            full.close()
