"""What is odd in each series by a rule: signals. One function per kind of rule; events are made of signals."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from anomaly import DetectInput, Detection, detect
from anomaly.prepare import bucket_ends, step_seconds
from anomaly.thresholds import shared
from core.timeseries import FloatArray, Grain, TimeSeries
from workers.alerts.history import History, as_utc, cut
from workers.alerts.rule import AnomalyRule, AnyRule, ForecastRule, GoalRule, NoDataRule, ThresholdRule
from workers.alerts.timing import BUCKET, recovery
from workers.alerts.yearly import came_last_year
from workers.jobs.series import TOTAL

SignalKind = Literal["value", "level_shift", "missing_data", "flat_line", "threshold", "goal", "forecast"]
MAX_GAP_BUCKETS = 10_000
SHIFT_DAYS = 4  # where a level began is known to a few days


@dataclass(frozen=True, slots=True)
class Signal:
    """One odd stretch of one series. start: first bucket; end: last bucket, inclusive; known_at: end of the bucket that showed it.

    is_open: it goes on in the newest judged bucket, or too few have passed since. severity 0-100; impact in the metric's unit, signed.
    """

    series_id: str
    label: str
    kind: SignalKind
    direction: Literal["up", "down", "both"]
    start: dt.datetime
    end: dt.datetime
    known_at: dt.datetime
    severity: float
    impact: float
    expected: float
    actual: float
    is_open: bool


Detector = Callable[[TimeSeries], Detection]


def signals(
    rule: AnyRule,
    history: History,
    until: dt.datetime,
    *,
    sensitivity: float,
    detector: Detector | None = None,
    made_at: dt.datetime | None = None,
) -> list[Signal]:
    """All signals of all watched series. until: buckets ending later are not judged. sensitivity: the rule's own after feedback.

    detector: shared between rules that judge the same; by default made here. made_at: see Judge.events.
    """
    watched = [cut(with_volume(rule, history, series), until) for series in history.series if _is_watched(rule, history, series)]
    found: list[Signal] = []
    for series in watched:
        if isinstance(rule, AnomalyRule):
            judge = detector or anomaly_detector(rule, history, until, sensitivity)
            found += _anomalies(rule, history, series, judge(series))
        elif isinstance(rule, ThresholdRule):
            found += _thresholds(rule, history, _looked_at(rule, history, series, made_at))
        elif isinstance(rule, NoDataRule):
            found += _no_data(rule, history, series, until)
        elif isinstance(rule, ForecastRule):
            found += _forecast_breaches(rule, history, _looked_at(rule, history, series, made_at))
        elif series.series_id == TOTAL:
            found += _goal(rule, history, series)
    return found


def anomaly_detector(
    rule: AnomalyRule,
    history: History,
    until: dt.datetime,
    sensitivity: float,
    custom: Callable[[AnomalyRule, DetectInput, float], Detection] | None = None,
) -> Detector:
    """Judges a series as the rule asks; custom: instead of Querent's own detector."""
    zone = history.zone if history.grain in (Grain.MINUTE, Grain.HOUR) else None

    parts = max(1, len(history.series) - 1)

    def judge(series: TimeSeries) -> Detection:
        rate = sensitivity if series.series_id == TOTAL else shared(sensitivity, step_seconds(series.times, series.grain), parts)
        item = DetectInput(series=series, as_of=until, time_zone=zone, country=history.country)
        if custom is not None:
            return custom(rule, item, rate)
        company = [cut(other, until) for other in history.company] if series.series_id == TOTAL else []

        return detect(
            item,
            sensitivity=rate,
            min_effect=rule.min_effect,
            direction=rule.direction,
            second_opinion=rule.second_opinion,
            company=company,
        )

    return judge


def _is_watched(rule: AnyRule, history: History, series: TimeSeries) -> bool:
    """The whole always; a segment when it is large enough lately: 28 buckets, so that one that died is still watched for a while."""
    if series.series_id == TOTAL or rule.min_volume == 0:
        return True
    size = history.volumes.get(series.series_id) if history.volumes else series
    return bool(size is not None and len(size) and np.nanmean(np.abs(size.values[-28:])) >= rule.min_volume)


def with_volume(rule: AnyRule, history: History, series: TimeSeries) -> TimeSeries:
    """The ratio without the buckets whose denominator is below the minimum volume: two of three is no news."""
    volume = history.volumes.get(series.series_id)
    if volume is None or rule.min_volume == 0:
        return series
    enough = np.isin(series.times, volume.times[np.abs(volume.values) >= rule.min_volume])
    return replace(series, values=np.where(enough, series.values, np.nan))


def _looked_at(rule: ThresholdRule | ForecastRule, history: History, series: TimeSeries, made_at: dt.datetime | None) -> TimeSeries:
    """From the first bucket on that the rule could look at when it was made: a limit that was always crossed did not begin years ago."""
    if made_at is None:
        return series
    buckets = rule.buckets + rule.completeness.wait_buckets
    back = buckets * BUCKET[history.grain] + dt.timedelta(minutes=rule.evaluation_delay_minutes)
    ends = bucket_ends(series.times, history.grain, step_seconds(series.times, history.grain))
    first = int(np.searchsorted(ends, np.datetime64(int((made_at - back).timestamp() * 1_000_000), "us"), side="right"))
    first = min(first, max(0, len(series) - buckets))  # data that are late by weeks are looked at as well
    return replace(series, times=series.times[first:], values=series.values[first:])


