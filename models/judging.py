"""A promoted custom detector in the place of Querent's own: its scores on our scale, the same kinds of incidents."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

import numpy as np

from anomaly.conditions import flat_line, level_shift, missing_data
from anomaly.detection import BAND
from anomaly.incidents import Watched, value_incidents
from anomaly.prepare import GRAIN_SECONDS, Rows, prepare
from anomaly.state import Scored
from anomaly.thresholds import PER_YEAR, score_threshold
from anomaly.types import DetectInput, Detection, Incident
from core.timeseries import FloatArray, Grain
from models.conformance.made_up import SEASON_STEPS, history
from models.conformance.subject import Subject
from models.conformance.trial import column
from models.sdk.card import ModelCard
from models.sdk.contract import Context
from models.sdk.failures import ModelFailed
from models.sdk.schemas import SCORES, check_schema

MIN_SCORED = 30
_YEAR_S = 31_557_600


def scores_of(subject: Subject, card: ModelCard, rows: Sequence[Rows], grain: Grain, item: DetectInput) -> list[dict[str, FloatArray]]:
    """Per series column -> (n,): score, expected, lower, upper, NaN for none. Raises: ModelFailed; Unavailable."""
    context = Context(grain.value, SEASON_STEPS.get(grain.value, 1), card.seed, item.time_zone, item.country)
    given = history({f"s{place}": (one.times, one.values) for place, one in enumerate(rows)})
    table = subject.run({"history": given}, context)
    try:
        check_schema(table, SCORES, "The model's answer")
    except ValueError as error:
        raise ModelFailed(str(error)) from error
    same = table.num_rows == given.num_rows and all(
        table.column(name).combine_chunks().equals(given.column(name).combine_chunks()) for name in ("series_id", "time")
    )
    if not same:
        raise ModelFailed(f"The model answered {table.num_rows} rows for {given.num_rows} given, or others than those.")
    columns = {name: column(table, name) for name in ("score", "expected", "lower", "upper")}
    if any(np.isinf(numbers).any() for numbers in columns.values()):
        raise ModelFailed("The model answered numbers that are not finite.")
    ends = np.cumsum([len(one.times) for one in rows])
    return [{name: numbers[end - len(one.times) : end] for name, numbers in columns.items()} for one, end in zip(rows, ends, strict=True)]


def on_our_scale(score: FloatArray, step_s: int) -> FloatArray:
    """(n,) scores as Querent's detector gives them: as rare among the rows before as one of ours would be. NaN while few are known."""
    found = np.full(len(score), np.nan)
    seen: list[float] = []
    for row, value in enumerate(score.tolist()):
        if np.isnan(value):
            continue
        if len(seen) >= MIN_SCORED:
            above = len(seen) - bisect_left(seen, value)
            years = len(seen) * step_s / _YEAR_S
            rate = (above + 0.5) / max(years, 1e-9)
            found[row] = score_threshold(rate) if rate < PER_YEAR[0] else 0.0
        insort(seen, value)
    return found


def detect_with(
    subject: Subject,
    card: ModelCard,
    label: str,
    inputs: Sequence[DetectInput],
    *,
    sensitivity: float,
    min_effect: float = 0.0,
    direction: str = "both",
) -> list[Detection]:
    """Detections in the order of `inputs`, all of one grain; options as of `anomaly.detect`. Raises: ModelFailed; Invalid; Unavailable."""
    threshold = score_threshold(sensitivity)
    rows = [prepare(item) for item in inputs]
    grain = inputs[0].series.grain
    assert grain is not None
    made = scores_of(subject, card, rows, grain, inputs[0])
    return [
        _detection(item, one, found, label, threshold, (min_effect, direction)) for item, one, found in zip(inputs, rows, made, strict=True)
    ]


def _detection(
    item: DetectInput, rows: Rows, found: dict[str, FloatArray], label: str, threshold: float, options: tuple[float, str]
) -> Detection:
    season = max(1, SEASON_STEPS.get(item.series.grain.value, 1)) if item.series.grain else 1
    before = np.r_[np.full(min(season, len(rows.values)), np.nan), rows.values[:-season]]
    expected = np.where(np.isfinite(found["expected"]), found["expected"], before)
    score = on_our_scale(found["score"], rows.step_s or GRAIN_SECONDS[Grain.DAY])
    spread = _spread(found, rows.values - expected)
    off = rows.values - expected
    silent = np.abs(off) < options[0]
    if options[1] != "both":
        silent |= off < 0 if options[1] == "up" else off > 0
    unknown = np.full(len(score), np.nan)
    scored = Scored(score, expected, spread, unknown, unknown)
    watched = Watched(item.series.series_id, rows.times, rows.values, scored, rows.step_s, np.where(silent, np.nan, score))
    incidents: tuple[Incident, ...] = ()
    if len(rows.times):
        values = value_incidents(watched, threshold)
        every = [*values, *missing_data(watched, item.as_of), *flat_line(watched, values), *level_shift(watched, values)]
        incidents = tuple(sorted(every, key=lambda one: one.detected_at))  # type: ignore[arg-type,return-value]
    low = np.where(np.isfinite(found["lower"]), found["lower"], expected - BAND * spread)
    high = np.where(np.isfinite(found["upper"]), found["upper"], expected + BAND * spread)
    notes = (*rows.dropped, f"Judged by {label}.")
    return Detection(item.series.series_id, rows.times, rows.values, score, expected, low, high, incidents, notes)


def _spread(found: dict[str, FloatArray], off: FloatArray) -> FloatArray:
    """(n,) one robust standard deviation: from the model's bounds, else of the rows before."""
    given = (found["upper"] - found["lower"]) / (2 * BAND)
    spread = np.full(len(off), np.nan)
    for row in range(len(off)):
        past = off[max(0, row - 90) : row]
        known = np.abs(past[np.isfinite(past)])
        spread[row] = 1.4826 * float(np.median(known)) if known.size >= 5 else np.nan
    return np.where(np.isfinite(given) & (given > 0), given, spread)
