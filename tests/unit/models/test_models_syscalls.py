"""Numbers of system calls are the kernel's, and the filter decides on both architectures as its list says."""

from __future__ import annotations

import ctypes
import errno
import re
import socket
import struct
from pathlib import Path

import pytest

from models.sandbox.seccomp import _REFUSED, program
from models.sandbox.syscall_numbers import ARCHITECTURES, AUDIT, NUMBERS, number
from tests.conftest import needs

ALLOW, KILL, REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0000 | errno.EPERM
ADDRESS = 0x7F00_1234_5678
HEADERS = {"x86_64": "x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
ORDINARY = {"x86_64": (0, 1, 9, 202), "aarch64": (63, 64, 222, 98)}  # read, write, mmap, futex


class TestNumbers:
    @pytest.mark.parametrize("machine", ARCHITECTURES)
    def test_are_those_of_libseccomp(self, machine: str) -> None:
        try:
            library = ctypes.CDLL("libseccomp.so.2")
        except OSError:
            needs("libseccomp", "libseccomp is not installed")
        found = {name: library.seccomp_syscall_resolve_name_arch(ctypes.c_uint32(AUDIT[machine]), name.encode()) for name in NUMBERS}
        ours = {name: numbers[ARCHITECTURES.index(machine)] for name, numbers in NUMBERS.items()}
        assert {name: value if value >= 0 else None for name, value in found.items()} == ours

    @pytest.mark.parametrize("machine", ARCHITECTURES)
    def test_are_those_of_the_headers(self, machine: str) -> None:
        place = Path("/usr/include") / HEADERS[machine]
        if not place.exists():
            needs("linux-headers", f"{place} is not there")
        defined = {name: int(value) for name, value in re.findall(r"#define __NR_(\w+)\s+(\d+)$", place.read_text(), re.MULTILINE)}
        assert {name: defined[name] for name in NUMBERS if name in defined} == {
            name: number(name, machine) for name in NUMBERS if name in defined
        }
        assert len(NUMBERS.keys() & defined.keys()) > 70


def decided(code: bytes, machine: str, call: int, arguments: tuple[int, ...] = ()) -> int:
    """What a filter answers, by the rules of the kernel's BPF."""
    data = struct.pack("<iIQ6Q", call, AUDIT[machine], 0, *(*arguments, *[0] * 6)[:6])
    steps = [struct.unpack_from("HBBI", code, at) for at in range(0, len(code), 8)]
    at = value = 0
    while True:
        kind, if_true, if_false, operand = steps[at]
        at += 1
        if kind == 0x06:
            return int(operand)
        if kind == 0x20:
            value = struct.unpack_from("<I", data, operand)[0]
        else:
            holds = {0x15: value == operand, 0x45: bool(value & operand), 0x35: value >= operand}[kind]
            at += if_true if holds else if_false


@pytest.mark.parametrize("machine", ARCHITECTURES)
class TestFilter:
    def test_refuses_what_is_listed_and_lets_the_rest_through(self, machine: str) -> None:
        code = program(machine=machine)
        listed = {NUMBERS[name][ARCHITECTURES.index(machine)] for name in _REFUSED} - {None}
        assert {decided(code, machine, call) for call in listed if call is not None} == {REFUSE}
        assert {decided(code, machine, call) for call in ORDINARY[machine]} == {ALLOW}
        assert len(listed) >= 62

    def test_looks_at_arguments(self, machine: str) -> None:
        code = program(only_pid=77, machine=machine)
        cases = {
            ("connect", ()): KILL,
            ("sendto", (3, 0, 0, 0, 0, 0)): ALLOW,
            ("sendto", (3, 0, 0, 0, ADDRESS, 16)): KILL,
            ("sendto", (3, 0, 0, 0, 1 << 40, 16)): KILL,
            ("socket", (socket.AF_INET6,)): ALLOW,
            ("socket", (socket.AF_UNIX,)): REFUSE,
            ("socket", (16,)): REFUSE,
            ("clone", (0x11,)): ALLOW,
            ("clone", (0x1000_0000,)): REFUSE,
            ("clone3", ()): 0x0005_0000 | errno.ENOSYS,
            ("kill", (77,)): ALLOW,
            ("kill", (1,)): REFUSE,
            ("tkill", (77,)): REFUSE,
        }
        assert {case: decided(code, machine, number(case[0], machine), case[1]) for case in cases} == cases

    def test_calls_of_another_architecture_are_killed(self, machine: str) -> None:
        other = next(name for name in ARCHITECTURES if name != machine)
        assert decided(program(machine=machine), other, 0) == KILL
