"""One POST to an address that a tenant typed: checked address, no redirects, bounded time and size."""

from __future__ import annotations

import ssl
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore

from workers.alerts.addresses import Blocked, resolve
from workers.alerts.network_words import why_not

TOTAL_S = 15.0
CONNECT_S = 5.0
MAX_RESPONSE_BYTES = 64 * 1024  # we want the status only; some of the body helps to see why


class Failed(Exception):
    """No answer that counts. `text` is short and safe to show."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    excerpt: str


def post(url: str, body: bytes, headers: Mapping[str, str], *, allowed: Collection[str], total_s: float = TOTAL_S) -> Reply:
    """What the receiver said. A redirect is an answer like any other and is not followed; a body is read up to 64 KiB.

    Raises: Blocked for an address that is not allowed; Failed when there is no answer within the time.
    """
    status, read = exchange(url, body, headers, allowed=allowed, total_s=total_s, max_bytes=MAX_RESPONSE_BYTES)
    return Reply(status, read[:200].decode("utf-8", "replace"))


def exchange(
    url: str, body: bytes, headers: Mapping[str, str], *, allowed: Collection[str], total_s: float, max_bytes: int
) -> tuple[int, bytes]:
    """Status and body, which is cut when it is longer than `max_bytes` or the time is over.

    Raises: Blocked for an address that is not allowed; Failed when there is no answer within the time.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise Blocked("A webhook's address is http:// or https:// with a host and without a user name.")
    deadline_s = time.monotonic() + total_s
    backend = GuardedBackend(allowed, deadline_s)
    timeout = {"connect": min(CONNECT_S, total_s), "read": total_s, "write": total_s, "pool": min(CONNECT_S, total_s)}
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend, ssl_context=ssl.create_default_context(), retries=0) as pool,
            pool.stream("POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeout}) as response,
        ):
            read = b""
            for chunk in response.iter_stream():
                read += chunk
                if len(read) >= max_bytes or time.monotonic() > deadline_s:
                    break
            return response.status, read
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise Failed(f"The receiver did not answer within {total_s:.0f} s.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ssl.SSLError) as error:
        raise Failed(why_not(error, "receiver")) from error


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to the address that was checked, not to whatever the name means a moment later."""

    def __init__(self, allowed: Collection[str], deadline_s: float) -> None:
        self._allowed, self._deadline_s = allowed, deadline_s
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:  # fmt: skip
        address = resolve(host, port, self._allowed)
        return _BoundedStream(self._inner.connect_tcp(address, port, timeout, local_address, socket_options), self._deadline_s)

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None) -> Any:
        raise Blocked("Sockets of this machine are not reached.")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class _BoundedStream(httpcore.NetworkStream):
    """Every read and write ends by the deadline, so that a receiver that drips a byte now and then holds nobody."""

    def __init__(self, inner: httpcore.NetworkStream, deadline_s: float) -> None:
        self._inner, self._deadline_s = inner, deadline_s

    def _left(self) -> float:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("over time")
        return left_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, min(timeout or TOTAL_S, self._left()))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, min(timeout or TOTAL_S, self._left()))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _BoundedStream(self._inner.start_tls(ssl_context, server_hostname, min(timeout or TOTAL_S, self._left())), self._deadline_s)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
