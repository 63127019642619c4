"""Examples to learn from: evidence of the best reading of each made-up question, and whether its result was the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.errors import AppError
from nlq.calibration.asker import Asker
from nlq.calibration.cases import Case
from nlq.calibration.judge import is_right
from nlq.calibration.load import Loaded, Workshop
from nlq.calibration.shapes import SHAPES
from nlq.calibration.worlds import AS_OF, worlds
from nlq.understand import Considered, Understander
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from semantic.warehouse.engine_errors import EngineError


@dataclass(frozen=True, slots=True)
class Example:
    """values: as `evidence.NAMES`. right: whether the best reading gives the expected table. outcome: what the service said at the time."""

    domain: str
    shape: str
    question: str
    values: tuple[float, ...]
    right: bool
    outcome: str


def collect(
    seed: int, businesses: int, questions: int, *, held_out: bool, progress: Callable[[int], None] = lambda _: None
) -> tuple[list[Example], int]:
    """Examples of `businesses` made-up businesses, `questions` each; and how many questions had no reading at all."""
    workshop = Workshop()
    found: list[Example] = []
    without = 0
    try:
        for number, world in enumerate(worlds(seed, businesses, held_out=held_out)):
            loaded = workshop.load(world)
            understander = Understander(loaded.catalog, loaded.values)
            for case in Asker(world, loaded.tenant, f"{seed}/{number}").cases(questions, SHAPES):
                example = _example(workshop, loaded, understander, case)
                without += example is None
                if example is not None:
                    found.append(example)
            workshop.forget(loaded)
            progress(number + 1)
    finally:
        workshop.close()
    return found, without


def _example(workshop: Workshop, loaded: Loaded, understander: Understander, case: Case) -> Example | None:
    considered: list[Considered] = []
    understood = understander.understand(case.question, as_of=AS_OF, watch=considered.append)
    if not considered:
        return None
    best = considered[-1]
    return Example(
        loaded.world.name, case.shape, case.question, best.values, _is_right(workshop, loaded, case, best.query), understood.outcome
    )


def _is_right(workshop: Workshop, loaded: Loaded, case: Case, query: SemanticQuery) -> bool:
    if case.sql is None:
        return False
    try:
        compiled = compile_query(resolve(query, loaded.catalog, as_of=AS_OF))
        found = workshop.guarded(guard_compiled(compiled, loaded.catalog, loaded.principal))
    except (AppError, EngineError):
        return False
    return any(is_right(workshop.rows(sql), found, ordered=case.ordered) for sql in (case.sql, case.keys) if sql is not None)


def by_domain(examples: Sequence[Example]) -> Iterator[tuple[str, list[Example]]]:
    for domain in sorted({e.domain for e in examples}):
        yield domain, [e for e in examples if e.domain == domain]
