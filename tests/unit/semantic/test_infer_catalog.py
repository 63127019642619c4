"""Inference on a small real engine: what an analyst would have written by hand is found from names, types, comments and data."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import chdb
import pyarrow as pa
import pytest

from core.errors import Invalid, Unavailable
from core.timeseries import Grain
from semantic.catalog.infer import (
    EmptyProbe,
    GlossaryEntry,
    InferredCatalog,
    PhysicalColumn,
    PhysicalSchema,
    PhysicalTable,
    SqlProbe,
    infer_catalog,
    schema_from_clickhouse,
    schema_from_json,
)
from semantic.catalog.model import Catalog, DatasetKind, DerivedMetric, FieldRole, RatioMetric, Relationship, SimpleMetric
from semantic.catalog.validate import validate
from semantic.compile import REQUIRED_SETTINGS, compile_query
from semantic.expr import Comparison, FieldRef, Literal_, MakeDate, Or
from semantic.query import Aggregate, AggregateKind, ByField, ByTime, MetricRef, SemanticQuery
from semantic.resolve import resolve

TABLES = """
CREATE TABLE w.xyClient (xyClId String, xyClName String, xyClMail String, xyClTier String COMMENT 'possible values: gold, silver', xyClSince Date,
  xyClCountry String, xyClPhone String) ENGINE MergeTree ORDER BY tuple();
CREATE TABLE w.xyHub (xyHbCode String, xyHbName String) ENGINE MergeTree ORDER BY tuple();
CREATE TABLE w.xyShipment (xyShId String, xyShClId String, xyShFromHub String, xyShToHub String, xyShDate Date, xyShDueDate Date,
  xyShCrtdTs DateTime,
  xyShWeightKg Float64, xyShQty Int32, xyShUnitPrice Decimal(10, 2), xyShTotalAmt Decimal(12, 2), xyShDiscPct Float64, xyShIsExpress UInt8,
  xyShPaid String, xyShLat Float64, xyShStatus String, xyShSettledStr Nullable(String), xyShEpochMs Int64) ENGINE MergeTree ORDER BY tuple();
CREATE TABLE w.xyShipmentNote (xyShId String, xyNtBody String) ENGINE MergeTree ORDER BY tuple();
CREATE TABLE w.xyVisit (arrival_year UInt16, arrival_month String, arrival_day_of_month UInt8, guests Int32) ENGINE MergeTree ORDER BY tuple();
INSERT INTO w.xyVisit VALUES (2023, 'July', 31, 2), (2024, 'February', 29, 1), (2023, 'February', 29, 5);
CREATE TABLE w.xyStockSnapshot (xySsDate Date, xySsHubCode String, xySsQty Int32) ENGINE MergeTree ORDER BY tuple();
INSERT INTO w.xyClient SELECT concat('C', leftPad(toString(number), 4, '0')), concat('Client ', toString(number)), concat('m', toString(number), '@x.org'),
  ['gold', 'silver'][1 + number % 2], toDate('2020-01-01') + number, ['US', 'DE', 'FR'][1 + number % 3], '555-0100' FROM numbers(60);
INSERT INTO w.xyHub SELECT concat('H', toString(number)), concat('Hub ', toString(number)) FROM numbers(12);
INSERT INTO w.xyShipment SELECT concat('S', leftPad(toString(number), 6, '0')), concat('C', leftPad(toString(number * 7 % 60), 4, '0')),
  concat('H', toString(number % 12)), concat('H', toString((number * 5 + 1) % 12)), toDate('2023-01-01') + number % 300, toDate('2023-02-01') + number % 300,
  now(), number % 97 + 0.5, 1 + number % 9, 5 + number % 50, (1 + number % 9) * (5 + number % 50),
  number % 30 + 0.1, number % 2, ['Y', 'N'][1 + number % 2], 40.0 + number % 10,
  ['open', 'closed', 'lost'][1 + number % 3], if(number % 5 = 0, NULL, formatDateTime(toDate('2023-03-01') + number % 90, '%Y%m%d')), 1680000000000 + number * 86400000
  FROM numbers(500);
