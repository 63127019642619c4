"""Inside the walls: makes the model and answers calls until the pipe ends."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.sandbox.wire import packed, read_message
from models.sdk.calls import call
from models.sdk.card import card_of
from models.sdk.contract import Context, Model
from models.sdk.failures import NothingKept
from models.sdk.package import instantiate

MAX_REQUEST_BYTES = 4 * 1024**3


def serve(requests: int, replies: int, package: Path, scratch: Path, card: dict[str, Any]) -> None:
    """requests, replies: descriptors. Each request {"op", "context"} with tables is answered {"ok", "seconds"}, {"error"} or {"nothing_kept"}."""
    known = card_of(card)
    _write(replies, packed({"ready": True}, {}))  # the walls stand: from here on whatever goes wrong is the model's doing
    while True:
        try:
            head, tables = read_message(lambda size: _read(requests, size), MAX_REQUEST_BYTES)
        except EOFError:
            return
        started_s = time.perf_counter()
        try:
            made = _answer(instantiate(package, known), head, tables, scratch, lambda: instantiate(package, known))
            reply = packed({"ok": True, "seconds": time.perf_counter() - started_s}, made)
        except NothingKept:
            reply = packed({"nothing_kept": True, "seconds": time.perf_counter() - started_s}, {})
        except BaseException as error:  # whatever the author's code does is an answer, not the end
            reply = packed({"error": _told(error, package), "seconds": time.perf_counter() - started_s}, {})
            if isinstance(error, SystemExit | KeyboardInterrupt):
                _write(replies, reply)
                return
        _write(replies, reply)


def _answer(model: Model, head: dict[str, Any], tables: dict[str, pa.Table], scratch: Path, again: Any) -> dict[str, pa.Table]:
    context = Context(**head["context"])
    if head["op"] == "saved":
        return call(model, tables, context, through=(scratch, again))
    return call(model, tables, context)


def _told(error: BaseException, package: Path) -> str:
    """The error with the place in the author's own files, at most 600 characters."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(package))]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}"[:500].replace("\0", "") + place


def _read(descriptor: int, size: int) -> bytes:
    parts: list[bytes] = []
    left = size
    while left:
        part = os.read(descriptor, min(left, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
