"""Any query either runs through guard and engine, or is refused with an error for people; its text is the same each time."""

from __future__ import annotations

import pytest

from core.errors import QueryRejected, UserError
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from tests.sql import engine
from tests.sql.generate import Maker

_ANALYST = Principal(TenantId("shop"), UserId("u"), frozenset({Role.ANALYST}))


@pytest.mark.parametrize("block", range(8))
def test_random_queries_run_or_are_refused(block: int) -> None:
    ran = 0
    refused: dict[int, UserError] = {}
    for seed in range(block * 25, block * 25 + 25):
        query = SemanticQuery.model_validate(Maker(seed).query())
        try:
            compiled = engine.compiled(query)
        except UserError as error:
            refused[seed] = error
            continue
        guarded = guard_compiled(compiled, engine.catalog(), _ANALYST)
        rows = engine.run_sql(guarded.sql, guarded.params)
        assert all(len(row) == len(compiled.columns) for row in rows)
        assert query.limit is None or query.with_ties or query.with_other or len(rows) <= query.limit
        ran += 1
    assert ran >= 5
    assert not [seed for seed, error in refused.items() if isinstance(error, QueryRejected) or error.code in ("bad_request", "invalid")]
