"""Where a tenant's webhook may not reach: written as what an attacker would try."""

from __future__ import annotations

import socket

import pytest

from workers.alerts.addresses import Blocked, is_public, resolve
from workers.alerts.services_allowed import is_allowed_chat

INSIDE = """127.0.0.1 127.8.9.1 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200 0.0.0.0 255.255.255.255
224.0.0.1 240.0.0.1 192.0.0.192 198.18.0.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254
fec0::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1::1 2002:a00:1::""".split()


@pytest.mark.parametrize("address", INSIDE)
def test_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_internet_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "localhost", "LOCALHOST.", "[::1]"])
def test_spellings_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises((Blocked, OSError)):
        resolve(host, 80, ())


def test_a_name_with_one_inside_address_is_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_: object, **__: object) -> list[object]:
        return [(2, 1, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(Blocked):
        resolve("rebind.example", 80, ())


def test_the_operator_may_name_a_host_or_one_port_of_it() -> None:
    assert resolve("127.0.0.1", 9000, {"127.0.0.1:9000"}) == "127.0.0.1"
    assert resolve("127.0.0.1", 9000, {"127.0.0.1"}) == "127.0.0.1"
    with pytest.raises(Blocked):
        resolve("127.0.0.1", 9001, {"127.0.0.1:9000"})


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "exec://rm", "dbus://", "syslog://127.0.0.1", "json://10.0.0.1/", "mailto://a:b@c", "x", ""]
)
def test_chat_addresses_that_reach_inside_are_refused(url: str) -> None:
    assert not is_allowed_chat(url, ())


def test_chat_services_are_allowed_and_own_servers_when_named() -> None:
    assert is_allowed_chat("slack://a/b/c", ())
    assert is_allowed_chat("mmosts://chat.corp:8443/token", {"chat.corp:8443"})
    assert not is_allowed_chat("mmosts://chat.corp:8443@10.0.0.1/token", {"chat.corp:8443"})
