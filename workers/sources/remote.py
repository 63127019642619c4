"""A declared source as a ClickHouse table function. Its name comes from the kind; everything else is a bound parameter."""

from __future__ import annotations

from collections.abc import Collection

from workers.sources.documents import documents
from workers.sources.reach import bucket, pinned
from workers.sources.reading import Remote, bound
from workers.sources.spec import S3, AnyAddress, Delta, Iceberg, Kafka, MongoDB, MySQL, PostgreSQL, WebFile

_UNSIGNED = "NOSIGN"


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
            return documents(address, allowed)
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
    call, params = bound(function, values, *([_UNSIGNED] if unsigned else []))
    return Remote(call, params, secrets)
