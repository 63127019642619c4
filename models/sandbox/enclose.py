"""Puts the walls around the process that calls this: namespaces, an own file system, another user, limits, Landlock, seccomp."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import resource
import signal
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from models.sandbox import seccomp, syscalls
from models.sandbox.limits import Limits
from models.sandbox.syscalls import MS_BIND, MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT
from models.sandbox.walls import SIGNALS_FROM_ABI, Walls

FIRST_UID = 1_900_000_000  # nobody's: beyond what systems hand out, so that limits per user are limits per model
SCRATCH_FILES = 20_000  # each takes memory of the kernel that no limit counts
SPARE_PROCESSES = 8  # the watch outside ends a model that starts too many; the kernel only sees to it that the watch has the time
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/dev/full")
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/lib32",
    "/bin",
    "/sbin",
    "/etc/localtime",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/alternatives",
)
_OURS = ("core", "models")
# Landlock access rights: include/uapi/linux/landlock.h
_EXECUTE, _READ_FILE, _READ_DIR = 1, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP, _SCOPES = 3, 3


@dataclass(frozen=True, slots=True)
class Cell:
    """Folders of one session outside the walls: `folder` holds an empty `root`; package: unpacked, may be shared; scratch: writable."""

    folder: Path
    package: Path
    scratch: Path


def enter_namespaces(walls: Walls) -> None:
    """Own network, mounts, processes (for the next child), shared memory and host name. Raises: OSError."""
    uid, gid = os.geteuid(), os.getegid()
    if walls.user:
        syscalls.unshare(syscalls.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    flags = 0
    if walls.network:
        flags |= syscalls.CLONE_NEWNET
    if walls.mounts:
        flags |= syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
    if walls.processes:
        flags |= syscalls.CLONE_NEWPID
    if flags:
        syscalls.unshare(flags)
    if walls.mounts:
        syscalls.mount("none", "/", "", MS_REC | MS_PRIVATE)


def close_in(walls: Walls, limits: Limits, cell: Cell, sandbox_uid: int) -> tuple[Path, Path]:
    """The rest, in the process that will run the model, after `enter_namespaces`; (package, scratch) as it sees them. Raises: OSError."""
    package, scratch = cell.package, cell.scratch
    drops = walls.root and walls.mounts  # without mounts, Python itself may lie where only root can look
    if walls.mounts:
        _own_root(cell, limits, sandbox_uid if drops else os.geteuid())
        package, scratch = Path("/package"), Path("/scratch")
    os.chdir(scratch)
    _limit(limits)
    if drops:
        os.setgroups([])
        os.setresgid(sandbox_uid, sandbox_uid, sandbox_uid)
        os.setresuid(sandbox_uid, sandbox_uid, sandbox_uid)
    syscalls.die_with_parent(signal.SIGKILL)  # becoming another user took this back
    syscalls.drop_capabilities()
    syscalls.give_up_new_privileges()
    if walls.landlock:
        _landlock(walls, package, scratch)
    if walls.seccomp:
        kept_in = walls.processes or walls.landlock >= SIGNALS_FROM_ABI
        syscalls.install_filter(seccomp.program(None if kept_in else os.getpid()))
    return package, scratch


def readable() -> list[str]:
    """What a model may read beside its package: the system's libraries, Python, its packages, and the sources of its contract."""
    python = {sys.prefix, sys.base_prefix, sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]}
    ours = [str(Path(spec.origin).parent) for name in _OURS if (spec := importlib.util.find_spec(name)) and spec.origin]
    places = [*_SYSTEM, *sorted(python), *ours]
    kept: list[str] = []
    for place in places:
        real = os.path.realpath(place)
        if os.path.exists(place) and not any(real == other or real.startswith(other + "/") for other in map(os.path.realpath, kept)):
            kept.append(place)
    return kept


def _own_root(cell: Cell, limits: Limits, owner: int) -> None:
    """A file system that holds only what may be read, a scratch folder in memory, and a few devices."""
    root = str(cell.folder / "root")
    syscalls.mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for place in [*readable(), *_DEVICES]:
        _bind(place, root + place, read_only=not place.startswith("/dev/"))
    for link in ("/lib", "/lib64", "/lib32", "/bin", "/sbin"):
        if os.path.islink(link) and not os.path.lexists(root + link):
            os.symlink(os.readlink(link), root + link)
    _bind(str(cell.package), f"{root}/package")
    os.mkdir(f"{root}/scratch", 0o700)
    syscalls.mount(
        "tmpfs", f"{root}/scratch", "tmpfs", MS_NOSUID | MS_NODEV, f"size={limits.scratch_bytes},nr_inodes={SCRATCH_FILES},mode=700"
    )
    os.chown(f"{root}/scratch", owner, -1) if os.geteuid() != owner else None
    os.mkdir(f"{root}/dev/shm")
    os.mkdir(f"{root}/proc", 0o555)
    with contextlib.suppress(OSError):  # some containers forbid it; nothing that a model needs is there
        syscalls.mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | syscalls.MS_NOEXEC | MS_RDONLY)
    os.mkdir(f"{root}/.old", 0o700)
    syscalls.pivot_root(root, f"{root}/.old")
    os.chdir("/")
    syscalls.umount("/.old")
    os.rmdir("/.old")
    syscalls.mount("", "/", "", MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, "size=1m,mode=755")


def _bind(source: str, target: str, *, read_only: bool = True) -> None:
    if os.path.isdir(source):
        os.makedirs(target, mode=0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        if not os.path.exists(target):
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    syscalls.mount(source, target, "", MS_BIND)
    if read_only:
        syscalls.mount("", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _limit(limits: Limits) -> None:
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if os.path.exists("/proc/self/statm") else 2**30

    def cap(what: int, value: int) -> None:
        hard = resource.getrlimit(what)[1]
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (bounded, bounded))

    cap(resource.RLIMIT_CORE, 0)
    cap(resource.RLIMIT_CPU, limits.cpu_s)
    cap(resource.RLIMIT_AS, held + limits.memory_bytes)
    cap(resource.RLIMIT_FSIZE, limits.file_bytes)
    cap(resource.RLIMIT_NOFILE, limits.open_files)
    cap(resource.RLIMIT_NPROC, limits.processes + SPARE_PROCESSES)
    cap(resource.RLIMIT_MEMLOCK, 0)
    cap(resource.RLIMIT_MSGQUEUE, 0)


def _landlock(walls: Walls, package: Path, scratch: Path) -> None:
    abi = walls.landlock
    # Without a process namespace /proc shows everybody's processes, with what their environment holds.
    proc = ("/proc",) if walls.mounts and walls.processes else ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat")
    handled = _BY_ABI[min(abi, 5)]
    ruleset = syscalls.landlock_ruleset(handled, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    files = _EXECUTE | _READ_FILE
    for place in [*readable(), str(package), *proc]:
        if os.path.exists(place):
            access = _READ if os.path.isdir(place) else files
            syscalls.landlock_allow(ruleset, place, access & ~_EXECUTE if place in proc else access)
    for device in _DEVICES:
        if os.path.exists(device):
            syscalls.landlock_allow(ruleset, device, _READ_FILE | 2)  # 2: write
    syscalls.landlock_allow(ruleset, str(scratch), handled & ~(1 << 6 | 1 << 11))  # no device files
    syscalls.landlock_restrict(ruleset)
