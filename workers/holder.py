"""Who holds a lease: a name for this process that others on the same machine can test for life."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path


def holder_name() -> str:
    """`machine/pid/start/run`: machine is the kernel's boot and process namespace, so that equal numbers elsewhere are not taken for us;
    run is random, so that each run of a job has a lease of its own."""
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}/{os.urandom(4).hex()}"


def is_surely_dead(name: str) -> bool:
    """True only when the holder ran on this machine and its process is gone. Elsewhere nothing is known before the lease ends."""
    parts = name.split("/")
    if len(parts) != 4 or not Path("/proc/self/stat").exists():
        return False
    machine, pid, started, _ = parts
    if machine != _machine() or not pid.isdigit():
        return False
    return _started(int(pid)) != started


@lru_cache(maxsize=1)
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}-{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()}-{os.getppid()}"


def _started(pid: int) -> str:
    """Clock ticks from boot to the process's start; empty when there is no such process, or only its zombie."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, start_ticks = after_name[0], after_name[19]
    return "" if state in "ZX" else start_ticks
