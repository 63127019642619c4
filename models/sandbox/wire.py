"""Messages over pipes: a JSON head, then Arrow IPC streams. Both sides treat what comes in as hostile."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

MAX_HEAD_BYTES = 1 << 20
_LENGTH = struct.Struct("<Q")
Read = Callable[[int], bytes]


class BadMessage(ValueError):
    """What came in is no message of ours."""


def packed(head: Mapping[str, Any], tables: Mapping[str, pa.Table]) -> bytes:
    """A message: lengths are 8 bytes each; the head names the tables in order."""
    bodies = {name: _stream(table) for name, table in tables.items()}
    text = json.dumps({**head, "tables": {name: len(body) for name, body in bodies.items()}}).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *bodies.values()])


def read_message(read: Read, max_bytes: int) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    """read(n) gives exactly n bytes or raises. Raises: BadMessage when it is none, or larger than `max_bytes`."""
    (length,) = _LENGTH.unpack(read(_LENGTH.size))
    if length > MAX_HEAD_BYTES:
        raise BadMessage(f"a head of at most {MAX_HEAD_BYTES} bytes was expected; found {length}")
    try:
        head = json.loads(read(length))
        sizes = {str(name): int(size) for name, size in head.pop("tables").items()}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadMessage("the head is no JSON object with tables") from error
    if any(size < 0 for size in sizes.values()) or sum(sizes.values()) > max_bytes:
        raise BadMessage(f"at most {max_bytes:,} bytes of tables were expected; found {sum(sizes.values()):,}")
    return head, {name: _table(read(size)) for name, size in sizes.items()}


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _table(content: bytes) -> pa.Table:
    try:
        with pa.ipc.open_stream(content) as reader:
            table = reader.read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadMessage(f"no Arrow table: {str(error)[:200]}") from error
    return table
