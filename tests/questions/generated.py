"""A thousand questions made from the demo catalog's own names, and the SQL of each: run as a process, so that two processes can be compared.

    python -m tests.questions.generated COUNT ORDER_SEED

prints one JSON object: question -> SHA-256 of outcome, SQL and parameters.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import sys
from collections.abc import Sequence

from core.ids import TenantId, UserId
from core.principal import Principal, Role
from nlq.understand import Understander
from semantic.catalog.model import Catalog, FieldRole
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.resolve import resolve
from workers.demo.catalog import demo_catalog
from workers.demo.world import ACME

AS_OF = dt.datetime(2026, 5, 21, 12, tzinfo=dt.UTC)
_PERIODS = (
    "last month",
    "this year",
    "in Q1 2026",
    "in the last 8 weeks",
    "yesterday",
    "in 2025 vs 2024",
    "year to date",
    "on Black Friday 2025",
    "",
)
_SEED = 20260521


def questions(catalog: Catalog, count: int) -> list[str]:
    """`count` different questions, always the same ones."""
    rng = random.Random(_SEED)
    metrics = [m.label for m in catalog.metrics if not m.hidden]
    fields = [f.label for d in catalog.datasets for f in d.fields if f.role is FieldRole.CATEGORY and not f.hidden and not d.hidden]
    values = [v for d in catalog.datasets for f in d.fields if f.role is FieldRole.CATEGORY for v in f.values[:6]]
    things = [e.plural for e in catalog.entities]
    found: dict[str, None] = {}
    while len(found) < count:
        m, other, by, by2 = rng.choice(metrics), rng.choice(metrics), rng.choice(fields), rng.choice(fields)
        value, thing, period = rng.choice(values), rng.choice(things), rng.choice(_PERIODS)
        shapes = (
            f"{m} by {by} {period}", f"top 5 {by} by {m} {period}", f"{m} and {other} by month {period}", f"{m} for {value} {period}",
            f"{value}'s share of {m} {period}", f"how many {thing} {period}", f"{thing} without {rng.choice(things)}",
            f"{m} by {by} and {by2} {period}", f"average {m} per {by}", f"{m} growth by {by} {period}", f"{by} with {m} over 1000 {period}",
            f"running total of {m} by month {period}", f"{m} excluding {value} {period}", f"which {by} had the highest {m} {period}",
        )  # fmt: skip
        found[" ".join(rng.choice(shapes).split())] = None
    return list(found)


def digests(count: int, order_seed: int) -> dict[str, str]:
    """Each question's digest, asked in an order of the seed's own."""
    catalog = demo_catalog(ACME)
    understander = Understander(catalog)
    principal = Principal(TenantId("acme"), UserId("u"), frozenset({Role.ANALYST}))
    asked = questions(catalog, count)
    random.Random(order_seed).shuffle(asked)
    return {q: hashlib.sha256(_sql(understander, catalog, principal, q).encode()).hexdigest() for q in asked}


def _sql(understander: Understander, catalog: Catalog, principal: Principal, question: str) -> str:
    found = understander.understand(question, as_of=AS_OF)
    parts = [found.outcome]
    for reading in found.readings:
        guarded = guard_compiled(compile_query(resolve(reading.query, catalog, as_of=AS_OF)), catalog, principal)
        parts += [guarded.sql, repr(sorted(guarded.params.items()))]
    return "\n".join(parts)


def main(argv: Sequence[str]) -> None:
    print(json.dumps(digests(int(argv[0]), int(argv[1])), sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1:])