def _anomalies(rule: AnomalyRule, history: History, series: TimeSeries, detection: Detection) -> Iterator[Signal]:
    if not len(series):
        return
    step = step_seconds(series.times, history.grain)
    newest = as_utc(detection.times[-1]) if len(detection.times) else None
    for incident in detection.incidents:
        off = abs(incident.actual - incident.expected)
        if incident.kind == "value" and off < rule.min_effect_share * abs(incident.expected):
            continue
        start = np.datetime64(incident.start, "ns")  # type: ignore[call-overload]
        days = {"value": 1, "level_shift": SHIFT_DAYS}.get(incident.kind, 0) if rule.yearly else 0
        if any(came_last_year(series, start + np.timedelta64(day, "D"), incident.direction) for day in range(days)):
            continue
        end = as_utc(incident.end)
        known_at = as_utc(bucket_ends(np.array([incident.detected_at], "datetime64[ns]"), history.grain, step)[0])
        open_still = (
            incident.is_open
            if incident.kind != "value"
            else newest is not None and newest - end < recovery(rule, end - as_utc(incident.start))
        )
        yield Signal(
            series.series_id,
            _label(history, series),
            incident.kind,
            incident.direction,
            as_utc(incident.start),
            end,
            known_at,
            _finite(incident.severity),
            _finite(incident.impact),
            _finite(incident.expected),
            _finite(incident.actual),
            open_still,
        )


def _thresholds(rule: ThresholdRule, history: History, series: TimeSeries) -> Iterator[Signal]:
    lines: list[tuple[float, int, Literal["up", "down"]]] = []
    if rule.upper is not None and rule.direction in ("up", "both"):
        lines.append((rule.upper, 1, "up"))
    if rule.lower is not None and rule.direction in ("down", "both"):
        lines.append((rule.lower, -1, "down"))
    for line, sign, direction in lines if len(series) else ():
        beyond = sign * (series.values - line)  # > 0 is beyond the line; NaN is neither
        for first, last in _runs(beyond, rule.buckets, rule.recovery_margin):
            peak = first + int(np.nanargmax(beyond[first : last + 1]))
            known = min(first + rule.buckets - 1, last)
            size = float(beyond[peak]) / max(abs(line), abs(float(series.values[peak])), 1e-12)
            yield _stretch(rule, history, series, first, last, known, "threshold", direction, line, peak, 40 + 60 * min(1.0, size))


def _forecast_breaches(rule: ForecastRule, history: History, series: TimeSeries) -> Iterator[Signal]:
    band = history.bands.get(series.series_id)
    if band is None or not len(series):
        return
    at = np.searchsorted(band.times, series.times)
    known = (at < len(band.times)) & (band.times[np.minimum(at, len(band.times) - 1)] == series.times)
    sides: list[tuple[FloatArray, int, Literal["up", "down"]]] = []
    if rule.direction in ("up", "both"):
        sides.append((band.upper, 1, "up"))
    if rule.direction in ("down", "both"):
        sides.append((band.lower, -1, "down"))
    for bound, sign, direction in sides:
        line = np.where(known, bound[np.minimum(at, len(bound) - 1)], np.nan)
        mean = np.where(known, band.mean[np.minimum(at, len(bound) - 1)], np.nan)
        beyond = sign * (series.values - line)
        for first, last in _runs(beyond, rule.buckets, 0.0):
            peak = first + int(np.nanargmax(beyond[first : last + 1]))
            known_at = min(first + rule.buckets - 1, last)
            size = float(beyond[peak]) / max(abs(float(line[peak])), abs(float(series.values[peak])), 1e-12)
            severity = 40 + 60 * min(1.0, size)
            made = _stretch(rule, history, series, first, last, known_at, "forecast", direction, float(mean[peak]), peak, severity)
            yield replace(made, impact=float(np.nansum((series.values - mean)[first : last + 1])))


def _runs(beyond: FloatArray, at_least: int, margin: float) -> list[tuple[int, int]]:
    """(first, last) of stretches that begin with `at_least` buckets beyond the line and end when the value is back by `margin`."""
    found: list[tuple[int, int]] = []
    position = 0
    while position < len(beyond):
        if not beyond[position] > 0:
            position += 1
            continue
        stop = position
        while stop + 1 < len(beyond) and (beyond[stop + 1] > -margin if margin else beyond[stop + 1] > 0):
            stop += 1
        run = beyond[position : stop + 1] > 0
        streaks = "".join("1" if flag else "0" for flag in run)
        begins = streaks.find("1" * at_least)
        if begins >= 0:
            found.append((position + begins, stop))
        position = stop + 1
    return found


