"""A server of MongoDB's wire protocol: mockupdb speaks it, mongomock holds the documents and judges the filters, sign-in is SCRAM-SHA-256 (RFC 7677)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import mongomock
from mockupdb import MockupDB
from pymongo.errors import OperationFailure

_ITERATIONS, _BATCH = 4096, 101


@dataclass(slots=True)
class MongoServer:
    """commands: what clients asked, in order. logins: who may sign in, by (database, user)."""

    port: int
    documents: mongomock.MongoClient[Any]
    logins: Mapping[tuple[str, str], str]
    commands: list[dict[str, Any]] = field(default_factory=list)
    hangs_up_at: str = ""
    _signing: dict[int, tuple[str, bytes, str]] = field(default_factory=dict)
    _signed: set[int] = field(default_factory=set)
    _cursors: dict[int, Iterator[dict[str, Any]]] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Any) -> Any:
        command = dict(request.doc)
        name = next(iter(command))
        with self._lock:
            self.commands.append(command)
            if name == self.hangs_up_at:
                return request.hangup()
            try:
                return request.ok(self._result(name.lower(), command, request.client_port))
            except OperationFailure as error:
                return request.command_err(error.code, str(error.args[0]), codeName="Refused")

    def _result(self, name: str, command: dict[str, Any], client: int) -> dict[str, Any]:
        if name in ("hello", "ismaster"):
            known = {"saslSupportedMechs": ["SCRAM-SHA-256"]} if "saslSupportedMechs" in command else {}
            limits = {"maxBsonObjectSize": 16 << 20, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000}
            return {"ismaster": True, "isWritablePrimary": True, "minWireVersion": 0, "maxWireVersion": 21, **limits, **known}
        if name in ("ping", "endsessions", "killcursors"):
            return {}
        if name == "saslstart":
            return self._challenge(command, client)
        if name == "saslcontinue":
            return self._verdict(command, client)
        if client not in self._signed:
            raise OperationFailure(f"command {name} requires authentication", 13)
        database = self.documents[command["$db"]]
        if name == "find":
            found = database[command["find"]].find(command.get("filter") or {}, command.get("projection") or None)
            cursor = next(self._ids)
            self._cursors[cursor] = iter(found)
            return self._batch(cursor, f"{command['$db']}.{command['find']}", "firstBatch", command.get("batchSize", _BATCH))
        if name == "getmore":
            return self._batch(
                command["getMore"], f"{command['$db']}.{command['collection']}", "nextBatch", command.get("batchSize", _BATCH)
            )
        raise OperationFailure(f"no such command: '{name}'", 59)

    def _batch(self, cursor: int, namespace: str, key: str, size: int) -> dict[str, Any]:
        rows = list(itertools.islice(self._cursors[cursor], size))
        return {"cursor": {"id": cursor if len(rows) == size else 0, "ns": namespace, key: rows}}

    def _challenge(self, command: dict[str, Any], client: int) -> dict[str, Any]:
        if command["mechanism"] != "SCRAM-SHA-256":
            raise OperationFailure("Unsupported mechanism", 334)
        bare = bytes(command["payload"]).decode().removeprefix("n,,")
        said = dict(part.split("=", 1) for part in bare.split(","))
        user = said["n"].replace("=2C", ",").replace("=3D", "=")
        salt = secrets.token_bytes(28)
        first = f"r={said['r']}{secrets.token_hex(12)},s={base64.b64encode(salt).decode()},i={_ITERATIONS}"
        self._signing[client] = (f"{bare},{first}", salt, self.logins.get((command["$db"], user), ""))
        return {"conversationId": 1, "done": False, "payload": first.encode()}

    def _verdict(self, command: dict[str, Any], client: int) -> dict[str, Any]:
        if client not in self._signing:  # the empty last step
            return {"conversationId": 1, "done": True, "payload": b""}
        talk, salt, password = self._signing.pop(client)
        without, _, proof = bytes(command["payload"]).decode().rpartition(",p=")
        signed = f"{talk},{without}".encode()
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
        key = _hmac(salted, b"Client Key")
        mask = _hmac(hashlib.sha256(key).digest(), signed)
        if not password or base64.b64decode(proof) != bytes(a ^ b for a, b in zip(key, mask, strict=True)):
            raise OperationFailure("Authentication failed.", 18)
        self._signed.add(client)
        mine = base64.b64encode(_hmac(_hmac(salted, b"Server Key"), signed))
        return {"conversationId": 1, "done": True, "payload": b"v=" + mine}


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


@contextmanager
def mongo_server(logins: Mapping[tuple[str, str], str]) -> Iterator[MongoServer]:
    wire = MockupDB()
    server = MongoServer(0, mongomock.MongoClient(), logins)
    wire.autoresponds(server.answer)
    server.port = wire.run()
    try:
        yield server
    finally:
        wire.stop()
