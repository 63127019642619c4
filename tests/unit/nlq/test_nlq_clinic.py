"""Questions over an inferred catalog of another trade, against SQL written by hand, on the real engine."""

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

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "questions" / "clinic.yaml").read_text(encoding="utf-8"))
TENANT = TenantId("clinic")
NOW = dt.datetime.combine(DOCUMENT["as_of"], dt.time(12), dt.UTC)
RIGHT_AT_LEAST, WRONG_AT_MOST = 0.9, 0


@dataclass(frozen=True)
class Clinic:
    engine: Engine
    catalog: Catalog
    understander: Understander
    principal: Principal

    def ask(self, question: str) -> Understanding:
        return self.understander.understand(question, as_of=NOW)

    def rows(self, understanding: Understanding) -> list[list[Any]]:
        compiled = compile_query(resolve(understanding.readings[0].query, self.catalog, as_of=NOW))
        return run_guarded(self.engine, guard_compiled(compiled, self.catalog, self.principal))[1]

    def expected(self, sql: str) -> list[list[Any]]:
        table = self.engine.execute(sql)
        return [list(row) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    engine, database = Engine(), tenant_database(TENANT)
    engine.command(f"DROP DATABASE IF EXISTS {database}")
    engine.command(f"CREATE DATABASE {database}")
    engine.command(f"USE {database}")
    for table in DOCUMENT["tables"]:
        engine.command(table)
    catalog = infer_catalog(schema_from_clickhouse(engine.execute, database), SqlProbe(engine.execute, database)).catalog
    values = build_value_index(catalog, engine.execute, TENANT)
    return Clinic(engine, catalog, Understander(catalog, values), Principal(TENANT, UserId("u"), frozenset({Role.ANALYST})))


def verdict(case: dict[str, Any], clinic: Clinic) -> str:
    found = clinic.ask(case["q"])
    outcome = "job" if found.readings and found.outcome == "answer" and found.readings[0].intent is not Intent.ASK else found.outcome
    if "outcome_any" in case:
        return "right" if outcome in case["outcome_any"] else "wrong" if outcome in {"answer", "job"} else "abstained"
    if outcome != "answer":
        return "abstained"
    rows, expected = clinic.rows(found), clinic.expected(case["sql"])
    if case.get("count") and len(rows) == len(expected):
        return "right"
    if case.get("count_any") and (len(rows) == expected[0][0] or (len(rows) == 1 and matches(expected, rows))):
        return "right"
    same = matches(expected, rows, ordered=bool(case.get("ordered")), subset=bool(case.get("subset")))
    return "right" if same else "wrong"


def test_questions_on_a_clinic(clinic: Clinic) -> None:
    verdicts: dict[str, list[str]] = {"right": [], "wrong": [], "abstained": []}
    for case in DOCUMENT["questions"]:
        verdicts[verdict(case, clinic)].append(case["q"])
    said = "\n".join(f"{kind}: {q}" for kind in ("wrong", "abstained") for q in verdicts[kind])
    print(f"{len(verdicts['right'])} of {len(DOCUMENT['questions'])} right\n{said}")
    assert len(verdicts["wrong"]) <= WRONG_AT_MOST, said
    assert len(verdicts["right"]) >= RIGHT_AT_LEAST * len(DOCUMENT["questions"]), said
