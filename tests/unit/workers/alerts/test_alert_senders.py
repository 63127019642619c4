"""What leaves: signed, escaped, with its chart; secrets sealed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from core.errors import Invalid
from core.formats import writing
from core.ids import TenantId, UserId
from core.locales import formats_of
from core.store.channels import Channel
from core.store.incidents import Finding, StoredIncident
from workers.alerts.drivers import accounts_for
from workers.alerts.message import Message, as_html, incident_data, of_incident, plain
from workers.alerts.sealing import seal, unseal
from workers.alerts.senders import NotSent, Sending, _takes_pictures, compose, send

NOW = datetime(2026, 5, 21, 1, 0, tzinfo=UTC)
ACME = TenantId("acme")
SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
EVIL = "<img src=x onerror=alert(1)>\r\nBcc: all@example.com"


def incident(label: str = "revenue", **more: Any) -> StoredIncident:
    points = [{"t": f"2026-05-{n:02d}T00:00:00Z", "v": 10.0, "expected": 10.0, "lower": 8.0, "upper": 12.0} for n in range(1, 21)]
    details = {
        "label": label, "grain": "day", "unit": "EUR", "expected": 10.0, "actual": 2.0, "rule_name": label, "points": points, "scope": "Total",
        "segments": [{"label": label, "direction": "down", "impact": -3.0}], "drivers": [label], "last_bucket": "2026-05-20T00:00:00Z", **more,
    }  # fmt: skip
    finding = Finding("k", "revenue", "total", "value", "down", 70.0, -8.0, datetime(2026, 5, 20, tzinfo=UTC), None, NOW, details, "rul_1")
    return StoredIncident("inc_1", ACME, finding, "open", None, "", None, NOW)


def message(kind: str) -> Message:
    return of_incident(incident(), kind, base_url="https://q.example", key="key", reader="usr_1")  # type: ignore[arg-type]


def sending(services: Any, kind: str, config: dict[str, Any], secrets: dict[str, str], label: str = "revenue") -> Sending:
    channel = Channel("chn_1", ACME, "C", kind, config, None, True, UserId("usr_1"), NOW, NOW, None, None)  # type: ignore[arg-type]
    told = of_incident(incident(label), "opened", base_url="https://q.example", key="key", reader="usr_1")
    return Sending("dlv_1", channel, secrets, told, "usr_1", "inc_1", services.settings, services.store, NOW)


@pytest.fixture
def receiver() -> Any:
    calls: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            calls.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(410 if self.path == "/gone" or ("/1/" in self.path and b"PNG" in body) else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], calls
    server.shutdown()
    server.server_close()


@pytest.fixture
def room(receiver: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Discord's address here, without its waits."""
    from apprise.plugins.discord import NotifyDiscord

    port, calls = receiver
    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(NotifyDiscord, "request_rate_per_sec", 0)
    return calls, "discord://2/JHMHI8qBe7bk2ZwO5U711o3dV_js"


class TestEmail:
    def test_headers_cannot_be_injected_and_html_is_escaped(self, services: Any) -> None:
        mail = compose(sending(services, "email", {"to": ["a@example.com"]}, {}, EVIL))
        assert mail["Bcc"] is None
        assert "\n" not in mail["Subject"]
        html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
        assert "<img src=x" not in html
        assert "&lt;img src=x" in html

    def test_a_repetition_has_the_same_message_id(self, services: Any) -> None:
        made = [compose(sending(services, "email", {"to": ["a@example.com"]}, {})) for _ in range(2)]
        assert made[0]["Message-ID"] == made[1]["Message-ID"]
        assert made[0]["Subject"] == "Revenue was 80% below expected on 20 May 2026"

    def test_without_a_mail_server_it_says_so(self, services: Any) -> None:
        with pytest.raises(NotSent) as caught:
            send(sending(services, "email", {"to": ["a@example.com"]}, {}))
        assert caught.value.permanent


