"""The gate: every criterion with what was required and what was found, so that a refusal can be understood and argued with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.gate.backtest import LEVEL, Backtest

MARGIN = 0.02
"""A candidate must be 2 % better than who serves now: less is not worth a change, and folds differ by more than that by chance."""
P_VALUE = 0.05
COVERAGE_80 = (0.65, 0.95)
COVERAGE_95 = (0.85, 1.0)
SEGMENT_WORSE = 1.25
SECONDS_PER_SERIES = 5.0
MEMORY_BYTES = 2 * 1024**3
LEVEL_SLACK = 1.5


@dataclass(frozen=True, slots=True)
class Criterion:
    name: str
    passed: bool
    required: str
    found: str

    def __str__(self) -> str:
        return f"{self.name}: {self.required} was required; found {self.found}."


@dataclass(frozen=True, slots=True)
class Verdict:
    criteria: tuple[Criterion, ...]

    @property
    def passed(self) -> bool:
        return bool(self.criteria) and all(item.passed for item in self.criteria)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not, as sentences."""
        return tuple(str(item) for item in self.criteria if not item.passed)

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "criteria": [asdict(item) for item in self.criteria]}


def judge(found: Backtest) -> Verdict:
    """Whether the candidate may become challenger."""
    table = np.array(found.by_fold, dtype=np.float64)
    ours, theirs, naive = (float(np.nanmean(table[:, column])) for column in range(3))
    gain = 1 - ours / max(theirs, 1e-12)
    p = paired_p(theirs_minus_ours(table))
    worst = max(found.series, key=lambda s: s.candidate / max(s.champion, 1e-12))
    ratio = worst.candidate / max(worst.champion, 1e-12)
    leveled = found.leveled <= LEVEL_SLACK * found.plain + 0.1
    return Verdict(
        (
            Criterion(
                "Follows the history it is given",
                leveled,
                f"with the same history at {LEVEL:g} times its level an error of at most {LEVEL_SLACK:g} times the plain one",
                f"{found.leveled:.3f} against {found.plain:.3f}"
                + ("" if leveled else "; the numbers seem to be known by heart, or built in"),
            ),
            Criterion(
                "Better than who serves now",
                gain >= MARGIN,
                f"an error at least {MARGIN:.0%} below that of {found.champion}",
                f"{ours:.3f} against {theirs:.3f} ({abs(gain):.1%} {'better' if gain >= 0 else 'worse'})",
            ),
            Criterion(
                "Better by more than chance",
                p <= P_VALUE,
                f"p <= {P_VALUE:g} in a paired test over {len(found.folds)} test periods (Wilcoxon signed rank)",
                f"p = {p:.3f}",
            ),
            Criterion("Better than repeating the last season", ours < naive, f"an error below {naive:.3f}", f"{ours:.3f}"),
            _between("80 % intervals hold", found.coverage_80, COVERAGE_80),
            _between("95 % intervals hold", found.coverage_95, COVERAGE_95),
            Criterion(
                "No segment much worse",
                ratio <= SEGMENT_WORSE,
                f"at most {SEGMENT_WORSE:g} times the error of {found.champion} in each series",
                f"{ratio:.2f} times in {worst.series_id[:80]}",
            ),
            *frugal(found.seconds_per_series, found.peak_bytes),
        )
    )


def frugal(seconds: float, peak_bytes: int, per: str = "series") -> tuple[Criterion, Criterion]:
    """Time and memory. per: what the seconds are for."""
    return (
        Criterion("Quick enough", seconds <= SECONDS_PER_SERIES, f"at most {SECONDS_PER_SERIES:g} s per {per}", f"{seconds:.2f} s"),
        Criterion("Small enough", peak_bytes <= MEMORY_BYTES, f"at most {MEMORY_BYTES // 1024**2:,} MB", f"{peak_bytes // 1024**2:,} MB"),
    )


def theirs_minus_ours(table: np.ndarray) -> Sequence[float]:
    """(folds,) how much larger the champion's error was."""
    return [float(v) for v in table[:, 1] - table[:, 0] if np.isfinite(v)]


def paired_p(gains: Sequence[float]) -> float:
    """One-sided p of the Wilcoxon signed-rank test that gains are not above 0; 1.0 when there are none."""
    from scipy.stats import wilcoxon

    if len(gains) < 5 or not any(gains):
        return 1.0
    return float(wilcoxon(gains, alternative="greater").pvalue)


def _between(name: str, share: float, bounds: tuple[float, float]) -> Criterion:
    return Criterion(name, bounds[0] <= share <= bounds[1], f"{bounds[0]:.0%} to {bounds[1]:.0%} of actual values inside", f"{share:.0%}")
