"""A whole series in, scores and incidents out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from anomaly.conditions import crept_shift, flat_line, level_shift, missing_data
from anomaly.incidents import AWAY_ERRORS, BACK_IN_A_ROW, Watched, before_event, value_incidents
from anomaly.prepare import prepare
from anomaly.state import State
from anomaly.thresholds import DEFAULT_SENSITIVITY, HOUR_S, score_threshold
from anomaly.types import DetectInput, Detection, Incident
from core.errors import Invalid
from core.timeseries import FloatArray, TimeSeries

BAND = 3.0  # robust standard deviations of the expected range


def detect(
    item: DetectInput,
    *,
    sensitivity: float = DEFAULT_SENSITIVITY,
    min_effect: float = 0.0,
    direction: str = "both",
    second_opinion: str | None = None,
    company: Sequence[TimeSeries] = (),
) -> Detection:
    """Scores, expectation and incidents of one series.

    sensitivity: expected false alarms per year, > 0 (see thresholds). min_effect: smallest |actual - expected| worth an alert, in the
    metric's unit. direction: 'up', 'down' or 'both'; rows off to the other side keep their score but raise nothing. second_opinion: a PyOD
    detector on the residuals that is heard as well (see second_opinion; some ten times slower). company: other metrics that are judged
    together with this one: what they do not account for is scored as well, and the second opinion hears of them. Incidents are of this one.
    Raises: Invalid when the input or an option makes no sense.
    """
    if direction not in ("up", "down", "both") or not min_effect >= 0:
        raise Invalid(f"Expected direction up, down or both and min_effect >= 0; found {direction!r} and {min_effect}.", code="bad_option")
    rows = prepare(item)
    threshold = score_threshold(sensitivity, rows.step_s)
    scored = State(rows.step_s, item.time_zone, item.country).advance(rows.times, rows.values)
    features = None
    if company:
        from anomaly.company import in_company

        beside = in_company(item, rows, scored, company)
        threshold = score_threshold(sensitivity / 2, rows.step_s)  # two scores, each of which may be wrong
        scored.score[:] = np.fmax(scored.score, np.where(np.isnan(scored.score), np.nan, beside.apart))
        features = beside.features
    if second_opinion is not None:
        from anomaly.second_opinion import weighed

        scored.score[:] = weighed(scored, rows.values, rows.step_s, second_opinion, features)
    if item.warmup_steps:
        scored.score[: item.warmup_steps] = np.nan
    off = rows.values - scored.expected
    from_held = np.where(np.isnan(scored.held), 0.0, rows.values - scored.held)  # during an event the row before is of it as well
    silent = np.fmax(np.abs(off), np.abs(from_held)) < min_effect
    if direction != "both":
        side = np.where(np.abs(from_held) > np.abs(off), from_held, off)
        silent |= side < 0 if direction == "up" else side > 0
        silent |= scored.from_before < AWAY_ERRORS  # the way back from an event to the other side
    alerting = np.where(silent, np.nan, scored.score)
    watched = Watched(item.series.series_id, rows.times, rows.values, scored, rows.step_s, alerting)
    found = _incidents(watched, item, threshold, sensitivity, (direction, min_effect)) if len(rows.times) else ()
    expected, width = as_if_nothing_began(watched, found), BAND * scored.spread
    least = np.where(np.minimum.accumulate(np.nan_to_num(rows.values)) < 0, -np.inf, 0.0)  # what never was negative is not expected to be
    return Detection(
        item.series.series_id,
        rows.times,
        rows.values,
        scored.score,
        expected,
        np.maximum(expected - width, np.minimum(expected, least)),
        expected + width,
        found,
        rows.dropped,
    )


def as_if_nothing_began(watched: Watched, found: Sequence[Incident]) -> FloatArray:
    """(n,) what was expected of each row; in an incident, and until it is sure that it is over, what was due before it, for as long as that
    is held: the last rows of an outage make one expect an outage."""
    expected = watched.scored.expected.copy()
    for incident in found:
        if incident.kind == "value":
            first, last = (int(np.searchsorted(watched.times, at)) for at in (incident.start, incident.end))  # type: ignore[call-overload]
            until = min(len(expected) - 1, last + BACK_IN_A_ROW)
            expected[first : until + 1] = before_event(watched, first, until)
    return expected


def _incidents(watched: Watched, item: DetectInput, threshold: float, per_year: float, wanted: tuple[str, float]) -> tuple[Incident, ...]:
    """All kinds, by the time they could be known. wanted: direction and smallest effect."""
    direction, least = wanted
    values = value_incidents(watched, threshold, per_year, lone_are_higher=watched.step_s < HOUR_S)
    values = tuple(i for i in values if not abs(i.actual - i.expected) < least)
    shifts = level_shift(watched, values)
    crept = [i for i in crept_shift(watched, shifts) if direction in ("both", i.direction) and abs(i.actual - i.expected) >= least]
    found = [*values, *shifts, *crept, *missing_data(watched, item.as_of), *flat_line(watched, values)]
    if item.warmup_steps:
        judged = watched.times[item.warmup_steps :]
        found = [i for i in found if len(judged) and i.start >= judged[0]]
    return tuple(sorted(found, key=lambda i: i.detected_at))  # type: ignore[arg-type,return-value]


def detect_many(items: Iterable[DetectInput], *, sensitivity: float = DEFAULT_SENSITIVITY) -> Iterator[Detection]:
    """`detect` for each series, in order, one at a time."""
    for item in items:
        yield detect(item, sensitivity=sensitivity)
