"""Figures of forecasts against held-out values, for the runner's last line. The suites' own scorer stays the judge."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast_suite import plain
from forecasting.metrics import coverage, mase, mase_scale, msis, smape


def score(folder: Path, predictions: pd.DataFrame) -> dict[str, float | int | None]:
    """Averages over the series that were predicted: sMAPE, MASE and their seasonal-naive counterparts, coverage, MSIS, share above 3 x naive."""
    meta = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    season = int(meta.get("season_length", 1))
    train = dict(list(plain(pd.read_parquet(folder / "train.parquet")).groupby("unique_id", sort=False)))
    truth = plain(pd.read_parquet(folder / "future.parquet")).merge(predictions, on=["unique_id", "ds"], how="inner")
    rows = [_row(train[uid], group.sort_values("ds"), season, meta["freq"]) for uid, group in truth.groupby("unique_id", sort=False)]
    table = pd.DataFrame(rows)
    return {name: None if not np.isfinite(value) else round(float(value), 4) for name, value in table.mean(numeric_only=True).items()}


def _row(train: pd.DataFrame, group: pd.DataFrame, season: int, freq: str) -> dict[str, float]:
    series = train.drop_duplicates("ds", keep="last").set_index("ds")["y"].sort_index()
    grid = pd.date_range(series.index[0], series.index[-1], freq=freq)
    history = series.reindex(grid).to_numpy(np.float64) if series.index.isin(grid).all() else series.to_numpy(np.float64)
    filled = pd.Series(history).fillna(pd.Series(history).shift(season)).interpolate().bfill().to_numpy(np.float64)
    lag = season if filled.shape[0] >= season else 1
    after = pd.date_range(grid[-1], group["ds"].max(), freq=freq)
    after = after[after > grid[-1]]
    at = after.get_indexer(pd.DatetimeIndex(group["ds"]), method="nearest") if len(after) else np.arange(len(group))
    naive = filled[filled.shape[0] - lag + at % lag]
    actual, point = group["y"].to_numpy(np.float64), group["mean"].to_numpy(np.float64)
    bounds = {name: group[name].to_numpy(np.float64) for name in ("lo80", "hi80", "lo95", "hi95")}
    unit = mase_scale(history, season)
    return {
        "sMAPE": smape(actual, point),
        "MASE": mase(actual, point, unit),
        "sMAPE_seasonal_naive": smape(actual, naive),
        "MASE_seasonal_naive": mase(actual, naive, unit),
        "coverage80": coverage(actual, bounds["lo80"], bounds["hi80"]),
        "coverage95": coverage(actual, bounds["lo95"], bounds["hi95"]),
        "MSIS95": msis(actual, bounds["lo95"], bounds["hi95"], unit),
        "worse3x": float(np.abs(actual - point).mean() > 3 * np.abs(actual - naive).mean() + 1e-9 * max(1.0, float(np.abs(actual).mean()))),
    }
