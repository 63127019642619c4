"""The body of a request as a stream of decompressed bytes: a bounded head for the statement, then the data of an insert."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from semantic.warehouse.engine_errors import EngineError

HEAD_BYTES = 256 * 1024
CHUNK_BYTES = 4 * 1024**2


def decompressor(encoding: str) -> Callable[[bytes], bytes]:
    """Turns successive compressed chunks into plain bytes. Raises: EngineError 89 for an encoding ClickHouse's interface has but this has not."""
    match encoding.strip().lower():
        case "" | "identity":
            return _same
        case "gzip" | "x-gzip":
            return _frames(lambda: zlib.decompressobj(wbits=31))
        case "deflate":
            return zlib.decompressobj().decompress
        case "lz4":
            import lz4.frame

            return _frames(lz4.frame.LZ4FrameDecompressor)
        case "zstd":
            import zstandard

            return zstandard.ZstdDecompressor().decompressobj(read_across_frames=True).decompress
    raise EngineError(
        89, f"DB::Exception: Unknown HTTP content encoding {encoding[:40]!r}; known: gzip, deflate, lz4, zstd. (UNKNOWN_COMPRESSION_METHOD)"
    )


def _same(data: bytes) -> bytes:
    return data


def _frames(make: Callable[[], Any]) -> Callable[[bytes], bytes]:
    """Frames one after another: clickhouse-connect sends one per block."""
    frame = make()

    def inflate(data: bytes) -> bytes:
        nonlocal frame
        out = []
        while data:
            if frame.eof:
                frame = make()
            out.append(frame.decompress(data))
            data = (frame.unused_data or b"") if frame.eof else b""
        return b"".join(out)

    return inflate


class BodyReader:
    """Plain bytes of a body whose compressed chunks come from `source`."""

    def __init__(self, source: AsyncIterator[bytes], encoding: str) -> None:
        self._source = source
        self._inflate = decompressor(encoding)
        self._plain = bytearray()
        self.ended = False

    async def _more(self) -> None:
        try:
            chunk = await anext(self._source)
        except StopAsyncIteration:
            self.ended = True
            return
        try:
            self._plain += self._inflate(chunk)
        except Exception as error:
            raise EngineError(432, f"DB::Exception: Cannot decompress the request body: {error}. (CANNOT_DECOMPRESS)") from None

    async def head(self, size: int) -> bytes:
        """The first `size` bytes or the whole body, not consumed."""
        while len(self._plain) < size and not self.ended:
            await self._more()
        return bytes(self._plain[:size])

    def skip(self, size: int) -> None:
        del self._plain[:size]

    async def rest(self, max_bytes: int) -> bytes:
        """Everything left. Raises: EngineError 223 when it is longer than `max_bytes`."""
        while not self.ended and len(self._plain) <= max_bytes:
            await self._more()
        if len(self._plain) > max_bytes:
            raise EngineError(
                223,
                f"DB::Exception: The query text is longer than {max_bytes} bytes; send data with INSERT ... FORMAT. (QUERY_IS_TOO_LARGE)",
            )
        return bytes(self._plain)

    async def chunks(self, size: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
        """What is left, in pieces of about `size` bytes."""
        while True:
            while len(self._plain) < size and not self.ended:
                await self._more()
            if not self._plain:
                return
            piece = bytes(self._plain)
            self._plain.clear()
            yield piece