class TestWebhook:
    def test_the_signature_holds_and_a_changed_body_does_not(self, services: Any, receiver: Any) -> None:
        port, calls = receiver
        services.settings.outbound_hosts = frozenset({f"127.0.0.1:{port}"})
        send(sending(services, "webhook", {}, {"url": f"http://127.0.0.1:{port}/in", "secret": SECRET}))
        _, headers, body = calls[0]
        assert headers["webhook-id"] == "dlv_1"
        assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
        signed = Webhook(SECRET).sign("dlv_1", NOW, body.decode())
        assert headers["webhook-signature"] == signed
        assert signed != Webhook(SECRET).sign("dlv_1", NOW, body.decode().replace("down", "up"))
        assert json.loads(body)["type"] == "incident.opened"

    def test_gone_means_never_again(self, services: Any, receiver: Any) -> None:
        port, _ = receiver
        services.settings.outbound_hosts = frozenset({"127.0.0.1"})
        with pytest.raises(NotSent) as caught:
            send(sending(services, "webhook", {}, {"url": f"http://127.0.0.1:{port}/gone", "secret": SECRET}))
        assert caught.value.gone


class TestChat:
    def test_apprise_reaches_a_server_that_the_operator_named_and_no_other(self, services: Any, receiver: Any) -> None:
        port, calls = receiver
        message = sending(services, "apprise", {}, {"url": f"json://127.0.0.1:{port}/chat"})
        with pytest.raises(NotSent) as caught:
            send(message)
        assert caught.value.permanent
        assert calls == []
        services.settings.outbound_hosts = frozenset({f"127.0.0.1:{port}"})
        send(message)
        assert json.loads(calls[0][2])["title"].startswith("Revenue was 80% below expected")
        assert len(calls) == 1  # a program gets no picture

    @pytest.mark.parametrize("kind", ["opened", "resolved"])
    def test_a_chat_room_gets_the_chart_after_the_words(self, kind: str, services: Any, room: Any) -> None:
        calls, url = room
        send(replace(sending(services, "apprise", {}, {"url": url}), message=message(kind)))
        words, *pictures = [body for _, _, body in calls]
        assert b"Revenue" in words
        assert [b"\x89PNG" in body for body in pictures] == ([False, True] if kind == "opened" else [])

    def test_a_picture_that_is_not_taken_costs_no_message_and_is_not_tried_again(self, services: Any, room: Any) -> None:
        calls, url = room
        send(sending(services, "apprise", {}, {"url": url.replace("//2/", "//1/")}))  # that refuses them
        assert len(calls) == 3

    def test_hooks_and_pushes_take_none(self) -> None:
        import apprise

        taken = {
            url: _takes_pictures(url, apprise.Apprise.instantiate(url))
            for url in (
                "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
                "slack://xoxb-1234-1234-abc124/#general",
                "workflows://a.logic.azure.com/wf/sig",
                "ntfy://news",
            )
        }
        assert list(taken.values()) == [False, True, False, False]


