"""The MySQL source on a real server (MariaDB, Debian's mariadb-server); skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import Invalid
from semantic.warehouse.admin import WarehouseAdmin
from tests.conftest import needs
from workers.sources.copying import Copy
from workers.sources.remote import remote
from workers.sources.spec import MySQL, Plan

pytestmark = pytest.mark.integration
PASSWORD = "p'w\\d"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, Callable[[str], str]]]:
    """The port, and what runs SQL there as root."""
    if shutil.which("mariadbd") is None:
        needs("mariadb", "mariadb-server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="querent-mariadb-"))
    data, plain = folder / "data", ["--no-defaults"]
    user = ["--user=mysql"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "mysql")
    made = ["mariadb-install-db", *plain, f"--datadir={data}", *user, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(made, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    at = [f"--socket={folder / 's.sock'}"]
    process = subprocess.Popen(
        ["mariadbd", *plain, *user, *at, f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def run(sql: str) -> str:
        told = ["mariadb", *plain, *at, "-uroot", "--default-character-set=utf8mb4", "-N", "-e", sql]
        return subprocess.run(told, check=True, capture_output=True, text=True).stdout

    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and subprocess.run(["mariadb-admin", *plain, *at, "-uroot", "ping"], capture_output=True).returncode:
            assert time.monotonic() < deadline, "mariadb did not start"
            time.sleep(0.05)
        run(f"""CREATE DATABASE shop; CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD.replace("'", "''").replace(chr(92), chr(92) * 2)}';
            GRANT SELECT ON shop.* TO reader@'127.0.0.1'""")
        yield port, run
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_rows_come_incrementally_in_their_types_and_a_wrong_password_is_told_without_it(
    server: tuple[int, Callable[[str], str]], warehouse_endpoint: Any
) -> None:
    port, run = server
    run("""CREATE TABLE shop.orders (id INT PRIMARY KEY, amount DECIMAL(12,2), name VARCHAR(40) CHARACTER SET utf8mb4, j JSON,
        big BIGINT UNSIGNED, kind ENUM('a','b'), changed DATETIME NOT NULL);
        INSERT INTO shop.orders SELECT seq, seq / 4, 'é😀', '{"a": 1}', 18446744073709551615, 'a', '2026-01-01' + INTERVAL seq HOUR FROM shop.seq_1_to_1000""")
    admin = WarehouseAdmin(warehouse_endpoint.admin_connection)
    plan = Plan(table="orders", mode="incremental", key="changed", identity=("id",), look_back_days=1)
    address = MySQL(host="127.0.0.1", port=port, database="shop", table="orders", user="reader", password=SecretStr(PASSWORD))
    copy = Copy(admin, "tenant_mysql_test", plan, remote(address, {"127.0.0.1"}))
    try:
        first = copy.run(full=False)
        assert (first.rows, first.total) == (1000, 1000)
        assert {c.name: c.type for c in first.columns}["amount"] == "Nullable(Decimal(12, 2))"
        run(
            "UPDATE shop.orders SET amount = 1 WHERE id = 1000; INSERT INTO shop.orders VALUES (1001, NULL, NULL, NULL, 1, 'b', '2026-03-01')"
        )
        assert copy.run(full=False).total == 1001
        found = admin.query_arrow(
            "SELECT sum(amount) AS s, uniqExact(id) AS n, max(big) AS b, any(name) AS t FROM tenant_mysql_test.orders WHERE id != 1001"
        ).to_pylist()
        assert found == [{"s": pytest.approx(124_876), "n": 1000, "b": 2**64 - 1, "t": "é😀"}]
        run("ALTER TABLE shop.orders ADD COLUMN note VARCHAR(9), DROP COLUMN j")
        with pytest.raises(Invalid, match="gone: j"):
            copy.run(full=False)
        assert copy.run(full=True).drift.shown == {"added": {"note": "Nullable(String)"}, "removed": ["j"], "retyped": {}}
        wrong = address.model_copy(update={"password": SecretStr("not-this-one")})
        with pytest.raises(Invalid) as refused:
            Copy(admin, "tenant_mysql_test", plan, remote(wrong, {"127.0.0.1"})).run(full=False)
        assert "not-this-one" not in str(refused.value)
    finally:
        admin.execute("DROP DATABASE IF EXISTS tenant_mysql_test")
        admin.close()
