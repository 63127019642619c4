"""Questions that people wrote, with SQL written by hand (YAML files of tables and questions): evidence of their best readings, right or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from core.errors import AppError
from core.ids import TenantId
from nlq.calibration.collect import Example
from nlq.calibration.judge import is_right
from nlq.calibration.load import Inferred, Workshop
from nlq.types import Intent
from nlq.understand import Considered, Understander
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from semantic.warehouse.engine_errors import EngineError


def written_examples(folder: Path) -> list[Example]:
    """One example for each question that has a reading; files without tables are passed over, and so are why, forecast and unusual readings.

    A question that no answer fits counts as wrong whatever its reading is.
    """
    workshop = Workshop()
    try:
        return [example for path in sorted(folder.glob("*.yaml")) for example in _of(path, workshop)]
    finally:
        workshop.close()


def _of(path: Path, workshop: Workshop) -> Iterator[Example]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "tables" not in document:
        return
    loaded = workshop.made(TenantId(path.stem), document["tables"])
    now = dt.datetime.combine(document["as_of"], dt.time(12), dt.UTC)
    understander = Understander(loaded.catalog, loaded.values)
    for case in document["questions"]:
        seen: list[Considered] = []
        found = understander.understand(case["q"], as_of=now, watch=seen.append)
        if not seen or any(r.intent is not Intent.ASK for r in found.readings[:1]):
            continue
        right = "sql" in case and _right(case, seen[-1].query, loaded, workshop, now)
        yield Example(path.stem, "written", case["q"], seen[-1].values, right, found.outcome)
    workshop.forget(loaded)


def _right(case: Mapping[str, Any], query: SemanticQuery, loaded: Inferred, workshop: Workshop, now: dt.datetime) -> bool:
    """As tests/questions says: `any` and `count` compare numbers of rows, `count_any` also takes the number itself, `subset` leaves out rows that are not whole."""
    try:
        compiled = compile_query(resolve(query, loaded.catalog, as_of=now))
        rows = workshop.guarded(guard_compiled(compiled, loaded.catalog, loaded.principal))
    except (AppError, EngineError):
        return False
    expected = workshop.rows(case["sql"])
    if case.get("any") or case.get("count"):
        return len(rows) == len(expected)
    if case.get("count_any") and len(rows) == expected[0][0]:
        return True
    if case.get("subset"):
        rows = [row for row in rows if all(value is not None for value in row)]
    return is_right(expected, rows, ordered=bool(case.get("ordered")))
