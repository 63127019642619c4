"""A company is made, loaded, asked, backed up, restored elsewhere and removed, by the commands that an operator types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.services import Services
from core.clock import SystemClock
from core.errors import Conflict, Invalid
from core.ids import TenantId
from core.settings import Settings
from core.store import audit, tenants
from tests.conftest import WarehouseEndpoint, WarehouseStarter
from workers.backup import backup, restore
from workers.bootstrap import Services as CoreServices
from workers.leaving import remove_tenant

pytestmark = pytest.mark.integration
SHOP = TenantId("shop")
QUESTION = ("ask", "total amount by region", "--tenant", "shop", "--json")
Querent = Callable[..., subprocess.CompletedProcess[str]]


class Installation:
    def __init__(self, home: Path, warehouse: WarehouseEndpoint, state_url: str = "") -> None:
        self.home, self.warehouse, self.state_url = home, warehouse, state_url
        home.mkdir(exist_ok=True)

    def querent(self, *arguments: str, code: int = 0) -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("QUERENT_")} | {
            "QUERENT_HOME": str(self.home), "QUERENT_MLFLOW_ROOT": str(self.home / "mlruns"), "QUERENT_WAREHOUSE_URL": self.warehouse.url,
            "QUERENT_WAREHOUSE_PASSWORD": self.warehouse.reader_token, "QUERENT_WAREHOUSE_ADMIN_PASSWORD": self.warehouse.token,
            "QUERENT_STATE_URL": self.state_url,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments], env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def core(self) -> CoreServices:
        settings = Settings(
            home=self.home, mlflow_root=self.home / "mlruns", environment="test", warehouse_url=self.warehouse.url, state_url=self.state_url,
            warehouse_password=SecretStr(self.warehouse.reader_token), warehouse_admin_password=SecretStr(self.warehouse.token), _env_file=None,
        )  # type: ignore[call-arg]  # fmt: skip
        return CoreServices(settings, SystemClock())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.conftest import _start, _stop

    folder = tmp_path_factory.mktemp("shop")
    warehouse = _start(folder / "warehouse")
    made = Installation(folder / "home", warehouse)
    made.password = json.loads(made.querent("tenant", "create", "shop", "--admin", "ada@shop.example", "--json"))["password"]  # type: ignore[attr-defined]
    sales = folder / "sales.csv"
    sales.write_text(
        "day,region,amount,note\n"
        + "".join(f'2026-0{1 + i % 9}-1{i % 7},{"north" if i % 3 else "süd"},{i * 1.5},"a, {i}"\n' for i in range(600))
    )
    made.querent("data", "load", str(sales), "--tenant", "shop")
    yield made
    _stop(warehouse)


def answer(installation: Installation) -> Any:
    found = json.loads(installation.querent(*QUESTION))
    return found["rows"], found["columns"]


class TestBackup:
    def test_it_is_restored_elsewhere_as_it_was(self, shop: Any, tmp_path: Path, start_warehouse: WarehouseStarter) -> None:
        before = answer(shop)
        assert len(before[0]) == 2
        shop.querent("backup", str(tmp_path / "kept"))
        other = Installation(tmp_path / "home", start_warehouse(tmp_path / "elsewhere"))
        other.querent("restore", str(tmp_path / "kept"))
        assert answer(other) == before
        assert "intact" in other.querent("audit", "check")
        core = other.core()
        with TestClient(create_app(Services(core))) as client:
            signed_in = client.post("/v1/login", json={"email": "ada@shop.example", "password": shop.password})
            assert signed_in.status_code == 200, signed_in.text
        other.querent("restore", str(tmp_path / "kept"), code=2)  # not into what is there already

    def test_a_damaged_one_changes_nothing(self, shop: Any, tmp_path: Path, start_warehouse: WarehouseStarter) -> None:
        core = shop.core()
        backup(core, tmp_path / "kept", lambda _: None)
        assert (tmp_path / "kept").stat().st_mode & 0o077 == 0  # hashes and keys lie in it
        with pytest.raises(Conflict):
            backup(core, tmp_path / "kept", lambda _: None)
        core.close()
        native = max((tmp_path / "kept" / "warehouse").glob("*.native"), key=lambda p: p.stat().st_size)
        whole = native.read_bytes()
        native.write_bytes(whole[:-1])
        other = Installation(tmp_path / "home", start_warehouse(tmp_path / "elsewhere")).core()
        other.migrate()
        for damage in (lambda: None, native.unlink):
            damage()
            with pytest.raises(Invalid, match="damaged"):
                restore(other, tmp_path / "kept", lambda _: None)
        manifest = tmp_path / "newer" / "manifest.json"
        manifest.parent.mkdir()
        manifest.write_text(json.dumps({**json.loads((tmp_path / "kept" / "manifest.json").read_text()), "revision": "9999", "files": {}}))
        with pytest.raises(Invalid, match="of a newer release"):
            restore(other, tmp_path / "newer", lambda _: None)
        with pytest.raises(Invalid, match="no backup"):
            restore(other, tmp_path, lambda _: None)
        with other.store.read() as connection:
            assert tenants.list_all(connection) == ()
        other.close()

    def test_from_sqlite_into_postgresql(self, shop: Any, tmp_path: Path, start_warehouse: WarehouseStarter, postgresql: Any) -> None:
        before = answer(shop)
        shop.querent("backup", str(tmp_path / "kept"))
        other = Installation(tmp_path / "home", start_warehouse(tmp_path / "elsewhere"), postgresql.database("restored_shop"))
        other.querent("restore", str(tmp_path / "kept"))
        assert answer(other) == before
        core = other.core()
        with core.store.read() as connection:
            assert audit.first_broken(connection, SHOP) is None
        core.close()


class TestLeaving:
    def test_a_company_leaves_and_others_stay(self, shop: Any, tmp_path: Path, start_warehouse: WarehouseStarter) -> None:
        shop.querent("backup", str(tmp_path / "kept"))
        other = Installation(tmp_path / "home", start_warehouse(tmp_path / "elsewhere"))
        other.querent("restore", str(tmp_path / "kept"))
        other.querent("tenant", "create", "cafe", "--admin", "bo@cafe.example")
        other.querent("tenant", "remove", "shop", "--export", str(tmp_path / "left"), code=2)  # not without --yes
        core = other.core()
        with pytest.raises(Conflict):
            remove_tenant(core, SHOP, tmp_path)
        with core.store.read() as connection:
            assert not tenants.get(connection, SHOP).disabled
        core.close()
        removed = json.loads(other.querent("tenant", "remove", "shop", "--export", str(tmp_path / "left"), "--yes", "shop", "--json"))
        assert removed["users"] == 1
        assert removed["warehouse tables"] >= 1
        entries = [json.loads(line) for line in (tmp_path / "left" / "audit.jsonl").read_text().splitlines()]
        assert [e["sequence"] for e in entries] == list(range(1, len(entries) + 1))
        assert [t["tenant"] for t in json.loads(other.querent("tenant", "list", "--json"))] == ["cafe"]
        core = other.core()
        assert core.admin.query_arrow("SELECT name FROM system.databases WHERE name = 'tenant_shop'").num_rows == 0
        core.close()
        other.querent(*QUESTION, code=2)


class TestPeopleOnTheCommandLine:
    def test_added_changed_and_erased(self, shop: Any) -> None:
        added = json.loads(
            shop.querent("user", "add", "bob@shop.example", "--role", "manager", "--attribute", "regions=EMEA,APAC", "-t", "shop", "--json")
        )
        assert added["attributes"] == {"regions": ["EMEA", "APAC"]}
        shop.querent("user", "add", "bob@shop.example", "--role", "viewer", "-t", "shop", code=2)
        shop.querent("user", "add", "eve@shop.example", "--role", "king", "-t", "shop", code=2)
        assert "shown once" in shop.querent("user", "change", "bob@shop.example", "-t", "shop", "--role", "viewer", "--new-password")
        shop.querent("user", "change", "ada@shop.example", "-t", "shop", "--disable", code=2)  # the last administrator
        shop.querent("user", "erase", "bob@shop.example", "-t", "shop", code=2)
        shop.querent("user", "erase", "bob@shop.example", "-t", "shop", "--yes", "bob@shop.example")
        listed = json.loads(shop.querent("user", "list", "-t", "shop", "--json"))
        assert sorted(u["disabled"] for u in listed) == [False, True]
        assert "user.create" in shop.querent("audit", "show", "-t", "shop")
