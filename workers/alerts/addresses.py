"""Which network addresses a tenant's webhook may reach: public ones, and hosts that the operator named."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SPECIAL = ipaddress.ip_network("192.0.0.0/24")  # protocol assignments; one cloud keeps its metadata service there
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Blocked(Exception):
    """The address is not one that may be reached. The message is for the channel's owner and names no address."""


def is_public(text: str) -> bool:
    """Whether an IP address is on the open Internet, also when it is wrapped (IPv4-mapped, 6to4, Teredo, NAT64).

    >>> is_public("8.8.8.8"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local:  # fec0::/10, given up in 2004 and still routed inside some companies; Python takes it for global
            return False
    if isinstance(address, ipaddress.IPv4Address) and address in _SPECIAL:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def resolve(host: str, port: int, allowed: Collection[str]) -> str:
    """One address of `host` that may be connected to.

    When any address of the name is not public the whole name is refused: a name that points inside is up to something.
    Raises: Blocked; OSError when the name is unknown.
    """
    name = host.lower().rstrip(".").strip("[]")
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
    if not found:
        raise OSError("the name has no address")
    if name in allowed or f"{name}:{port}" in allowed:
        return found[0]
    if not all(is_public(address) for address in found):
        raise Blocked(
            "The receiver's address is not on the public Internet. Ask the operator to add the host to QUERENT_OUTBOUND_HOSTS if it is meant."
        )
    return found[0]
