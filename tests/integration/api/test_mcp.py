"""The same questions through the Model Context Protocol, with the official client."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from api.app import create_app
from api.services import Services


@pytest.fixture(scope="module")
def address(services: Services) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create_app(Services(services.core)), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def key(admin: Any) -> str:
    return str(admin.post("/v1/api-keys", {"name": "assistant"}).json()["key"])


def call(address: str, key: str, tool: str, arguments: dict[str, Any]) -> Any:
    async def run() -> Any:
        async with (
            httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60, follow_redirects=True) as http,
            Client(streamable_http_client(f"{address}/mcp/", http_client=http)) as client,
        ):
            return await client.call_tool(tool, arguments)

    return asyncio.run(run())


class TestMcp:
    def test_a_question_is_answered_with_its_receipt(self, address: str, key: str, executive: Any) -> None:
        answer = call(address, key, "ask", {"question": "revenue last month"}).structured_content
        assert answer["outcome"] == "answer"
        assert answer["rows"] == executive.post("/v1/ask", {"question": "revenue last month"}).json()["rows"]
        assert "sql" in answer["receipt"]

    def test_texts_are_in_the_formats_of_the_key_s_owner(self, address: str, key: str, admin: Any) -> None:
        said = []
        for locale in ("de-DE", ""):
            admin.client.patch("/v1/me", json={"locale": locale}, headers=admin.headers)
            said.append(call(address, key, "ask", {"question": "revenue last month"}).structured_content)
        assert said[0]["rows"] == said[1]["rows"]
        assert "\u00a0€" in said[0]["headline"]
        assert "€" in said[1]["headline"]
        assert "\u00a0€" not in said[1]["headline"]

    def test_metrics_are_listed_and_described(self, address: str, key: str) -> None:
        listed = call(address, key, "list_metrics", {}).structured_content["metrics"]
        assert "revenue" in [m["name"] for m in listed]
        described = call(address, key, "describe_metric", {"name": "average_order_value"}).structured_content["definitions"]
        assert [d["name"] for d in described] == ["average_order_value", "revenue", "orders"]

    def test_errors_are_sentences(self, address: str, key: str) -> None:
        result = call(address, key, "describe_metric", {"name": "revenu"})
        assert result.is_error
        assert "revenue" in result.content[0].text

    def test_without_a_key_nothing_is_reached(self, address: str, client: Any) -> None:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        headers = {"Accept": "application/json, text/event-stream"}
        assert httpx.post(f"{address}/mcp/", json=body, headers=headers).status_code == 401
        wrong = {**headers, "Authorization": "Bearer qk_no_no"}
        assert httpx.post(f"{address}/mcp/", json=body, headers=wrong).status_code == 401
