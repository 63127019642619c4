"""The demo's curated catalog: what an analyst would have made of the inferred draft."""

from __future__ import annotations

from core.timeseries import Grain
from semantic.catalog.model import (
    CalendarEvent,
    Catalog,
    CatalogCalendar,
    CatalogField,
    ColumnRule,
    Dataset,
    DatasetKind,
    DerivedMetric,
    Entity,
    FieldRole,
    FieldType,
    GlossaryTerm,
    Hierarchy,
    Metric,
    RatioMetric,
    Relationship,
    RowPolicy,
    Segment,
    SimpleMetric,
)
from semantic.expr import Arithmetic, Comparison, FieldRef, IsNull, Literal_
from semantic.query import AggregateKind
from workers.demo.load import DATABASE
from workers.demo.world import World

_REGIONAL = ("customers", "orders", "order_lines", "visits", "ad_spend", "refunds", "subscriptions")


def _field(name: str, type_: FieldType, role: FieldRole, label: str = "", **more: object) -> CatalogField:
    return CatalogField.model_validate(
        {"name": name, "column": name, "type": type_, "role": role, "label": label or name.replace("_", " "), **more}
    )


def _key(name: str) -> CatalogField:
    return _field(name, FieldType.INTEGER, FieldRole.KEY, aggregate=AggregateKind.COUNT_DISTINCT, additive=False)


def _category(name: str, label: str = "", synonyms: tuple[str, ...] = (), values: tuple[str, ...] = (), **more: object) -> CatalogField:
    return _field(name, FieldType.STRING, FieldRole.CATEGORY, label, synonyms=synonyms, values=values, **more)


def _date(name: str, label: str = "", *, nullable: bool = False, synonyms: tuple[str, ...] = ()) -> CatalogField:
    return _field(name, FieldType.DATE, FieldRole.TIME, label, nullable=nullable, synonyms=synonyms)


def _amount(
    name: str, label: str, unit: str | None = "EUR", *, type_: FieldType = FieldType.DECIMAL, synonyms: tuple[str, ...] = ()
) -> CatalogField:
    return _field(name, type_, FieldRole.MEASURE, label, unit=unit, aggregate=AggregateKind.SUM, synonyms=synonyms)


def _price(name: str, label: str, unit: str | None = "EUR", type_: FieldType = FieldType.DECIMAL) -> CatalogField:
    return _field(name, type_, FieldRole.MEASURE, label, unit=unit, aggregate=AggregateKind.AVG, additive=False)


def _dataset(
    name: str, label: str, kind: DatasetKind, key: tuple[str, ...], time: str | None, fields: tuple[CatalogField, ...], **more: object
) -> Dataset:
    return Dataset.model_validate(
        {
            "name": name,
            "database": DATABASE,
            "table": name,
            "label": label,
            "kind": kind,
            "primary_key": key,
            "time": time,
            "tenant_column": "tenant_id",
            "fields": fields,
            **more,
        }
    )


