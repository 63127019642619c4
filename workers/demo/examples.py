"""What people of a company that has had Querent for a year have made: alert rules, a goal and a board."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.engine import Connection

from core.errors import InternalError
from core.ids import TenantId, UserId, new_id
from core.principal import Role
from core.store import alert_rules, boards, goals, users
from core.store.alert_rules import NewAlertRule
from core.store.boards import Edit
from core.store.goals import NewGoal
from core.timeseries import Grain
from semantic.expr import Calendar_, FieldRef, Rolling, Unit
from semantic.query import ByField, ByTime, ComparePeriod, MetricRef, SemanticQuery, TimeWindow
from semantic.warehouse.admin import WarehouseAdmin
from workers.alerts.rule import AnomalyRule, as_definition
from workers.boards.content import Content, Pin, Width
from workers.bootstrap import Services
from workers.demo.load import DATABASE
from workers.demo.world import World
from workers.forecasts.goal_params import goal_params
from workers.principals import load_principal
from workers.queue import enqueue

YEAR = dt.timedelta(days=365)
GROWTH = 1.15  # that the goal asks for; the companies grow by 14 and 22 % a year
BOARD = "How we are doing"
CATEGORY, REGION = FieldRef(dataset="products", field="category"), FieldRef(dataset="countries", field="region")
RULES = (
    ("Revenue of a category is unusual", AnomalyRule(metric="revenue", segments=(CATEGORY,))),
    ("Fewer visits than usual become orders", AnomalyRule(metric="conversion_rate", direction="down")),
)
_MONTHLY = {
    "by": (ByTime(grain=Grain.MONTH),),
    "time": TimeWindow(window=Rolling(count=12, unit=Unit.MONTH, anchor="period"), label="in the last 12 months"),
}
_QUARTER = TimeWindow(window=Calendar_(unit=Unit.QUARTER, offset=-1), label="last quarter")
_YEAR_BEFORE = ComparePeriod(to="same_period_last_year")
PINS: tuple[tuple[str, Width, SemanticQuery], ...] = (
    ("Revenue by month", "full", SemanticQuery(metrics=(MetricRef(metric="revenue"),), **_MONTHLY)),
    (
        "Revenue by region last quarter",
        "half",
        SemanticQuery(metrics=(MetricRef(metric="revenue"),), by=(ByField(field=REGION),), time=_QUARTER, compare=_YEAR_BEFORE),
    ),
    (
        "Gross profit by category last quarter",
        "half",
        SemanticQuery(metrics=(MetricRef(metric="gross_profit"),), by=(ByField(field=CATEGORY),), time=_QUARTER),
    ),
    ("Active customers by month", "half", SemanticQuery(metrics=(MetricRef(metric="active_customers"),), **_MONTHLY)),
    ("Orders by month", "half", SemanticQuery(metrics=(MetricRef(metric="orders"),), **_MONTHLY)),
)


def make_examples(services: Services, admin: WarehouseAdmin, world: World) -> None:
    """For a company that was just made, its data loaded. The rules count as made a year ago, so that their first run finds the incidents
    since then and tells nobody of those that are over. A job looks at the goal with its owner's rights.
    """
    now, tenant = services.clock.now(), world.tenant
    with services.store.write() as connection:
        executive, analyst = (_id(connection, tenant, name) for name in ("executive", "analyst"))
        for name, rule in RULES:
            made = NewAlertRule(name, rule.metric, as_definition(rule), analyst, next_run_at=now)
            alert_rules.create(connection, tenant, made, now=now - YEAR)
        goal = goals.create(connection, tenant, _goal(admin, tenant, executive, now.date()), by=executive, now=now)
        board = boards.create(connection, tenant, _board(executive), now=now)
        boards.share(connection, tenant, board.id, {Role.MANAGER: "see", Role.ANALYST: "edit"}, now=now)
    enqueue(services, "forecast", goal_params(goal), load_principal(services.store, tenant, executive))


def _id(connection: Connection, tenant: TenantId, name: str) -> UserId:
    found = users.by_email(connection, tenant, f"{name}@{tenant}.example")
    if found is None:
        raise InternalError(f"the demo company {tenant} has no {name}")
    return found.id


def _goal(admin: WarehouseAdmin, tenant: TenantId, owner: UserId, today: dt.date) -> NewGoal:
    """This year's revenue: so much more than the year before's, to two digits."""
    start, end = dt.date(today.year, 1, 1), dt.date(today.year + 1, 1, 1)
    rows = admin.query_arrow(
        f"SELECT toFloat64(sum(net_amount)) AS total FROM {DATABASE}.order_lines WHERE tenant_id = {{tenant:String}} AND toYear(order_date) = {{year:Int32}}",
        {"tenant": tenant, "year": today.year - 1},
    )
    target = float(f"{GROWTH * rows.column(0)[0].as_py():.1e}")
    return NewGoal(f"Revenue in {today.year}", "revenue", start, end, target, "at_least", owner)


def _board(owner: UserId) -> Edit:
    pins = tuple(Pin(id=new_id("pin"), title=title, query=query, width=width) for title, width, query in PINS)
    content = Content(title=BOARD, description="Made for the monthly review.", pins=pins)
    return Edit(content.title, content.model_dump(mode="json"), "made the board", owner, 0)
