"""A promoted custom explainer in the place of plain differences: contributions of a dimension's segments, and which of them stand out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.timeseries import FloatArray
from models.conformance.made_up import SEASON_STEPS
from models.conformance.subject import Subject
from models.conformance.trial import column
from models.sdk.card import ModelCard
from models.sdk.contract import Context
from models.sdk.failures import ModelFailed
from models.sdk.schemas import CONTRIBUTIONS, PARTS, check_schema

ADDS_UP = 1e-6  # of all that the parts hold: what rounding may take


@dataclass(frozen=True, slots=True)
class Split:
    """The whole by one dimension in two periods. before, after: (segments,) finite, which add up to the whole; segments: each once."""

    dimension: str
    segments: tuple[str, ...]
    before: FloatArray
    after: FloatArray

    @property
    def change(self) -> float:
        return float(self.after.sum() - self.before.sum())


def contributions_of(subject: Subject, card: ModelCard, split: Split, grain: str) -> FloatArray:
    """(segments,) what each contributes to the change of the whole. Raises: ModelFailed, also for what does not add up; Unavailable."""
    context = Context(grain, SEASON_STEPS.get(grain, 1), card.seed, dimension=split.dimension)
    names = pa.array(split.segments, pa.string())
    given = pa.Table.from_arrays([names, pa.array(split.before, pa.float64()), pa.array(split.after, pa.float64())], schema=PARTS)
    table = subject.run({"parts": given}, context)
    try:
        check_schema(table, CONTRIBUTIONS, "The model's answer")
    except ValueError as error:
        raise ModelFailed(str(error)) from error
    if table.num_rows != given.num_rows or not table.column("part").combine_chunks().equals(names):
        raise ModelFailed(f"The model answered {table.num_rows} parts for {given.num_rows} given, or others than those.")
    found = column(table, "contribution")
    size = max(1.0, float(np.abs(split.before).sum() + np.abs(split.after).sum()))
    if not np.isfinite(found).all() or abs(float(found.sum()) - split.change) > ADDS_UP * size:
        raise ModelFailed(f"By {split.dimension[:60]} its contributions add up to {float(found.sum()):g}; the change is {split.change:g}.")
    return found


def standing_out(split: Split, contributions: FloatArray) -> FloatArray:
    """(segments,) what each contributes beyond its size: less its share of the whole before, of the whole change."""
    size = np.abs(split.before) if (split.before > 0).any() else np.abs(split.before) + np.abs(split.after)
    return np.asarray(contributions - split.change * size / max(float(size.sum()), 1e-12), dtype=np.float64)


def most(split: Split, contributions: FloatArray) -> int:
    """The segment that stands out most."""
    return int(np.argmax(np.abs(standing_out(split, contributions))))


def plain(split: Split) -> FloatArray:
    """What each segment changed by: the contributions that anybody would name first."""
    return np.asarray(split.after - split.before, dtype=np.float64)
