"""What is remembered of a watched metric: feed it rows as they come, save it between two looks."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anomaly.prepare import grid_index
from core.errors import Invalid
from core.timeseries import FloatArray, TimeArray

FORMAT = 1
DAY_S = 86_400
WEEK_S = 604_800
MAX_CELLS = 50_400  # five weeks of minutes


@dataclass(frozen=True, slots=True)
class Scored:
    """(n,) each: score (NaN where not judged), expected value and its spread (one robust standard deviation)."""

    score: FloatArray
    expected: FloatArray
    spread: FloatArray


class State:
    """Scores rows in time order; the same rows in one call or in many give the same scores. Holds no more than five weeks of cells."""

    def __init__(self, step_s: int, time_zone: str | None = None) -> None:
        from anomaly import kernel

        if step_s < 1:
            raise Invalid(f"step_s must be at least 1 second; found {step_s}.", code="bad_step")
        self.step_s = step_s
        self.time_zone = time_zone
        self.last_time_ns = -(2**62)
        self._f = np.zeros(kernel.SCALARS)
        self._cells: FloatArray = np.full(min(MAX_CELLS, max(64, 5 * WEEK_S // step_s)), np.nan)
        self._recent: FloatArray = np.zeros(kernel.RECENT)

    def update(self, times: TimeArray, values: FloatArray) -> FloatArray:
        """(n,) scores of the new rows. Rows not later than the newest one seen get NaN and change nothing."""
        return self.advance(times, values).score

    def advance(self, times: TimeArray, values: FloatArray) -> Scored:
        """As `update`, with the expectation."""
        from anomaly import kernel

        at = times.astype("datetime64[ns]")
        ns = at.astype(np.int64)
        y = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
        out = Scored(*(np.full(len(y), np.nan) for _ in range(3)))
        ahead = np.maximum.accumulate(np.r_[self.last_time_ns, ns])[:-1] if len(ns) else ns
        new: npt.NDArray[np.bool_] = ns > ahead
        if not new.any():
            return out
        day = DAY_S // self.step_s if DAY_S % self.step_s == 0 else 0
        week = WEEK_S // self.step_s if WEEK_S % self.step_s == 0 else 0
        part = [np.empty(int(new.sum())) for _ in range(3)]
        kernel.run(self._f, self._cells, self._recent, day, week, grid_index(at[new], self.step_s, self.time_zone), y[new], *part)
        self.last_time_ns = int(ns[new][-1])
        for whole, piece in zip((out.score, out.expected, out.spread), part, strict=True):
            whole[new] = piece
        return out

    def to_bytes(self) -> bytes:
        """The state as an .npz without pickles."""
        file = io.BytesIO()
        meta = np.array([FORMAT, self.step_s, self.last_time_ns], np.int64)
        np.savez_compressed(file, meta=meta, zone=np.array(self.time_zone or ""), f=self._f, cells=self._cells, recent=self._recent)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """The state that `to_bytes` wrote.

        Raises: Invalid when the bytes are not such a state, or one of another version: rebuild it from history.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                parts = {name: file[name] for name in ("meta", "zone", "f", "cells", "recent")}
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise Invalid(
                "Expected a saved detector state; found other bytes. Rebuild the state from history.", code="bad_state"
            ) from error
        if parts["meta"][0] != FORMAT:
            raise Invalid(f"Expected state version {FORMAT}; found {parts['meta'][0]}. Rebuild the state from history.", code="bad_state")
        state = cls(int(parts["meta"][1]), str(parts["zone"]) or None)
        state.last_time_ns = int(parts["meta"][2])
        state._f, state._cells, state._recent = parts["f"], parts["cells"], parts["recent"]
        return state
