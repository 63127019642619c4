"""Each case: a query, and hand-written SQL that must give the same rows on the real engine, through the guard."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import UserError
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from tests.sql import engine
from tests.sql.shorthand import expand

_FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
_CASES = [pytest.param(case, id=f"{path.stem}: {case['name']}") for path in _FILES for case in yaml.safe_load(path.read_text())]
_ANALYST = Principal(TenantId("shop"), UserId("u"), frozenset({Role.ANALYST}))


def _query(case: dict[str, Any]) -> SemanticQuery:
    return SemanticQuery.model_validate(expand(case["query"]))


def _as_of(case: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(case["as_of"]) if "as_of" in case else engine.AS_OF


@pytest.mark.parametrize("case", _CASES)
def test_case(case: dict[str, Any]) -> None:
    query = _query(case)
    if "error" in case:
        with pytest.raises(UserError) as raised:
            engine.compiled(query, _as_of(case))
        assert raised.value.code == case["error"]
        for word in case.get("says", ()):
            assert word in raised.value.message or word in raised.value.suggestions
        return
    compiled = engine.compiled(query, _as_of(case))
    guarded = guard_compiled(compiled, engine.catalog(), _ANALYST)
    found = engine.plain(engine.run_sql(guarded.sql, guarded.params))
    expected = engine.plain(engine.run_sql(case["check"])) if "check" in case else engine.plain(case["rows"])
    if not case.get("ordered", bool(query.order)):
        found, expected = (sorted(rows, key=repr) for rows in (found, expected))
    assert found == expected, compiled.tree.sql("clickhouse", pretty=True)
    assert expected or case.get("empty"), "a check without rows proves nothing"
    assert len(compiled.columns) == len(found[0]) if found else True
    names = [column.name for column in compiled.columns]
    assert len(set(names)) == len(names)
    again = engine.compiled(query, _as_of(case))
    assert again.tree.sql("clickhouse") == compiled.tree.sql("clickhouse")
    assert again.params == compiled.params
