"""What other tools' models become, and what is said about the rest."""

from __future__ import annotations

import pytest

from core.errors import Invalid
from semantic.catalog.importers import import_catalog_source, import_cube, import_metricflow
from semantic.catalog.infer import EmptyProbe, infer_catalog, schema_from_json
from semantic.catalog.model import Catalog, CumulativeMetric, DerivedMetric, RatioMetric, SimpleMetric
from semantic.catalog.validate import validate

SCHEMA = {
    "tables": [
        {
            "name": "web_orders",
            "columns": [
                {"name": "order_id", "type": "Int64"},
                {"name": "buyer_id", "type": "Int64"},
                {"name": "sold_on", "type": "Date"},
                {"name": "shipped_on", "type": "Nullable(Date)"},
                {"name": "net_amt", "type": "Decimal(12, 2)"},
                {"name": "items", "type": "Int32"},
                {"name": "status", "type": "String"},
            ],
            "primary_key": ["order_id"],
        },
        {
            "name": "buyers",
            "columns": [{"name": "buyer_id", "type": "Int64"}, {"name": "segment", "type": "String"}],
            "primary_key": ["buyer_id"],
        },
        {"name": "calendar_days", "columns": [{"name": "day_date", "type": "Date"}], "primary_key": ["day_date"]},
    ]
}


@pytest.fixture
def base() -> Catalog:
    return infer_catalog(schema_from_json(SCHEMA, "shop"), EmptyProbe()).catalog


class TestCatalogSource:
    def test_metrics_and_mdx_arithmetic_are_carried(self, base: Catalog) -> None:
        found = import_catalog_source(
            base,
            {
                "metrics": [
                    {"name": "Net Sales", "label": "Net Sales", "dataset": "web_orders", "expression": "net_amt", "aggregation": "sum"},
                    {"name": "Items", "label": "Items", "dataset": "web_orders", "expression": "items", "aggregation": "sum"},
                    {
                        "name": "Buyers",
                        "label": "Buyers",
                        "dataset": "web_orders",
                        "expression": "buyer_id",
                        "aggregation": "count distinct",
                    },
                ],
                "calculations": [
                    {"name": "Per Item", "label": "Per Item", "expression": "[Measures].[Net Sales]/[Measures].[Items]", "language": "MDX"},
                    {"name": "Odd", "label": "Odd", "expression": "[Measures].[Per Item] * 2 - [Measures].[Buyers]", "language": "MDX"},
                    {"name": "Last Year", "expression": "([Measures].[Net Sales], ParallelPeriod([Date].[Year]))", "language": "MDX"},
                ],
            },
        )
        by_label = {m.label: m for m in found.catalog.metrics}
        assert isinstance(by_label["Net Sales"], SimpleMetric)
        assert by_label["Net Sales"].source == "imported"
        ratio = by_label["Per Item"]
        assert isinstance(ratio, RatioMetric)
        assert (ratio.numerator, ratio.denominator) == (by_label["Net Sales"].name, by_label["Items"].name)
        assert isinstance(by_label["Odd"], DerivedMetric)
        assert by_label["Odd"].expression.replace(" ", "") == f"(({ratio.name}*2)-{by_label['Buyers'].name})"
        assert "Last Year" not in by_label
        assert any("'Last Year' was left out" in line for line in found.not_carried)
        assert not [i for i in validate(found.catalog) if i.severity == "error"]

    def test_attributes_name_fields_and_roles_name_relationships(self, base: Catalog) -> None:
        found = import_catalog_source(
            base,
            {
                "attributes": [
                    {
                        "name": "Day",
                        "label": "Calendar Day",
                        "dimension": "Date",
                        "dataset": "calendar_days",
                        "expression": "day_date",
                        "key": "day_date",
                    },
                    {
                        "name": "Segment",
                        "label": "Loyalty Tier",
                        "dimension": "Buyer",
                        "dataset": "buyers",
                        "expression": "segment",
                        "key": "segment",
                    },
                ],
                "relationships": [
                    {"dataset": "web_orders", "columns": ["sold_on"], "dimension": "Date", "level": "Day", "role": "Sold {0}"},
                    {"dataset": "web_orders", "columns": ["shipped_on"], "dimension": "Date", "level": "Day", "role": "Shipped {0}"},
                    {"dataset": "nowhere", "columns": ["x"], "dimension": "Date", "level": "Day", "role": None},
                ],
            },
        )
        assert "Loyalty Tier" in found.catalog.dataset("buyers").field("segment").synonyms
        roles = {r.role: r.from_fields for r in found.catalog.relationships if r.to_dataset == "calendar_days"}
        assert roles == {"sold": ("sold_on",), "shipped": ("shipped_on",)}
        assert any("nowhere" in line for line in found.not_carried)

    def test_a_selection_by_sql_becomes_a_filtered_dataset(self, base: Catalog) -> None:
        found = import_catalog_source(
            base,
            {
                "datasets_by_sql": [
                    {"name": "Open Orders", "sql": "SELECT order_id, net_amt FROM web_orders WHERE status = 'open'"},
                    {"name": "Sums", "sql": "SELECT status, sum(net_amt) FROM web_orders GROUP BY status"},
                ]
            },
        )
        assert found.catalog.dataset("Open_Orders").filter is not None
        assert [line for line in found.not_carried if "'Sums'" in line]

    def test_a_wrong_shape_says_where(self, base: Catalog) -> None:
        with pytest.raises(Invalid, match="/metrics: expected a list; found dict"):
            import_catalog_source(base, {"metrics": {"a": 1}})


