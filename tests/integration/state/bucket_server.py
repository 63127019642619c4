"""A folder behind the parts of S3's interface that readers use: HEAD, GET with ranges, listing; as a plain web server it has ETags too."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


@contextmanager
def bucket_server(folder: Path, seen: list[str]) -> Iterator[str]:
    """`host:port` that serves `folder` (its sub-folders are buckets). seen: requests as they come, with their Authorization."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            seen.append(f"{self.command} {self.path} {self.headers.get('Authorization', '')}")

        def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = parse_qs(parts.query, keep_blank_values=True)
            if "moved" in parts.path:
                self._answer(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})
                return
            if "list-type" in asked or ("prefix" in asked):
                self._answer(200, self._listing(unquote(parts.path).strip("/"), asked.get("prefix", [""])[0]))
                return
            path = folder / unquote(parts.path).lstrip("/")
            if not path.is_file():
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
                return
            body = path.read_bytes()
            etag = _etag(body)
            if self.headers.get("If-None-Match") == etag:
                self._answer(304, b"")
                return
            headers = {"ETag": etag, "Last-Modified": "Sat, 01 Nov 2025 00:00:00 GMT", "Accept-Ranges": "bytes"}
            wanted = self.headers.get("Range", "")
            if wanted.startswith("bytes="):
                first, _, last = wanted[6:].partition("-")
                start = int(first) if first else max(0, len(body) - int(last))
                end = min(int(last) if first and last else len(body) - 1, len(body) - 1)
                headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
                self._answer(206, body[start : end + 1], headers)
                return
            self._answer(200, body, headers)

        def _listing(self, bucket: str, prefix: str) -> bytes:
            root = folder / bucket
            keys = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
            found = "".join(
                f"<Contents><Key>{escape(k)}</Key><Size>{(root / k).stat().st_size}</Size><ETag>{escape(_etag((root / k).read_bytes()))}</ETag>"
                "<LastModified>2025-11-01T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>"
                for k in keys if k.startswith(prefix)
            )  # fmt: skip
            return (
                f'<?xml version="1.0"?><ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(keys)}</KeyCount>'
                f"<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
            ).encode()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'
