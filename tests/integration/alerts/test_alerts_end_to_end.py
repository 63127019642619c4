"""From a rule made over HTTP to a mail in the box and a signed webhook, with real beat and worker processes; one message whatever is killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

pytestmark = [pytest.mark.integration, pytest.mark.slow]

REGION = {"dataset": "sales", "field": "region"}
RULE = {"name": "Revenue", "definition": {"kind": "anomaly", "metric": "revenue", "segments": [REGION], "sensitivity": 24}}


@pytest.fixture
def channels(shop: Any, hook: Any) -> dict[str, Any]:
    mail = shop.call("POST", "/v1/channels", {"name": "Mail", "config": {"kind": "email", "to": ["shop@example.com"]}}, 201)
    config = {"kind": "webhook", "url": f"http://127.0.0.1:{hook.port}/in?token=hush"}
    web = shop.call("POST", "/v1/channels", {"name": "Hook", "config": config}, 201)
    assert "hush" not in str(web)
    return {"mail": mail["id"], "hook": web["id"], "secret": web["secret"]}


class TestFromRuleToMessage:
    def test_one_incident_one_mail_one_webhook_then_ack_and_resolved(
        self, shop: Any, hook: Any, mailbox: Any, channels: Any, make_processes: Callable[..., Any], wait: Callable[..., Any]
    ) -> None:
        box, _ = mailbox
        rule = shop.call("POST", "/v1/alert-rules", {**RULE, "notify": [channels["mail"], channels["hook"]]}, 201)
        processes = make_processes(shop.environment)
        processes.start("workers", "beat")
        processes.worker("--concurrency=2")
        wait(lambda: box.messages and hook.calls, 90)

        found = shop.call("GET", "/v1/incidents")["items"]
        assert [(i["direction"], i["scope"], i["status"]) for i in found] == [("down", "Total", "open")]
        assert found[0]["actual"] < 0.3 * found[0]["expected"]
        assert {s["label"] for s in found[0]["segments"]} >= {"Total", "EMEA"}

        mail = box.messages[0]
        assert "below expected" in mail["Subject"]
        assert mail["To"] == "shop@example.com"
        plain = mail.get_body(("plain",)).get_content()
        assert f"/incidents/{found[0]['id']}" in plain
        assert "Was this useful?" in plain
        images = [part for part in mail.walk() if part.get_content_type() == "image/png"]
        assert images[0].get_payload(decode=True).startswith(b"\x89PNG")
        assert f'src="cid:{images[0]["Content-ID"][1:-1]}"' in mail.get_body(("html",)).get_content()

        headers, body = hook.calls[0]
        event = Webhook(channels["secret"]).verify(body, headers)
        assert event["type"] == "incident.opened"
        assert event["data"]["id"] == found[0]["id"]

        shop.call("POST", f"/v1/incidents/{found[0]['id']}/ack", {"comment": "looking"})
        shop.load(1.0)  # the data come late: it was nothing
        shop.call("PUT", f"/v1/alert-rules/{rule['id']}", RULE)
        view = wait(lambda: (v := shop.call("GET", f"/v1/incidents/{found[0]['id']}"))["status"] == "resolved" and v, 60)
        assert [e["kind"] for e in view["events"]] == ["opened", "acknowledged", "resolved"]
        assert view["events"][-1]["data"]["why"] == "late_data"
        wait(lambda: len(box.messages) == 2 and len(hook.calls) == 2, 40)
        assert [e["type"] for e in hook.events] == ["incident.opened", "incident.resolved"]
        assert box.messages[1]["Subject"].startswith("Resolved")
        assert len(shop.call("GET", "/v1/inbox")["items"]) == 2
        assert "hush" not in str(shop.rows("SELECT * FROM channels"))
        logs = "".join(path.read_text(errors="replace") for path in Path(shop.environment["QUERENT_HOME"]).parent.glob("process-*.log"))
        assert "hush" not in logs
        assert channels["secret"] not in logs


class TestKilled:
    @pytest.mark.parametrize("moment", ["while it evaluates", "when the message waits"])
    def test_a_killed_worker_costs_no_message_and_makes_none_twice(
        self, moment: str, shop: Any, channels: Any, kill_the_first_worker: Callable[[str], None]
    ) -> None:
        shop.call("POST", "/v1/alert-rules", {**RULE, "notify": [channels["mail"]]}, 201)
        kill_the_first_worker(
            {
                "while it evaluates": "SELECT 1 FROM jobs WHERE kind = 'evaluate_rules' AND status = 'RUNNING'",
                "when the message waits": "SELECT 1 FROM deliveries WHERE kind = 'opened'",
            }[moment]
        )
        assert len(shop.call("GET", "/v1/incidents")["items"]) == 1


class TestRunTwice:
    def test_ten_ticks_and_workers_at_once_make_one_message(
        self, shop: Any, hook: Any, mailbox: Any, channels: Any, make_processes: Callable[..., Any], wait: Callable[..., Any]
    ) -> None:
        from workers.alerts.tick import start_due_rules
        from workers.queue import wake_sender

        box, _ = mailbox
        shop.call("POST", "/v1/alert-rules", {**RULE, "notify": [channels["mail"], channels["hook"]]}, 201)
        processes = make_processes(shop.environment)
        processes.worker("--concurrency=2")
        processes.worker("--concurrency=2")
        for _ in range(5):
            start_due_rules(shop.services)
            shop.rows("SELECT 1")
            with sqlite3.connect(Path(shop.environment["QUERENT_HOME"]) / "state.db") as connection:
                connection.execute("UPDATE alert_rules SET next_run_at = '2020-01-01 00:00:00.000000', lease_until = NULL")
        for _ in range(8):
            wake_sender(shop.services)
        wait(lambda: box.messages and hook.calls, 90)
        wait(lambda: not shop.rows("SELECT 1 FROM jobs WHERE status IN ('PENDING', 'RUNNING')"), 60)
        for _ in range(8):
            wake_sender(shop.services)
        wait(lambda: not shop.rows("SELECT 1 FROM deliveries WHERE status = 'pending'"), 30)
        assert (len(box.messages), len(hook.calls)) == (1, 1)
        assert len(shop.rows("SELECT 1 FROM incidents")) == 1
