"""Which walls this machine lets us build, found by building them in a process that then ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import lru_cache

from core.errors import Unavailable
from models.sandbox import seccomp
from models.sandbox.environment import clean_environment

PROBE_TIMEOUT_S = 20
SIGNALS_FROM_ABI = 6  # Landlock keeps signals in from there on (Linux 6.12); before, seccomp lets none out


@dataclass(frozen=True, slots=True)
class Walls:
    """user: a user namespace is needed and allowed (not root). root: runs as root and becomes another user.

    network, mounts, processes: own namespaces. landlock: its ABI, 0 without. seccomp: system calls are filtered.
    """

    root: bool = False
    user: bool = False
    network: bool = False
    mounts: bool = False
    processes: bool = False
    landlock: int = 0
    seccomp: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """What lacks to run a stranger's code; empty when it is enough."""
        found = []
        if not (self.network or self.seccomp):
            found.append("nothing keeps a model from the network: needs network namespaces or seccomp")
        if not (self.mounts or self.landlock):
            found.append("nothing keeps a model from other files: needs mount namespaces or Landlock (Linux 5.13)")
        if not (self.processes or self.seccomp):
            found.append("nothing keeps a model from other processes: needs process namespaces or seccomp")
        return tuple(found)

    def require(self) -> None:
        """Raises: Unavailable (`sandbox_walls`) when there are too few walls; nothing is run then."""
        if self.missing:
            raise Unavailable(
                f"Custom models cannot run on this worker: {'; '.join(self.missing)}. See `querent doctor`.", code="sandbox_walls"
            )

    def described(self) -> str:
        names = {
            "network namespace": self.network,
            "mount namespace": self.mounts,
            "process namespace": self.processes,
            f"Landlock ABI {self.landlock}": self.landlock > 0,
            "seccomp": self.seccomp,
            "own user id": self.root,
        }
        stand = [name for name, there in names.items() if there]
        lack = [name for name, there in names.items() if not there and not (name == "own user id" and self.user)]
        without = f" (not: {', '.join(lack)})" if lack else ""
        return f"{', '.join(stand) or 'none'}{without}, limits, killed on breach"

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@lru_cache(maxsize=1)
def walls_here() -> Walls:
    """The walls of this machine for this user; tried once per process, in a process of its own."""
    if not sys.platform.startswith("linux") or not seccomp.is_supported():
        return Walls()
    command = [sys.executable, "-I", "-m", "models.sandbox.walls"]
    try:
        done = subprocess.run(command, env=clean_environment(), cwd="/", capture_output=True, timeout=PROBE_TIMEOUT_S, check=True)
        return Walls(**json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        return Walls()


def _probe() -> Walls:
    from models.sandbox import syscalls

    root = os.geteuid() == 0

    def allowed(flags: int) -> bool:
        def act() -> None:
            if not root:
                syscalls.unshare(syscalls.CLONE_NEWUSER)
            syscalls.unshare(flags)

        return _in_child(act)

    def mounts() -> None:
        from models.sandbox.enclose import enter_namespaces

        enter_namespaces(Walls(root=root, user=not root, mounts=True))
        syscalls.mount("none", "/tmp", "tmpfs", syscalls.MS_NOSUID, "size=1m")  # in a namespace of its own, so nobody sees it

    def filtered() -> None:
        syscalls.give_up_new_privileges()
        syscalls.install_filter(seccomp.program())

    return Walls(
        root=root,
        user=not root and allowed(0),
        network=allowed(syscalls.CLONE_NEWNET),
        mounts=_in_child(mounts),
        processes=allowed(syscalls.CLONE_NEWPID),
        landlock=syscalls.landlock_abi(),
        seccomp=_in_child(filtered),
    )


def _in_child(act: object) -> bool:
    assert callable(act)
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_probe().as_json()))
