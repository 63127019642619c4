"""Random catalogs with random rows of two tenants, in both layouts, some with row policies; and random SQL over them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from core.ids import TenantId, UserId, tenant_database
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, Dataset, FieldRole, FieldType, Relationship, RowPolicy

MARK = "secret_of_b"
_TYPES = {
    FieldType.STRING: "String",
    FieldType.INTEGER: "Int64",
    FieldType.FLOAT: "Float64",
    FieldType.DECIMAL: "Decimal(18, 2)",
    FieldType.DATE: "Date",
}
_A_TEXTS = ["7", "12", "web", "o'brien", "tenant_id", "größe", "", "a,b"]
_B_TEXTS = [f"{MARK}'", f'{MARK}"', f"{MARK}\\\\", f"{MARK} OR 1=1", "web", f"{MARK}🙂"]


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[tuple[str, FieldType], ...]

    def of(self, *types: FieldType) -> list[str]:
        return [name for name, kind in self.columns if kind in types]


@dataclass(frozen=True, repr=False)
class World:
    """`both` is asked by `caller` over A's and B's rows; `alone` by `twin` over A's permitted rows, without any policy."""

    index: int
    tables: tuple[Table, ...]
    tenant_column: str | None
    policy_field: str | None
    hidden: str | None
    caller: Principal
    twin: Principal
    both: Catalog
    alone: Catalog
    statements: tuple[str, ...]

    def __repr__(self) -> str:
        return f"World({self.index})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def make_world(index: int, seed: int) -> World:
    """The same for the same index and seed."""
    draw = random.Random(f"{seed}/{index}")
    shared = draw.random() < 0.6
    tenant_column = draw.choice(["tenant_id", "org"]) if shared else None
    tables = tuple(_table(draw, number) for number in range(draw.choice([2, 2, 3])))
    policy_field = "category" if draw.random() < 0.5 else None
    hidden = tables[0].columns[-1][0] if draw.random() < 0.4 else None
    a, b, twin = TenantId(f"w{index}a"), TenantId(f"w{index}b"), TenantId(f"w{index}t")
    both_database = f"w{index}_both" if shared else tenant_database(a)
    alone_database = f"w{index}_alone" if shared else tenant_database(twin)
    roles = frozenset({Role.MANAGER})
    policies = (
        (RowPolicy(name="p", dataset=tables[0].name, roles=("manager",), field=policy_field, attribute="cats"),) if policy_field else ()
    )
    rules = (ColumnRule(dataset=tables[0].name, field=hidden, roles=("manager",), action="hide"),) if hidden else ()
    attributes = {"cats": ("web", "o'brien", "7")}
    statements: list[str] = []
    for tenant, database, only_permitted in (
        (a, both_database, False),
        (b, both_database if shared else tenant_database(b), False),
        (twin, alone_database, True),
    ):
        statements.append(f"CREATE DATABASE IF NOT EXISTS {database}")
        for table in tables:
            order = random.Random(f"{seed}/{index}/{table.name}").choice(
                ["tuple()", "id", tenant_column or "id", f"({tenant_column or 'category'}, id)"]
            )
            definition = ", ".join(
                [*([f"{tenant_column} String"] if tenant_column else []), *(f"{n} {_TYPES[k]}" for n, k in table.columns)]
            )
            statements.append(f"CREATE TABLE IF NOT EXISTS {database}.{table.name} ({definition}) ENGINE = MergeTree ORDER BY {order}")
            rows = _rows(random.Random(f"{seed}/{index}/{table.name}/{tenant == b}"), table, tenant == b)
            if only_permitted and policy_field and table is tables[0]:
                rows = [row for row in rows if row[1] in [_quoted(text) for text in attributes["cats"]]]
            owner = [_quoted(tenant)] if tenant_column else []
            if rows:
                statements.append(f"INSERT INTO {database}.{table.name} VALUES " + ", ".join(f"({', '.join(owner + row)})" for row in rows))
    return World(
        index,
        tables,
        tenant_column,
        policy_field,
        hidden,
        Principal(a, UserId("u"), roles, attributes),
        Principal(twin, UserId("u"), roles),
        _catalog(both_database, tables, tenant_column, policies, rules),
        _catalog(alone_database, tables, tenant_column, (), rules),
        tuple(statements),
    )


