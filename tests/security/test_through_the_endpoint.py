"""Guarded queries through the real client and the real endpoint: the settings are taken, the answers are the caller's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from core.errors import AppError
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, Dataset, FieldRole, FieldType, RowPolicy
from semantic.limits import Limits
from semantic.pipeline import guard_sql
from semantic.states import Param
from semantic.trust import Trust
from semantic.warehouse.admin import WarehouseAdmin
from semantic.warehouse.client import SyncWarehouse

pytestmark = pytest.mark.integration

CALLER = Principal(TenantId("acme"), UserId("u"), frozenset({Role.MANAGER}), {"regions": ("EU", "it's", "a\\b")})
TRUST = Trust(pseudonym_key="0123456789")


@pytest.fixture(scope="module")
def database(warehouse_admin: WarehouseAdmin) -> Iterator[str]:
    name = f"guard_{secrets.token_hex(4)}"
    warehouse_admin.execute(f"CREATE DATABASE {name}")
    warehouse_admin.execute(
        f"CREATE TABLE {name}.sales (tenant_id String, id UInt32, region String, mail String, amount Float64, grp UInt8)"
        " ENGINE = MergeTree ORDER BY tenant_id"
    )
    warehouse_admin.execute(
        f"INSERT INTO {name}.sales SELECT if(number % 2, 'acme', 'globex'), number, ['EU', 'US', 'it''s', 'a\\\\b'][number % 4 + 1],"
        " if(number % 2, toString(number), 'secret'), number, number % 3 FROM numbers(4000)"
    )
    yield name
    warehouse_admin.execute(f"DROP DATABASE {name} SYNC")


def catalog(database: str, policies: bool = False) -> Catalog:
    types = {
        "id": FieldType.INTEGER,
        "region": FieldType.STRING,
        "mail": FieldType.STRING,
        "amount": FieldType.FLOAT,
        "grp": FieldType.INTEGER,
    }
    return Catalog(
        datasets=(
            Dataset(
                name="sales",
                database=database,
                table="sales",
                label="sales",
                tenant_column="tenant_id",
                fields=tuple(CatalogField(name=n, column=n, type=t, role=FieldRole.ATTRIBUTE, label=n) for n, t in types.items()),
            ),
        ),
        row_policies=(RowPolicy(name="r", dataset="sales", roles=("manager",), field="region", attribute="regions"),) if policies else (),
        column_rules=(
            ColumnRule(dataset="sales", field="mail", roles=("manager",), action="hash"),
            ColumnRule(dataset="sales", field="amount", roles=("manager",), action="mask"),
            ColumnRule(dataset="sales", field="grp", roles=("manager",), action="hash"),
        )
        if policies
        else (),
    )


class TestThroughTheEndpoint:
    def ask(self, warehouse: SyncWarehouse, sql: str, catalog: Catalog, **more: object) -> list[list[object]]:
        query = guard_sql(sql, catalog, CALLER, trust=TRUST, **more)  # type: ignore[arg-type]
        return warehouse.run(query).rows()

    def test_only_the_callers_rows_count(self, sync_warehouse: SyncWarehouse, database: str) -> None:
        assert self.ask(sync_warehouse, f"SELECT count(), sum(amount) FROM {database}.sales", catalog(database)) == [[2000, 4_000_000.0]]

    def test_a_failing_condition_tells_nothing_of_others(self, sync_warehouse: SyncWarehouse, database: str) -> None:
        assert self.ask(sync_warehouse, f"SELECT count() FROM {database}.sales WHERE toUInt32(mail) = 7", catalog(database)) == [[1]]

    def test_row_policies_hold_with_quotes_and_backslashes_in_attributes(self, sync_warehouse: SyncWarehouse, database: str) -> None:
        rows = self.ask(sync_warehouse, f"SELECT region, count() FROM {database}.sales GROUP BY region", catalog(database, policies=True))
        assert rows == [["a\\b", 1000]]

    def test_masked_and_hashed_columns_never_show_their_values(self, sync_warehouse: SyncWarehouse, database: str) -> None:
        sql = f"SELECT mail, amount, grp, id FROM {database}.sales ORDER BY id LIMIT 3"
        rows = self.ask(sync_warehouse, sql, catalog(database, policies=True))
        assert len(rows) == 3
        for mail, amount, grp, row_id in rows:
            assert isinstance(mail, str)
            assert len(mail) == 16
            assert mail != str(row_id)
            assert amount is None
            assert isinstance(grp, int)
            assert grp > 2
        again = self.ask(sync_warehouse, sql, catalog(database, policies=True))
        assert rows == again

    def test_bound_values_are_data(self, sync_warehouse: SyncWarehouse, database: str) -> None:
        sql = f"SELECT count() FROM {database}.sales WHERE region = {{r:String}}"
        for value, expected in (("a\\b", 1000), ("x' OR 1=1 --", 0), ("\n\t\\", 0)):
            assert self.ask(sync_warehouse, sql, catalog(database), params={"r": Param("String", value)}) == [[expected]]

    def test_the_row_cap_is_exact(self, sync_warehouse: SyncWarehouse, database: str) -> None:
        query = guard_sql(
            f"SELECT id FROM {database}.sales WHERE id > 0", catalog(database), CALLER, limits=Limits(result_rows=10), trust=TRUST
        )
        result = sync_warehouse.run(query)
        assert result.truncated
        assert result.table.num_rows == 10

    def test_the_rows_read_cap_stops_the_query(self, sync_warehouse: SyncWarehouse, database: str) -> None:
        query = guard_sql(f"SELECT sum(id) FROM {database}.sales", catalog(database), CALLER, limits=Limits(rows_to_read=10), trust=TRUST)
        with pytest.raises(AppError) as caught:
            sync_warehouse.run(query)
        assert caught.value.code == "query_too_expensive" or "rows" in caught.value.message
