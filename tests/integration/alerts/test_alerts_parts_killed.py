"""Broker and API are killed between the rule and its message: one message, none lost."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import needs
from tests.integration.workers.test_workers_redis import Redis
from workers.broker import spool_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]

REGION = {"dataset": "sales", "field": "region"}
RULE = {"name": "Revenue", "definition": {"kind": "anomaly", "metric": "revenue", "segments": [REGION]}}


def rows(shop: Any, sql: str) -> list[Any]:
    with sqlite3.connect(Path(shop.environment["QUERENT_HOME"]) / "state.db") as connection:
        return connection.execute(sql).fetchall()


def mail_channel(shop: Any) -> str:
    made = shop.call("POST", "/v1/channels", {"name": "Mail", "config": {"kind": "email", "to": ["shop@example.com"]}}, 201)
    return str(made["id"])


def one_mail_and_nothing_waits(shop: Any, box: Any, wait: Callable[..., Any]) -> None:
    wait(lambda: box.messages, 240)
    wait(lambda: not rows(shop, "SELECT 1 FROM deliveries WHERE status = 'pending'"), 60)
    assert len(box.messages) == 1
    assert len(rows(shop, "SELECT 1 FROM incidents")) == 1


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        needs("redis", "redis-server is not installed")
    server = Redis(tmp_path)
    yield server
    server.kill()


class TestBrokerKilled:
    def test_a_spool_that_is_emptied_loses_no_message(
        self, shop: Any, mailbox: Any, make_processes: Callable[..., Any], wait: Callable[..., Any]
    ) -> None:
        box, _ = mailbox
        shop.call("POST", "/v1/alert-rules", {**RULE, "notify": [mail_channel(shop)]}, 201)
        from workers.alerts.tick import start_due_rules

        assert start_due_rules(shop.services) == 1  # the job is accepted, its message is in the spool
        folder = spool_folder(shop.services.settings) / "messages"
        wait(lambda: any(folder.iterdir()), 10)
        shutil.rmtree(folder)
        folder.mkdir()
        processes = make_processes(shop.environment)
        processes.start("workers", "beat")
        processes.worker("--concurrency=1")
        one_mail_and_nothing_waits(shop, box, wait)

    def test_a_redis_that_is_killed_and_comes_back_empty_loses_no_message(
        self, redis: Redis, shop: Any, mailbox: Any, make_processes: Callable[..., Any], wait: Callable[..., Any]
    ) -> None:
        box, _ = mailbox
        box.down = True
        redis.start()
        shop.call("POST", "/v1/alert-rules", {**RULE, "notify": [mail_channel(shop)]}, 201)
        processes = make_processes({**shop.environment, "QUERENT_BROKER_URL": redis.url})
        processes.start("workers", "beat")
        processes.worker("--concurrency=1")
        wait(lambda: rows(shop, "SELECT 1 FROM jobs WHERE kind = 'evaluate_rules'"), 90)
        redis.kill()
        box.down = False
        shop.try_again_now()
        redis.start()
        one_mail_and_nothing_waits(shop, box, wait)


class TestApiKilled:
    def test_a_rule_that_was_accepted_speaks_though_the_api_is_killed_at_once(
        self, shop: Any, mailbox: Any, make_processes: Callable[..., Any], wait: Callable[..., Any]
    ) -> None:
        box, _ = mailbox
        channel = mail_channel(shop)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        processes = make_processes(shop.environment)
        api = processes.start("api.cli.main", "serve", "--port", str(port))
        base = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            try:
                return httpx.get(f"{base}/readyz", timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        wait(ready, 90)
        made = httpx.post(f"{base}/v1/alert-rules", json={**RULE, "notify": [channel]}, headers=shop.headers, timeout=30)
        os.killpg(api.pid, signal.SIGKILL)
        api.wait()
        assert made.status_code == 201
        processes.start("workers", "beat")
        processes.worker("--concurrency=1")
        one_mail_and_nothing_waits(shop, box, wait)
