"""What a process and its descendants use, and ending them all."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """processes: running; threads: of all of them; memory_bytes: private and written to, of all of them together."""

    processes: int
    threads: int
    memory_bytes: int
    cpu_s: float


def descendants(root: int) -> list[int]:
    """Process ids below `root`, parents first."""
    found: list[int] = []
    waiting = [root]
    while waiting and len(found) < 100_000:
        here = waiting.pop()
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{here}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{here}/task/{thread}/children") as file:
                    children = [int(text) for text in file.read().split()]
                    found += children
                    waiting += children
    return found


def usage(root: int, *, base_bytes: int = 0) -> Usage:
    """Of the descendants of `root`; what the kernel no longer knows counts nothing.

    base_bytes: what each holds from the start, shared until written to, and so not counted.
    """
    count = threads = memory = 0
    ticks = 0
    for process in descendants(root):
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{process}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            with open(f"/proc/{process}/statm") as file:
                resident, shared = (int(text) for text in file.read().split()[1:3])
            count += 1
            threads += int(fields[17])
            ticks += int(fields[11]) + int(fields[12])
            memory += max(0, (resident - shared) * _PAGE - base_bytes)
    return Usage(count, threads, memory, ticks / os.sysconf("SC_CLK_TCK"))


def has_ended(process: int) -> bool:
    """Whether it is gone, or only waits for its parent to take its exit code."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in ("Z", "X")
    except (OSError, IndexError):
        return True


def end_all(root: int, *, within_s: float = 5.0) -> bool:
    """Kills everything below `root`, then `root`; whether all of it is gone. Orphans come to `root`, so none gets away."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        below = descendants(root)
        if not below:
            break
        for process in below:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.005)
    gone = not descendants(root)
    with contextlib.suppress(ProcessLookupError):
        os.kill(root, signal.SIGKILL)
    return gone
