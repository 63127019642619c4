"""A declared source as a ClickHouse table function. Its name comes from the kind; everything else is a bound parameter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from workers.sources.reach import bucket, pinned
from workers.sources.spec import S3, AnyAddress, Delta, Iceberg, Kafka, MongoDB, MySQL, PostgreSQL, WebFile

_UNSIGNED = "NOSIGN"
# The engine keeps trying for half a minute by default, and follows redirects to wherever a bucket sends it.
_SETTINGS: Mapping[str, str | int] = MappingProxyType(
    {"http_max_tries": 2, "http_connection_timeout": 5, "s3_max_redirects": 0, "max_http_get_redirects": 0, "s3_connect_timeout_ms": 5000}
)


@dataclass(frozen=True, slots=True)
class Remote:
    """`call` stands where a table does; `params` go with every statement that holds it. secrets: values to take out of error texts."""

    call: str
    params: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    settings: Mapping[str, str | int] = field(default_factory=lambda: _SETTINGS)


def remote(address: AnyAddress, allowed: Collection[str]) -> Remote:
    """allowed: hosts that the operator named. Raises: Invalid for a host that may not be reached; TypeError for what the worker reads itself (files, topics)."""
    secrets = tuple(address.hidden.values())
    match address:
        case PostgreSQL():
            place = pinned(address.host, address.port, allowed)
            values = [place, address.database, address.table, address.user, address.password.get_secret_value(), address.schema_name]
            return _made("postgresql", values, secrets)
        case MySQL():
            place = pinned(address.host, address.port, allowed)
            return _made("mysql", [place, address.database, address.table, address.user, address.password.get_secret_value()], secrets)
        case MongoDB():
            structure = ", ".join(f"{f.name} Nullable({f.type})" for f in address.fields)
            place = pinned(address.host, address.port, allowed)
            values = [place, address.database, address.collection, address.user, address.password.get_secret_value(), structure]
            return _made("mongodb", values, secrets)
        case S3():
            return _made("s3", [bucket(address.url, allowed), *_keys(address), address.format], secrets, unsigned=not address.access_key)
        case Iceberg():
            return _made("iceberg", [bucket(address.url, allowed), *_keys(address)], secrets, unsigned=not address.access_key)
        case Delta():
            return _made("deltaLake", [bucket(address.url, allowed), *_keys(address)], secrets, unsigned=not address.access_key)
        case WebFile() | Kafka():
            raise TypeError(f"{address.kind} is read by the worker, not by the engine")


def _keys(address: S3 | Iceberg | Delta) -> list[str]:
    return [address.access_key, address.secret_key.get_secret_value()] if address.access_key else []


def _made(function: str, values: list[str], secrets: tuple[str, ...], *, unsigned: bool = False) -> Remote:
    params = {f"source_{number}": value for number, value in enumerate(values)}
    places = [f"{{{name}:String}}" for name in params]
    if unsigned:  # a keyword, not a value: without it the engine would sign with credentials of its own machine
        places.insert(1, _UNSIGNED)
    return Remote(f"{function}({', '.join(places)})", params, secrets)
