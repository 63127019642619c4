"""Open Semantic Interchange: what comes in, what goes out, and that the one reads the other."""

from __future__ import annotations

import pytest
import yaml

from core.errors import Invalid
from semantic.catalog.exporters import export_osi
from semantic.catalog.importers import import_osi
from semantic.catalog.infer import EmptyProbe, infer_catalog, schema_from_json
from semantic.catalog.model import Catalog, DerivedMetric, RatioMetric, SimpleMetric
from semantic.catalog.validate import validate

SCHEMA = {
    "tables": [
        {
            "name": "orders",
            "columns": [
                {"name": n, "type": t}
                for n, t in zip(["order_id", "customer_id", "ordered_on", "amount", "status"], "Int64 Int64 Date Float64 String".split(), strict=True)
            ],
            "primary_key": ["order_id"],
        },
        {"name": "customers", "columns": [{"name": "id", "type": "Int64"}, {"name": "country", "type": "String"}], "primary_key": ["id"]},
    ]
}  # fmt: skip
MODEL = """
semantic_model:
  - name: shop
    datasets:
      - name: sales
        source: warehouse.public.orders
        ai_context: {synonyms: [purchases]}
        fields:
          - {name: order_amount, expression: {dialects: [{dialect: ANSI_SQL, expression: amount}]}, label: order value}
          - {name: strange, expression: {dialects: [{dialect: ANSI_SQL, expression: "JSON_VALUE(status, '$.x')"}]}}
      - {name: clients, source: warehouse.public.customers, fields: []}
      - {name: lost, source: warehouse.public.nowhere}
    relationships:
      - {name: sale_client, from: sales, to: clients, from_columns: [customer_id], to_columns: [id]}
    metrics:
      - name: paid_revenue
        expression: {dialects: [{dialect: ANSI_SQL, expression: "SUM(CASE WHEN sales.status = 'paid' THEN sales.amount END)"}]}
        ai_context: {synonyms: [money in]}
      - {name: revenue_per_client, expression: [{dialect: ANSI_SQL, expression: "SUM(sales.amount) / COUNT(DISTINCT clients.id)"}]}
      - {name: net, expression: "SUM(sales.amount) - 2 * AVG(sales.amount)"}
      - {name: ranked, expression: "RANK() OVER (ORDER BY sales.amount)"}
"""


@pytest.fixture(scope="module")
def base() -> Catalog:
    return infer_catalog(schema_from_json(SCHEMA, "shop"), EmptyProbe()).catalog


def test_datasets_joins_and_metrics_are_carried_and_the_rest_is_listed(base: Catalog) -> None:
    found = import_osi(base, {"shop.yaml": MODEL})
    catalog = found.catalog
    assert [i for i in validate(catalog) if i.severity == "error"] == []
    paid, per_client, net = catalog.metric("paid_revenue"), catalog.metric("revenue_per_client"), catalog.metric("net")
    assert isinstance(paid, SimpleMetric)
    assert (paid.label, paid.dataset, paid.where is not None) == ("money in", "orders", True)
    assert isinstance(per_client, RatioMetric)
    assert isinstance(net, DerivedMetric)
    assert "order value" in catalog.dataset("orders").field("amount").synonyms
    assert any(r.from_dataset == "orders" and r.to_dataset == "customers" for r in catalog.relationships)
    assert [word for line in found.not_carried for word in ("strange", "lost", "ranked") if word in line] == ["strange", "lost", "ranked"]


def test_what_goes_out_comes_in_with_the_same_meaning(base: Catalog) -> None:
    first = import_osi(base, {"shop.yaml": MODEL}).catalog
    exported = export_osi(first)
    assert yaml.safe_load(exported.text)["semantic_model"][0]["datasets"][0]["source"] == "shop.orders"
    again = import_osi(base, {"again.yaml": exported.text})
    assert again.not_carried == ()
    for name in ("paid_revenue", "revenue_per_client"):
        before, after = first.metric(name), again.catalog.metric(name)
        assert (after.type, after.label, set(after.synonyms)) == (before.type, before.label, set(before.synonyms))
    assert again.catalog.metric("paid_revenue").changed(source="x") == first.metric("paid_revenue").changed(source="x")
    assert export_osi(again.catalog).text == exported.text


@pytest.mark.parametrize("text", ["a: [", "- 1", "semantic_model: 3", "metrics: []"])
def test_what_is_no_model_is_refused(base: Catalog, text: str) -> None:
    with pytest.raises(Invalid):
        import_osi(base, {"x.yaml": text})
