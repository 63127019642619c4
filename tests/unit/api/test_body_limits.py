"""A refusal reaches a client that is still sending: over a real server and a socket, where a reset would lose it."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
import uvicorn

from api import body_limits
from api.body_limits import BodyLimits


async def nobody(_: Any) -> bool:
    return False


async def app(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize("declared", [True, False])
def test_a_client_that_sends_everything_before_it_reads_is_told(monkeypatch: pytest.MonkeyPatch, declared: bool) -> None:
    monkeypatch.setattr(body_limits, "is_known", nobody)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(BodyLimits(app), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with socket.create_connection(listener.getsockname(), timeout=20) as client:
            size = 8_000_000
            length = f"Content-Length: {size}" if declared else "Transfer-Encoding: chunked"
            client.sendall(f"POST /ask HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}\r\n\r\n".encode())
            for _ in range(80):
                piece = b"x" * (size // 80)
                client.sendall(piece if declared else b"%x\r\n%s\r\n" % (len(piece), piece))
            if not declared:
                client.sendall(b"0\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 401"), answer[:200]
        assert b"others may send at most" in answer
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
