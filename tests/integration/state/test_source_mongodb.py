"""The MongoDB source over MongoDB's wire protocol: the engine's own driver against an independent server of it (see mongo_server.py)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from pydantic import SecretStr

from core.errors import Invalid
from semantic.warehouse.admin import WarehouseAdmin
from tests.integration.state.mongo_server import MongoServer, mongo_server
from workers.sources.copying import Copied, Copy, read_columns
from workers.sources.remote import remote
from workers.sources.spec import DocumentField, MongoDB, Plan

pytestmark = pytest.mark.integration
PASSWORD = "p'w\\d`{x:String}@:/?#%é"
DATABASE = "tenant_mongodb_test"
TYPES = {
    "_id": "String", "n": "Int64", "amount": "Decimal", "price": "Float64", "paid": "Bool", "name": "String", "born": "Date",
    "changed": "DateTime64(3)", "address": "String", "device": "UUID",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shop:
    server: MongoServer
    admin: WarehouseAdmin

    def address(self, collection: str, **over: Any) -> MongoDB:
        given = {"user": "reader", "password": SecretStr(PASSWORD), "tls": False, "fields": fields(TYPES)} | over
        return MongoDB(**({"host": "127.0.0.1", "port": self.server.port, "database": "shop", "collection": collection} | given))

    def run(self, address: MongoDB, *, full: bool = False, **plan: Any) -> Copied:
        made = Plan(table=address.collection, **plan)
        return Copy(self.admin, DATABASE, made, remote(address, {"127.0.0.1"})).run(full=full)

    def rows(self, table: str, what: str = "*") -> list[dict[str, Any]]:
        return self.admin.query_arrow(f"SELECT {what} FROM {DATABASE}.{table}").to_pylist()

    def filters(self) -> list[dict[str, Any]]:
        found = [dict(c["filter"]) for c in self.server.commands if "find" in c]
        self.server.commands.clear()
        return found


@pytest.fixture(scope="module")
def shop(warehouse_endpoint: Any) -> Iterator[Shop]:
    admin = WarehouseAdmin(warehouse_endpoint.admin_connection)
    with mongo_server({("shop", "reader"): PASSWORD, ("admin", "root"): "r"}) as server:
        yield Shop(server, admin)
    admin.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
    admin.close()


def fields(types: dict[str, str]) -> tuple[DocumentField, ...]:
    return tuple(DocumentField(name=name, type=kind) for name, kind in types.items())  # type: ignore[arg-type]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_documents_come_in_their_types_then_only_changed_ones_and_drift_is_told(shop: Shop) -> None:
    orders = shop.server.documents.shop.orders
    orders.insert_many(
        [
            {"_id": ObjectId(f"{1:024x}"), "n": Int64(2**53 + 1), "amount": Decimal128("12.345"), "price": 0.1, "paid": True, "name": "é😀",
             "born": at(1955, 11, 5), "changed": at(2026, 1, 1, 12, 0, 0, 123_000), "address": {"city": "Köln", "zip": [5]},
             "device": Binary.from_uuid(uuid.UUID(int=5))},
            {"_id": ObjectId(f"{2:024x}"), "n": 2, "amount": 3, "name": None, "changed": at(2026, 1, 1)},
            *({"_id": ObjectId(f"{i:024x}"), "n": i, "amount": Decimal128("1"), "changed": at(2025, 12, 1)} for i in range(3, 403)),
        ]
    )  # fmt: skip
    plan = {"mode": "incremental", "key": "changed", "identity": ("_id",)}
    address = shop.address("orders")
    first = shop.run(address, **plan)
    assert (first.rows, first.total) == (402, 402)
    assert any("getMore" in c for c in shop.server.commands)
    (whole,) = shop.rows("orders WHERE n > 1000")
    assert whole["id"] == f"{1:024x}"
    assert (whole["n"], str(whole["amount"]), whole["price"], whole["paid"], whole["name"]) == (
        2**53 + 1,
        "12.3450000000",
        0.1,
        True,
        "é😀",
    )
    assert (str(whole["born"]), whole["changed"].isoformat()[:23], whole["device"]) == (
        "1955-11-05", "2026-01-01T12:00:00.123", str(uuid.UUID(int=5)),
    )  # fmt: skip
    assert whole["address"] == '{"city":"Köln","zip":[5]}'
    assert [row["amount"] for row in shop.rows("orders WHERE n = 2")] == [3]
    shop.filters()
    orders.update_one({"n": 2}, {"$set": {"amount": Decimal128("4.5"), "changed": at(2026, 1, 1, 12, 0, 0, 900_000)}})
    orders.insert_one({"_id": "by hand", "n": 5000, "changed": at(2026, 3, 1)})
    second = shop.run(address, **plan)
    assert (second.rows, second.total) == (3, 403)  # the second that was the last comes again, and replaces
    assert {"changed": {"$gte": datetime(2026, 1, 1, 12)}} in shop.filters()
    assert [(row["n"], row["amount"]) for row in shop.rows("orders WHERE n IN (2, 5000)", "n, toFloat64(amount) AS amount")] == [
        (2, 4.5),
        (5000, None),
    ]
    assert shop.run(address, **plan).total == 403
    more = shop.address("orders", fields=fields({**TYPES, "missing": "String"}))
    assert shop.run(more, **plan).drift.shown["added"] == {"missing": "Nullable(String)"}
    fewer = shop.address("orders", fields=fields({name: kind for name, kind in TYPES.items() if name != "price"}))
    with pytest.raises(Invalid, match="gone: price, missing"):
        shop.run(fewer, **plan)


@pytest.mark.parametrize(
    ("first", "then", "kind", "sent"),
    [
        ([ObjectId(f"{1:024x}")], ObjectId(f"{2:024x}"), "String", {"$gt": ObjectId(f"{1:024x}")}),
        (["abc"], "abd", "String", {"$gt": "abc"}),
        ([5, 9], 10, "Int64", {"$gt": 9}),
    ],
)
def test_ids_of_any_kind_are_keys_that_the_server_judges(shop: Shop, first: list[Any], then: Any, kind: str, sent: dict[str, Any]) -> None:
    ids = shop.server.documents.shop[f"ids_{type(first[0]).__name__.lower()}"]
    ids.insert_many([{"_id": one} for one in first])
    address = shop.address(ids.name, fields=fields({"_id": kind}))
    assert shop.run(address, mode="incremental", key="_id").rows == len(first)
    ids.insert_one({"_id": then})
    shop.filters()
    assert shop.run(address, mode="incremental", key="_id").rows == 1
    assert {"_id": sent} in shop.filters()
    if kind == "Int64":  # which reads as a number, and which no condition on numbers finds
        ids.insert_one({"_id": "11"})
        with pytest.raises(Invalid, match="holds text in some rows"):
            shop.run(address, mode="incremental", key="_id")


def test_text_that_only_grows_is_judged_here(shop: Shop) -> None:
    shop.server.documents.shop.codes.insert_many([{"code": "a"}, {"code": "b"}])
    address = shop.address("codes", fields=fields({"code": "String"}))
    assert shop.run(address, mode="incremental", key="code").rows == 2
    shop.server.documents.shop.codes.insert_many([{"code": "c"}, {"code": None}, {}])
    assert (shop.run(address, mode="incremental", key="code").rows, shop.rows("codes", "max(code) AS m")) == (1, [{"m": "c"}])


def test_a_test_reads_and_says_what_is_wrong(shop: Shop) -> None:
    shop.server.documents.shop.mixed.insert_many([{"n": 1, "amount": Decimal128("1")}, {"n": "three"}])

    def test(**over: Any) -> dict[str, str]:
        allowed = {"127.0.0.1"}
        return {c.source: c.note for c in read_columns(shop.admin, remote(shop.address(**({"collection": "mixed"} | over)), allowed))}

    types = {"_id": "String", "amount": "Decimal"}
    assert test(fields=fields(types | {"nmae": "String"})) == {"_id": "", "amount": "", "nmae": "in none of the first 2 rows"}
    assert test(user="root", password=SecretStr("r"), auth_source="admin", fields=fields(types))["_id"] == ""
    for over, said in (
        ({"password": SecretStr("not-this-one")}, "Authentication failed"),
        ({"user": "root", "password": SecretStr("r")}, "Authentication failed"),
        ({"collection": "mixt"}, "Nothing is there under that name"),
        ({"fields": fields(types | {"n": "Int64"})}, "three"),
        ({"fields": fields({"amount": "Float64"})}, "decimal128 cannot be converted to number"),
        ({"port": 1}, "connection refused"),
    ):
        with pytest.raises(Invalid, match=said) as refused:
            test(**over)
        assert "not-this-one" not in f"{refused.value} {refused.value.suggestions}"


def test_a_server_that_goes_away_in_the_middle_changes_nothing(shop: Shop) -> None:
    shop.server.documents.shop.many.insert_many([{"n": i} for i in range(3000)])
    address = shop.address("many", fields=fields({"n": "Int64"}))
    assert shop.run(address).rows == 3000
    shop.server.documents.shop.many.insert_one({"n": 3000})
    shop.server.hangs_up_at = "getMore"
    try:
        with pytest.raises(Invalid, match="cannot be read"):
            shop.run(address)
    finally:
        shop.server.hangs_up_at = ""
    assert shop.rows("many", "count() AS n") == [{"n": 3000}]
    assert shop.run(address).total == 3001
