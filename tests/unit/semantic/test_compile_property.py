"""For random star data, what the compiled query gives equals what pandas gives: no fan-out, no lost NULL, exact sums."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantic.catalog.model import Catalog
from semantic.query import SemanticQuery
from tests.sql import engine

GROUPS = st.sampled_from([None, "a", "b", ""])
TAGS = st.sampled_from(["x", "y", "z"])
DIMS = st.lists(GROUPS, max_size=4)
FACTS = st.lists(st.tuples(st.sampled_from([None, 0, 1, 2, 3, 9]), st.integers(-10_000, 10_000), TAGS, st.integers(0, 400)), max_size=8)
LINES = st.lists(st.tuples(st.integers(0, 8), TAGS, st.integers(-5, 5)), max_size=12)
METRICS = st.lists(st.sampled_from(["amount", "facts", "quantity", "average"]), min_size=1, max_size=4, unique=True)
BYS = st.lists(st.sampled_from(["group", "flag", "month"]), max_size=3, unique=True)
FILTERS = st.sampled_from([None, "line tag", "group", "not group"])


def _field(name: str, kind: str, role: str = "category", *, nullable: bool = False) -> dict[str, Any]:
    return {"name": name, "column": name, "type": kind, "role": role, "label": name, "nullable": nullable}


def _catalog() -> Catalog:
    def dataset(name: str, fields: list[dict[str, Any]], key: list[str], time: str | None = None) -> dict[str, Any]:
        kind = "dimension" if name == "dims" else "fact"
        return {
            "name": name,
            "database": "tenant_prop",
            "table": name,
            "label": name,
            "kind": kind,
            "primary_key": key,
            "fields": fields,
            "time": time,
        }

    facts = [_field("id", "integer", "key"), _field("dim_id", "integer", "key", nullable=True), _field("amount", "decimal", "measure")]
    facts += [_field("flag", "string"), _field("day", "date", "time")]
    lines = [
        _field("id", "integer", "key"),
        _field("fact_id", "integer", "key"),
        _field("tag", "string"),
        _field("quantity", "integer", "measure"),
    ]
    amount, quantity = ({"kind": "field", "dataset": d, "field": f} for d, f in (("facts", "amount"), ("lines", "quantity")))

    def metric(name: str, dataset_name: str, aggregate: str, of: dict[str, str] | None) -> dict[str, Any]:
        return {"type": "simple", "name": name, "label": name, "dataset": dataset_name, "aggregate": aggregate, "of": of}

    relation = {"name": "dim", "from_dataset": "facts", "from_fields": ["dim_id"], "to_dataset": "dims", "to_fields": ["id"]}
    belongs = {"name": "fact", "from_dataset": "lines", "from_fields": ["fact_id"], "to_dataset": "facts", "to_fields": ["id"]}
    return Catalog.model_validate(
        {
            "datasets": [
                dataset("dims", [_field("id", "integer", "key"), _field("group", "string", nullable=True)], ["id"]),
                dataset("facts", facts, ["id"], "day"),
                dataset("lines", lines, ["id"]),
            ],
            "relationships": [relation, belongs],
            "metrics": [
                metric("amount", "facts", "sum", amount),
                metric("facts", "facts", "count", None),
                metric("average", "facts", "avg", amount),
                metric("quantity", "lines", "sum", quantity),
            ],
        }
    )


CATALOG = _catalog()
BY = {
    "group": {"kind": "field", "field": {"kind": "field", "dataset": "dims", "field": "group"}},
    "flag": {"kind": "field", "field": {"kind": "field", "dataset": "facts", "field": "flag"}},
    "month": {"kind": "time", "grain": "month"},
}
WHERE: dict[str, Any] = {
    "line tag": {"kind": "in", "field": {"kind": "field", "dataset": "lines", "field": "tag"}, "values": ["x"]},
    "group": {"kind": "in", "field": {"kind": "field", "dataset": "dims", "field": "group"}, "values": ["a"]},
    "not group": {"kind": "in", "field": {"kind": "field", "dataset": "dims", "field": "group"}, "values": ["a"], "negate": True},
}
START = dt.date(2023, 6, 1)


def _load(dims: list[Any], facts: list[Any], lines: list[Any]) -> None:
    session = engine.engine()
    session.query("CREATE DATABASE IF NOT EXISTS tenant_prop")
    columns = {
        "dims": "id Int32, `group` Nullable(String)",
        "facts": "id Int32, dim_id Nullable(Int32), amount Decimal(18, 2), flag String, day Date",
        "lines": "id Int32, fact_id Int32, tag String, quantity Int32",
    }
    rows = {
        "dims": [(i, g) for i, g in enumerate(dims)],
        "facts": [(i, d, Decimal(a) / 100, f, START + dt.timedelta(days=n)) for i, (d, a, f, n) in enumerate(facts)],
        "lines": [(i, *line) for i, line in enumerate(lines)],
    }
    for name, spec in columns.items():
        session.query(f"CREATE OR REPLACE TABLE tenant_prop.{name} ({spec}) ENGINE = Memory")
        if rows[name]:
            values = ", ".join(
                "(" + ", ".join("NULL" if v is None else str(v) if isinstance(v, int) else f"'{v}'" for v in row) + ")"
                for row in rows[name]
            )
            session.query(f"INSERT INTO tenant_prop.{name} VALUES {values}")


def _expected(dims: list[Any], facts: list[Any], lines: list[Any], metrics: list[str], by: list[str], where: str | None) -> list[list[Any]]:
    fact_rows = [
        {"id": i, "group": dims[d] if d is not None and d < len(dims) else None, "amount": Decimal(a) / 100, "flag": f,
         "month": (START + dt.timedelta(days=n)).replace(day=1).isoformat()}
        for i, (d, a, f, n) in enumerate(facts)
    ]  # fmt: skip
    nothing = {"id": None, "group": None, "flag": None, "month": None}
    line_rows = [{**(fact_rows[f] if f < len(fact_rows) else nothing), "tag": t, "quantity": q} for f, t, q in lines]
    tagged = {row["id"] for row in line_rows if row["tag"] == "x"}
    if where == "line tag":
        fact_rows = [row for row in fact_rows if row["id"] in tagged]
        line_rows = [row for row in line_rows if row["tag"] == "x"]
    elif where == "group":
        fact_rows, line_rows = ([row for row in rows if row["group"] == "a"] for rows in (fact_rows, line_rows))
    elif where == "not group":
        fact_rows, line_rows = ([row for row in rows if row["group"] != "a"] for rows in (fact_rows, line_rows))
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    from_lines, from_facts = "quantity" in metrics, set(metrics) - {"quantity"}
    if not by:
        merged[()] = {}
    for rows, wanted in ((fact_rows, from_facts), (line_rows, {"quantity"} if from_lines else set())):
        frame = pd.DataFrame(rows)
        if not wanted or frame.empty:
            continue
        frame["key"] = [tuple(row[name] for name in by) for row in rows]
        for key, part in frame.groupby("key", dropna=False, sort=False):
            found = merged.setdefault(tuple(key), {})
            if "quantity" in wanted:
                found["quantity"] = int(part["quantity"].sum())
            else:
                total = sum(part["amount"], Decimal(0))
                found |= {"amount": total, "facts": len(part), "average": float(total) / len(part)}
    return [[*key, *(found.get(m, 0 if m == "facts" else None) for m in metrics)] for key, found in merged.items()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DIMS, FACTS, LINES, METRICS, BYS, FILTERS)
def test_metrics_by_dimensions_equal_pandas(
    dims: list[Any], facts: list[Any], lines: list[Any], metrics: list[str], by: list[str], where: str | None
) -> None:
    _load(dims, facts, lines)
    query = SemanticQuery.model_validate(
        {
            "metrics": [{"kind": "metric", "metric": m} for m in metrics],
            "by": [BY[b] for b in by],
            "where": WHERE[where] if where else None,
        }
    )
    compiled = engine.compiled(query, within=CATALOG)
    found = engine.run_sql(compiled.tree.sql("clickhouse"), compiled.params)
    expected = _expected(dims, facts, lines, metrics, by, where)
    assert sorted(engine.plain(found), key=repr) == sorted(engine.plain(expected), key=repr), compiled.tree.sql("clickhouse", pretty=True)
