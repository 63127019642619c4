"""The worker's side: a warm interpreter, and sessions behind walls with limits that are watched from outside."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.errors import Unavailable
from models.sandbox.environment import clean_environment
from models.sandbox.limits import MB, Limits
from models.sandbox.processes import end_all, has_ended, usage
from models.sandbox.walls import Walls, walls_here
from models.sandbox.wire import BadMessage, packed, read_message
from models.sandbox.zygote_start import START_TIMEOUT_S, WALL_FAILED
from models.sdk.card import ModelCard
from models.sdk.contract import Context
from models.sdk.failures import ModelFailed, ModelStopped, NothingKept

LOOK_EVERY_S = 0.02
LOG_BYTES = 16_384
LEFTOVER_AGE_S = 86_400
_UIDS = 90_000


@dataclass(frozen=True, slots=True)
class Used:
    """Of one session, as seen from outside. overhead_s: what starting took, plus each call beyond the model's own time."""

    wall_s: float
    cpu_s: float
    memory_bytes: int
    overhead_s: float


class Sandbox:
    """Sessions of custom models on this machine. Refuses to run anything where too few walls stand.

    One session at a time per object; the warm interpreter starts with the first and ends with `close`.
    """

    def __init__(self, folder: Path, *, walls: Walls | None = None) -> None:
        """folder: where sessions have their folders; made when missing."""
        self._folder = folder.resolve()
        self._walls = walls
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._sessions = 0

    @property
    def walls(self) -> Walls:
        return self._walls if self._walls is not None else walls_here()

    def start(self) -> None:
        """Warms up. Raises: Unavailable when there are too few walls or no interpreter starts."""
        self.walls.require()
        if self._zygote is not None and self._zygote.poll() is None:
            return
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-I", "-m", "models.sandbox.zygote", str(theirs.fileno())]
            self._zygote = subprocess.Popen(
                command, env=clean_environment(), cwd="/", pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        self._control = ours
        self._answer(START_TIMEOUT_S)

    @contextmanager
    def session(self, package: Path, card: ModelCard, limits: Limits | None = None) -> Iterator[Session]:
        """A fresh process behind walls with an unpacked package; everything in it has ended when the block ends.

        Raises: Unavailable when there are too few walls or one of them could not be built.
        """
        self.start()
        began_s = time.perf_counter()  # warming up is nobody's time
        allowed = limits or Limits()
        folder = Path(tempfile.mkdtemp(prefix="session-", dir=self._folder))
        try:
            for name in ("root", "scratch"):
                (folder / name).mkdir(mode=0o700)
            session = self._spawn(package.resolve(), card, allowed, folder, began_s)
            try:
                yield session
            finally:
                session.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._zygote is not None:
            with contextlib.suppress(ProcessLookupError):
                self._zygote.kill()
            self._zygote.wait()
        self._control = self._zygote = None

    def _sweep(self) -> None:
        """Removes what sessions of killed workers left."""
        for left in self._folder.glob("session-*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > LEFTOVER_AGE_S:
                    shutil.rmtree(left, ignore_errors=True)

    def _spawn(self, package: Path, card: ModelCard, limits: Limits, folder: Path, began_s: float) -> Session:
        asked = {
            "walls": self.walls.as_json(), "limits": limits.as_json(), "card": card.as_json(), "uid": (os.getpid() + self._sessions) % _UIDS,
            "folder": str(folder), "package": str(package), "scratch": str(folder / "scratch"),
        }  # fmt: skip
        self._sessions += 1
        request_read, request_write = os.pipe()
        reply_read, reply_write = os.pipe()
        log_read, log_write = os.pipe()
        try:
            assert self._control is not None
            socket.send_fds(self._control, [json.dumps({"spawn": asked}).encode()], [request_read, reply_write, log_write])
            keeper = int(self._answer(START_TIMEOUT_S)["pid"])
        except BaseException:
            for descriptor in (request_write, reply_read, log_read):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (request_read, reply_write, log_write):
                os.close(descriptor)
        return Session(self, keeper, limits, Pipes(request_write, reply_read, log_read), began_s)

    def waited(self, keeper: int) -> dict[str, Any]:
        """How a keeper ended: code, memory_kb, cpu_s."""
        assert self._control is not None
        self._control.send(json.dumps({"wait": keeper}).encode())
        return self._answer(START_TIMEOUT_S)

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        assert self._control is not None
        self._control.settimeout(timeout_s)
        try:
            content = self._control.recv(1 << 16)
        except OSError as error:
            self.close()
            raise Unavailable("The sandbox does not answer; it is started anew.", code="sandbox_away") from error
        if not content:
            self.close()
            raise Unavailable("The sandbox ended; it is started anew.", code="sandbox_away")
        found: dict[str, Any] = json.loads(content)
        return found


@dataclass(frozen=True, slots=True)
class Pipes:
    requests: int
    replies: int
    log: int


class Session:
    """One process behind walls. Calls go one after the other; after a breach every further call is refused."""

    def __init__(self, sandbox: Sandbox, keeper: int, limits: Limits, pipes: Pipes, began_s: float) -> None:
        self._sandbox, self._keeper, self._limits, self._pipes = sandbox, keeper, limits, pipes
        self._began_s, self._until_s = began_s, began_s + limits.wall_s
        self._overhead_s = 0.0
        self._peak_bytes = 0
        self._ended: dict[str, Any] | None = None
        self._broken: str | None = None
        self._log: deque[bytes] = deque(maxlen=8)
        os.set_blocking(pipes.replies, False)
        os.set_blocking(pipes.requests, False)
        os.set_blocking(pipes.log, False)
        self._first = True
        self._ready = False
        self._base_bytes = 0

    def call(self, op: str, tables: Mapping[str, pa.Table], context: Context) -> pa.Table:
        """The model's answer. op: "run", or "saved" for a forecaster that is saved and loaded in between. Its columns are unchecked.

        Raises: ModelFailed with what went wrong; ModelStopped when a limit was broken and the process is gone;
        NothingKept; Unavailable when a wall could not be built.
        """
        if self._broken is not None:
            raise ModelStopped(self._broken)
        started_s = self._began_s if self._first else time.perf_counter()
        self._first = False
        try:
            if not self._ready:
                read_message(self._read, 0)
                self._ready = True
                self._base_bytes = usage(self._keeper).memory_bytes
            self._send(packed({"op": op, "context": asdict(context)}, tables))
            head, made = read_message(self._read, self._limits.reply_bytes)
        except (BadMessage, EOFError, BrokenPipeError) as error:
            raise self._breach(str(error) if isinstance(error, BadMessage) else self._how_it_ended()) from error
        seconds = head.get("seconds")
        took_s = time.perf_counter() - started_s
        self._overhead_s += took_s - (min(float(seconds), took_s) if isinstance(seconds, int | float) else 0.0)
        if "error" in head:
            raise ModelFailed(f"The model raised {_plain(str(head['error'])[:700])}")
        if op == "saved" and head.get("nothing_kept") is True:
            raise NothingKept("The model fits anew each time.")
        if "output" not in made:
            raise self._breach("it answered without a table")
        return made["output"]

    def used(self) -> Used:
        """So far; complete after `close`."""
        ended = self._ended or {}
        now = usage(self._keeper) if self._ended is None else None
        return Used(
            wall_s=time.perf_counter() - self._began_s,
            cpu_s=float(ended.get("cpu_s", now.cpu_s if now else 0.0)),
            memory_bytes=self._peak_bytes,
            overhead_s=self._overhead_s,
        )

    def close(self) -> None:
        """Ends all of its processes. Raises: Unavailable should one not go."""
        if self._ended is not None:
            return
        for descriptor in (self._pipes.requests, self._pipes.replies):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        gone = end_all(self._keeper)
        self._ended = self._sandbox.waited(self._keeper)
        self._drain()
        os.close(self._pipes.log)
        if not gone:
            self._sandbox.close()
            raise Unavailable("A process of a model could not be ended; the sandbox was stopped.", code="sandbox_stuck")

    def _send(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            self._wait(writing=True)
            with contextlib.suppress(BlockingIOError):
                view = view[os.write(self._pipes.requests, view) :]

    def _read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            self._wait(writing=False)
            try:
                part = os.read(self._pipes.replies, min(size, 1 << 20))
            except BlockingIOError:
                continue
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, *, writing: bool) -> None:
        """Until the pipe is ready; looks at limits meanwhile. Raises: ModelFailed."""
        readers, writers = ([], [self._pipes.requests]) if writing else ([self._pipes.replies], [])
        while True:
            ready = select.select([*readers, self._pipes.log], writers, [], LOOK_EVERY_S)
            if self._pipes.log in ready[0]:
                self._drain()
            self._look()
            if ready[1] or any(item in readers for item in ready[0]):
                return
            if self._pipes.log in ready[0] and has_ended(self._keeper):
                time.sleep(LOOK_EVERY_S)  # a closed log stays ready

    def _look(self) -> None:
        if time.perf_counter() > self._until_s:
            raise self._breach(f"it took longer than its {self._limits.wall_s:g} s")
        now = usage(self._keeper, base_bytes=self._base_bytes)
        self._peak_bytes = max(self._peak_bytes, now.memory_bytes)
        if now.processes > self._limits.processes or now.threads > 4 * self._limits.processes:
            raise self._breach(f"it started more than its {self._limits.processes} processes")
        if now.memory_bytes > self._limits.memory_bytes:
            raise self._breach(f"it needed more than its {self._limits.memory_bytes // MB:,} MB of memory")
        if now.cpu_s > self._limits.cpu_s:
            raise self._breach(f"it used more than its {self._limits.cpu_s} s of processor time")

    def _breach(self, what: str) -> ModelStopped:
        """Ends the session; what to raise. Raises: Unavailable when it was a wall that failed, not the model."""
        self.close()
        assert self._ended is not None
        if not self._ready and self._ended["code"] == WALL_FAILED:
            raise Unavailable(f"The sandbox could not be built: {self._log_text()[:300]}", code="sandbox_failed")
        self._broken = f"The model was stopped: {what}."
        return ModelStopped(self._broken)

    def _how_it_ended(self) -> str:
        """In words, from the exit code of a process that closed its pipe."""
        until_s = time.monotonic() + 2.0
        while time.monotonic() < until_s and not has_ended(self._keeper):
            time.sleep(0.002)
        if self._ended is None:
            self.close()
        assert self._ended is not None
        code = int(self._ended["code"])
        number = code - 128 if code > 128 else -code if code < 0 else 0
        if number == signal.SIGSYS:
            return "it tried to reach the network"
        if number == signal.SIGXCPU or number == signal.SIGKILL:
            return f"it used more than its {self._limits.cpu_s} s of processor time or was killed for its memory"
        if number == signal.SIGXFSZ:
            return f"it wrote a file of more than {self._limits.file_bytes // MB:,} MB"
        if number:
            return f"its process crashed ({signal.Signals(number).name})"
        said = self._log_text().strip().splitlines()
        return f"its process ended by itself with code {code}" + (f" ({said[-1][:200]})" if said else "")

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while part := os.read(self._pipes.log, LOG_BYTES):
                self._log.append(part)
                if len(part) < LOG_BYTES:
                    return

    def _log_text(self) -> str:
        return b"".join(self._log)[-LOG_BYTES:].decode("utf-8", "replace")


def _plain(text: str) -> str:
    """Without what a terminal or a page would obey: the model's author wrote it, others read it."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
