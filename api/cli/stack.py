"""Runs the parts of Querent as child processes: starts them in order, restarts what dies, stops all cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from core.errors import Unavailable
from core.private import private_folder

STOP_S = 15.0
RESTART_AFTER_S = (0.5, 2.0, 5.0, 15.0)
STEADY_S = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """One process: `ready` says whether it answers; None does not wait for it."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool] | None = None
    ready_within_s: float = 60.0


@dataclass(slots=True)
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    started_s: float
    failures: int = 0


@dataclass(slots=True)
class Stack:
    """The running parts. Each writes its log to `logs/NAME.log`."""

    logs: Path
    environment: Mapping[str, str]
    say: Callable[[str], None]
    _running: list[_Running] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, part: Part) -> None:
        """Starts a part and waits until it is ready. Raises: Unavailable with the end of its log when it is not in time."""
        running = self._launch(part)
        self._running.append(running)
        if part.ready is None:
            return
        deadline = time.monotonic() + part.ready_within_s
        while not part.ready():
            if running.process.poll() is not None:
                raise Unavailable(f"The {part.name} ended at start:\n{self._tail(part)}", code=f"{part.name}_failed")
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The {part.name} was not ready within {part.ready_within_s:.0f} s:\n{self._tail(part)}", code=f"{part.name}_slow"
                )
            time.sleep(0.1)

    def watch(self) -> None:
        """Returns after SIGINT or SIGTERM; until then a part that dies is started again, later each time."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        while not self._stopping.wait(0.5):
            for index, running in enumerate(self._running):
                code = running.process.poll()
                if code is not None:
                    self._running[index] = self._restart(running, code)

    def stop(self) -> None:
        """SIGTERM to all, latest first; SIGKILL to what has not ended in time."""
        self._stopping.set()
        for running in reversed(self._running):
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for running in reversed(self._running):
            try:
                running.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{running.part.name} did not stop in {STOP_S:.0f} s and was killed")
                running.process.kill()
                running.process.wait()
            running.log.close()
        self._running.clear()

    def _launch(self, part: Part, failures: int = 0) -> _Running:
        private_folder(self.logs)
        log = (self.logs / f"{part.name}.log").open("ab")
        process = subprocess.Popen(
            part.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.environment},
            start_new_session=True,
        )
        return _Running(part, process, log, time.monotonic(), failures)

    def _restart(self, ended: _Running, code: int) -> _Running:
        failures = 0 if time.monotonic() - ended.started_s > STEADY_S else ended.failures
        pause_s = RESTART_AFTER_S[min(failures, len(RESTART_AFTER_S) - 1)]
        self.say(
            f"{ended.part.name} ended (code {code}); starting it again in {pause_s:g} s. Log: {self.logs / (ended.part.name + '.log')}"
        )
        ended.log.close()
        if self._stopping.wait(pause_s):
            return ended
        return self._launch(ended.part, failures + 1)

    def _tail(self, part: Part) -> str:
        text = (self.logs / f"{part.name}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-15:])


def python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)
