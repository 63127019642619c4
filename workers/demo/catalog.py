"""The demo's curated catalog: what an analyst would have made of the inferred draft."""

from __future__ import annotations

from core.timeseries import Grain
from semantic.catalog.model import (
    CalendarEvent,
    Catalog,
    CatalogCalendar,
    ColumnRule,
    DerivedMetric,
    Entity,
    GlossaryTerm,
    Hierarchy,
    Metric,
    RatioMetric,
    RowPolicy,
    Segment,
    SimpleMetric,
)
from semantic.expr import Arithmetic, Comparison, FieldRef, IsNull, Literal_
from semantic.query import AggregateKind
from workers.demo.datasets import REGIONAL, demo_datasets, demo_relationships
from workers.demo.world import World

_EVENTS = (
    CalendarEvent(name="Black Friday", month=11, weekday="thursday", nth=4, offset_days=1),
    CalendarEvent(name="Cyber weekend", month=11, weekday="thursday", nth=4, offset_days=2, length_days=3),
)


def _simple(name: str, label: str, dataset: str, aggregate: AggregateKind, of: str | None = None, /, **more: object) -> SimpleMetric:
    expression = FieldRef(dataset=dataset, field=of) if of else None
    return SimpleMetric.model_validate({"name": name, "label": label, "dataset": dataset, "aggregate": aggregate, "of": expression, **more})


def _metrics() -> tuple[Metric, ...]:
    money, percent = {"unit": "EUR", "format": "currency:EUR"}, {"format": "percent"}
    day = {"default_grain": Grain.DAY, "certified": True, "owner": "analytics"}
    margin = Arithmetic(
        op="-", left=FieldRef(dataset="order_lines", field="net_amount"), right=FieldRef(dataset="order_lines", field="cost_amount")
    )
    return (
        _simple("revenue", "revenue", "order_lines", AggregateKind.SUM, "net_amount", description="Net amount of all order lines, after discounts, before refunds.",
                synonyms=("sales", "turnover", "income", "money in"), good_direction="up", **money, **day),
        _simple("cost_of_goods", "cost of goods", "order_lines", AggregateKind.SUM, "cost_amount", synonyms=("COGS", "cost of sales"), good_direction="down", **money, **day),
        SimpleMetric(name="gross_profit", label="gross profit", dataset="order_lines", aggregate=AggregateKind.SUM, of=margin, unit="EUR", format="currency:EUR",
                     synonyms=("profit", "gross margin amount"), good_direction="up", default_grain=Grain.DAY, certified=True,
                     description="Revenue less the cost of goods."),
        _simple("units", "units sold", "order_lines", AggregateKind.SUM, "quantity", synonyms=("units", "items sold", "volume"), good_direction="up", **day),
        _simple("orders", "orders", "orders", AggregateKind.COUNT, synonyms=("order count", "number of orders", "purchases"), good_direction="up",
                description="Number of orders, whatever their status.", **day),
        _simple("active_customers", "active customers", "orders", AggregateKind.COUNT_DISTINCT, "customer_id", synonyms=("buyers", "buying customers", "customers who ordered"),
                good_direction="up", description="Different customers with at least one order.", **day),
        _simple("new_customers", "new customers", "customers", AggregateKind.COUNT, synonyms=("sign-ups", "signups", "registrations"), good_direction="up", **day),
        _simple("sessions", "sessions", "visits", AggregateKind.SUM, "sessions", synonyms=("visits", "traffic", "site visits"), good_direction="up", **day),
        _simple("bounced_sessions", "bounced sessions", "visits", AggregateKind.SUM, "bounced_sessions", good_direction="down", **day),
        _simple("ad_spend", "ad spend", "ad_spend", AggregateKind.SUM, "spend", synonyms=("advertising cost", "marketing spend", "media spend"), **money, **day),
        _simple("clicks", "ad clicks", "ad_spend", AggregateKind.SUM, "clicks", synonyms=("clicks",), good_direction="up", **day),
        _simple("impressions", "ad impressions", "ad_spend", AggregateKind.SUM, "impressions", synonyms=("impressions",), **day),
        _simple("refund_amount", "refunds", "refunds", AggregateKind.SUM, "refund_amount", synonyms=("refunded amount", "money back"), good_direction="down", **money, **day),
        _simple("refund_count", "number of refunds", "refunds", AggregateKind.COUNT, synonyms=("refund count",), good_direction="down", **day),
        _simple("new_subscriptions", "new subscriptions", "subscriptions", AggregateKind.COUNT, synonyms=("subscriptions started",), good_direction="up", **day),
        _simple("cancelled_subscriptions", "cancelled subscriptions", "subscriptions", AggregateKind.COUNT, synonyms=("churned subscriptions", "cancellations"),
                good_direction="down", where=IsNull(field=FieldRef(dataset="subscriptions", field="cancelled_on"), negate=True),
                time_field=FieldRef(dataset="subscriptions", field="cancelled_on"), **day),
        RatioMetric(name="average_order_value", label="average order value", numerator="revenue", denominator="orders", synonyms=("AOV", "basket size", "order value"),
                    unit="EUR", format="currency:EUR", good_direction="up", default_grain=Grain.DAY, certified=True, description="Revenue per order."),
        RatioMetric(name="average_price", label="average selling price", numerator="revenue", denominator="units", synonyms=("ASP", "average price"),
                    unit="EUR", format="currency:EUR", default_grain=Grain.DAY, description="Revenue per unit sold."),
        RatioMetric(name="conversion_rate", label="conversion rate", numerator="orders", denominator="sessions", synonyms=("conversion", "CVR"), good_direction="up",
                    default_grain=Grain.DAY, certified=True, description="Orders per session.", **percent),
        RatioMetric(name="bounce_rate", label="bounce rate", numerator="bounced_sessions", denominator="sessions", good_direction="down", default_grain=Grain.DAY, **percent),
        RatioMetric(name="refund_rate", label="refund rate", numerator="refund_amount", denominator="revenue", synonyms=("return rate",), good_direction="down",
                    default_grain=Grain.DAY, description="Refunded amount as a share of revenue.", **percent),
        RatioMetric(name="gross_margin", label="gross margin", numerator="gross_profit", denominator="revenue", synonyms=("margin", "gross margin rate"), good_direction="up",
                    default_grain=Grain.DAY, certified=True, description="Gross profit as a share of revenue.", **percent),
        RatioMetric(name="roas", label="return on ad spend", numerator="revenue", denominator="ad_spend", synonyms=("ROAS",), good_direction="up", default_grain=Grain.DAY),
        RatioMetric(name="cost_per_click", label="cost per click", numerator="ad_spend", denominator="clicks", synonyms=("CPC",), unit="EUR", format="currency:EUR",
                    good_direction="down", default_grain=Grain.DAY),
        DerivedMetric(name="net_revenue", label="net revenue", expression="revenue - refund_amount", synonyms=("revenue after refunds",), unit="EUR",
                      format="currency:EUR", good_direction="up", default_grain=Grain.DAY, description="Revenue less refunds of the same days."),
    )  # fmt: skip


