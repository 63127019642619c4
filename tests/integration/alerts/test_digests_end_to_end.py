"""Digests on real parts: an e-mail with charts when there is news, nothing when there is none, one issue whatever is killed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from core.store import jobs
from workers.alerts.deliver import deliver_due
from workers.digests.tick import start_due_digests
from workers.jobs import FUNCTIONS
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]
DAILY = {"name": "Morning numbers", "definition": {"cadence": "daily", "metrics": ["revenue"]}}


def due_now(shop: Any, digest: str) -> None:
    with shop.services.store.write() as connection:
        then = shop.services.clock.now() - dt.timedelta(minutes=1)
        connection.execute(
            text("UPDATE digests SET next_at = :at, lease_until = NULL WHERE id = :id"), {"at": then.isoformat(" "), "id": digest}
        )


def run_waiting(shop: Any) -> None:
    """Runs what was accepted, here and now, then sends what waits."""
    with shop.services.store.read() as connection:
        waiting = [job for job in jobs.list_all(connection, shop.tenant, kind="digest") if not job.status.is_final]
    for job in waiting:
        run_job(shop.services, FUNCTIONS, shop.tenant, job.id)
    deliver_due(shop.services)


class TestDigest:
    def test_news_come_by_mail_with_charts_and_to_the_inbox_once(self, shop: Any, mailbox: Any) -> None:
        box, _ = mailbox
        made = shop.call("POST", "/v1/digests", DAILY, 201)
        assert made["subscribed"]
        assert made["next_at"] is not None
        due_now(shop, made["id"])
        assert start_due_digests(shop.services) == 1
        assert start_due_digests(shop.services) == 0
        run_waiting(shop)
        (mail,) = box.messages
        assert mail["To"] == "ann@shop.example"
        assert mail["Subject"].startswith("Morning numbers, ")
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert "below the expected" in plain
        images = [part for part in mail.walk() if part.get_content_type() == "image/png"]
        assert images
        assert all(part.get_content().startswith(b"\x89PNG") for part in images)
        assert all(f'src="cid:{part["Content-ID"][1:-1]}"' in html for part in images)
        (item,) = shop.call("GET", "/v1/inbox")["items"]
        assert item["title"] == mail["Subject"]
        (issue,) = shop.call("GET", "/v1/digests/issues")["items"]
        full = shop.call("GET", f"/v1/digests/issues/{issue['id']}")
        assert full["body"]["told"][0]["kind"] == "unusual_value"
        assert full["body"]["receipts"]

        due_now(shop, made["id"])  # the same day once more, as after a clock that was set back
        start_due_digests(shop.services)
        run_waiting(shop)
        assert len(box.messages) == 1
        assert len(shop.call("GET", "/v1/digests/issues")["items"]) == 1

    def test_pages_show_issues_take_votes_and_end_digests(self, shop: Any) -> None:
        made = shop.client.post("/digest", data={"name": "<b>Mine</b>", "cadence": "daily", "metrics": "revenue"}, headers=shop.headers)
        assert made.status_code == 200
        assert "&lt;b&gt;Mine" in made.text
        (digest,) = shop.call("GET", "/v1/digests")["items"]
        due_now(shop, digest["id"])
        start_due_digests(shop.services)
        run_waiting(shop)
        (issue,) = shop.call("GET", "/v1/digests/issues")["items"]
        page = shop.client.get(f"/digest/{issue['id']}", headers=shop.headers)
        assert page.status_code == 200
        assert "below the expected" in page.text
        fact = shop.call("GET", f"/v1/digests/issues/{issue['id']}")["body"]["told"][0]["id"]
        voted = shop.client.post(f"/digest/{issue['id']}/facts/{fact}", data={"verdict": "useful"}, headers=shop.headers)
        assert 'aria-pressed="true">Yes' in voted.text
        (vote,) = shop.call("GET", "/v1/insights/feedback")["items"]
        assert vote["verdict"] == "useful"
        assert vote["about"].startswith("Revenue came to")
        job = shop.call("POST", "/v1/insights/scan", {"metrics": ["revenue"]}, 202)
        run_job(shop.services, FUNCTIONS, shop.tenant, job["id"])
        assert shop.client.get(f"/jobs/{job['id']}", headers=shop.headers).status_code == 200
        gone = shop.client.post(f"/digest/{digest['id']}/delete", headers=shop.headers)
        assert gone.status_code == 200
        assert shop.call("GET", "/v1/digests")["items"] == []
        shop.call("GET", f"/v1/digests/issues/{issue['id']}", expect=404)

    def test_a_board_comes_as_pdf_with_its_readers_rights_until_it_is_shared_no_more(self, shop: Any, mailbox: Any) -> None:
        box, _ = mailbox
        query = {"metrics": [{"kind": "metric", "metric": "revenue"}]}
        board = shop.call("POST", "/v1/pins", {"title": "<b>Revenue</b>", "query": query, "new_board": "Sales"}, 201)["board"]
        weekly = {"board": board["id"], "cadence": "weekly", "pdf": True}
        made = shop.call("POST", "/v1/digests", {"name": "Sales", "definition": weekly}, 201)
        due_now(shop, made["id"])
        assert start_due_digests(shop.services) == 1
        run_waiting(shop)
        (mail,) = box.messages
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        (pages,) = mail.iter_attachments()
        assert pages.get_content_type() == "application/pdf"
        assert pages.get_content().startswith(b"%PDF-")
        assert "&lt;b&gt;Revenue" in mail.get_body(("html",)).get_content()
        (issue,) = shop.call("GET", "/v1/digests/issues")["items"]
        assert "<b>Revenue" not in shop.client.get(f"/digest/{issue['id']}", headers=shop.headers).text
        for path in (f"/digest/{issue['id']}/pdf", f"/boards/{board['id']}/pdf"):
            assert shop.client.get(path, headers=shop.headers).content.startswith(b"%PDF-")
        shop.call("DELETE", f"/v1/boards/{board['id']}", expect=204)
        with shop.services.store.write() as connection:
            connection.execute(text("DELETE FROM jobs"))
            connection.execute(text("DELETE FROM digest_issues"))
        due_now(shop, made["id"])
        start_due_digests(shop.services)
        run_waiting(shop)
        assert len(box.messages) == 1

    def test_nothing_comes_when_nothing_is_worth_saying(self, shop: Any, mailbox: Any) -> None:
        box, _ = mailbox
        shop.load(1.0)
        made = shop.call("POST", "/v1/digests", DAILY, 201)
        due_now(shop, made["id"])
        start_due_digests(shop.services)
        run_waiting(shop)
        assert box.messages == []
        assert shop.call("GET", "/v1/digests/issues")["items"] == []
        assert [row[0] for row in shop.rows("SELECT status FROM digest_issues")] == ["quiet"]

    def test_who_unsubscribes_by_the_link_gets_nothing_more_and_can_undo_it(self, shop: Any, mailbox: Any) -> None:
        box, _ = mailbox
        made = shop.call("POST", "/v1/digests", DAILY, 201)
        due_now(shop, made["id"])
        start_due_digests(shop.services)
        run_waiting(shop)
        link = re.search(r"/v1/digests/unsubscribe\?token=\S+", box.messages[0].get_body(("plain",)).get_content())
        assert link is not None
        assert shop.client.get(link.group()).status_code == 200
        assert shop.call("GET", f"/v1/digests/{made['id']}")["subscribed"]  # opening the link alone does nothing
        assert shop.client.post(link.group()).status_code == 200
        assert not shop.call("GET", f"/v1/digests/{made['id']}")["subscribed"]
        assert shop.client.post(link.group()[:-2] + "00").status_code == 401
        with shop.services.store.write() as connection:
            connection.execute(text("DELETE FROM digest_issues"))
            connection.execute(text("DELETE FROM jobs"))
        due_now(shop, made["id"])
        assert start_due_digests(shop.services) == 0
        shop.call("POST", f"/v1/digests/{made['id']}/subscription", {"subscribed": True})
        due_now(shop, made["id"])
        assert start_due_digests(shop.services) == 1

    def test_a_muted_fact_is_not_told_again_until_the_mute_is_taken_back(self, shop: Any) -> None:
        def scan() -> Any:
            job = shop.call("POST", "/v1/insights/scan", {"metrics": ["revenue"]}, 202)
            run_job(shop.services, FUNCTIONS, shop.tenant, job["id"])
            return shop.call("GET", f"/v1/jobs/{job['id']}")["result"]

        first = scan()
        fact = first["told"][0]
        path = f"/v1/insights/{first['insight_id']}/facts/{fact['id']}/feedback"
        shop.call("POST", path, {"verdict": "mute"})
        muted = scan()
        assert fact["topic"] not in {f["topic"] for f in muted["told"]}
        again = next(f for f in muted["passed"] if f["topic"] == fact["topic"])
        assert again["score"]["reader"] == 0.0
        assert again["score"]["reasons"] == ["muted by you"]
        shop.call("POST", path, {"verdict": None})
        assert fact["topic"] in {f["topic"] for f in scan()["told"]}
        shop.call("POST", f"/v1/insights/{first['insight_id']}/facts/unknown/feedback", {"verdict": "mute"}, 404)
        shop.call("POST", path, {"verdict": "loud"}, 422)

    def test_an_old_narrative_is_made_again_word_by_word(self, shop: Any) -> None:
        job = shop.call("POST", "/v1/insights/scan", {"metrics": ["revenue"]}, 202)
        run_job(shop.services, FUNCTIONS, shop.tenant, job["id"])
        result = shop.call("GET", f"/v1/jobs/{job['id']}")["result"]
        assert re.fullmatch(rf"{shop.tenant}\.insight\.\*\.narrative/\d+", result["words"])
        again = shop.call("POST", f"/v1/insights/{result['insight_id']}/rebuild", None, 202)
        run_job(shop.services, FUNCTIONS, shop.tenant, again["id"])
        rebuilt = shop.call("GET", f"/v1/jobs/{again['id']}")["result"]
        assert rebuilt["same"]
        assert [rebuilt["headline"], *rebuilt["narrative"]] == result["sentences"]

    def test_insights_that_are_switched_off_are_refused(self, shop: Any) -> None:
        shop.call("PUT", "/v1/insights/settings", {"off": True}, 403)  # an analyst may not
        with shop.services.store.write() as connection:
            connection.execute(text('UPDATE tenants SET settings = \'{"insights": {"off_metrics": ["revenue"]}}\''))
        job = shop.call("POST", "/v1/insights/scan", {"metrics": ["revenue"]}, 202)
        run_job(shop.services, FUNCTIONS, shop.tenant, job["id"])
        done = shop.call("GET", f"/v1/jobs/{job['id']}")
        assert (done["status"], done["error"]["code"]) == ("FAILED", "insights_off")


class TestKilled:
    @pytest.mark.parametrize("moment", ["while it looks", "when the message waits"])
    def test_a_killed_worker_costs_no_issue_and_makes_none_twice(
        self, moment: str, shop: Any, kill_the_first_worker: Callable[[str], None]
    ) -> None:
        made = shop.call("POST", "/v1/digests", DAILY, 201)
        due_now(shop, made["id"])
        kill_the_first_worker(
            {
                "while it looks": "SELECT 1 FROM jobs WHERE kind = 'digest' AND status = 'RUNNING'",
                "when the message waits": "SELECT 1 FROM digest_deliveries",
            }[moment]
        )
        assert len(shop.call("GET", "/v1/digests/issues")["items"]) == 1
