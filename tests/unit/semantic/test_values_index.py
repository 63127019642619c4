"""The value index: what a text of a question may mean among stored values."""

from __future__ import annotations

from pathlib import Path

import chdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.ids import UserId, tenant_id
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, Dataset, RowPolicy
from semantic.expr import FieldRef
from semantic.values import StoredValue, ValueIndex, build_value_index, visible_fields

CITY = FieldRef(dataset="shops", field="city")
NAME = FieldRef(dataset="customers", field="name")


def index() -> ValueIndex:
    return ValueIndex(
        [
            StoredValue(CITY, "São Paulo", 50),
            StoredValue(CITY, "San Francisco", 40),
            StoredValue(CITY, "San Jose", 30),
            StoredValue(CITY, "Springfield", 2),
            StoredValue(NAME, "Springfield", 9),
            StoredValue(NAME, "Acme Corp.", 7),
            StoredValue(NAME, "ACME Holdings", 3),
            StoredValue(NAME, "Lily’s Bakery", 1),
        ]
    )


class TestLookup:
    def test_case_accents_and_punctuation_do_not_matter(self) -> None:
        best = index().lookup("sao paulo")[0]
        assert (best.value, best.score) == ("São Paulo", 1.0)
        assert index().lookup("LILYS-BAKERY")[0].value == "Lily’s Bakery"

    def test_one_value_in_two_fields_gives_both_most_frequent_first(self) -> None:
        assert [(m.field, m.score) for m in index().lookup("springfield")] == [(NAME, 1.0), (CITY, 1.0)]

    @pytest.mark.parametrize("typo", ["San Fransisco", "san francsco", "sanfrancisco", "San Farncisco"])
    def test_a_typo_finds_the_value_below_one(self, typo: str) -> None:
        best = index().lookup(typo)[0]
        assert best.value == "San Francisco"
        assert 0.7 < best.score < 1.0

    def test_the_beginning_finds_all_that_go_on(self) -> None:
        assert {m.value for m in index().lookup("acme")} == {"Acme Corp.", "ACME Holdings"}

    def test_what_is_not_there_is_not_found(self) -> None:
        assert index().lookup("quarterly revenue") == []
        assert index().lookup("") == []
        assert index().lookup("  ?! ") == []
        assert ValueIndex().lookup("anything") == []

    @given(st.text(max_size=60))
    def test_any_text_gives_an_answer_in_range(self, text: str) -> None:
        for match in index().lookup(text, min_score=0.0):
            assert 0.0 <= match.score <= 1.0

    @given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=20))
    def test_every_stored_value_finds_itself(self, values: list[str]) -> None:
        made = ValueIndex(StoredValue(CITY, v) for v in values)
        for value in values:
            if len(made.lookup(value, 100)):
                assert value in {m.value for m in made.lookup(value, 100) if m.score == 1.0}


class TestSpans:
    def test_values_are_found_inside_a_question(self) -> None:
        spans = index().search_spans("sales in san jose for acme corp".split())
        assert [(s.start, s.end, s.matches[0].value) for s in spans if s.matches[0].score == 1.0] == [
            (2, 4, "San Jose"),
            (5, 7, "Acme Corp."),
        ]

    def test_a_typo_in_a_question(self) -> None:
        spans = index().search_spans("sales in springfeild".split())
        assert [(s.start, s.end, s.matches[0].value) for s in spans] == [(2, 3, "Springfield")]


class TestRestriction:
    def test_fields_that_are_not_allowed_are_not_told_of(self) -> None:
        view = index().restricted_to({("shops", "city")})
        assert [m.field for m in view.lookup("springfield")] == [CITY]
        assert view.lookup("acme") == []
        assert view.fields == (CITY,)
        assert len(index().lookup("acme")) == 2


class TestFile:
    def test_a_saved_index_answers_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "v" / "1.npz"
        index().save(path)
        loaded = ValueIndex.load(path)
        for text in ("springfield", "san fransisco", "acme", "nothing"):
            assert loaded.lookup(text) == index().lookup(text)
        assert [p.name for p in path.parent.iterdir()] == ["1.npz"]

    def test_a_damaged_file_says_what_to_do(self, tmp_path: Path) -> None:
        path = tmp_path / "1.npz"
        path.write_bytes(b"PK\x03\x04 nothing")
        with pytest.raises(Invalid, match="build it again"):
            ValueIndex.load(path)
        with pytest.raises(Invalid, match="build it again"):
            ValueIndex.load(tmp_path / "absent.npz")


def field(name: str, **more: object) -> CatalogField:
    return CatalogField.model_validate({"name": name, "column": name, "type": "string", "role": "category", "label": name, **more})


CATALOG = Catalog(
    datasets=(
        Dataset(
            name="orders",
            database="shared",
            table="orders",
            label="order",
            tenant_column="tenant",
            fields=(
                field("tenant", hidden=True),
                field("region"),
                field("email", pii=True),
                field("note", role="text"),
                field("margin_band"),
            ),
        ),
        Dataset(name="shops", database="shared", table="shops", label="shop", fields=(field("city"),)),
    ),
    row_policies=(RowPolicy(name="own", dataset="shops", roles=("manager",), field="city", attribute="cities"),),
    column_rules=(ColumnRule(dataset="orders", field="margin_band", roles=("viewer",), action="mask"),),
)


class TestBuild:
    def test_reads_the_tenants_rows_of_fields_that_may_be_indexed(self) -> None:
        asked: list[str] = []

        def execute(sql: str) -> pa.Table:
            asked.append(sql)
            return pa.table({"v": ["EMEA"], "c": [3]})

        made = build_value_index(CATALOG, execute, tenant_id("a"))
        assert {str(f) for f in made.fields} == {"orders.region", "orders.margin_band", "shops.city"}
        assert all("toString(`tenant`) = 'a'" in sql for sql in asked if "`orders`" in sql)
        assert not any("`email`" in sql or "`note`" in sql for sql in asked)

    def test_on_the_real_engine_only_this_tenants_values(self) -> None:
        connection = chdb.connect(":memory:")
        connection.query("CREATE DATABASE shared")
        connection.query(
            "CREATE TABLE shared.orders (tenant String, region Nullable(String), email String, note String, margin_band String) ENGINE Memory"
        )
        connection.query("CREATE TABLE shared.shops (city String) ENGINE Memory")
        connection.query("INSERT INTO shared.orders VALUES ('a','EMEA','x@y.z','n','low'),('a',NULL,'','',''),('b','SECRET','','','high')")

        def execute(sql: str) -> pa.Table:
            data = connection.query(sql, "ArrowStream").bytes()
            return pa.ipc.open_stream(data).read_all() if data else pa.table({"v": [], "c": []})

        made = build_value_index(CATALOG, execute, tenant_id("a"))
        connection.close()
        assert [m.value for m in made.lookup("emea")] == ["EMEA"]
        assert made.lookup("secret") == []
        assert len(made) == 2

    def test_narrowed_and_masked_fields_are_not_visible(self) -> None:
        def who(role: Role) -> Principal:
            return Principal(tenant_id("a"), UserId("u"), frozenset({role}))

        assert visible_fields(CATALOG, who(Role.ANALYST)) == {("orders", "region"), ("orders", "margin_band"), ("shops", "city")}
        assert visible_fields(CATALOG, who(Role.MANAGER)) == {("orders", "region"), ("orders", "margin_band")}
        assert visible_fields(CATALOG, who(Role.VIEWER)) == {("orders", "region"), ("shops", "city")}
