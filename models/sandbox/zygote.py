"""A warm interpreter that forks one closed-in process per session. Started with a clean environment; knows nothing of ours.

Speaks JSON datagrams over the socket that it inherits: {"spawn"} with three descriptors (requests, replies, log) -> {"pid"};
{"wait": pid} -> {"code", "memory_kb", "cpu_s"}. It ends when its worker does.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import numpy  # noqa: F401  # loaded here so that no session has to
import pandas  # noqa: F401
import pyarrow  # noqa: F401

from models.sandbox import child, enclose, syscalls
from models.sandbox.limits import Limits
from models.sandbox.walls import Walls
from models.sandbox.zygote_start import WALL_FAILED

MAX_DATAGRAM = 1 << 17


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    gc.collect()
    gc.freeze()
    if threading.active_count() != 1:  # a process with threads may not enter a user namespace
        raise SystemExit("the zygote has threads")
    control.send(json.dumps({"ready": os.getpid()}).encode())
    while True:
        content, descriptors, _, _ = socket.recv_fds(control, MAX_DATAGRAM, 3)
        if not content:
            return
        asked = json.loads(content)
        if "wait" in asked:
            control.send(json.dumps(_wait(int(asked["wait"]))).encode())
            continue
        keeper = os.fork()
        if keeper == 0:
            control.close()
            _keep(asked["spawn"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(json.dumps({"pid": keeper}).encode())


def _wait(keeper: int) -> dict[str, Any]:
    _, status, used = os.wait4(keeper, 0)
    return {"code": os.waitstatus_to_exitcode(status), "memory_kb": used.ru_maxrss, "cpu_s": used.ru_utime + used.ru_stime}


def _keep(asked: dict[str, Any], descriptors: list[int]) -> None:
    """In the keeper: builds the outer walls, forks the model's process as the first of its process namespace, ends as that one ends."""
    code = WALL_FAILED
    try:
        os.setsid()
        syscalls.die_with_parent(signal.SIGKILL)
        syscalls.adopt_orphans()
        requests, replies, log = descriptors
        os.dup2(os.open("/dev/null", os.O_RDWR), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        walls, limits = Walls(**asked["walls"]), Limits(**asked["limits"])
        cell = enclose.Cell(*(Path(asked[name]) for name in ("folder", "package", "scratch")))
        enclose.enter_namespaces(walls)
        inner = os.fork()
        if inner == 0:
            _inside(walls, limits, cell, asked, requests, replies)
        os.close(requests)
        os.close(replies)
        os.close(1)
        os.close(2)
        status = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
        code = status if status >= 0 else 128 - status
    except BaseException as error:
        os.write(2, f"the sandbox could not be built: {error}\n".encode())
    finally:
        os._exit(code)


def _inside(walls: Walls, limits: Limits, cell: enclose.Cell, asked: dict[str, Any], requests: int, replies: int) -> None:
    code = WALL_FAILED
    try:
        syscalls.die_with_parent(signal.SIGKILL)
        package, scratch = enclose.close_in(walls, limits, cell, enclose.FIRST_UID + asked["uid"])
        os.environ["HOME"] = os.environ["TMPDIR"] = str(scratch)
        code = 1
        child.serve(requests, replies, package, scratch, asked["card"])
        code = 0
    except BaseException as error:
        os.write(2, f"the sandbox could not be entered: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