def _policies() -> tuple[tuple[RowPolicy, ...], tuple[ColumnRule, ...]]:
    rows = tuple(
        RowPolicy(name=f"{dataset}_region", dataset=dataset, roles=("manager",), field="region", attribute="regions")
        for dataset in (*REGIONAL, "countries")
    )
    others = ("executive", "manager", "analyst", "data_scientist", "viewer")
    return rows, (
        ColumnRule(dataset="customers", field="email", roles=others, action="hide"),
        ColumnRule(dataset="customers", field="customer_name", roles=("data_scientist", "viewer"), action="hash"),
    )


def demo_catalog(world: World) -> Catalog:
    """The catalog of one demo company."""
    row_policies, column_rules = _policies()
    region, country = FieldRef(dataset="countries", field="region"), FieldRef(dataset="countries", field="country")
    category, sub = FieldRef(dataset="products", field="category"), FieldRef(dataset="products", field="subcategory")
    status = FieldRef(dataset="orders", field="status")
    return Catalog(
        name=world.company,
        description=f"Orders, visits, advertising, refunds and subscriptions of {world.company}.",
        calendar=CatalogCalendar(country=world.holidays_of, events=_EVENTS),
        datasets=demo_datasets(world),
        relationships=demo_relationships(),
        entities=(
            Entity(name="customer", dataset="customers", key=("customer_id",), display=("customer_name",), label="customer", plural="customers", synonyms=("client", "buyer")),
            Entity(name="product", dataset="products", key=("product_id",), display=("product_name",), label="product", plural="products", synonyms=("item", "article")),
            Entity(name="order", dataset="orders", key=("order_id",), display=(), label="order", plural="orders", synonyms=("purchase",)),
            Entity(name="subscription", dataset="subscriptions", key=("subscription_id",), display=(), label="subscription", plural="subscriptions"),
        ),
        metrics=_metrics(),
        hierarchies=(
            Hierarchy(name="geography", label="geography", levels=(region, country)),
            Hierarchy(name="range", label="product range", levels=(category, sub)),
        ),
        segments=(
            Segment(name="completed_orders", label="completed orders", dataset="orders",
                    where=Comparison(op="=", left=status, right=Literal_(value="completed"))),
            Segment(name="active_subscriptions", label="active subscriptions", dataset="subscriptions", synonyms=("running subscriptions",),
                    where=IsNull(field=FieldRef(dataset="subscriptions", field="cancelled_on"))),
        ),
        glossary=(
            GlossaryTerm(term="churn", definition="Subscriptions that were cancelled, counted on the day of cancellation.", means="metric:cancelled_subscriptions"),
            GlossaryTerm(term="AOV", definition="Average order value: revenue per order.", means="metric:average_order_value"),
        ),
        row_policies=row_policies,
        column_rules=column_rules,
    )  # fmt: skip
