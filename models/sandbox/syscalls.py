"""The few Linux calls that Python does not offer, each as a function that raises OSError."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

from models.sandbox.syscall_numbers import number

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER = 0x0002_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000
CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP = 0x2000_0000, 0x4000_0000, 0x0200_0000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 36, 38
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _number(call: str) -> ctypes.c_long:
    return ctypes.c_long(number(call, platform.machine()))


def unshare(flags: int) -> None:
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    done = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode() or None)
    _checked(done, f"mount {target}")


def umount(target: str) -> None:
    _checked(_libc.umount2(target.encode(), ctypes.c_int(MNT_DETACH)), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    _checked(_libc.syscall(_number("pivot_root"), new.encode(), old.encode()), "pivot_root")


def die_with_parent(signal_number: int) -> None:
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    """Descendants whose parent ends become this process's children."""
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def give_up_new_privileges() -> None:
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def drop_capabilities() -> None:
    """Empties the effective, permitted and inheritable sets."""
    header = struct.pack("Ii", 0x2008_0522, 0)
    _checked(_libc.syscall(_number("capset"), header, struct.pack("6I", *([0] * 6))), "capset")


def install_filter(program: bytes) -> None:
    """A seccomp filter (instructions of 8 bytes); needs `give_up_new_privileges` first."""
    held = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    value = Program(len(program) // 8, ctypes.addressof(held))
    _checked(_libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(value), 0, 0), "seccomp")


def landlock_abi() -> int:
    """0 where the kernel has none."""
    return max(0, int(_libc.syscall(_number("landlock_create_ruleset"), None, ctypes.c_size_t(0), ctypes.c_uint(1))))


def landlock_ruleset(fs: int, net: int, scoped: int) -> int:
    """A descriptor of a new ruleset that handles these accesses; those that are 0 at the end are left out for older kernels."""
    size = 24 if scoped else 16 if net else 8
    attributes = struct.pack("QQQ", fs, net, scoped)[:size]
    done = _libc.syscall(_number("landlock_create_ruleset"), attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    return _checked(int(done), "landlock_create_ruleset")


def landlock_allow(ruleset: int, path: str, access: int) -> None:
    """Allows `access` below a path."""
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", access, place)
        _checked(_libc.syscall(_number("landlock_add_rule"), ruleset, ctypes.c_int(1), rule, ctypes.c_uint(0)), f"landlock {path}")
    finally:
        os.close(place)


def landlock_restrict(ruleset: int) -> None:
    _checked(_libc.syscall(_number("landlock_restrict_self"), ruleset, ctypes.c_uint(0)), "landlock_restrict_self")
    os.close(ruleset)
