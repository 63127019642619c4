"""Which hosts a source may name: the same wall as for webhooks, and for buckets a narrower one, since the engine resolves their names itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from core.errors import Invalid
from workers.alerts.addresses import Blocked, resolve

# Object stores of the public clouds. Their names cannot be pointed inside by whoever declares a source; any other name could be, between
# our look and the engine's, so those the operator must name. Only the stores of a cloud: its names of load balancers, machines and databases
# point wherever its customers say, also inside.
_STORES = (".storage.googleapis.com", ".r2.cloudflarestorage.com", ".digitaloceanspaces.com", ".backblazeb2.com", ".wasabisys.com")
_STORE_OF_A_CLOUD = re.compile(
    r"(?:[a-z0-9.-]+\.)?(?:s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com|oss-[a-z]{2}-[a-z]+(?:-\d)?\.aliyuncs\.com)"
)


def pinned(host: str, port: int, allowed: Collection[str]) -> str:
    """`address:port` to connect to, looked up once, so that the name cannot mean something else a moment later.

    Raises: Invalid for a host that may not be reached or is unknown.
    """
    try:
        address = resolve(host, port, allowed)
    except Blocked as error:
        raise _refused(host) from error
    except OSError as error:
        raise Invalid(f"The host {host[:100]!r} is not known here. Check its spelling.", code="source_unreachable") from error
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def named(host: str, port: int, allowed: Collection[str]) -> str:
    """`host:port` where the name itself is needed, to check a certificate by it: then somebody else looks it up, so the operator must name it.

    Raises: Invalid.
    """
    if host not in allowed and f"{host}:{port}" not in allowed:
        raise _refused(host)
    return f"{host}:{port}"


def bucket(url: str, allowed: Collection[str]) -> str:
    """The address as the engine gets it. Raises: Invalid unless it is an object store of a public cloud over https, or allowed by the operator."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if host in allowed or f"{host}:{port}" in allowed:
        return url
    public = host == "storage.googleapis.com" or host.endswith(_STORES) or _STORE_OF_A_CLOUD.fullmatch(host) is not None
    if not public or parts.scheme != "https" or port != 443:
        raise _refused(host)
    return url


def brokers(places: Iterable[str], allowed: Collection[str]) -> None:
    """`host:port` of a cluster's brokers: the client resolves and follows what they call themselves, so the operator must name each.

    Raises: Invalid.
    """
    for place in places:
        host, _, port = place.rpartition(":")
        named(host, int(port), allowed)


def _refused(host: str) -> Invalid:
    return Invalid(
        f"The host {host[:100]!r} is not one that sources may reach. Ask the operator to add it to QUERENT_OUTBOUND_HOSTS if it is meant.",
        code="source_host_refused",
    )
