"""What every check works with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from core.timeseries import FloatArray, TimeArray
from models.conformance.made_up import SEASON_STEPS, future, history, times, values
from models.conformance.subject import Subject
from models.sdk.card import ModelCard
from models.sdk.contract import Context
from models.sdk.schemas import OUTPUTS, check_schema

Series = Mapping[str, tuple[TimeArray, FloatArray]]


class Wrong(Exception):
    """The model does not do what it must; the text says what was expected and what was found."""


class Skipped(Exception):
    """The check does not apply; the text says why."""


@dataclass(slots=True)
class Trial:
    subject: Subject
    card: ModelCard
    max_seconds: float
    stopped: bool = field(default=False)

    @property
    def grain(self) -> str:
        return self.card.grains[0]

    @property
    def context(self) -> Context:
        return Context(grain=self.grain, season_steps=SEASON_STEPS[self.grain], seed=self.card.seed)

    @property
    def horizon(self) -> int:
        return min(self.card.horizon, 28)

    @property
    def length(self) -> int:
        """Steps of an ordinary series: 400, more when the model needs more."""
        return max(400, self.card.min_history + 2 * self.horizon)

    def series(self, *, n: int | None = None, seed: int = 0, level: float = 100.0) -> tuple[TimeArray, FloatArray]:
        size = n or self.length
        return times(self.grain, size), values(size, SEASON_STEPS[self.grain], seed=seed, level=level)

    def forecast(self, series: Series, *, steps: int | None = None, context: Context | None = None, saved: bool = False) -> pa.Table:
        """The checked answer. Raises: Wrong for an answer that does not fit; ModelFailed; Skipped when `saved` and it keeps nothing."""
        ahead = {name: _next(when, self.grain, steps or self.horizon) for name, (when, _) in series.items()}
        tables = {"history": history(series), "future": future(ahead)}
        made = (self.subject.saved if saved else self.subject.run)(tables, context or self.context)
        if made is None:
            raise Skipped("the model declares no save and load (models.sdk.Saving); it fits anew each time")
        table = self._fits(made)
        _same_keys(table, tables["future"])
        return table

    def score(self, series: Series, *, context: Context | None = None) -> pa.Table:
        """The checked scores. Raises: Wrong; ModelFailed."""
        tables = {"history": history(series)}
        table = self._fits(self.subject.run(tables, context or self.context))
        _same_keys(table, tables["history"])
        return table

    def timed(self, act: Callable[[], object], what: str) -> str:
        """How long it took, as a remark. what: was done, as the remark says it. Raises: Wrong when it took too long; what `act` raises."""
        began_s = time.perf_counter()
        act()
        took_s = time.perf_counter() - began_s
        if took_s > self.max_seconds:
            raise Wrong(f"at most {self.max_seconds:g} s for {what} was expected; it took {took_s:.1f} s.")
        return f"{took_s:.2f} s for {what}"

    @property
    def three(self) -> Series:
        return {str(seed): self.series(seed=seed) for seed in range(3)}

    def local_grain(self) -> tuple[str, int, np.timedelta64]:
        """The grain that summer time is tried on, its season in steps and its step. Raises: Skipped."""
        if "hour" in self.card.grains:
            return "hour", 24, np.timedelta64(1, "h")
        if "day" in self.card.grains:
            return "day", 7, np.timedelta64(24, "h")
        raise Skipped("neither hours nor days are served")

    def in_berlin(self, grain: str, season: int) -> Context:
        return replace(self.context, grain=grain, season_steps=season, time_zone="Europe/Berlin", country="DE")

    def explain(self, parts: pa.Table) -> pa.Table:
        """The checked contributions. Raises: Wrong; ModelFailed."""
        table = self._fits(self.subject.run({"parts": parts}, self.context))
        if table.column("part").to_pylist() != parts.column("part").to_pylist():
            raise Wrong(f"{parts.num_rows} rows with the parts as given were expected; found {table.num_rows}, or others.")
        return table

    def _fits(self, table: pa.Table) -> pa.Table:
        try:
            return check_schema(table, OUTPUTS[self.card.kind], "The model's answer")
        except ValueError as error:
            raise Wrong(str(error)) from error


def column(table: pa.Table, name: str) -> FloatArray:
    """(n,) float64, NaN for null."""
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)


def _next(when: TimeArray, grain: str, steps: int) -> TimeArray:
    return times(grain, steps + 1, start=when[-1])[1:]


def _same_keys(table: pa.Table, asked: pa.Table) -> None:
    if table.num_rows != asked.num_rows:
        raise Wrong(f"one row per row asked for was expected ({asked.num_rows}); found {table.num_rows}.")
    for name in ("series_id", "time"):
        if not table.column(name).combine_chunks().equals(asked.column(name).combine_chunks()):
            raise Wrong(f"column {name!r} as asked for, in the same order, was expected; found other values.")