INSERT INTO w.xyShipmentNote SELECT concat('S', leftPad(toString(number), 6, '0')), repeat('long text ', 9) || toString(number) FROM numbers(200);
INSERT INTO w.xyStockSnapshot SELECT toDate('2023-01-01') + intDiv(number, 12), concat('H', toString(number % 12)), number % 40 FROM numbers(240);
"""

Execute = Callable[[str], pa.Table]


@pytest.fixture(scope="module")
def execute() -> Iterator[Execute]:
    connection: Any = chdb.connect(":memory:")
    connection.query("CREATE DATABASE w")
    for statement in TABLES.split(";"):
        if statement.strip():
            connection.query(statement)

    def run(sql: str) -> pa.Table:
        data = connection.query(sql, "ArrowStream").bytes()
        return pa.ipc.open_stream(data).read_all() if data else pa.table({})

    yield run
    connection.close()


@pytest.fixture(scope="module")
def inferred(execute: Execute) -> InferredCatalog:
    return infer_catalog(schema_from_clickhouse(execute, "w"), SqlProbe(execute, "w"))


@pytest.fixture(scope="module")
def catalog(inferred: InferredCatalog) -> Catalog:
    return inferred.catalog


def link(catalog: Catalog, source: str, column: str) -> Relationship:
    return next(r for r in catalog.relationships if r.from_dataset == source and r.from_fields == (column,))


class TestNames:
    def test_shared_and_table_prefixes_are_stripped_and_abbreviations_expanded(self, catalog: Catalog) -> None:
        shipment = catalog.dataset("xyShipment")
        assert shipment.label == "shipment"
        labels = {f.name: f.label for f in shipment.fields}
        assert labels["xyShQty"] == "quantity"
        assert labels["xyShTotalAmt"] == "total amount"
        assert labels["xyShDiscPct"] == "discount percent"
        assert "status" in shipment.field("xyShStatus").synonyms
        assert labels["xyShStatus"] == "shipment status"


class TestKeysAndRelationships:
    def test_keys_are_found_by_name_and_uniqueness(self, catalog: Catalog) -> None:
        assert catalog.dataset("xyClient").primary_key == ("xyClId",)
        assert catalog.dataset("xyHub").primary_key == ("xyHbCode",)
        assert catalog.dataset("xyShipment").primary_key == ("xyShId",)
        assert catalog.dataset("xyStockSnapshot").primary_key == ("xySsDate", "xySsHubCode")

    def test_an_abbreviated_foreign_key_is_found(self, catalog: Catalog) -> None:
        found = link(catalog, "xyShipment", "xyShClId")
        assert (found.to_dataset, found.to_fields, found.cardinality) == ("xyClient", ("xyClId",), "many_to_one")

    def test_two_columns_to_one_table_have_roles_and_no_default(self, catalog: Catalog) -> None:
        roles = {r.role: r.default for r in catalog.relationships if r.from_dataset == "xyShipment" and r.to_dataset == "xyHub"}
        assert roles == {"from": False, "to": False}

    def test_a_table_keyed_by_another_tables_key_is_its_subtype(self, catalog: Catalog) -> None:
        assert catalog.dataset("xyShipmentNote").kind == DatasetKind.SUBTYPE
        assert link(catalog, "xyShipmentNote", "xyShId").cardinality == "one_to_one"

    def test_every_reference_holds(self, catalog: Catalog) -> None:
        assert [i for i in validate(catalog) if i.severity == "error"] == []


class TestFields:
    def test_roles(self, catalog: Catalog) -> None:
        roles = {f.name: f.role for f in catalog.dataset("xyShipment").fields}
        assert roles["xyShIsExpress"] == FieldRole.FLAG
        assert roles["xyShPaid"] == FieldRole.FLAG
        assert roles["xyShStatus"] == FieldRole.CATEGORY
        assert roles["xyShLat"] == FieldRole.ATTRIBUTE
        assert roles["xyShClId"] == FieldRole.KEY
        assert catalog.dataset("xyShipmentNote").field("xyNtBody").role == FieldRole.TEXT

    def test_default_aggregates(self, catalog: Catalog) -> None:
        found = {f.name: (f.aggregate, f.additive) for f in catalog.dataset("xyShipment").fields if f.role == FieldRole.MEASURE}
        assert found["xyShQty"] == (AggregateKind.SUM, True)
        assert found["xyShTotalAmt"] == (AggregateKind.SUM, True)
        assert found["xyShUnitPrice"] == (AggregateKind.AVG, False)
        assert found["xyShDiscPct"] == (AggregateKind.AVG, False)

    def test_nothing_that_must_not_be_summed_is_summed(self, catalog: Catalog) -> None:
        for metric in catalog.metrics:
            if isinstance(metric, SimpleMetric) and metric.aggregate == AggregateKind.SUM and isinstance(metric.of, FieldRef):
                field = catalog.field(metric.of)
                assert field.role == FieldRole.MEASURE
                assert field.additive or metric.non_additive, metric.name

    def test_a_snapshot_quantity_is_not_added_over_time(self, catalog: Catalog) -> None:
        stock = catalog.dataset("xyStockSnapshot")
        assert stock.kind == DatasetKind.SNAPSHOT
        total = next(
            m for m in catalog.metrics if isinstance(m, SimpleMetric) and m.dataset == stock.name and m.aggregate == AggregateKind.SUM
        )
        assert total.non_additive == (FieldRef(dataset=stock.name, field="xySsDate"),)

    def test_personal_data_is_marked_and_has_no_values(self, catalog: Catalog) -> None:
        client = catalog.dataset("xyClient")
        for name in ("xyClName", "xyClMail", "xyClPhone"):
            assert client.field(name).pii, name
            assert client.field(name).values == ()
        assert not client.field("xyClTier").pii

    def test_codes_get_their_names(self, catalog: Catalog) -> None:
        assert "Germany" in catalog.dataset("xyClient").field("xyClCountry").value_synonyms["DE"]

    def test_units(self, catalog: Catalog) -> None:
        assert catalog.dataset("xyShipment").field("xyShWeightKg").unit == "kg"


class TestTimes:
    def test_the_business_date_is_primary_not_the_load_or_the_due_date(self, catalog: Catalog) -> None:
        assert catalog.dataset("xyShipment").time == "xyShDate"

    def test_text_dates_and_epochs_are_times(self, catalog: Catalog) -> None:
        shipment = catalog.dataset("xyShipment")
        assert shipment.field("xyShSettledStr").time_format == "%Y%m%d"
        assert shipment.field("xyShEpochMs").epoch == "ms"

    def test_a_date_in_three_columns_is_one_time_field(self, catalog: Catalog) -> None:
        visit = catalog.dataset("xyVisit")
        assert visit.time == "arrival_date"
        made = visit.field("arrival_date").expression
        assert isinstance(made, MakeDate)
        assert made.month_as == "name"


class TestMetrics:
    def test_counts_and_rates(self, catalog: Catalog) -> None:
        by_label = {m.label: m for m in catalog.metrics}
        assert isinstance(by_label["number of shipments"], SimpleMetric)
        rate = by_label["express rate"]
        assert isinstance(rate, RatioMetric)
        assert rate.denominator == by_label["number of shipments"].name


class TestEntities:
    def test_key_display_and_plural(self, catalog: Catalog) -> None:
        client = catalog.entity("client")
        assert (client.key, client.display, client.plural) == (("xyClId",), ("xyClName",), "clients")


GLOSSARY = [
    GlossaryEntry("GBM", "gross box margin = (total amount - total weight) / total amount * 100"),
    GlossaryEntry("Throughput", "SUM(xyShQty) from `xyShipment` table"),
    GlossaryEntry("APU", "Amount Per Unit = SUM(xyShTotalAmt)/SUM(xyShQty) from xyShipment table for that client (for a client)"),
    GlossaryEntry("lost amount", "total amount from lost"),
    GlossaryEntry("SCS", "Number of Silver Clients with Shipments"),
    GlossaryEntry("Gold Client", "one for each xyClId of: select distinct xyClId from xyClient where xyClTier = 'gold'"),
    GlossaryEntry("Loyalty", "column xyClTier of: table xyClient"),
    GlossaryEntry("note", "Always use xyShipment.xyShDueDate instead of xyShipment.xyShDate when getting the date."),
    GlossaryEntry("note", "Look at the ORB hubs (hub name contains 'Hub 1' or 'Hub 2') first."),
    GlossaryEntry("churn mood", "how the client feels about us lately"),
    GlossaryEntry("Broken", "SUM(nothing_here) from nowhere"),
]


@pytest.fixture(scope="module")
def glossed(execute: Execute) -> InferredCatalog:
    return infer_catalog(schema_from_clickhouse(execute, "w"), SqlProbe(execute, "w"), glossary=GLOSSARY)


def meaning(found: InferredCatalog, term: str) -> str:
    return next(t.means or "" for t in found.catalog.glossary if t.term == term)


class TestGlossary:
    def test_a_formula_becomes_arithmetic_over_metrics(self, glossed: InferredCatalog) -> None:
        metric = glossed.catalog.metric(meaning(glossed, "GBM").removeprefix("metric:"))
        assert isinstance(metric, DerivedMetric)
        assert metric.unit == "percent"
        assert metric.expression == "(total_amount - total_weight) / total_amount * 100"
        assert "GBM" in metric.synonyms

    def test_an_sql_aggregate_names_the_metric_that_is_there(self, glossed: InferredCatalog) -> None:
        metric = glossed.catalog.metric(meaning(glossed, "Throughput").removeprefix("metric:"))
        assert isinstance(metric, SimpleMetric)
        assert metric.of == FieldRef(dataset="xyShipment", field="xyShQty")
        assert "Throughput" in metric.synonyms

    def test_a_quotient_of_aggregates_is_a_ratio(self, glossed: InferredCatalog) -> None:
        metric = glossed.catalog.metric(meaning(glossed, "APU").removeprefix("metric:"))
        assert isinstance(metric, RatioMetric)
        assert metric.label == "amount per unit"

    def test_a_value_narrows_a_measure(self, glossed: InferredCatalog) -> None:
        metric = glossed.catalog.metric(meaning(glossed, "lost amount").removeprefix("metric:"))
        assert isinstance(metric, SimpleMetric)
        assert metric.where == Comparison(op="=", left=FieldRef(dataset="xyShipment", field="xyShStatus"), right=Literal_(value="lost"))

    def test_entities_with_related_rows_are_counted_once(self, glossed: InferredCatalog) -> None:
        metric = glossed.catalog.metric(meaning(glossed, "SCS").removeprefix("metric:"))
        assert isinstance(metric, SimpleMetric)
        assert (metric.dataset, metric.aggregate) == ("xyShipment", AggregateKind.COUNT_DISTINCT)
        assert metric.where is not None

    def test_a_selection_becomes_a_dataset_of_its_own(self, glossed: InferredCatalog) -> None:
        entity = glossed.catalog.entity(meaning(glossed, "Gold Client").removeprefix("entity:"))
        dataset = glossed.catalog.dataset(entity.dataset)
        assert dataset.table == "xyClient"
        assert dataset.filter == Comparison(op="=", left=FieldRef(dataset=dataset.name, field="xyClTier"), right=Literal_(value="gold"))

    def test_another_name_for_a_column(self, glossed: InferredCatalog) -> None:
        assert meaning(glossed, "Loyalty") == "field:xyClient.xyClTier"
        assert "loyalty" in glossed.catalog.dataset("xyClient").field("xyClTier").synonyms

    def test_a_stated_preference_sets_the_primary_time(self, glossed: InferredCatalog) -> None:
        assert glossed.catalog.dataset("xyShipment").time == "xyShDueDate"

    def test_a_group_of_values_in_a_note_is_a_segment(self, glossed: InferredCatalog) -> None:
        segment = next(s for s in glossed.catalog.segments if s.label == "ORB hubs")
        assert segment.dataset == "xyHub"
        assert isinstance(segment.where, Or)
        assert "ORB" in segment.synonyms

    def test_what_cannot_be_carried_stays_as_text_and_is_listed(self, glossed: InferredCatalog) -> None:
        for term in ("churn mood", "Broken"):
            assert meaning(glossed, term) == ""
            assert any(f"{term!r} is kept as text" in note for note in glossed.notes)

    def test_every_reference_holds(self, glossed: InferredCatalog) -> None:
        assert [i for i in validate(glossed.catalog) if i.severity == "error"] == []


class TestRuns:
    """What inference writes can be asked: compiled and run on the same engine."""

    def test_every_metric_field_segment_and_time_runs(self, glossed: InferredCatalog, execute: Execute) -> None:
        catalog = glossed.catalog
        queries = [SemanticQuery(metrics=(MetricRef(metric=m.name),)) for m in catalog.metrics]
        for dataset in catalog.datasets:
            rows = Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset.name)
            queries += [
                SemanticQuery(metrics=(rows,), by=(ByField(field=FieldRef(dataset=dataset.name, field=f.name)),)) for f in dataset.fields
            ]
            queries += [SemanticQuery(metrics=(rows,), by=(ByTime(grain=Grain.MONTH),))] if dataset.time else []
        queries += [
            SemanticQuery(metrics=(Aggregate(aggregate=AggregateKind.COUNT, dataset=s.dataset),), where=s.where) for s in catalog.segments
        ]
        assert len(queries) > 80
        for query in queries:
            self.run(query, catalog, execute)

    def test_a_split_date_is_the_date(self, catalog: Catalog, execute: Execute) -> None:
        guests = next(m for m in catalog.metrics if m.label == "total guests")
        found = self.run(SemanticQuery(metrics=(MetricRef(metric=guests.name),), by=(ByTime(grain=Grain.MONTH),)), catalog, execute)
        assert {tuple(map(str, row.values())) for row in found.to_pylist()} >= {("2023-07-01", "2"), ("2024-02-01", "1")}

    def run(self, query: SemanticQuery, catalog: Catalog, execute: Execute) -> pa.Table:
        compiled = compile_query(resolve(query, catalog, as_of=dt.datetime(2024, 5, 15, tzinfo=dt.UTC)))
        sql = compiled.tree.sql("clickhouse")
        for name, param in compiled.params.items():
            value = param.value if not isinstance(param.value, bool) else int(param.value)
            text = str(value) if isinstance(value, dt.date) else value
            shown = repr(text) if not isinstance(text, str) else "'" + text.replace("'", "\\'") + "'"
            sql = re.sub(rf"\{{{name}: [^}}]+\}}", lambda _, shown=shown: shown, sql)
        settings = ", ".join(f"{k} = {v}" for k, v in REQUIRED_SETTINGS.items())
        return execute(f"{sql} SETTINGS {settings}, prefer_column_name_to_alias = 1")


class TestInput:
    def test_same_input_same_catalog(self, execute: Execute) -> None:
        def once() -> Catalog:
            return infer_catalog(schema_from_clickhouse(execute, "w"), SqlProbe(execute, "w"), glossary=GLOSSARY).catalog

        assert once() == once()

    def test_a_schema_without_data_still_gives_a_sound_catalog(self, execute: Execute) -> None:
        found = infer_catalog(schema_from_clickhouse(execute, "w"), EmptyProbe()).catalog
        assert len(found.datasets) == 6
        assert [i for i in validate(found) if i.severity == "error"] == []

    def test_a_table_that_cannot_be_read_is_left_out_with_a_note(self, execute: Execute) -> None:
        schema = schema_from_clickhouse(execute, "w")
        gone = PhysicalTable("gone", (PhysicalColumn("id", "Int64"),))
        found = infer_catalog(PhysicalSchema("w", (*schema.tables, gone)), SqlProbe(execute, "w"))
        assert len(found.catalog.datasets) == len(schema.tables)
        assert any("gone cannot be read" in n for n in found.notes)

    def test_an_answer_that_may_come_later_is_not_taken_for_a_missing_table(self, execute: Execute) -> None:
        def down(sql: str) -> pa.Table:
            raise Unavailable("The warehouse is down.")

        with pytest.raises(Unavailable):
            infer_catalog(schema_from_clickhouse(execute, "w"), SqlProbe(down, "w"))

    def test_an_empty_database_gives_an_empty_catalog(self) -> None:
        assert infer_catalog(PhysicalSchema("d", ()), EmptyProbe()).catalog.datasets == ()

    def test_the_tenant_column_is_hidden_and_kept(self, execute: Execute) -> None:
        found = infer_catalog(schema_from_clickhouse(execute, "w"), EmptyProbe(), tenant_column="xyClCountry")
        client = found.catalog.dataset("xyClient")
        assert client.tenant_column == "xyClCountry"
        assert client.field("xyClCountry").hidden
        assert any("xyHub has no tenant column" in n for n in found.notes)

    def test_columns_of_types_that_cannot_be_asked_about_are_noted(self) -> None:
        schema = {
            "tables": [
                {
                    "name": "t",
                    "columns": [{"name": "id", "type": "Int64"}, {"name": "tags", "type": "Array(String)"}],
                    "primary_key": ["id"],
                }
            ]
        }
        found = infer_catalog(schema_from_json(schema, "d"), EmptyProbe())
        assert [f.name for f in found.catalog.dataset("t").fields] == ["id"]
        assert any("tags" in n for n in found.notes)

    @pytest.mark.parametrize(
        ("schema", "message"),
        [
            ("{", "expected JSON"),
            ('{"tables": [{"name": "t"}]}', "columns"),
            ('{"tables": [{"name": "t", "columns": [{"name": "a", "type": "String"}], "primary_key": ["b"]}]}', "column 'b'"),
        ],
    )
    def test_a_wrong_schema_says_what_is_wrong(self, schema: str, message: str) -> None:
        with pytest.raises(Invalid, match=message):
            schema_from_json(schema, "d")

    def test_strange_names_become_valid_ones(self) -> None:
        columns = [{"name": n, "type": "String"} for n in ("Order Date (UTC)", "2nd", "naïve", "a b", "a_b", "")]
        found = infer_catalog(schema_from_json({"tables": [{"name": "My Table!", "columns": columns}]}, "d"), EmptyProbe()).catalog
        dataset = found.datasets[0]
        assert dataset.table == "My Table!"
        assert len({f.name for f in dataset.fields}) == 6
        assert [f.column for f in dataset.fields] == [c["name"] for c in columns]
