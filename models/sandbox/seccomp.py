"""Which system calls a model may not make: the network, other processes, mounts and namespaces, kernel doors."""

from __future__ import annotations

import errno
import platform
import socket
import struct

_LOAD, _JEQ, _JSET, _JGE, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
_NR, _ARCH, _ARGUMENTS = 0, 4, 16
_NEW_NAMESPACE = 0x7E02_0080  # user, pid, net, ipc, uts, cgroup, mount, time

# Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
_REFUSED = {
    "x86_64": (
        49, 50, 43, 288, 46, 307,  # bind, listen, accept, accept4, sendmsg, sendmmsg
        101, 310, 311, 312, 438, 434, 440,  # ptrace, process_vm_readv/writev, kcmp, pidfd_getfd, pidfd_open, process_madvise
        165, 166, 155, 161, 272, 308, 428, 429, 430, 431, 432, 433, 442,  # mount ... setns, open_tree ... fspick, mount_setattr
        321, 298, 248, 249, 250, 323, 425, 426, 427,  # bpf, perf_event_open, keys, userfaultfd, io_uring
        246, 320, 175, 313, 176, 169, 167, 168, 303, 304, 300, 163, 103, 153,  # kexec, modules, reboot, swap, handles, fanotify, acct, syslog, vhangup
        170, 171, 159, 164, 227, 305, 172, 173, 134, 139, 174, 177, 178, 180, 212, 251, 252, 256, 279, 317,  # names, clocks, ports, old, seccomp
    ),
    "aarch64": (
        200, 201, 202, 242, 211, 269,
        117, 270, 271, 272, 438, 434, 440,
        40, 39, 41, 51, 97, 268, 428, 429, 430, 431, 432, 433, 442,
        280, 241, 217, 218, 219, 282, 425, 426, 427,
        104, 294, 105, 273, 106, 142, 224, 225, 264, 265, 262, 89, 116, 58,
        161, 162, 171, 170, 112, 266, 277,
    ),
}  # fmt: skip
_ARCHITECTURE = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_CONNECT = {"x86_64": 42, "aarch64": 203}
_SENDTO = {"x86_64": 44, "aarch64": 206}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_KILL_CALLS = {"x86_64": (62, 234), "aarch64": (129, 131)}  # kill, tgkill: the first argument says which process
_OTHER_SIGNALS = {
    "x86_64": (200, 129, 297, 424),
    "aarch64": (130, 138, 240, 424),
}  # tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal
_X32 = 0x4000_0000


def is_supported() -> bool:
    return platform.machine() in _ARCHITECTURE


def program(only_pid: int | None = None) -> bytes:
    """The filter. only_pid: signals may go to this process alone, for where no other wall keeps them in.

    Reaching out (connect, sendto with an address) kills; what else is not allowed answers EPERM.

    Only internet sockets may be made, since libraries probe for them on import; they lead nowhere. clone3 answers ENOSYS, as its flags
    cannot be looked at; the C library then uses clone.
    """
    machine = platform.machine()
    ends: list[bytes] = []

    def when(number: int, *body: bytes) -> None:
        ends.append(_code(_JEQ, number, 0, len(body)))
        ends.extend(body)

    refuse = _code(_RETURN, _ERRNO | errno.EPERM)
    when(_CONNECT[machine], _code(_RETURN, _KILL))
    when(
        _SENDTO[machine],
        _code(_LOAD, _ARGUMENTS + 32),  # the address, lower half
        _code(_JEQ, 0, 0, 3),
        _code(_LOAD, _ARGUMENTS + 36),
        _code(_JEQ, 0, 0, 1),
        _code(_RETURN, _ALLOW),
        _code(_RETURN, _KILL),
    )
    when(
        _SOCKET[machine],
        _code(_LOAD, _ARGUMENTS),
        _code(_JEQ, socket.AF_INET, 2, 0),
        _code(_JEQ, socket.AF_INET6, 1, 0),
        refuse,
        _code(_RETURN, _ALLOW),
    )
    when(_CLONE[machine], _code(_LOAD, _ARGUMENTS), _code(_JSET, _NEW_NAMESPACE, 0, 1), refuse, _code(_RETURN, _ALLOW))
    when(_CLONE3, _code(_RETURN, _ERRNO | errno.ENOSYS))
    for number in _REFUSED[machine]:
        when(number, refuse)
    if only_pid is not None:
        for number in _KILL_CALLS[machine]:
            when(number, _code(_LOAD, _ARGUMENTS), _code(_JEQ, only_pid, 0, 1), _code(_RETURN, _ALLOW), refuse)
        for number in _OTHER_SIGNALS[machine]:
            when(number, refuse)
    head = [
        _code(_LOAD, _ARCH),
        _code(_JEQ, _ARCHITECTURE[machine], 1, 0),
        _code(_RETURN, _KILL),
        _code(_LOAD, _NR),
        _code(_JGE, _X32, 0, 1),
        _code(_RETURN, _KILL),
    ]
    return b"".join([*head, *ends, _code(_RETURN, _ALLOW)])


def _code(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
