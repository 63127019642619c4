"""Forecasts every series of a suite: `python -m benchmarks.forecast --suite DIR --out FILE.parquet`.

Reads suite.json, train.parquet and known_future.parquet of DIR. Writes unique_id, ds, mean, lo80, hi80, lo95, hi95, model. Prints one JSON
line of figures last. future.parquet is read only after everything is written, to score. `--baselines` also runs reference models.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.forecast_scores import score
from benchmarks.forecast_suite import as_written, read_suite
from forecasting.engine import forecast_many
from forecasting.types import Forecast


def to_frame(forecasts: Sequence[Forecast]) -> pd.DataFrame:
    """One row per forecast point; ids are texts and times UTC."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "unique_id": f.series_id,
                    "ds": f.times,
                    "mean": f.mean,
                    "lo80": f.lower[80],
                    "hi80": f.upper[80],
                    "lo95": f.lower[95],
                    "hi95": f.upper[95],
                    "model": f.model if f.fallback is None else f"{f.model} ({f.fallback})",
                }
            )
            for f in forecasts
        ],
        ignore_index=True,
    )


def cpu_s() -> float:
    """CPU seconds of this process and its ended children."""
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks.forecast", description="Forecasts every series of a suite and writes the predictions."
    )
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=int, default=None, help="forecast only an even sample of this many series")
    parser.add_argument("--baselines", action="store_true", help="also run AutoETS, AutoTheta, their median with CES, and Prophet")
    options = parser.parse_args(argv)
    asked = read_suite(options.suite, options.limit)
    items = [one.item for one in asked]
    wall_0, cpu_0 = time.perf_counter(), cpu_s()
    forecasts = forecast_many(items, levels=(80, 95), seed=options.seed, processes=options.processes, on_progress=_progress)
    wall, cpu = time.perf_counter() - wall_0, cpu_s() - cpu_0
    frame = to_frame(forecasts)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    as_written(frame, asked).to_parquet(options.out, index=False)
    figures: dict[str, Any] = {
        "suite": options.suite.resolve().name,
        "series": len(items),
        "failures": sum(f.fallback is not None for f in forecasts),
        "seed": options.seed,
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "series_per_s": round(len(items) / wall, 2),
        "peak_mb": round(max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024),
    }
    if (options.suite / "future.parquet").exists():
        figures["scores"] = score(options.suite, frame)
    if options.baselines:
        from benchmarks.forecast_baselines import run_baselines

        figures["baselines"] = run_baselines(options.suite, items, options.processes)
    print(json.dumps(figures))
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 10 == 0 or done == total):
        print(f"\r{done} of {total}", end="" if done < total else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
