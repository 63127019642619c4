"""`python -m benchmarks.anomaly --suite DIR --out FILE.jsonl`: scores and incidents of every series of a suite, one configuration for all.

Prints one JSON line of figures last; with labels.json in the suite also how well they fit, with --baselines those of others beside them.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from anomaly import DetectInput, Detection, State, detect
from anomaly.prepare import prepare
from anomaly.thresholds import DEFAULT_SENSITIVITY
from benchmarks.anomaly_baselines import BASELINES
from benchmarks.anomaly_figures import Labelled, from_alerts, from_scores
from benchmarks.anomaly_windows import from_windows
from core.timeseries import TimeSeries


def inputs(folder: Path) -> list[DetectInput]:
    """The series of a suite, rows as loaded."""
    meta = json.loads((folder / "suite.json").read_text())
    rows = pd.read_parquet(folder / "series.parquet")
    items = []
    for uid, part in rows.groupby("unique_id", sort=False):
        name = str(uid)
        ds = pd.to_datetime(part["ds"])
        ds = ds.dt.tz_convert(None) if ds.dt.tz is not None else ds
        known = ds.notna().to_numpy()
        series = TimeSeries(name, ds.to_numpy("datetime64[ns]")[known], part["value"].to_numpy(np.float64)[known])
        read_at = for_series(meta.get("as_of"), name)
        stamp = pd.Timestamp(read_at) if read_at else None
        if stamp is not None and stamp.tzinfo is None:
            stamp = stamp.tz_localize("UTC")
        items.append(
            DetectInput(
                series,
                as_of=stamp.to_pydatetime() if stamp is not None else None,
                time_zone=for_series(meta.get("timezone"), name),
                country=for_series(meta.get("country"), name),
            )
        )
    return items


def for_series(value: Any, name: str) -> Any:
    """What a suite says of one series: one value for all, or one by id."""
    return value.get(name) if isinstance(value, dict) else value


def line(found: Detection, scores_file: str) -> str:
    """One line of the output: where the scores are, and the incidents."""
    incidents = [
        {
            "start": str(i.start),
            "end": str(i.end),
            "detected_at": str(i.detected_at),
            "severity": round(i.severity, 1),
            "kind": i.kind,
            "direction": i.direction,
        }
        for i in found.incidents
    ]
    return json.dumps({"unique_id": found.series_id, "scores": scores_file, "incidents": incidents})


def labelled(suite: Path, found: Detection, score: Any, labels: dict[str, Any], probation: dict[str, Any]) -> Labelled:
    """The series with its events."""
    seconds = found.times.astype("datetime64[ns]").astype(np.int64) / 1e9
    first = int(probation.get("share", 0.15) * len(seconds))
    if probation.get("max_points"):
        first = min(first, int(probation["max_points"]))
    step_s = float(pd.Series(np.diff(seconds)).mode().iloc[0]) if len(seconds) > 1 else 3600.0
    events = tuple(sorted((pd.Timestamp(a).value / 1e9, pd.Timestamp(b).value / 1e9) for a, b in labels.get(found.series_id, [])))
    alerts = tuple(
        (pd.Timestamp(str(i.detected_at)).value / 1e9, pd.Timestamp(str(i.end)).value / 1e9) for i in found.incidents if i.kind == "value"
    )
    return Labelled(seconds, np.where(np.isnan(score), -np.inf, score), events, alerts, first, step_s)


def quality(suite: Path, items: list[DetectInput], found: list[Detection], with_baselines: bool) -> dict[str, Any]:
    """Figures against labels.json; nothing here is used to choose anything."""
    meta = json.loads((suite / "suite.json").read_text())
    labels, probation = json.loads((suite / "labels.json").read_text()), meta.get("probation", {})
    ours = [labelled(suite, d, d.score, labels, probation) for d in found]
    out: dict[str, Any] = {"scores": from_scores(ours), "incidents": from_alerts(ours)}
    if meta.get("nab") or meta.get("windows"):
        out |= {"windows": from_windows(ours), "windows_as_sent": from_windows(ours, sent=True)}
    if with_baselines:
        by_id = {i.series.series_id: i for i in items}
        for name, scorer in BASELINES.items():
            begin = time.process_time()
            theirs = []
            for d in found:
                rows = prepare(by_id[d.series_id])
                theirs.append(labelled(suite, d, scorer(rows.times, rows.values, rows.step_s), labels, probation))
            out[name] = {**from_scores(theirs), "cpu_s": round(time.process_time() - begin, 1)}
    return out


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sensitivity", type=float, default=DEFAULT_SENSITIVITY, help="expected false alarms per year and series")
    parser.add_argument("--baselines", action="store_true", help="also measure a seasonal z and PyOD (slow)")
    args = parser.parse_args(argv)
    items = inputs(args.suite)
    State(3600).update(np.zeros(1, "datetime64[ns]"), np.zeros(1))  # compile or load the machine code before the clock starts
    wall, cpu = time.perf_counter(), time.process_time()
    lines: list[str] = []
    detections: list[Detection] = []
    failed: list[dict[str, str]] = []
    scores_file = args.out.with_suffix(".scores.parquet")
    for item in items:
        try:
            found = detect(item, sensitivity=args.sensitivity)
        except Exception as error:  # one bad series never stops the others
            failed.append({"unique_id": item.series.series_id, "error": str(error)})
            lines.append(json.dumps({"unique_id": item.series.series_id, "scores": [], "incidents": []}))
            continue
        lines.append(line(found, scores_file.name))
        detections.append(found)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(lines) + "\n")
    columns = [pd.DataFrame({"unique_id": d.series_id, "ds": d.times, "score": d.score}) for d in detections]
    (pd.concat(columns) if columns else pd.DataFrame({"unique_id": [], "ds": [], "score": []})).to_parquet(scores_file, index=False)
    points = sum(len(i.series) for i in items)
    figures: dict[str, Any] = {
        "suite": args.suite.name,
        "series": len(items),
        "failures": failed,
        "points": points,
        "wall_s": round(wall, 3),
        "cpu_s": round(cpu, 3),
        "points_per_cpu_s": round(points / max(cpu, 1e-9)),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "sensitivity": args.sensitivity,
    }
    if (args.suite / "labels.json").exists():
        figures |= quality(args.suite, items, detections, args.baselines)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
