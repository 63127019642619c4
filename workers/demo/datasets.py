"""The demo's tables: fields, labels, synonyms, and how the tables belong together."""

from __future__ import annotations

from semantic.catalog.model import CatalogField, Dataset, DatasetKind, FieldRole, FieldType, Relationship
from semantic.query import AggregateKind
from workers.demo.load import DATABASE
from workers.demo.world import World

REGIONAL = ("customers", "orders", "order_lines", "visits", "ad_spend", "refunds", "subscriptions")
_ROLES = {("customers", "countries"): "customer home", ("orders", "countries"): "delivery"}


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


def _price(
    name: str, label: str, unit: str | None = "EUR", type_: FieldType = FieldType.DECIMAL, format: str | None = None
) -> CatalogField:
    return _field(name, type_, FieldRole.MEASURE, label, unit=unit, format=format, aggregate=AggregateKind.AVG, additive=False)


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


def demo_datasets(world: World) -> tuple[Dataset, ...]:
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
                _price("discount_rate", "discount rate", None, FieldType.FLOAT, format="percent"),
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


def demo_relationships() -> tuple[Relationship, ...]:
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
