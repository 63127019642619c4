"""`python -m benchmarks.anomaly_behaviour --suite DIR`: what alerts do when one thing happens to a real series.

Takes a suite of anomalies or of forecasts (labels are not read), does one thing at a time to each series at places where the untouched
run is silent (`anomaly_changes`), runs `anomaly.detect`, and counts alerts of kind value against the untouched run: in the days it was done
to, in the season and the two weeks after. Prints one line per behaviour and step, and one JSON line last.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from anomaly import DetectInput, Detection, detect
from anomaly.prepare import step_seconds
from benchmarks.anomaly_changes import DAY_S, NS_PER_S, Changed, Untouched, changes_at, changes_of_all
from core.timeseries import FloatArray, TimeSeries

SHARES = (0.55, 0.7, 0.8)  # where things are done; the rows nearby that are silent
TRIES = 12
FEW_ROWS = 64
NEWS_S = 7 * DAY_S  # of a new level, and as many rows of days


def untouched(folder: Path, coarser: int = 1, most_rows: int = 7_000) -> Iterator[Untouched]:
    """The series of a suite, rows in order and once; `coarser` rows added up to one."""
    file, column = (folder / "series.parquet", "value") if (folder / "series.parquet").exists() else (folder / "train.parquet", "y")
    for name, part in pd.read_parquet(file).groupby("unique_id", sort=False):
        rows = part.assign(ds=pd.to_datetime(part["ds"])).drop_duplicates("ds", keep="last").sort_values("ds")
        times, values = rows["ds"].to_numpy("datetime64[ns]")[-most_rows:], rows[column].to_numpy(np.float64)[-most_rows:]
        if len(times) // coarser < FEW_ROWS:
            continue
        step_s = step_seconds(times, None) * coarser
        if coarser > 1:
            sums = pd.Series(values, index=times).resample(pd.Timedelta(seconds=step_s)).sum(min_count=1).iloc[1:-1]
            times, values = sums.index.to_numpy("datetime64[ns]"), sums.to_numpy(np.float64)
        yield Untouched(str(name), times, values, step_s)


def alert_seconds(found: Detection, kind: str = "value") -> FloatArray:
    """(k,) seconds since 1970 of the alerts of a kind, ascending."""
    at = np.array([i.detected_at for i in found.incidents if i.kind == kind], "datetime64[ns]")
    return np.asarray(np.sort(at).astype(np.int64) / NS_PER_S, np.float64)


def between(at: FloatArray, first: float, last: float) -> int:
    return int(((at >= first) & (at <= last)).sum())


def silent_rows(s: Untouched, alerts: FloatArray) -> Iterator[int]:
    """A row near each of SHARES with no alert of the untouched run from a season before to two weeks after."""
    seconds = s.times.astype(np.int64) / NS_PER_S
    rng = np.random.default_rng(len(s.times))
    for share in SHARES:
        for _ in range(TRIES):
            at = int(share * len(s.times)) + int(rng.integers(-s.season, s.season + 1))
            if s.season < at < len(s.times) - 2 * s.season and np.isfinite(s.values[at]):
                until = seconds[min(len(seconds) - 1, at + s.two_weeks)]
                if not between(alerts, seconds[at - s.season], until):
                    yield at
                    break


def scores_differ(before: Detection, now: Detection) -> bool:
    """Rows of both that are judged otherwise."""
    rows = np.isin(before.times, now.times) if len(now.times) < len(before.times) else np.ones(len(before.times), bool)
    return not np.allclose(before.score[rows], now.score, rtol=1e-3, atol=1e-3, equal_nan=True)


def news(s: Untouched, change: Changed, before: Detection, now: Detection) -> tuple[int, int]:
    """Alerts that the untouched run has not: until a season after it was done, and until two weeks after."""
    was = alert_seconds(before) + change.moved_s
    alike_s = 2 * s.step_s + (6 * 3600 if change.moved_s else 0)
    new = np.array([t for t in alert_seconds(now) if not (np.abs(was - t) <= alike_s).any()])
    if change.shut is not None:  # what is told of the hours that are open is as before
        seconds = s.times.astype(np.int64) / NS_PER_S
        opens = np.convolve(change.shut, np.ones(3))[: len(seconds)] > 0
        new = np.array([t for t in new if opens[min(np.searchsorted(seconds, t), len(opens) - 1)]])
    season_s, weeks_s = s.season * s.step_s, s.two_weeks * s.step_s
    return between(new, change.start_s, change.end_s + season_s), between(new, change.start_s, change.end_s + weeks_s)


class Figures:
    """Counts by behaviour, step and how."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        self.delays: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self.cases: list[dict[str, object]] = []

    def add(self, s: Untouched, change: Changed, before: Detection, now: Detection) -> None:
        key = (change.behaviour, step_name(s.step_s), change.how)
        c = self.counts[key]
        c["cases"] += 1
        if change.expects == "same":
            c["same_alerts"] += len(now.times) != len(before.times) or len(alert_seconds(now)) == len(alert_seconds(before))
            c["same_scores"] += not scores_differ(before, now)
            return
        if change.expects == "none":
            near, far = news(s, change, before, now)
            c["silent"] += near == 0
            c["alerts_two_weeks"] += far
        else:
            near, far = self.told_once(s, change, now, key)
        case = {"series": s.name, "behaviour": change.behaviour, "how": change.how, "start_s": change.start_s}
        self.cases.append(case | {"near": near, "far": far})

    def told_once(self, s: Untouched, change: Changed, now: Detection, key: tuple[str, str, str]) -> tuple[int, int]:
        """Alerts in the time it was done (of a level its first week), and with the two weeks after."""
        c, at = self.counts[key], alert_seconds(now)
        shift, weeks_s = change.behaviour == "level shift", s.two_weeks * s.step_s
        news_s = max(NEWS_S, 7 * s.step_s) if shift else max(change.end_s - change.start_s + 3 * s.step_s, 3600.0)
        end_s = change.start_s if shift else change.end_s
        near, far = between(at, change.start_s, change.start_s + news_s), between(at, change.start_s, end_s + weeks_s)
        c["found"] += near > 0
        c["found_or_new_normal"] += near > 0 or (
            shift and between(alert_seconds(now, "level_shift"), change.start_s, end_s + news_s + DAY_S) > 0
        )
        c["one"] += near > 0 and far == 1
        c["more"] += near > 0 and far > 1
        if near:
            self.delays[key].append(round((float(at[at >= change.start_s][0]) - change.start_s) / s.step_s))
        return near, far

    def lines(self, *, by_severity: bool) -> list[dict[str, object]]:
        summed: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        delays: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for key, c in self.counts.items():
            short = key if by_severity else key[:2]
            summed[short].update(c)
            delays[short] += self.delays[key]
        return [
            {"behaviour": key[0], "step": key[1], **({"how": key[2]} if by_severity else {}), **c}
            | ({"median_delay_rows": float(np.median(delays[key]))} if delays[key] else {})
            for key, c in summed.items()
        ]