def _no_data(rule: NoDataRule, history: History, series: TimeSeries, until: dt.datetime) -> Iterator[Signal]:
    """Buckets without a row between the first row and `until`."""
    present = series.times[~np.isnan(series.values)]
    if not len(present):
        return
    step = step_seconds(series.times, history.grain)
    ends = bucket_ends(present, history.grain, step)
    now = np.datetime64(int(until.timestamp() * 1_000_000), "us").astype("datetime64[ns]")
    nexts = np.r_[present[1:], now]
    for position in np.flatnonzero(nexts > ends).tolist():
        start = as_utc(ends[position])
        missing = _whole_buckets(ends[position], nexts[position], history.grain, step)
        if not rule.buckets <= missing <= MAX_GAP_BUCKETS:
            continue
        last = start + dt.timedelta(seconds=(missing - 1) * step)
        known = start + dt.timedelta(seconds=rule.buckets * step)
        usual = float(np.nanmedian(series.values[max(0, len(series) - 28) :]))
        newest = position == len(present) - 1
        severity = min(100.0, 50.0 + 5.0 * missing)
        yield Signal(
            series.series_id, _label(history, series), "missing_data", "down", start, last, known, severity, 0.0, usual, 0.0, newest
        )


def _whole_buckets(start: np.datetime64, stop: np.datetime64, grain: Grain, step_s: int) -> int:
    """Buckets from start that are over by stop: an evening is no day without rows yet."""
    if grain is not Grain.MONTH:
        return int((stop - start) / np.timedelta64(step_s, "s"))
    return int((stop.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(np.int64))


def _goal(rule: GoalRule, history: History, series: TimeSeries) -> Iterator[Signal]:
    """Per period the first day that it is behind (or beyond) its part of the goal, to the day that it is back."""
    sign = 1 if rule.direction == "up" else -1
    lines, paces, sums = np.empty(len(series)), np.empty(len(series)), np.empty(len(series))
    period: tuple[int, int] | None = None
    total, whole = 0.0, False
    for position, at in enumerate(series.times):
        day = as_utc(at).date()
        key, passed, length = _period(day, rule.period)
        if key != period:
            total, whole = 0.0, passed == 1 or period is not None  # a period whose begin is not in the history is not judged
        period = key
        value = float(series.values[position])
        total += 0.0 if math.isnan(value) else value
        sums[position] = total
        paces[position] = rule.goal if sign > 0 else rule.goal * passed / length
        line = float(np.nextafter(rule.goal, 0)) if sign > 0 else paces[position] * rule.tolerance
        lines[position] = line if whole and (passed >= rule.min_days or sign > 0) else np.nan
    beyond = sign * (sums - lines)
    for first, last in _runs(beyond, 1, 0.0):
        start = first
        for position in range(first, last + 1):  # a period is an event of its own
            stops = position == last or _key(series, position + 1, rule) != _key(series, start, rule)
            if stops:
                actual, expected = float(sums[position]), float(paces[position])
                severity = 40 + 60 * min(1.0, abs(actual - expected) / max(abs(expected), 1e-12))
                newest = position == len(series) - 1
                yield Signal(
                    series.series_id, _label(history, series), "goal", "up" if sign > 0 else "down", as_utc(series.times[start]),
                    as_utc(series.times[position]), as_utc(series.times[start]) + dt.timedelta(days=1), severity, actual - expected, expected,
                    actual, newest,
                )  # fmt: skip
                start = position + 1


def _key(series: TimeSeries, position: int, rule: GoalRule) -> tuple[int, int]:
    return _period(as_utc(series.times[position]).date(), rule.period)[0]


def goal_is_over(rule: AnyRule, last: dt.datetime) -> bool:
    """Whether the day is the last of its month or quarter."""
    if not isinstance(rule, GoalRule):
        return False
    _, passed, length = _period(last.date(), rule.period)
    return passed == length


def _period(day: dt.date, period: Literal["month", "quarter"]) -> tuple[tuple[int, int], int, int]:
    """(which period, days passed with this one, days in it)."""
    months = 1 if period == "month" else 3
    first_month = (day.month - 1) // months * months + 1
    first = day.replace(month=first_month, day=1)
    length = sum(calendar.monthrange(day.year, first_month + n)[1] for n in range(months))
    return (day.year, first_month), (day - first).days + 1, length


def _stretch(
    rule: AnyRule, history: History, series: TimeSeries, first: int, last: int, known: int, kind: SignalKind,
    direction: Literal["up", "down"], line: float, peak: int, severity: float,
) -> Signal:  # fmt: skip
    step = step_seconds(series.times, history.grain)
    known_at = as_utc(bucket_ends(series.times[known : known + 1], history.grain, step)[0])
    impact = float(np.nansum(series.values[first : last + 1] - line))
    end, newest = as_utc(series.times[last]), as_utc(series.times[-1])
    start, actual = as_utc(series.times[first]), float(series.values[peak])
    is_open = last == len(series) - 1 or newest - end < recovery(rule, end - start)
    return Signal(series.series_id, _label(history, series), kind, direction, start, end, known_at, severity, impact, line, actual, is_open)


def _label(history: History, series: TimeSeries) -> str:
    return history.segments[series.series_id].label


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0
