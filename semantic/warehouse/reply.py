"""How a result or an error goes back over HTTP: ClickHouse's headers, statuses, and errors in the middle of a stream."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from semantic.warehouse.engine import Outcome
from semantic.warehouse.engine_errors import EngineError

_CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "Pretty": "text/plain; charset=UTF-8",
}
_RETRY_AFTER_S = 1
_TAG_LETTERS = string.ascii_letters


class Reply:
    """Answers one request."""

    def __init__(self, request: web.Request, query_id: str, version: str, time_zone: str) -> None:
        self.query_id = query_id
        self._request = request
        self._version = version
        self._headers = {
            "X-ClickHouse-Query-Id": header_value(query_id),
            "X-ClickHouse-Server-Display-Name": "querent",
            "X-ClickHouse-Timezone": time_zone,
        }

    def whole(self, outcome: Outcome, output_format: str) -> web.Response:
        headers = {**self._headers, **_format_headers(output_format), "X-ClickHouse-Summary": summary(outcome)}
        return web.Response(body=outcome.body, headers=headers)

    def failed(self, error: EngineError) -> web.Response:
        headers = {
            **self._headers,
            "X-ClickHouse-Exception-Code": str(error.code),
            "Content-Type": "text/plain; charset=UTF-8",
        }
        if error.http_status == 503:
            headers["Retry-After"] = str(_RETRY_AFTER_S)
        return web.Response(status=error.http_status, body=error.body(self._version), headers=headers)

    async def stream(self, blocks: AsyncIterator[bytes], output_format: str) -> web.StreamResponse:
        """Blocks as they come. An error after the first block closes the stream with ClickHouse's tagged exception."""
        tag = "".join(secrets.choice(_TAG_LETTERS) for _ in range(16))
        response = web.StreamResponse(headers={**self._headers, **_format_headers(output_format), "X-ClickHouse-Exception-Tag": tag})
        await response.prepare(self._request)
        try:
            async for block in blocks:
                await response.write(block)
        except EngineError as error:
            message = error.body(self._version)
            await response.write(
                b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (tag.encode(), message, len(message), tag.encode())
            )
        await response.write_eof()
        return response


def summary(outcome: Outcome) -> str:
    """X-ClickHouse-Summary: every figure as text, as the server writes it."""
    return json.dumps(
        {
            "read_rows": str(outcome.rows_read),
            "read_bytes": str(outcome.bytes_read),
            "written_rows": str(outcome.rows_written),
            "written_bytes": str(outcome.bytes_written),
            "total_rows_to_read": "0",
            "result_rows": str(outcome.result_rows),
            "result_bytes": str(len(outcome.body)),
            "elapsed_ns": str(int(outcome.elapsed_s * 1e9)),
        },
        separators=(",", ":"),
    )


def header_value(text: str) -> str:
    """`text` without anything that could end a header."""
    return "".join(c for c in text if c.isascii() and c.isprintable())[:300]


def _format_headers(output_format: str) -> Mapping[str, str]:
    content_type = _CONTENT_TYPES.get(output_format, "application/octet-stream")
    return {"X-ClickHouse-Format": header_value(output_format), "Content-Type": content_type}
