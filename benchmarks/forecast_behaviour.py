"""What a forecast makes of real series to which one thing was done: `python -m benchmarks.forecast_behaviour --suite DIR [--limit 60]`.

Every kind of `forecast_variants.KINDS` is forecast as a suite of its own, the way `benchmarks.forecast` forecasts any, and its figures stand beside
those of the same series untouched: errors and interval scores as ratios (near 1 is good; both in the untouched series' unit, and divided by
what the level was multiplied with), coverage as it is. Rules without exception (finite, bounds in order, nothing below zero where history is
not, zeros when closed, a constant is exactly that, rows loaded twice change nothing) are counted; the runner exits 1 when one is broken.
Prints a line for each kind and one JSON line last. future.parquet is the truth that is changed along.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecast_suite import plain, series_of
from benchmarks.forecast_variants import KINDS, Case
from core.timeseries import FloatArray
from forecasting.engine import forecast_many
from forecasting.grid import infer_step
from forecasting.metrics import mase_scale, smape
from forecasting.seasons import calendar_seasons
from forecasting.types import Forecast

SAME = 1e-6
"""Forecasts that must be another's may differ by this share of the mean value."""
LEAST_POINTS = 30


def cases_of(folder: Path, limit: int) -> tuple[dict[str, Any], dict[str, Case]]:
    """suite.json, and an even sample of the suite's series without the settings that a variant would contradict."""
    meta = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    train, future = (
        {str(uid): rows for uid, rows in plain(pd.read_parquet(folder / name)).groupby("unique_id", sort=False)}
        for name in ("train.parquet", "future.parquet")
    )
    known = [uid for uid in train if uid in future and len(train[uid]) >= LEAST_POINTS]
    chosen = [known[k] for k in np.unique(np.linspace(0, len(known) - 1, min(limit, len(known))).astype(int))]
    found = {}
    for uid in chosen:
        rows, truth = (
            f.drop_duplicates("ds", keep="last").sort_values("ds")[["ds", "y"]].reset_index(drop=True) for f in (train[uid], future[uid])
        )
        rows = rows.dropna()
        season = int(meta.get("season_length") or 1)
        step = infer_step(rows["ds"].to_numpy())
        cycle = season if season > 1 else next((s for s in calendar_seasons(step) if s > 3), 4)
        found[uid] = Case(rows, truth, cycle if cycle * 6 <= len(rows) else max(2, len(rows) // 12))
    return {name: meta[name] for name in ("horizon", "season_length") if name in meta}, found


def run(meta: dict[str, Any], cases: dict[str, Case], processes: int) -> dict[str, Forecast]:
    """The cases as one suite, forecast as the runner of suites does."""
    train, future = (
        pd.concat([getattr(case, name).assign(unique_id=uid) for uid, case in cases.items()], ignore_index=True)
        for name in ("train", "truth")
    )
    settings = {
        "as_of": {uid: str(case.as_of) for uid, case in cases.items() if case.as_of is not None},
        "timezone": {uid: case.time_zone for uid, case in cases.items() if case.time_zone is not None},
    }
    asked = series_of(meta | settings, train, future.drop(columns="y"))
    return {f.series_id: f for f in forecast_many([one.item for one in asked], processes=processes)}


def figures(said: Forecast, case: Case, unit: float) -> dict[str, float]:
    """Errors and interval scores in `unit`, coverage; NaN where nothing is open. The rows are those of the truth, by time."""
    truth = case.truth.set_index("ds")["y"].reindex(pd.DatetimeIndex(said.times)).to_numpy(np.float64)
    wrong = np.abs(truth - said.mean) / case.factor
    inside = {level: ((truth >= said.lower[level]) & (truth <= said.upper[level])).astype(float) for level in (80, 95)}
    beyond = np.clip(said.lower[95] - truth, 0, None) + np.clip(truth - said.upper[95], 0, None)
    width = (said.upper[95] - said.lower[95] + 40 * beyond) / case.factor
    open_ = np.ones(truth.shape[0], dtype=bool) if case.closed is None else ~case.closed[: truth.shape[0]]
    if not open_.any() or unit <= 0:
        return {}
    return {
        "MASE": float(wrong[open_].mean()) / unit,
        "sMAPE": smape(truth[open_], said.mean[open_]),
        "MSIS95": float(width[open_].mean()) / unit,
        "coverage80": float(inside[80][open_].mean()),
        "coverage95": float(inside[95][open_].mean()),
    }


def broken_rules(said: Forecast, case: Case) -> list[str]:
    """The rules without exception that this forecast does not keep."""
    bounds = [said.lower[95], said.lower[80], said.mean, said.upper[80], said.upper[95]]
    size = max(1e-300, float(np.abs(case.y).max()))
    found = []
    if not np.isfinite(np.array(bounds)).all():
        return ["not finite"]
    if (np.diff(np.array(bounds), axis=0) < -1e-9 * size).any():
        found.append("bounds out of order")
    if case.y.min() >= 0 and min(float(b.min()) for b in bounds) < 0:
        found.append("below zero")
    if case.closed is not None and any(np.abs(b[case.closed]).max(initial=0.0) > 1e-6 * size for b in bounds):
        found.append("not zero when closed")
    if np.ptp(case.y) == 0 and len(case.y) > 1 and any((b != case.y[0]).any() for b in bounds):
        found.append("not the constant")
    return found


def _differs(said: Forecast, other: Forecast, factor: float) -> bool:
    """Is it another forecast than the other times `factor`?"""
    size = SAME * float(np.abs(other.mean).mean() + 1e-300)
    pairs = [(said.mean, other.mean), (said.lower[95], other.lower[95]), (said.upper[80], other.upper[80])]
    return any(a.shape != b.shape or float(np.abs(a / factor - b).max()) > size for a, b in pairs)


def compare(name: str, made: dict[str, dict[str, Forecast]], cases: dict[str, dict[str, Case]], units: dict[str, float]) -> dict[str, Any]:
    """The line of one kind."""
    kind, forecasts = KINDS[name], made[name]
    other = made[kind.beside]
    rows, beside, broken = [], [], []
    for uid, said in forecasts.items():
        case = cases[name][uid]
        broken += [f"{rule}: {uid}" for rule in broken_rules(said, case)]
        if kind.same and _differs(said, other[uid], case.factor):
            broken.append(f"differs: {uid}")
        mine, others = figures(said, case, units[uid]), _beside(other[uid], cases[kind.beside][uid], case, units[uid])
        if mine and others:
            rows.append(mine)
            beside.append(others)
    mean, mean_beside = pd.DataFrame(rows).mean(), pd.DataFrame(beside).mean()
    ratios = {f"{f}_ratio": mean[f] / mean_beside[f] for f in ("MASE", "sMAPE", "MSIS95")} if rows else {}
    shares = {f: mean[f] for f in ("MASE", "coverage80", "coverage95")} if rows else {}
    return {"series": len(forecasts)} | {k: round(float(v), 3) for k, v in (ratios | shares).items()} | {"broken": broken}


def _beside(said: Forecast, untouched: Case, case: Case, unit: float) -> dict[str, float]:
    """The other kind's figures at the same rows: those open, where some are closed; those asked for, where some are not."""
    if case.closed is not None:
        return figures(said, _with_closed(untouched, case.closed), unit)
    if len(case.truth) < len(untouched.truth) and case.time_zone is None:
        return figures(said, _with_closed(untouched, ~untouched.truth["ds"].isin(case.truth["ds"]).to_numpy()), unit)
    return figures(said, untouched, unit)


def _with_closed(case: Case, closed: FloatArray | np.ndarray) -> Case:
    return Case(case.train, case.truth, case.cycle, closed=np.asarray(closed, dtype=bool))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks.forecast_behaviour", description="Forecasts changed series of a suite beside the untouched ones."
    )
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=60, help="an even sample of this many series")
    parser.add_argument("--kinds", default="", help="only these, by comma; a part of the name will do")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(argv)
    meta, untouched = cases_of(options.suite, options.limit)
    units = {uid: mase_scale(case.y, int(meta.get("season_length") or 1)) for uid, case in untouched.items()}
    wanted = [name for name in KINDS if not options.kinds or any(part in name for part in options.kinds.split(","))]
    cases: dict[str, dict[str, Case]] = {}
    made: dict[str, dict[str, Forecast]] = {}
    lines: dict[str, Any] = {}
    for name in dict.fromkeys([*(KINDS[name].beside for name in wanted), *wanted]):
        changed = {uid: KINDS[name].change(case) for uid, case in untouched.items()}
        cases[name] = {uid: case for uid, case in changed.items() if case is not None and len(case.truth)}
        if cases[name]:
            made[name] = run(meta, cases[name], options.processes)
            lines[name] = compare(name, made, cases, units) if KINDS[name].beside in made else {}
            print(
                f"{name:20}", " ".join(f"{k} {v}" for k, v in lines[name].items() if k != "broken"), *lines[name]["broken"][:3], flush=True
            )
    broken = sum(len(line["broken"]) for line in lines.values())
    print(json.dumps({"suite": options.suite.resolve().name, "series": len(untouched), "broken_rules": broken, "kinds": lines}))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
