"""Plain-English questions through the whole path (understand, resolve, compile, guard, engine), against hand-written SQL."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from core.ids import TenantId, UserId
from core.principal import Principal, Role
from nlq.understand import Understander
from semantic.pipeline import guard_compiled
from semantic.values.build import build_value_index
from tests.sql import engine

_CASES = yaml.safe_load((Path(__file__).parent / "questions" / "shop.yaml").read_text())
_ANALYST = Principal(TenantId("shop"), UserId("u"), frozenset({Role.ANALYST}))


def _table(sql: str) -> pa.Table:
    answer = engine.engine().query(sql, "ArrowStream")
    return pa.ipc.open_stream(answer.bytes()).read_all()


@lru_cache(maxsize=1)
def understander() -> Understander:
    values = build_value_index(engine.catalog(), _table, TenantId("shop"))
    return Understander(engine.catalog(), values)


def _holds(found: list[list[Any]], expected: list[list[Any]], *, ordered: bool) -> bool:
    """Whether every expected column is among the found ones, row by row."""
    if len(found) != len(expected):
        return False
    if not expected:
        return True
    width = len(found[0])
    for chosen in permutations(range(width), len(expected[0])):
        picked = [[row[i] for i in chosen] for row in found]
        if picked == expected or (not ordered and sorted(picked, key=repr) == sorted(expected, key=repr)):
            return True
    return False


@pytest.mark.parametrize("case", [pytest.param(c, id=c["ask"][:70]) for c in _CASES])
def test_question(case: dict[str, Any]) -> None:
    read = understander().understand(case["ask"], as_of=engine.AS_OF)
    if "refuse" in case:
        assert read.outcome == "refuse", read.readings[0].paraphrase if read.readings else read.message
        said = {w.text.lower() for w in read.unknown}
        assert {w.lower() for w in case["refuse"]} <= said
        assert read.message
        return
    assert read.outcome == "answer", read.message
    reading = read.readings[0]
    assert reading.chips
    assert reading.paraphrase
    guarded = guard_compiled(engine.compiled(reading.query), engine.catalog(), _ANALYST)
    found = engine.plain(engine.run_sql(guarded.sql, guarded.params))
    expected = engine.plain(engine.run_sql(case["check"].split(" SETTINGS ")[0]))
    expected = [[row[i] for i in case.get("columns", range(len(row)))] for row in expected]
    assert expected or case.get("empty"), "a check without rows proves nothing"
    assert _holds(found, expected, ordered=case.get("ordered", False)), f"{reading.paraphrase}\n{found}\n{expected}"
