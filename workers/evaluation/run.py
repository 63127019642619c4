"""Runs every verified question of a catalog, and of the one before, on today's data."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.errors import AppError, NotFound, Unavailable, UserError
from core.ids import JobId
from core.principal import Principal
from core.store import catalogs, evaluations
from core.store.evaluations import Evaluation, NewEvaluation
from nlq.understand import Understander
from nlq.verified import plain
from semantic.catalog.model import Catalog, VerifiedQuestion
from semantic.catalog.visible import visible_to
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from semantic.states import ResultTable
from semantic.values.index import ValueIndex
from workers.bootstrap import Services
from workers.evaluation.compare import Item, Side, compared

MAX_QUESTIONS = 500


@dataclass(frozen=True, slots=True)
class Report:
    version: int
    base: int | None
    items: tuple[Item, ...]

    @property
    def regressions(self) -> int:
        return sum(item.is_regression for item in self.items)

    def as_json(self) -> dict[str, Any]:
        verdicts: dict[str, int] = {}
        for item in self.items:
            verdicts[item.verdict] = verdicts.get(item.verdict, 0) + 1
        return {
            "catalog_version": self.version, "base_version": self.base, "questions": len(self.items), "regressions": self.regressions,
            "reads_worse": sum(i.reads_worse for i in self.items), "verdicts": verdicts, "items": [i.as_json() for i in self.items],
        }  # fmt: skip


def evaluate(
    services: Services, principal: Principal, *, version: int | None = None, base: int | None = None, progress: Callable[[int, int], None]
) -> Report:
    """The questions verified in `version` (default: the current catalog) against `base` (default: the version before, or that of the last
    evaluation), with the caller's rights, as of now.

    Raises: NotFound without a catalog or for an unknown version; Unavailable when the warehouse is away.
    """
    now = services.clock.now()
    new = services.catalog(principal.tenant, version)
    number = base if base is not None else _base_version(services, principal, new.version)
    old = services.catalog(principal.tenant, number) if number is not None else None
    index = services.values(principal.tenant, new.version)
    after = _Runner(services, principal, new, index, now)
    before = _Runner(services, principal, old, index, now) if old is not None else None
    asked = {plain(v.question): v for v in (*(old.verified if old else ()), *new.verified)}
    items = []
    for done, (key, verified) in enumerate(list(asked.items())[:MAX_QUESTIONS]):
        progress(done, len(asked))
        items.append(compared(verified.question, before.side(key) if before else None, after.side(key)))
    return Report(new.version, old.version if old else None, tuple(items))


def save(services: Services, principal: Principal, report: Report, job: JobId | None) -> Evaluation:
    new = NewEvaluation(
        str(job) if job else None, report.version, report.base, len(report.items), report.regressions, report.as_json(), principal.user
    )
    with services.store.write() as connection:
        return evaluations.save(connection, principal.tenant, new, now=services.clock.now())


def _base_version(services: Services, principal: Principal, version: int) -> int | None:
    with services.store.read() as connection:
        known = [e.catalog_version for e in evaluations.list_all(connection, principal.tenant, limit=20) if e.catalog_version < version]
        wanted = known[0] if known else version - 1
        try:
            return catalogs.get(connection, principal.tenant, wanted).version if wanted >= 1 else None
        except NotFound:
            return None


class _Runner:
    """The verified questions of one catalog, found by their plain words."""

    def __init__(self, services: Services, principal: Principal, catalog: Catalog, values: ValueIndex, now: dt.datetime) -> None:
        self._services, self._principal, self._catalog, self._now = services, principal, catalog, now
        self._visible = visible_to(catalog, principal)
        self._known: Mapping[str, VerifiedQuestion] = {plain(v.question): v for v in catalog.verified}
        self._unaided = Understander(self._visible.changed(verified=()), values)

    def side(self, key: str) -> Side | None:
        verified = self._known.get(key)
        if verified is None:
            return None
        query = verified.query.model_dump(mode="json", exclude_none=True)
        reads = self._reads(verified)
        try:
            sql, result = self._run(verified.query)
        except Unavailable:
            raise
        except AppError as error:
            return Side(query, error=error.message if isinstance(error, UserError) else error.code, reads=reads)
        rows = result.rows()
        return Side(query, sql, _digest(rows), len(rows), reads=reads)

    def _run(self, query: SemanticQuery) -> tuple[str, ResultTable]:
        compiled = compile_query(resolve(query, self._visible, as_of=self._now))
        guarded = guard_compiled(compiled, self._catalog, self._principal, trust=self._services.trust)
        return guarded.sql, self._services.warehouse_sync.run(guarded)

    def _reads(self, verified: VerifiedQuestion) -> str:
        found = self._unaided.understand(verified.question, as_of=self._now)
        if found.outcome == "clarify":
            return "asks"
        if found.outcome != "answer" or not found.readings:
            return "refuses"
        return "same" if found.readings[0].query == verified.query else "other"


def _digest(rows: list[list[Any]]) -> str:
    """The same for the same rows in any order, numbers to nine digits."""
    lines = sorted(json.dumps([_plain(v) for v in row], default=str) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return f"{float(value):.9g}"
    return value