def step_name(step_s: int) -> str:
    for seconds, name in ((7 * DAY_S, "w"), (DAY_S, "d"), (3600, "h"), (60, "min")):
        if step_s % seconds == 0:
            return f"{step_s // seconds}{name}"
    return f"{step_s}s"


def measure(series: list[Untouched], figures: Figures, only: str | None, sensitivity: float) -> None:
    for s in series:
        before = detect(DetectInput(TimeSeries(s.name, s.times, s.values)), sensitivity=sensitivity)
        rng = np.random.default_rng(7)
        made = [change for at in silent_rows(s, alert_seconds(before)) for change in changes_at(s, at, rng)] + list(changes_of_all(s))
        for change in made:
            if only is None or change.behaviour.startswith(only):
                figures.add(s, change, before, detect(change.item, sensitivity=sensitivity))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, required=True, action="append", help="of anomalies or forecasts; may be given more than once")
    parser.add_argument("--coarser", type=int, default=1, help="add up so many rows to one")
    parser.add_argument("--rows", type=int, default=7_000, help="the last so many of a series")
    parser.add_argument("--series", type=int, default=30, help="at most so many of each suite, evenly spread")
    parser.add_argument("--only", help="behaviours that begin with this")
    parser.add_argument("--by-severity", action="store_true")
    parser.add_argument("--out", type=Path, help="write each case as a JSON line")
    parser.add_argument("--sensitivity", type=float, default=24.0)
    args = parser.parse_args(argv)
    figures = Figures()
    for folder in args.suite:
        series = list(untouched(folder, args.coarser, args.rows))
        chosen = {int(k) for k in np.linspace(0, len(series) - 1, min(len(series), args.series))}
        measure([series[k] for k in sorted(chosen)], figures, args.only, args.sensitivity)
    lines = figures.lines(by_severity=args.by_severity)
    for entry in lines:
        print(" ".join(f"{k}={v}" for k, v in entry.items()))
    if args.out:
        args.out.write_text("".join(json.dumps(case) + "\n" for case in figures.cases))
    print(json.dumps({"suites": [folder.name for folder in args.suite], "figures": lines}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
