"""Inference where nobody spelled anything out: initials, short keys, years by another name, units glued on, pairs of one kind of thing."""

from __future__ import annotations

import pytest

from benchmarks._nlq_database import Engine
from semantic.catalog.infer import SqlProbe, infer_catalog
from semantic.catalog.infer.schema import schema_from_clickhouse
from semantic.catalog.model import Catalog, DatasetKind, FieldRole

TABLES = (
    "PORT (pt_code String, pt_name String, elev_ft Int32) AS SELECT concat('P', toString(number)), concat('Port ', toString(number)), number * 7 FROM numbers(9)",
    "SHIP (uid UInt32, SHIP String, built UInt16, draft_depth_m Float64) AS SELECT number + 1, concat('Ship ', toString(number)), 1950 + number, number / 3"
    " FROM numbers(12)",
    "VOYAGE (vy_no UInt32, ship_uid UInt32, src_pt String, dest_pt String, delay_min Int32) AS SELECT number + 40, number % 12 + 1,"
    " concat('P', toString(number % 9)), concat('P', toString((number + 1) % 9)), number % 50 FROM numbers(60)",
    "SAILOR (SailorID UInt32, LName String, FName String) AS SELECT number + 1, concat('L', toString(number % 7)), concat('F', toString(number)) FROM numbers(30)",
    "MATES (SailorID UInt32, FriendID UInt32) AS SELECT number % 20 + 1, (number * 7 + 3) % 30 + 1 FROM numbers(60)",
    "READINGS (day Date, sensor_1 Float64, sensor_2 Float64, sensor_3 Float64, sensor_4 Float64, sensor_5 Float64, sensor_6 Float64)"
    " AS SELECT toDate('2024-01-01') + number, number, number, number, number, number, number FROM numbers(40)",
    "CREW (SailorID UInt32, ship_uid UInt32) AS SELECT number + 1, number % 12 + 1 FROM numbers(30)",
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    engine = Engine()
    engine.command("CREATE DATABASE terse")
    for table in TABLES:
        engine.command(f"CREATE TABLE terse.{table.replace(') AS', ') ENGINE = MergeTree ORDER BY tuple() AS', 1)}")
    return infer_catalog(schema_from_clickhouse(engine.execute, "terse"), SqlProbe(engine.execute, "terse")).catalog


def links(catalog: Catalog, source: str) -> dict[str, tuple[str, str | None]]:
    return {r.from_fields[0]: (r.to_dataset, r.role) for r in catalog.relationships if r.from_dataset == source}


class TestTerseNames:
    def test_a_word_before_mere_numbers_stays(self, catalog: Catalog) -> None:
        assert [catalog.dataset("READINGS").field(f"sensor_{n}").label for n in (1, 6)] == ["sensor 1", "sensor 6"]

    def test_a_short_form_of_the_table_in_its_key_means_the_table_everywhere(self, catalog: Catalog) -> None:
        assert links(catalog, "VOYAGE")["src_pt"] == ("PORT", "source")
        assert catalog.dataset("VOYAGE").field("dest_pt").label == "destination port"
        assert catalog.dataset("VOYAGE").field("vy_no").label == "voyage number"

    def test_an_id_is_the_key_rather_than_a_unique_name(self, catalog: Catalog) -> None:
        assert catalog.dataset("SHIP").primary_key == ("uid",)
        assert links(catalog, "VOYAGE")["ship_uid"] == ("SHIP", None)

    def test_initials_of_names_are_written_out_and_shown_together(self, catalog: Catalog) -> None:
        assert [f.label for f in catalog.dataset("SAILOR").fields[1:]] == ["last name", "first name"]
        assert next(e for e in catalog.entities if e.dataset == "SAILOR").display == ("FName", "LName")

    def test_years_by_another_name_are_no_amounts(self, catalog: Catalog) -> None:
        built = catalog.dataset("SHIP").field("built")
        assert (built.role, built.unit) == (FieldRole.CATEGORY, "year")

    def test_units_at_the_end_are_no_part_of_the_name(self, catalog: Catalog) -> None:
        found = [catalog.dataset(d).field(f) for d, f in (("PORT", "elev_ft"), ("SHIP", "draft_depth_m"), ("VOYAGE", "delay_min"))]
        assert [(f.label, f.unit) for f in found] == [("elevation", "ft"), ("draft depth", "m"), ("delay", "min")]

    def test_the_other_side_of_a_pair_points_to_the_same_table(self, catalog: Catalog) -> None:
        assert links(catalog, "MATES") == {"SailorID": ("SAILOR", None), "FriendID": ("SAILOR", "friend")}

    def test_a_table_of_two_references_only_is_a_bridge_also_where_one_is_unique(self, catalog: Catalog) -> None:
        assert catalog.dataset("CREW").kind is DatasetKind.BRIDGE