def _table(draw: random.Random, number: int) -> Table:
    kinds = [FieldType.STRING, FieldType.INTEGER, FieldType.FLOAT, FieldType.DECIMAL, FieldType.DATE]
    extra = tuple((f"c{i}_{draw.choice(['x', 'amount', 'day', 'order'])}", draw.choice(kinds)) for i in range(draw.randint(2, 5)))
    fixed = (
        ("id", FieldType.INTEGER),
        ("category", FieldType.STRING),
        ("amount", FieldType.FLOAT),
        ("on_day", FieldType.DATE),
        ("ref", FieldType.INTEGER),
    )
    return Table(f"t{number}", fixed + extra)


def _rows(draw: random.Random, table: Table, is_b: bool) -> list[list[str]]:
    def value(kind: FieldType) -> str:
        if kind is FieldType.STRING:
            return _quoted(draw.choice(_B_TEXTS if is_b else _A_TEXTS))
        if kind is FieldType.INTEGER:
            return str(draw.choice([0, 5, 900001] if is_b else [1, 2, 3, 4]))
        if kind is FieldType.DATE:
            return _quoted(f"20{draw.randint(20, 25)}-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}")
        return str(draw.choice([0, 900000.25] if is_b else [1, 2.5, 3.25, 100]))

    return [[value(kind) for _, kind in table.columns] for _ in range(draw.randint(25, 60))]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"


def _catalog(
    database: str, tables: tuple[Table, ...], tenant_column: str | None, policies: tuple[RowPolicy, ...], rules: tuple[ColumnRule, ...]
) -> Catalog:
    datasets = tuple(
        Dataset(
            name=table.name,
            database=database,
            table=table.name,
            label=table.name,
            time="on_day",
            primary_key=("id",),
            tenant_column=tenant_column,
            fields=tuple(CatalogField(name=n, column=n, type=k, role=_role(n, k), label=n) for n, k in table.columns),
        )
        for table in tables
    )
    links = (
        Relationship(name="link", from_dataset="t0", from_fields=("ref",), to_dataset="t1", to_fields=("id",), cardinality="many_to_one"),
    )
    return Catalog(datasets=datasets, relationships=links, row_policies=policies, column_rules=rules)


def _role(name: str, kind: FieldType) -> FieldRole:
    if name in ("id", "ref"):
        return FieldRole.KEY
    return {FieldType.STRING: FieldRole.CATEGORY, FieldType.DATE: FieldRole.TIME}.get(kind, FieldRole.MEASURE)


# Text that only differs in the database between `both` and `alone`: {d} stands for it.
Sql = st.SearchStrategy[str]


@st.composite
def sql_queries(draw: st.DrawFn, world: World) -> str:
    """SQL of many shapes, with names that shadow, functions that fail on values, and predicates about the tenant."""
    shape = draw(st.sampled_from(["aggregate", "aggregate", "listing", "join", "cte", "union", "window", "scalar", "exists", "derived"]))
    table = draw(st.sampled_from(world.tables))
    other = draw(st.sampled_from(world.tables))
    name, second = f"{{d}}.{table.name}", f"{{d}}.{other.name}"
    if shape == "aggregate":
        key = draw(_expression(table))
        return f"SELECT {key} AS k, {draw(_aggregate(table))} AS v FROM {name}{draw(_where(table))} GROUP BY k{draw(_having(table))}"
    if shape == "listing":
        columns = ", ".join(draw(st.lists(_expression(table), min_size=1, max_size=3)))
        distinct = draw(st.sampled_from(["", "DISTINCT "]))
        return f"SELECT {distinct}{columns} FROM {name}{draw(_where(table))} LIMIT 5000"
    if shape == "join":
        side = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "LEFT ANTI JOIN", "LEFT SEMI JOIN"]))
        condition = (
            "" if side == "CROSS JOIN" else f" ON a.ref = b.id{draw(st.sampled_from(['', ' AND a.amount > 1', ' AND b.amount < 50']))}"
        )
        extra = draw(_condition(table, "a."))
        return f"SELECT {draw(_aggregate(table, 'a.'))} AS v, count() AS n FROM {name} AS a {side} {second} AS b{condition} WHERE {extra}"
    if shape == "cte":
        alias = draw(st.sampled_from([table.name, other.name, "x", "orders"]))
        inner = f"SELECT category AS g, {draw(_aggregate(table))} AS v FROM {name}{draw(_where(table))} GROUP BY g"
        return f"WITH {alias} AS ({inner}) SELECT count() AS n, max(toString(v)) AS m FROM {alias} AS z WHERE z.g != 'zz'"
    if shape == "union":
        return f"SELECT {draw(_aggregate(table))} AS v FROM {name} UNION ALL SELECT {draw(_aggregate(other))} FROM {second}{draw(_where(other))}"
    if shape == "window":
        return f"SELECT id, amount, rank() OVER (PARTITION BY category ORDER BY amount) AS r FROM {name}{draw(_where(table))} LIMIT 5000"
    if shape == "scalar":
        return (
            f"SELECT {draw(_aggregate(table))} AS v, (SELECT {draw(_aggregate(other))} FROM {second}) AS w FROM {name}{draw(_where(table))}"
        )
    if shape == "exists":
        negate = draw(st.sampled_from(["", "NOT "]))
        return f"SELECT count() AS n FROM {name} WHERE id {negate}IN (SELECT ref FROM {second}{draw(_where(other))}) AND {draw(_condition(table))}"
    shadow = draw(st.sampled_from(["owner", "category", "amount", "x"]))
    inner = f"SELECT {draw(_expression(table))} AS {shadow}, amount AS v0 FROM {name}{draw(_where(table))}"
    return f"SELECT count() AS n, sum(v0) AS s, max(toString({shadow})) AS m FROM ({inner}) AS q WHERE toString({shadow}) != 'zz'"


