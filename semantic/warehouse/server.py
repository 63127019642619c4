"""Starts and stops the embedded endpoint: folder lock, engine, tokens, socket, signals."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from pydantic import SecretStr

from core.errors import Invalid, Unavailable
from semantic.warehouse.connection import ADDRESS_FILE
from semantic.warehouse.folder_lock import FolderLock
from semantic.warehouse.slots import Limits
from semantic.warehouse.users import Users, load_or_create_users

if TYPE_CHECKING:
    from semantic.warehouse.engine import Engine

_log = structlog.get_logger("querent.warehouse")
_MAX_URL_BYTES = 1024**2


def serve(
    data_path: Path,
    host: str = "127.0.0.1",
    port: int = 8124,
    token: SecretStr | str = "",
    *,
    reader_token: SecretStr | str = "",
    limits: Limits | None = None,
    allow_remote: bool = False,
) -> None:
    """Serves `data_path` until SIGTERM or SIGINT, then ends running queries and closes the engine.

    token, reader_token: of the admin and of the read-only user; empty: those kept in `data_path/tokens.json` (made at the first start).
    Port 0 takes a free one. The address in use is written to `data_path/endpoint.json` when requests are answered.
    Raises: Invalid for an address that is not loopback unless `allow_remote`; Unavailable when the folder or the port is taken.
    """
    if not allow_remote and not _is_loopback(host):
        raise Invalid(
            f"The warehouse listens on loopback only unless told otherwise; found host {host!r}. Use 127.0.0.1, or allow remote access.",
            code="warehouse_not_loopback",
        )
    data_path = data_path.resolve()
    lock = FolderLock(data_path)
    try:
        stored = load_or_create_users(data_path) if not (_secret(token) and _secret(reader_token)) else None
        users = Users(
            SecretStr(_secret(token)) if _secret(token) or stored is None else stored.admin_token,
            SecretStr(_secret(reader_token)) if _secret(reader_token) or stored is None else stored.reader_token,
        )
        engine = _open_engine(data_path)
        try:
            asyncio.run(_serve(engine, users, limits or Limits(), data_path, host, port))
        finally:
            engine.close()
    finally:
        lock.release()


def _open_engine(data_path: Path) -> Engine:
    """The engine's library (0.5 GB) is loaded here and in no process that does not serve.

    It takes the zone of a plain DateTime from TZ when it loads; a server's data must not depend on the machine's zone.
    """
    os.environ["TZ"] = "UTC"
    from semantic.warehouse.engine import Engine

    return Engine(data_path / "engine")


async def _serve(engine: Engine, users: Users, limits: Limits, data_path: Path, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    from semantic.warehouse.endpoint import Endpoint

    endpoint = Endpoint(engine, users, limits)
    runner = web.AppRunner(
        endpoint.app(),
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,
        auto_decompress=False,
        max_line_size=_MAX_URL_BYTES,
        max_field_size=_MAX_URL_BYTES,
        keepalive_timeout=300,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            raise Unavailable(
                f"Port {port} of {host} cannot be opened: {error.strerror}. Choose another port.", code="port_in_use"
            ) from error
        bound = runner.addresses[0][1]
        _write_address(data_path, host, bound)
        _log.info("warehouse_ready", host=host, port=bound, engine=engine.version, folder=str(data_path))
        await stop.wait()
        await site.stop()
        await endpoint.close()
    finally:
        (data_path / ADDRESS_FILE).unlink(missing_ok=True)
        await runner.cleanup()
        _log.info("warehouse_stopped")


def _write_address(data_path: Path, host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    draft = data_path / f"{ADDRESS_FILE}.new"
    draft.write_text(f'{{"url": "http://{shown}:{port}", "pid": {os.getpid()}}}\n')
    draft.replace(data_path / ADDRESS_FILE)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(token: SecretStr | str) -> str:
    return token.get_secret_value() if isinstance(token, SecretStr) else token
