"""Where the warehouse is and who we are there."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from core.errors import Invalid, Unavailable
from core.settings import Settings
from semantic.limits import HTTP_TIMEOUT_S

ADMIN_USER = "querent_admin"
READER_USER = "querent"
TOKEN_FILE = "tokens.json"
ADDRESS_FILE = "endpoint.json"
ADMIN_TIMEOUT_S = 600
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Connection:
    """An address of ClickHouse's HTTP interface, a user and a password. read_timeout_s is above any query's own time cap."""

    url: str
    user: str
    password: SecretStr
    connect_timeout_s: int = 5
    read_timeout_s: int = HTTP_TIMEOUT_S

    def client_arguments(self) -> dict[str, Any]:
        """Arguments of clickhouse_connect.get_client and get_async_client. Raises: Invalid for a URL that is not http(s)."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"The warehouse URL must look like http://host:8123; found {self.url[:200]!r}.", code="bad_warehouse_url")
        secure = parts.scheme == "https"
        if parts.hostname in LOOPBACK:
            _never_proxy(parts.hostname)
        return {
            "interface": parts.scheme,
            "host": parts.hostname,
            "port": parts.port or (8443 if secure else 8123),
            "username": self.user,
            "password": self.password.get_secret_value(),
            "database": unquote(parts.path.strip("/")) or None,
            "connect_timeout": self.connect_timeout_s,
            "send_receive_timeout": self.read_timeout_s,
            "autogenerate_session_id": False,
            "compress": False if parts.hostname in LOOPBACK else "zstd",
            "client_name": "querent",
            "tz_mode": "aware",
        }


def warehouse_folder(settings: Settings) -> Path:
    """The data folder of the embedded endpoint: tokens, address file and the engine's own files lie in it."""
    return settings.home / "warehouse"


def _never_proxy(host: str) -> None:
    """A proxy from the environment must not see what stays on this machine (token and SQL), nor could it reach it.

    clickhouse-connect has no argument for that, only the variable.
    """
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if listed != "*" and host not in [name.strip() for name in listed.split(",")]:
        os.environ["no_proxy"] = f"{listed},{host}".lstrip(",")


@dataclass(frozen=True, slots=True)
class Address:
    url: str
    pid: int


def read_address(folder: Path) -> Address | None:
    """Where the endpoint of that data folder answers, or None when it has not (yet) said so."""
    try:
        found = json.loads((folder / ADDRESS_FILE).read_text())
        return Address(str(found["url"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def reader_connection(settings: Settings) -> Connection:
    """The read-only user that answers questions."""
    user = settings.warehouse_user or READER_USER
    return Connection(settings.warehouse_url, user, settings.warehouse_password if _given(settings) else _token(settings, READER_USER))


def admin_connection(settings: Settings) -> Connection:
    """The user that loads data and writes results: the embedded endpoint's own unless another is set.

    Raises: Invalid on a server of one's own without `warehouse_admin_user`; Unavailable before the embedded endpoint's first start.
    """
    if settings.warehouse_admin_user:
        return Connection(
            settings.warehouse_url, settings.warehouse_admin_user, settings.warehouse_admin_password, read_timeout_s=ADMIN_TIMEOUT_S
        )
    if not settings.warehouse_embedded:
        raise Invalid(
            "Loading data needs a ClickHouse user that may write: set QUERENT_WAREHOUSE_ADMIN_USER and QUERENT_WAREHOUSE_ADMIN_PASSWORD.",
            code="no_warehouse_admin",
        )
    password = settings.warehouse_admin_password
    if not password.get_secret_value():
        password = _token(settings, ADMIN_USER)
    return Connection(settings.warehouse_url, ADMIN_USER, password, read_timeout_s=ADMIN_TIMEOUT_S)


def _given(settings: Settings) -> bool:
    return bool(settings.warehouse_password.get_secret_value()) or not settings.warehouse_embedded


def _token(settings: Settings, user: str) -> SecretStr:
    path = warehouse_folder(settings) / TOKEN_FILE
    try:
        return SecretStr(json.loads(path.read_text())[user])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(
            f"The embedded warehouse's tokens cannot be read from {path}: start it with `querent warehouse`, or set QUERENT_WAREHOUSE_PASSWORD.",
            code="warehouse_not_started",
        ) from error
