"""What the two demo companies are like. Everything that differs between them is here, and nothing is random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.ids import TenantId


@dataclass(frozen=True, slots=True)
class Country:
    name: str
    region: str
    weight: float
    utc_offset_h: int


@dataclass(frozen=True, slots=True)
class Channel:
    """share: of sessions. conversion: relative to the average. paid: whether money is spent on it. launched_days_ago: None is always there."""

    name: str
    kind: str
    share: float
    conversion: float
    paid: bool
    launched_days_ago: int | None = None


@dataclass(frozen=True, slots=True)
class Category:
    name: str
    subcategories: tuple[str, ...]
    price_low: float
    price_high: float
    weight: float
    peak_month: int
    margin: float


@dataclass(frozen=True, slots=True)
class Planted:
    """When each planted thing happened, in days before the anchor (the last day of the first load)."""

    price_rise_days_ago: int
    price_rise_category: str
    price_rise_share: float
    outage_days_ago: int
    stock_out_days_ago: int
    stock_out_length: int
    stock_out_region: str
    stock_out_category: str
    mix_shift_days_ago: int
    late_load_region: str


@dataclass(frozen=True, slots=True)
class World:
    """holidays_of: ISO code of the country whose public holidays the business follows."""

    tenant: TenantId
    company: str
    seed: int
    sessions_per_day: float
    base_conversion: float
    yearly_growth: float
    weekend_factor: float
    countries: tuple[Country, ...]
    channels: tuple[Channel, ...]
    categories: tuple[Category, ...]
    devices: Mapping[str, tuple[float, float]]
    segments: Mapping[str, float]
    plans: Mapping[str, float]
    planted: Planted
    holidays_of: str


DEVICES = {"desktop": (0.48, 1.35), "mobile": (0.42, 0.62), "tablet": (0.10, 0.95)}

ACME = World(
    tenant=TenantId("acme"),
    company="Acme Electronics",
    holidays_of="DE",
    seed=20_240_501,
    sessions_per_day=5_600,
    base_conversion=0.026,
    yearly_growth=0.14,
    weekend_factor=1.18,
    countries=(
        Country("Germany", "EMEA", 0.17, 1),
        Country("France", "EMEA", 0.12, 1),
        Country("United Kingdom", "EMEA", 0.13, 0),
        Country("Spain", "EMEA", 0.07, 1),
        Country("United States", "AMER", 0.22, -5),
        Country("Canada", "AMER", 0.07, -5),
        Country("Brazil", "AMER", 0.04, -3),
        Country("Japan", "APAC", 0.08, 9),
        Country("Australia", "APAC", 0.06, 10),
        Country("Singapore", "APAC", 0.04, 8),
    ),
    channels=(
        Channel("organic search", "organic", 0.34, 1.05, paid=False),
        Channel("paid search", "paid", 0.22, 1.15, paid=True),
        Channel("email", "owned", 0.12, 1.55, paid=False),
        Channel("social", "paid", 0.16, 0.55, paid=True),
        Channel("direct", "owned", 0.16, 1.25, paid=False),
        Channel("marketplace", "partner", 0.12, 1.10, paid=True, launched_days_ago=230),
    ),
    categories=(
        Category("Laptops", ("Ultrabooks", "Gaming Laptops", "Chromebooks"), 450, 1900, 0.16, 9, 0.17),
        Category("Phones", ("Smartphones", "Phone Cases"), 15, 1100, 0.24, 10, 0.22),
        Category("Audio", ("Headphones", "Speakers"), 25, 420, 0.24, 12, 0.38),
        Category("Wearables", ("Smart Watches", "Fitness Trackers"), 60, 480, 0.14, 1, 0.31),
        Category("Home", ("Smart Lights", "Thermostats", "Cameras"), 20, 320, 0.22, 11, 0.35),
    ),
    devices=DEVICES,
    segments={"Consumer": 0.72, "Small Business": 0.21, "Enterprise": 0.07},
    plans={"Care Basic": 4.99, "Care Plus": 9.99, "Care Premium": 19.99},
    planted=Planted(
        price_rise_days_ago=410,
        price_rise_category="Laptops",
        price_rise_share=0.12,
        outage_days_ago=38,
        stock_out_days_ago=97,
        stock_out_length=14,
        stock_out_region="EMEA",
        stock_out_category="Audio",
        mix_shift_days_ago=150,
        late_load_region="APAC",
    ),
)

GLOBEX = World(
    tenant=TenantId("globex"),
    company="Globex Coffee",
    holidays_of="US",
    seed=77_031_999,
    sessions_per_day=3_300,
    base_conversion=0.034,
    yearly_growth=0.22,
    weekend_factor=0.74,
    countries=(
        Country("United States", "North America", 0.38, -6),
        Country("Canada", "North America", 0.14, -5),
        Country("Mexico", "North America", 0.06, -6),
        Country("Italy", "Europe", 0.14, 1),
        Country("Netherlands", "Europe", 0.12, 1),
        Country("Sweden", "Europe", 0.08, 1),
        Country("Poland", "Europe", 0.08, 1),
    ),
    channels=(
        Channel("organic search", "organic", 0.28, 1.0, paid=False),
        Channel("paid search", "paid", 0.18, 1.1, paid=True),
        Channel("email", "owned", 0.24, 1.4, paid=False),
        Channel("referral", "partner", 0.18, 0.9, paid=False),
        Channel("direct", "owned", 0.12, 1.2, paid=False),
        Channel("wholesale portal", "partner", 0.10, 1.6, paid=True, launched_days_ago=310),
    ),
    categories=(
        Category("Beans", ("Espresso Beans", "Filter Beans", "Decaf Beans"), 9, 34, 0.46, 12, 0.46),
        Category("Machines", ("Espresso Machines", "Grinders"), 90, 1200, 0.08, 11, 0.24),
        Category("Accessories", ("Cups", "Filters", "Scales"), 5, 70, 0.24, 6, 0.52),
        Category("Tea", ("Green Tea", "Herbal Tea"), 6, 28, 0.22, 1, 0.5),
    ),
    devices={"desktop": (0.58, 1.25), "mobile": (0.33, 0.66), "tablet": (0.09, 0.9)},
    segments={"Home": 0.64, "Office": 0.25, "Cafe": 0.11},
    plans={"Monthly Bag": 16.0, "Fortnightly Bag": 29.0, "Office Box": 79.0},
    planted=Planted(
        price_rise_days_ago=290,
        price_rise_category="Beans",
        price_rise_share=0.09,
        outage_days_ago=24,
        stock_out_days_ago=60,
        stock_out_length=10,
        stock_out_region="Europe",
        stock_out_category="Machines",
        mix_shift_days_ago=120,
        late_load_region="Europe",
    ),
)

WORLDS: tuple[World, ...] = (ACME, GLOBEX)
