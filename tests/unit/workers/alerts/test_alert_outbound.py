"""Receivers that are hostile or ill: nothing hangs, nothing is followed, nothing grows."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from workers.alerts.addresses import Blocked
from workers.alerts.network_words import why_not
from workers.alerts.outbound import MAX_RESPONSE_BYTES, Failed, post

Behaviour = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], int]]:
    servers: list[ThreadingHTTPServer] = []

    def start(behave: Behaviour) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                with contextlib.suppress(OSError):  # the sender hangs up, as it should
                    behave(self)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def send(port: int, total_s: float = 3.0) -> Any:
    return post(f"http://127.0.0.1:{port}/", b"{}", {"Content-Type": "application/json"}, allowed={f"127.0.0.1:{port}"}, total_s=total_s)


def test_an_answer_is_an_answer(serve: Any) -> None:
    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(500)
        request.end_headers()
        request.wfile.write(b"boom")

    reply = send(serve(behave))
    assert (reply.status, reply.excerpt) == (500, "boom")


def test_a_redirect_is_not_followed(serve: Any) -> None:
    reached: list[str] = []

    def inside(request: BaseHTTPRequestHandler) -> None:
        reached.append(request.path)
        request.send_response(204)
        request.end_headers()

    target = serve(inside)

    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(307)
        request.send_header("Location", f"http://127.0.0.1:{target}/latest/meta-data")
        request.end_headers()

    assert send(serve(behave)).status == 307
    assert reached == []


def test_gigabytes_are_not_read(serve: Any) -> None:
    sent = [0]

    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(4 * 1024**3))
        request.end_headers()
        block = b"x" * 65_536
        for _ in range(4 * 1024**3 // len(block)):
            request.wfile.write(block)
            sent[0] += len(block)

    assert send(serve(behave)).status == 200
    time.sleep(0.3)
    assert sent[0] < 200 * MAX_RESPONSE_BYTES


@pytest.mark.parametrize("part", ["silent", "headers drip", "body drips"])
def test_a_slow_receiver_costs_no_more_than_the_time_limit(part: str, serve: Any) -> None:
    def behave(request: BaseHTTPRequestHandler) -> None:
        if part == "silent":
            time.sleep(10)
            return
        if part == "body drips":
            request.send_response(200)
            request.send_header("Content-Length", "1000")
            request.end_headers()
        else:
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for letter in range(100):
            request.wfile.write(b"X-%d: y\r\n" % letter if part == "headers drip" else b"z")
            request.wfile.flush()
            time.sleep(0.2)

    started_s = time.monotonic()
    with pytest.raises(Failed):
        send(serve(behave), total_s=1.0)
    assert time.monotonic() - started_s < 2.5


def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with pytest.raises(Failed, match="Nothing listens at the receiver's address"):
        send(port)


def test_a_name_that_nobody_knows_and_a_certificate_that_does_not_fit_are_said_in_words() -> None:
    with pytest.raises(Failed, match="The receiver's name is not known"):
        post("http://no-such-host.invalid/", b"{}", {}, allowed=())
    assert "certificate" in why_not(ssl.SSLCertVerificationError(), "receiver")
    assert (
        why_not(smtplib.SMTPServerDisconnected("x"), "mail server")
        == "No connection to the mail server. Check its address, and that it runs."
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://[::1]:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://user:pass@8.8.8.8/",
        "ftp://8.8.8.8/",
        "http:///x",
    ],
)
def test_inside_addresses_are_blocked_before_anything_is_sent(url: str) -> None:
    with pytest.raises(Blocked):
        post(url, b"", {}, allowed=())