@st.composite
def _expression(draw: st.DrawFn, table: Table, prefix: str = "") -> str:
    text = [prefix + c for c in table.of(FieldType.STRING)]
    number = [prefix + c for c in table.of(FieldType.INTEGER, FieldType.FLOAT, FieldType.DECIMAL)]
    whole = [prefix + c for c in table.of(FieldType.INTEGER)]
    day = [prefix + c for c in table.of(FieldType.DATE)]
    return draw(
        st.one_of(
            st.sampled_from(text),
            st.sampled_from(number),
            st.sampled_from(day),
            st.sampled_from(text).map(lambda c: f"upper(concat({c}, '!'))"),
            st.sampled_from(text).map(lambda c: f"toUInt8({c})"),
            st.sampled_from(text).map(lambda c: f"toInt32OrNull({c})"),
            st.sampled_from(whole).map(lambda c: f"intDiv(100, {c})"),
            st.sampled_from(whole).map(lambda c: f"100 % {c}"),
            st.sampled_from(number).map(lambda c: f"{c} * {c} + 1"),
            st.sampled_from(day).map(lambda c: f"toStartOfMonth({c})"),
            st.sampled_from(text).map(lambda c: f"CASE WHEN {c} = 'web' THEN 'w' ELSE {c} END"),
        )
    )


@st.composite
def _aggregate(draw: st.DrawFn, table: Table, prefix: str = "") -> str:
    number = [prefix + c for c in table.of(FieldType.INTEGER, FieldType.FLOAT)]
    every = [prefix + c for c, _ in table.columns]
    return draw(
        st.one_of(
            st.just("count()"),
            st.sampled_from(number).map(lambda c: f"sum({c})"),
            st.sampled_from(number).map(lambda c: f"avg({c})"),
            st.sampled_from(every).map(lambda c: f"uniqExact({c})"),
            st.sampled_from(every).map(lambda c: f"max({c})"),
            st.sampled_from(every).map(lambda c: f"arraySort(groupUniqArray({c}))"),
            _condition(table, prefix).map(lambda c: f"countIf({c})"),
            _expression(table, prefix).map(lambda e: f"max(toString({e}))"),
        )
    )


@st.composite
def _condition(draw: st.DrawFn, table: Table, prefix: str = "") -> str:
    left = draw(_expression(table, prefix))
    simple = draw(
        st.sampled_from(
            [
                f"toString({left}) != 'zz'",
                f"{prefix}amount > 2",
                f"{prefix}category IN ('web', '7')",
                f"{prefix}category LIKE '%e%'",
                f"NOT ({prefix}id = 2)",
                f"{prefix}on_day BETWEEN '2021-01-01' AND '2024-12-31'",
                "1 = 1",
                f"toUInt8({prefix}category) = 7",
                f"intDiv(10, {prefix}id) > 3",
                f"{prefix}category = 'web' OR 1 = 1",
                f"{prefix}ref IN (1, 2, 5)",
            ]
        )
    )
    return f"({simple})"


@st.composite
def _where(draw: st.DrawFn, table: Table) -> str:
    conditions = draw(st.lists(_condition(table), max_size=3))
    return " WHERE " + draw(st.sampled_from([" AND ", " OR "])).join(conditions) if conditions else ""


@st.composite
def _having(draw: st.DrawFn, table: Table) -> str:
    return draw(st.sampled_from(["", "", " HAVING count() > 1", " HAVING max(amount) > 2"]))
