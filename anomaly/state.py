"""What is remembered of a watched metric: feed it rows as they come, save it between two looks."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np

from anomaly.calendar import sundays_back
from anomaly.memory import Memory, empty, seasons
from anomaly.prepare import grid_index
from core.errors import Invalid
from core.timeseries import FloatArray, TimeArray

FORMAT = 4
LONG_AGO_NS = -(2**62)


@dataclass(frozen=True, slots=True)
class Scored:
    """(n,) each: score (NaN where not judged), expected value, its spread (one robust standard deviation), and, for a few days after a
    high score, how many usual errors the row is from what was expected before it, and what that was (else NaN)."""

    score: FloatArray
    expected: FloatArray
    spread: FloatArray
    from_before: FloatArray
    held: FloatArray


class State:
    """Scores rows in time order; the same rows in one call or in many give the same scores. Holds at most five weeks of cells (400 kB)."""

    def __init__(self, step_s: int, time_zone: str | None = None, country: str | None = None) -> None:
        """step_s: seconds per bucket. time_zone: where the business lives (IANA). country: ISO code, for public holidays."""
        if step_s < 1:
            raise Invalid(f"step_s must be at least 1 second; found {step_s}.", code="bad_step")
        self.step_s = step_s
        self.time_zone = time_zone
        self.country = country
        self.last_time_ns = LONG_AGO_NS
        self._season = seasons(step_s)
        self._memory = empty(self._season)

    def update(self, times: TimeArray, values: FloatArray) -> FloatArray:
        """(n,) scores of the new rows. Rows not later than the newest one seen get NaN and change nothing.

        times: (n,) datetime64, UTC bucket starts. values: (n,), NaN is missing.
        """
        return self.advance(times, values).score

    def advance(self, times: TimeArray, values: FloatArray) -> Scored:
        """As `update`, with the expectation."""
        from anomaly import kernel

        at = times.astype("datetime64[ns]")
        ns = at.astype(np.int64)
        y = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
        if ns.shape != y.shape or ns.ndim != 1:
            raise Invalid(f"times and values must be 1-D and of one length; found {ns.shape} and {y.shape}.", code="bad_series")
        out = Scored(*(np.full(len(y), np.nan) for _ in range(5)))
        new = ns > np.maximum.accumulate(np.r_[self.last_time_ns, ns])[:-1]
        if not new.any():
            return out
        s = self._season
        grid = grid_index(at[new], self.step_s, self.time_zone)
        periods = np.array([s.short, s.short_count, s.long, s.long_count, s.reach, s.smooth_slots, s.block_rows, s.hold_steps], np.int64)
        back = sundays_back(grid, s.slots_per_day, self.country)
        part = [np.empty(len(grid)) for _ in range(5)]
        kernel.run(self._memory, grid, y[new], back, periods, *part)
        self.last_time_ns = int(ns[new][-1])
        for whole, piece in zip((out.score, out.expected, out.spread, out.from_before, out.held), part, strict=True):
            whole[new] = piece
        return out

    def to_bytes(self) -> bytes:
        """The state as an .npz without pickles."""
        file = io.BytesIO()
        meta = np.array([FORMAT, self.step_s, self.last_time_ns], np.int64)
        words = np.array([self.time_zone or "", self.country or ""])
        np.savez(file, meta=meta, words=words, **self._memory._asdict())
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """The state that `to_bytes` wrote.

        Raises: Invalid when the bytes are not such a state, or one of another version: rebuild it from history.
        """
        advice = "Rebuild the state from history."
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                meta, words = file["meta"], file["words"]
                parts = {name: file[name] for name in Memory._fields}
        except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise Invalid(f"Expected a saved detector state; found other bytes. {advice}", code="bad_state") from error
        if meta.shape != (3,) or meta[0] != FORMAT:
            raise Invalid(f"Expected state version {FORMAT}; found another. {advice}", code="bad_state")
        state = cls(int(meta[1]), str(words[0]) or None, str(words[1]) or None)
        for name, fresh in state._memory._asdict().items():
            if parts[name].shape != fresh.shape or parts[name].dtype != np.float64:
                raise Invalid(f"The saved detector state does not fit its step of {state.step_s} s ({name}). {advice}", code="bad_state")
        state.last_time_ns = int(meta[2])
        state._memory = Memory(**parts)
        return state