class TestMetricFlow:
    MODEL = """
semantic_models:
  - name: orders
    model: ref('web_orders')
    defaults: {agg_time_dimension: shipped}
    entities:
      - {name: order, type: primary, expr: order_id}
      - {name: buyer, type: foreign, expr: buyer_id}
    dimensions:
      - {name: shipped, type: time, expr: shipped_on, type_params: {time_granularity: day}}
      - {name: is_big, type: categorical, expr: "case when items > 10 then 'big' else 'small' end"}
    measures:
      - {name: revenue, agg: sum, expr: net_amt}
      - {name: order_rows, agg: count, expr: "1"}
      - {name: weird, agg: sum, expr: "some_udf(net_amt)"}
  - name: buyers
    model: ref('buyers')
    entities: [{name: buyer, type: primary, expr: buyer_id}]
metrics:
  - {name: revenue, label: Revenue, type: simple, type_params: {measure: revenue}}
  - name: open_revenue
    type: simple
    type_params: {measure: revenue}
    filter: "{{ Dimension('order__status') }} = 'open'"
  - {name: orders_total, type: simple, type_params: {measure: order_rows}}
  - {name: aov, label: Average order value, type: ratio, type_params: {numerator: revenue, denominator: orders_total}}
  - {name: closed, type: derived, type_params: {expr: revenue - open_revenue, metrics: [{name: revenue}, {name: open_revenue}]}}
  - {name: ytd, type: cumulative, type_params: {measure: revenue, grain_to_date: year}}
  - {name: growth, type: derived, type_params: {expr: revenue - prior, metrics: [{name: revenue}, {name: revenue, offset_window: 1 month, alias: prior}]}}
"""

    def test_models_and_metrics(self, base: Catalog) -> None:
        found = import_metricflow(base, {"m.yml": self.MODEL})
        catalog = found.catalog
        assert catalog.dataset("web_orders").time == "shipped_on"
        assert catalog.dataset("web_orders").field("is_big").expression is not None
        simple = {m.label: m for m in catalog.metrics if m.source == "dbt"}
        assert isinstance(simple["open revenue"], SimpleMetric)
        assert simple["open revenue"].where is not None
        assert isinstance(simple["Average order value"], RatioMetric)
        assert isinstance(simple["closed"], DerivedMetric)
        assert isinstance(simple["ytd"], CumulativeMetric)
        assert any("weird" in line for line in found.not_carried)
        assert any("growth" in line and "offset" in line for line in found.not_carried)
        assert not [i for i in validate(catalog) if i.severity == "error"]

    def test_bad_yaml_names_the_file(self, base: Catalog) -> None:
        with pytest.raises(Invalid, match=r"broken\.yml"):
            import_metricflow(base, {"broken.yml": "a: [1"})


class TestCube:
    MODEL = """
cubes:
  - name: orders
    sql_table: shop.web_orders
    joins:
      - {name: buyers, sql: "{CUBE}.buyer_id = {buyers}.buyer_id", relationship: many_to_one}
    dimensions:
      - {name: id, sql: order_id, type: number, primary_key: true}
      - {name: state_of_order, sql: "{CUBE}.status", type: string, title: Order state}
    measures:
      - {name: count, type: count}
      - {name: revenue, sql: net_amt, type: sum}
      - {name: open_revenue, sql: net_amt, type: sum, filters: [{sql: "{CUBE}.status = 'open'"}]}
      - {name: open_share, sql: "1.0 * {open_revenue} / {revenue}", type: number, format: percent}
      - {name: rolling, sql: net_amt, type: sum, rolling_window: {trailing: 7 day}}
    segments:
      - {name: big, sql: "{CUBE}.items > 10"}
  - name: buyers
    sql_table: shop.buyers
    dimensions: [{name: segment, sql: segment, type: string}]
  - name: made_up
    sql: select 1
"""

    def test_cubes(self, base: Catalog) -> None:
        found = import_cube(base, {"orders.yml": self.MODEL})
        catalog = found.catalog
        assert "Order state" in catalog.dataset("web_orders").field("status").synonyms
        cube = {m.label: m for m in catalog.metrics if m.source == "cube"}
        assert isinstance(cube["open revenue"], SimpleMetric)
        assert cube["open revenue"].where is not None
        share = cube["open share"]
        assert isinstance(share, DerivedMetric)
        assert share.expression == f"{cube['open revenue'].name} / {cube['revenue'].name}"
        assert "big" in {s.name for s in catalog.segments}
        assert any("rolling" in line for line in found.not_carried)
        assert any("made_up" in line for line in found.not_carried)
        assert not [i for i in validate(catalog) if i.severity == "error"]
