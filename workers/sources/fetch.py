"""Fetches a file over http(s) to disk: checked and pinned address, verified certificate, no redirects, bounded time and size."""

from __future__ import annotations

import ssl
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpcore

from core.disk import no_room
from core.errors import Invalid
from workers.alerts.addresses import Blocked
from workers.alerts.network_words import why_not
from workers.alerts.outbound import GuardedBackend
from workers.sources.spec import WebFile

TOTAL_S = 1200.0
_ENDINGS = {
    "text/csv": ".csv", "text/tab-separated-values": ".tsv", "application/json": ".json", "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}  # fmt: skip
_KNOWN = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".csv.gz", ".tsv.gz", ".json.gz", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Fetched:
    """path: None when the file is still the one of `stamp`. stamp: ETag or Last-Modified, empty when the server says neither."""

    path: Path | None
    stamp: str


def fetch(source: WebFile, folder: Path, name: str, *, stamp: str, allowed: Collection[str], max_bytes: int) -> Fetched:
    """The file as `folder/name` with a fitting ending. stamp: of the copy that is already loaded.

    Raises: Invalid when the host may not be reached, does not answer in time, answers with anything but the file, or the file is too large;
    Unavailable when our disk is full.
    """
    headers = {"Host": urlsplit(source.url).netloc, "Accept": "*/*", "User-Agent": "querent"}
    if token := source.bearer_token.get_secret_value():
        headers["Authorization"] = f"Bearer {token}"
    if stamp:
        headers["If-None-Match" if stamp.startswith(('"', "W/")) else "If-Modified-Since"] = stamp
    timeout = {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 5.0}
    backend = GuardedBackend(allowed, time.monotonic() + TOTAL_S)
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend, ssl_context=ssl.create_default_context(), retries=0) as pool,
            pool.stream("GET", source.url, headers=list(headers.items()), extensions={"timeout": timeout}) as response,
        ):
            if response.status == 304:
                return Fetched(None, stamp)
            if response.status != 200:
                raise _failed(
                    f"it answered {response.status} where 200 was expected" + (", a redirect" if 300 <= response.status < 400 else "")
                )
            found = {key.decode().lower(): value.decode("latin-1") for key, value in response.headers}
            path = folder / (name + _ending(source.url, found.get("content-type", "")))
            _write(path, response, max_bytes)
            return Fetched(path, found.get("etag") or found.get("last-modified") or "")
    except Blocked as error:
        raise Invalid(f"{error}", code="source_host_refused") from error
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        if (full := no_room(error)) is not None:
            raise full from error
        raise Invalid(f"The file could not be fetched. {why_not(error, 'server')}", code="source_unreachable") from error


def _write(path: Path, response: httpcore.Response, max_bytes: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    try:
        with path.open("wb") as file:
            for chunk in response.iter_stream():
                written += file.write(chunk)
                if written > max_bytes:
                    raise Invalid(f"The file is larger than {max_bytes:,} bytes (QUERENT_MAX_UPLOAD_BYTES).", code="source_too_large")
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _ending(url: str, content_type: str) -> str:
    path = urlsplit(url).path.lower()
    by_name = max((ending for ending in _KNOWN if path.endswith(ending)), key=len, default="")
    return by_name or _ENDINGS.get(content_type.partition(";")[0].strip(), ".csv")


def _failed(why: str) -> Invalid:
    return Invalid(f"The file could not be fetched: {why}. Check the address and test the connection.", code="source_unreachable")