def _datasets(world: World) -> tuple[Dataset, ...]:
    countries = tuple(c.name for c in world.countries)
    regions = tuple(dict.fromkeys(c.region for c in world.countries))
    channels = tuple(c.name for c in world.channels)
    own_region = _category("region", "region", values=regions, hidden=True)
    own_country = _category("country", "country", values=countries, hidden=True)
    own_channel = _category("channel", "channel", values=channels, hidden=True)
    own_device = _category("device", values=tuple(world.devices), hidden=True)
    country_synonyms = {"United States": ("USA", "US", "America"), "United Kingdom": ("UK", "Britain", "Great Britain")}
    return (
        _dataset(
            "countries",
            "countries",
            DatasetKind.DIMENSION,
            ("country",),
            None,
            (
                _category(
                    "country",
                    values=countries,
                    value_synonyms={k: v for k, v in country_synonyms.items() if k in countries},
                    synonyms=("market",),
                ),
                _category("region", values=regions, synonyms=("area", "territory")),
            ),
        ),
        _dataset(
            "channels",
            "channels",
            DatasetKind.DIMENSION,
            ("channel",),
            None,
            (
                _category("channel", values=channels, synonyms=("marketing channel", "source")),
                _category("channel_type", values=tuple(dict.fromkeys(c.kind for c in world.channels)), synonyms=("kind of channel",)),
                _date("launched_on", "channel launch date"),
            ),
        ),
        _dataset(
            "devices",
            "devices",
            DatasetKind.DIMENSION,
            ("device",),
            None,
            (
                _category("device", values=tuple(world.devices), synonyms=("device type",)),
                _category("form_factor", values=("fixed", "handheld")),
            ),
        ),
        _dataset(
            "products",
            "products",
            DatasetKind.DIMENSION,
            ("product_id",),
            None,
            (
                _key("product_id"),
                _field("product_name", FieldType.STRING, FieldRole.NAME, "product name", synonyms=("product",)),
                _category(
                    "category", "category", synonyms=("product category", "product line"), values=tuple(c.name for c in world.categories)
                ),
                _category("subcategory", synonyms=("sub-category",), values=tuple(s for c in world.categories for s in c.subcategories)),
                _price("list_price", "list price"),
                _price("unit_cost", "unit cost"),
                _date("launched_on", "launch date"),
            ),
            synonyms=("items", "articles"),
        ),
        _dataset(
            "customers",
            "customers",
            DatasetKind.DIMENSION,
            ("customer_id",),
            "signup_date",
            (
                _key("customer_id"),
                _field("customer_name", FieldType.STRING, FieldRole.NAME, "customer name", synonyms=("customer",), pii=True),
                _field(
                    "email",
                    FieldType.STRING,
                    FieldRole.TEXT,
                    "e-mail",
                    synonyms=("email", "mail address"),
                    pii=True,
                    data_class="restricted",
                ),
                _category("segment", "customer segment", synonyms=("segment",), values=tuple(world.segments)),
                own_country,
                own_region,
                _date("signup_date", "sign-up date", synonyms=("joined", "registered", "signed up")),
            ),
            synonyms=("clients", "buyers", "shoppers"),
        ),
        _dataset(
            "orders",
            "orders",
            DatasetKind.FACT,
            ("order_id",),
            "order_date",
            (
                _key("order_id"),
                _key("customer_id"),
                _date("order_date", "order date", synonyms=("ordered",)),
                _field("ordered_at", FieldType.DATETIME, FieldRole.TIME, "order time"),
                _date("shipped_date", "ship date", nullable=True, synonyms=("shipped",)),
                own_country,
                own_region,
                own_channel,
                own_device,
                _category("status", "order status", synonyms=("status",), values=("completed", "cancelled", "pending")),
                _amount("shipping_fee", "shipping fee"),
            ),
            synonyms=("purchases", "sales orders"),
        ),
        _dataset(
            "order_lines",
            "order lines",
            DatasetKind.FACT,
            ("order_id", "line_number"),
            "order_date",
            (
                _key("order_id"),
                _field("line_number", FieldType.INTEGER, FieldRole.ATTRIBUTE),
                _key("product_id"),
                _date("order_date", "order date"),
                own_region,
                _amount("quantity", "quantity", "units", type_=FieldType.INTEGER),
                _price("unit_price", "unit price"),
                _price("discount_rate", "discount rate", "fraction", FieldType.FLOAT),
                _amount("net_amount", "net amount"),
                _amount("cost_amount", "cost of goods"),
            ),
            synonyms=("line items",),
        ),
        _dataset(
            "visits",
            "visits",
            DatasetKind.FACT,
            ("visit_date", "country", "channel", "device"),
            "visit_date",
            (
                _date("visit_date", "visit date"),
                own_country,
                own_region,
                own_channel,
                own_device,
                _amount("sessions", "sessions", None, type_=FieldType.INTEGER),
                _amount("bounced_sessions", "bounced sessions", None, type_=FieldType.INTEGER),
                _amount("carts", "carts", None, type_=FieldType.INTEGER),
            ),
            synonyms=("web traffic",),
        ),
        _dataset(
            "ad_spend",
            "ad spend",
            DatasetKind.FACT,
            ("spend_date", "country", "channel", "campaign"),
            "spend_date",
            (
                _date("spend_date", "spend date"),
                own_country,
                own_region,
                own_channel,
                _category("campaign", values=("brand", "performance")),
                _amount("impressions", "impressions", None, type_=FieldType.INTEGER),
                _amount("clicks", "clicks", None, type_=FieldType.INTEGER),
                _amount("spend", "ad spend"),
            ),
            synonyms=("advertising", "marketing"),
        ),
        _dataset(
            "refunds",
            "refunds",
            DatasetKind.FACT,
            ("refund_id",),
            "refund_date",
            (
                _key("refund_id"),
                _key("order_id"),
                _date("refund_date", "refund date"),
                own_region,
                _category("reason", "refund reason", values=("damaged", "wrong item", "changed mind", "arrived late", "not as described")),
                _amount("refund_amount", "refund amount"),
            ),
            synonyms=("returns",),
        ),
        _dataset(
            "subscriptions",
            "subscriptions",
            DatasetKind.FACT,
            ("subscription_id",),
            "started_on",
            (
                _key("subscription_id"),
                _key("customer_id"),
                _category("plan", "plan", synonyms=("subscription plan",), values=tuple(world.plans)),
                _amount("monthly_fee", "monthly fee"),
                _date("started_on", "start date", synonyms=("started",)),
                _date("cancelled_on", "cancellation date", nullable=True, synonyms=("cancelled", "ended")),
                own_region,
            ),
        ),
    )


def _relationships() -> tuple[Relationship, ...]:
    pairs = [
        ("customers", "country", "countries", "country"), ("orders", "customer_id", "customers", "customer_id"),
        ("orders", "country", "countries", "country"), ("orders", "channel", "channels", "channel"),
        ("order_lines", "order_id", "orders", "order_id"), ("order_lines", "product_id", "products", "product_id"),
        ("visits", "country", "countries", "country"), ("visits", "channel", "channels", "channel"),
        ("orders", "device", "devices", "device"), ("visits", "device", "devices", "device"),
        ("ad_spend", "country", "countries", "country"), ("ad_spend", "channel", "channels", "channel"),
        ("refunds", "order_id", "orders", "order_id"), ("subscriptions", "customer_id", "customers", "customer_id"),
    ]  # fmt: skip
    return tuple(
        Relationship(
            name=f"{a}_{b}_{c}",
            from_dataset=a,
            from_fields=(b,),
            to_dataset=c,
            to_fields=(d,),
            role=_ROLES.get((a, c)),
            default=(a, c) == ("orders", "countries"),
        )
        for a, b, c, d in pairs
    )


_EVENTS = (
    CalendarEvent(name="Black Friday", month=11, weekday="thursday", nth=4, offset_days=1),
    CalendarEvent(name="Cyber weekend", month=11, weekday="thursday", nth=4, offset_days=2, length_days=3),
)
_ROLES = {("customers", "countries"): "customer home", ("orders", "countries"): "delivery"}


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
        for dataset in (*_REGIONAL, "countries")
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
        datasets=_datasets(world),
        relationships=_relationships(),
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
