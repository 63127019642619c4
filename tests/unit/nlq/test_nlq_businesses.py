"""Questions over inferred catalogs of businesses that nobody described, against SQL written by hand, on the real engine."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks._nlq_database import Engine, run_guarded
from core.ids import TenantId, UserId, tenant_database
from core.principal import Principal, Role
from nlq.types import Intent, Understanding
from nlq.understand import Understander
from semantic.catalog.infer import SqlProbe, infer_catalog
from semantic.catalog.infer.schema import schema_from_clickhouse
from semantic.catalog.model import Catalog
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.resolve import resolve
from semantic.values.build import build_value_index
from tests.questions.match import matches

FOLDER = Path(__file__).parents[2] / "questions"
BUSINESSES = (
    "clinic", "staff", "star_schema", "software_service", "bank", "university", "airline", "insurance", "restaurants", "freight", "fitness",
    "geography", "ledger", "parcels", "agency", "factory", "hiring", "utility", "newsroom", "builder", "film_festival",
)  # fmt: skip
RIGHT_AT_LEAST, WRONG_AT_MOST = 0.85, 0


@dataclass(frozen=True)
class Business:
    questions: list[dict[str, Any]]
    now: dt.datetime
    engine: Engine
    catalog: Catalog
    understander: Understander
    principal: Principal

    def ask(self, question: str) -> Understanding:
        return self.understander.understand(question, as_of=self.now)

    def rows(self, understanding: Understanding) -> list[list[Any]]:
        compiled = compile_query(resolve(understanding.readings[0].query, self.catalog, as_of=self.now))
        return run_guarded(self.engine, guard_compiled(compiled, self.catalog, self.principal))[1]

    def expected(self, sql: str) -> list[list[Any]]:
        table = self.engine.execute(sql)
        return [list(row) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.fixture
def business(request: pytest.FixtureRequest, engine: Engine) -> Business:
    document = yaml.safe_load((FOLDER / f"{request.param}.yaml").read_text(encoding="utf-8"))
    tenant = TenantId(request.param)
    database = tenant_database(tenant)
    engine.command(f"DROP DATABASE IF EXISTS {database}")
    engine.command(f"CREATE DATABASE {database}")
    engine.command(f"USE {database}")
    for table in document["tables"]:
        engine.command(table)
    catalog = infer_catalog(schema_from_clickhouse(engine.execute, database), SqlProbe(engine.execute, database)).catalog
    values = build_value_index(catalog, engine.execute, tenant)
    principal = Principal(tenant, UserId("u"), frozenset({Role.ANALYST}))
    now = dt.datetime.combine(document["as_of"], dt.time(12), dt.UTC)
    return Business(document["questions"], now, engine, catalog, Understander(catalog, values), principal)


def verdict(case: dict[str, Any], business: Business) -> str:
    found = business.ask(case["q"])
    outcome = "job" if found.readings and found.outcome == "answer" and found.readings[0].intent is not Intent.ASK else found.outcome
    if "outcome_any" in case and not (outcome in case["outcome_any"] and outcome == "answer" and "sql" in case):
        return "right" if outcome in case["outcome_any"] else "wrong" if outcome in {"answer", "job"} else "abstained"
    if outcome != "answer":
        return "abstained"
    rows, expected = business.rows(found), business.expected(case["sql"])
    if (case.get("count") or case.get("any")) and len(rows) == len(expected):
        return "right"
    if case.get("count_any") and (len(rows) == expected[0][0] or (len(rows) == 1 and matches(expected, rows))):
        return "right"
    same = matches(expected, rows, ordered=bool(case.get("ordered")), subset=bool(case.get("subset")))
    return "right" if same else "wrong"


@pytest.mark.parametrize("business", BUSINESSES, indirect=True)
def test_questions(business: Business) -> None:
    verdicts: dict[str, list[str]] = {"right": [], "wrong": [], "abstained": []}
    for case in business.questions:
        verdicts[verdict(case, business)].append(case["q"])
    said = "\n".join(f"{kind}: {q}" for kind in ("wrong", "abstained") for q in verdicts[kind])
    print(f"{len(verdicts['right'])} of {len(business.questions)} right\n{said}")
    assert len(verdicts["wrong"]) <= WRONG_AT_MOST, said
    assert len(verdicts["right"]) >= RIGHT_AT_LEAST * len(business.questions), said
