"""`python -m benchmarks.anomaly --suite DIR --out FILE.jsonl`: scores and incidents of every series of a suite, one configuration for all."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from anomaly import DetectInput, Detection, detect
from core.timeseries import TimeSeries


def inputs(folder: Path) -> list[DetectInput]:
    """The series of a suite, rows as loaded."""
    meta = json.loads((folder / "suite.json").read_text())
    rows = pd.read_parquet(folder / "series.parquet")
    as_of, zones = meta.get("as_of") or {}, meta.get("timezone") or {}
    items = []
    for uid, part in rows.groupby("unique_id", sort=False):
        name = str(uid)
        ds = pd.to_datetime(part["ds"])
        ds = ds.dt.tz_convert(None) if ds.dt.tz is not None else ds
        series = TimeSeries(name, ds.to_numpy("datetime64[ns]"), part["value"].to_numpy(np.float64))
        read_at = as_of.get(name) if isinstance(as_of, dict) else as_of
        stamp = pd.Timestamp(read_at) if read_at else None
        if stamp is not None and stamp.tzinfo is None:
            stamp = stamp.tz_localize("UTC")
        items.append(
            DetectInput(
                series,
                as_of=stamp.to_pydatetime() if stamp is not None else None,
                time_zone=zones.get(name) if isinstance(zones, dict) else zones,
            )
        )
    return items


def line(found: Detection, scores_file: str) -> str:
    """One line of the output: where the scores are, and the incidents."""
    return json.dumps(
        {
            "unique_id": found.series_id,
            "scores": scores_file,
            "incidents": [
                {
                    "start": str(i.start),
                    "end": str(i.end),
                    "detected_at": str(i.detected_at),
                    "severity": round(i.severity, 1),
                    "kind": i.kind,
                    "direction": i.direction,
                }
                for i in found.incidents
            ],
        }
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sensitivity", type=float, default=None, help="expected false alarms per year and series")
    args = parser.parse_args(argv)
    options = {} if args.sensitivity is None else {"sensitivity": args.sensitivity}
    items = inputs(args.suite)
    wall, cpu = time.perf_counter(), time.process_time()
    lines, frames, failed = [], [], []
    scores_file = args.out.with_suffix(".scores.parquet")
    for item in items:
        try:
            found = detect(item, **options)
        except Exception as error:  # one bad series never stops the others
            failed.append({"unique_id": item.series.series_id, "error": str(error)})
            lines.append(json.dumps({"unique_id": item.series.series_id, "scores": [], "incidents": []}))
            continue
        lines.append(line(found, scores_file.name))
        frames.append(pd.DataFrame({"unique_id": found.series_id, "ds": found.times, "score": found.score}))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(lines) + "\n")
    pd.concat(frames).to_parquet(scores_file) if frames else None
    points = sum(len(i.series) for i in items)
    print(
        json.dumps(
            {
                "suite": args.suite.name,
                "series": len(items),
                "failures": failed,
                "points": points,
                "wall_s": round(wall, 3),
                "cpu_s": round(cpu, 3),
                "points_per_cpu_s": round(points / max(cpu, 1e-9)),
                "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