class TestWords:
    def test_every_number_of_the_text_is_among_the_facts(self) -> None:
        text = plain(of_incident(incident(), "opened", base_url="https://q.example", key="k", reader="r"))
        assert "Actual" in text
        assert "80% below" in text
        assert incident_data(incident())["expected"] == 10.0

    @pytest.mark.parametrize(
        ("label", "more", "said"),
        [
            ("orders", {}, "Orders were 80% below expected on"),
            ("visits per day", {"rule_kind": "threshold"}, "Visits per day were 80% below their limit on"),
            ("gross margin", {"rule_kind": "goal"}, "Gross margin was 80% below the pace of its goal on"),
            ("bonus", {"rule_kind": "forecast_breach"}, "Bonus was 80% below forecast on"),
        ],
    )
    def test_titles_agree_in_number_and_say_what_it_is_held_against(self, label: str, more: dict[str, Any], said: str) -> None:
        made = {
            kind: of_incident(incident(label, **more), kind, base_url="", key="k", reader="r").title for kind in ("opened", "new_normal")
        }
        assert made["opened"].startswith(said)
        assert (" have a new normal" in made["new_normal"]) is (" were " in said)

    @pytest.mark.parametrize(
        ("figures", "said"),
        [
            ((10.0, 230.0), "23 times what was expected"),
            ((1000.0, 1.0), "more than 99% below expected"),
            ((10.0, 0.0), "100% below expected"),
        ],
    )
    def test_a_distance_stays_readable(self, figures: tuple[float, float], said: str) -> None:
        made = incident(expected=figures[0], actual=figures[1])
        assert said in of_incident(made, "opened", base_url="", key="k", reader="r").title

    def test_an_end_says_how_it_ended(self) -> None:
        def title(kind: str, more: dict[str, Any]) -> str:
            made = incident("orders", **more)
            ended = replace(made, finding=replace(made.finding, kind=kind, ended_at=NOW), status="resolved")
            return of_incident(ended, "resolved", base_url="", key="k", reader="r").title

        assert title("value", {}) == "Resolved: Orders are back to normal"
        assert title("missing_data", {}) == "Resolved: Orders have data again"
        over = title("goal", {"rule_kind": "goal", "period_over": True})
        assert over == "Resolved: Orders ended 80% below their goal"

    def test_figures_are_of_the_bucket_they_came_from_and_the_stretch_is_told(self) -> None:
        begun = {"peak_bucket": "2026-05-21T00:00:00Z", "last_bucket": "2026-05-22T00:00:00Z"}
        told = of_incident(incident(**begun), "opened", base_url="", key="k", reader="r")
        assert told.title == "Revenue was 80% below expected on 21 May 2026"
        assert "It has gone on since 20 May 2026." in told.lines

    def test_rows_that_are_there_twice_are_no_rise(self) -> None:
        odder = {"peak_bucket": "2026-05-19T00:00:00Z", "repeated_bucket": "2026-05-20T00:00:00Z"}
        facts = incident(repeated="Sales of 20 May 2026: 10 rows, but only 5 different keys.", **odder)
        told = of_incident(facts, "opened", base_url="", key="k", reader="r")
        assert told.title == "Revenue: rows look loaded twice on 20 May 2026"
        assert told.lines[0].startswith("Sales of 20 May")
        assert told.data["repeated"] == {"bucket": "2026-05-20T00:00:00Z", "told": told.lines[0]}

    def test_drivers_are_written_for_who_reads_them_and_names_in_them_stay(self) -> None:
        line = "By plan: Plan 2.0 went from 1,200 to 20, 90% of the change against a week before."
        with writing(formats_of("de-DE")):
            told = of_incident(incident(drivers=[line]), "opened", base_url="", key="k", reader="r")
        assert told.data["drivers"] == ["By plan: Plan 2.0 went from 1.200 to 20, 90\u00a0% of the change against a week before."]
        assert told.data["drivers"][0] in told.lines

    def test_what_the_data_took_back_is_not_said_to_be_over(self) -> None:
        told = of_incident(replace(incident(taken_back=True), status="resolved"), "resolved", base_url="", key="k", reader="r")
        assert told.title == "Resolved: Revenue was not out of line on 20 May 2026 after all"
        assert told.lines[1] == "Told before: actual €2.00, expected €10.00."
        assert told.chart is None

    def test_what_moved_the_other_way_or_hardly_is_not_behind_it(self) -> None:
        assert accounts_for("down", -80.0, -100.0)
        assert accounts_for("both", 80.0, -100.0)
        assert not accounts_for("down", 80.0, -100.0)
        assert not accounts_for("up", -80.0, 100.0)
        assert not accounts_for("down", -3.0, -99_000.0)

    def test_the_page_has_no_script(self) -> None:
        html = as_html(of_incident(incident(EVIL), "opened", base_url="https://q.example", key="k", reader="r"), image="cid<>")
        assert "<script" not in html
        assert 'cid:cid&lt;&gt;"' in html


class TestSealing:
    def test_only_the_same_key_opens(self) -> None:
        sealed = seal({"url": "https://x.example/secret"}, "one")
        assert "secret" not in sealed
        assert unseal(sealed, "one") == {"url": "https://x.example/secret"}
        with pytest.raises(Invalid):
            unseal(sealed, "other")


@pytest.mark.parametrize(
    ("peak", "said"), [("2026-05-18T00:00:00Z", "on 18 May 2026, and again on 20 May 2026"), ("2026-05-20T00:00:00Z", "on 20 May 2026")]
)
def test_what_came_back_says_when(peak: str, said: str) -> None:
    told = of_incident(incident(peak_bucket=peak), "reopened", base_url="https://q.example", key="key", reader="usr_1")
    assert told.title == f"Again: Revenue was 80% below expected {said}"
