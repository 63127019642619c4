"""Which system calls a model may not make: the network, other processes, mounts and namespaces, kernel doors."""

from __future__ import annotations

import errno
import platform
import socket
import struct

from models.sandbox.syscall_numbers import ARCHITECTURES, AUDIT, NUMBERS, number

_LOAD, _JEQ, _JSET, _JGE, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
_NR, _ARCH, _ARGUMENTS = 0, 4, 16
_NEW_NAMESPACE = 0x7E02_0080  # user, pid, net, ipc, uts, cgroup, mount, time

_REFUSED = (
    "bind listen accept accept4 sendmsg sendmmsg "
    "ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd pidfd_open process_madvise migrate_pages move_pages ioprio_set ioprio_get "
    "mount umount2 pivot_root chroot unshare setns open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr "
    "bpf perf_event_open add_key request_key keyctl userfaultfd io_uring_setup io_uring_enter io_uring_register seccomp "
    "kexec_load kexec_file_load init_module finit_module delete_module create_module get_kernel_syms query_module reboot swapon swapoff "
    "name_to_handle_at open_by_handle_at fanotify_init acct syslog vhangup sethostname setdomainname adjtimex settimeofday clock_settime "
    "clock_adjtime iopl ioperm uselib sysfs nfsservctl lookup_dcookie"
).split()
_KILL_CALLS = ("kill", "tgkill")  # the first argument says which process
_OTHER_SIGNALS = ("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")
_X32 = 0x4000_0000


def is_supported() -> bool:
    return platform.machine() in ARCHITECTURES


def program(only_pid: int | None = None, machine: str = "") -> bytes:
    """The filter. only_pid: signals may go to this process alone, for where no other wall keeps them in. machine: this one by default.

    Reaching out (connect, sendto with an address) kills; what else is not allowed answers EPERM.

    Only internet sockets may be made, since libraries probe for them on import; they lead nowhere. clone3 answers ENOSYS, as its flags
    cannot be looked at; the C library then uses clone.
    """
    machine = machine or platform.machine()
    ends: list[bytes] = []

    def when(call: str, *body: bytes) -> None:
        if NUMBERS[call][ARCHITECTURES.index(machine)] is not None:
            ends.append(_code(_JEQ, number(call, machine), 0, len(body)))
            ends.extend(body)

    refuse = _code(_RETURN, _ERRNO | errno.EPERM)
    when("connect", _code(_RETURN, _KILL))
    when(
        "sendto",
        _code(_LOAD, _ARGUMENTS + 32),  # the address, lower half
        _code(_JEQ, 0, 0, 3),
        _code(_LOAD, _ARGUMENTS + 36),
        _code(_JEQ, 0, 0, 1),
        _code(_RETURN, _ALLOW),
        _code(_RETURN, _KILL),
    )
    when(
        "socket",
        _code(_LOAD, _ARGUMENTS),
        _code(_JEQ, socket.AF_INET, 2, 0),
        _code(_JEQ, socket.AF_INET6, 1, 0),
        refuse,
        _code(_RETURN, _ALLOW),
    )
    when("clone", _code(_LOAD, _ARGUMENTS), _code(_JSET, _NEW_NAMESPACE, 0, 1), refuse, _code(_RETURN, _ALLOW))
    when("clone3", _code(_RETURN, _ERRNO | errno.ENOSYS))
    for call in _REFUSED:
        when(call, refuse)
    if only_pid is not None:
        for call in _KILL_CALLS:
            when(call, _code(_LOAD, _ARGUMENTS), _code(_JEQ, only_pid, 0, 1), _code(_RETURN, _ALLOW), refuse)
        for call in _OTHER_SIGNALS:
            when(call, refuse)
    head = [
        _code(_LOAD, _ARCH),
        _code(_JEQ, AUDIT[machine], 1, 0),
        _code(_RETURN, _KILL),
        _code(_LOAD, _NR),
        _code(_JGE, _X32, 0, 1),
        _code(_RETURN, _KILL),
    ]
    return b"".join([*head, *ends, _code(_RETURN, _ALLOW)])


def _code(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
