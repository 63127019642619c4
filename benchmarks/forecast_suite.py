"""A forecast suite's files as series to forecast, however its ids and times are written: numbers, texts, dates, with a zone or without."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import numpy as np
import pandas as pd

from core.timeseries import TimeSeries
from forecasting.types import ForecastInput


@dataclass(frozen=True, slots=True)
class Asked:
    """One series to forecast. written: its rows of known_future, `unique_id` and `ds` as they stand there, in order of time and each time once."""

    item: ForecastInput
    written: pd.DataFrame


def read_suite(folder: Path, limit: int | None = None) -> list[Asked]:
    """The series of a suite in the order of its training file; with `limit`, an even sample of them."""
    meta = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    return series_of(meta, pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "known_future.parquet"), limit)


def series_of(meta: dict[str, Any], train: pd.DataFrame, known_future: pd.DataFrame, limit: int | None = None) -> list[Asked]:
    """The same from frames. meta: suite.json. Series that nothing is asked of are left out."""
    zone = _zone_of(train["ds"])
    asked = dict(list(plain(known_future, keep=True).groupby("unique_id", sort=False)))
    groups = [(uid, rows) for uid, rows in plain(train).groupby("unique_id", sort=False) if uid in asked]
    if limit is not None and limit < len(groups):
        groups = [groups[k] for k in np.linspace(0, len(groups) - 1, limit).astype(int)]
    return [_asked(str(uid), rows, asked[uid], meta, zone) for uid, rows in groups]


def plain(frame: pd.DataFrame, *, keep: bool = False) -> pd.DataFrame:
    """The frame with `unique_id` as text and `ds` as UTC without a zone, rows without either left out; `keep`: both also as they stood."""
    frame = frame[frame["unique_id"].notna() & frame["ds"].notna()]
    as_they_stood = {"written_id": frame["unique_id"], "written_ds": frame["ds"]} if keep else {}
    found = frame.assign(**as_they_stood, unique_id=frame["unique_id"].astype(str), ds=utc_times(frame["ds"]))
    return found[found["ds"].notna()]


def utc_times(column: pd.Series) -> pd.Series:
    """datetime64[ns] UTC of times, dates or texts; NaT where a text is no time."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        times = pd.to_datetime(column, utc=True)
    else:
        times = pd.to_datetime(column.astype(str), utc=True, format="ISO8601", errors="coerce")
        if times.isna().any():
            times = pd.to_datetime(column.astype(str), utc=True, format="mixed", errors="coerce")
    return times.dt.tz_localize(None).astype("datetime64[ns]")


def as_written(predictions: pd.DataFrame, asked: list[Asked]) -> pd.DataFrame:
    """The predictions, rows in the order of `asked`, with ids and times as they stand in known_future."""
    written = pd.concat([one.written for one in asked], ignore_index=True)
    return predictions.assign(unique_id=written["unique_id"], ds=written["ds"])


def _asked(uid: str, rows: pd.DataFrame, future: pd.DataFrame, meta: dict[str, Any], zone: str | None) -> Asked:
    regressors = [name for name in meta.get("regressors", []) if name in rows and name in future]
    future = future.drop_duplicates("ds").sort_values("ds")
    as_of = _of(meta.get("as_of"), uid)
    item = ForecastInput(
        series=TimeSeries(uid, rows["ds"].to_numpy(), _numbers(rows["y"])),
        horizon_steps=int(meta["horizon"]),
        future_times=future["ds"].to_numpy(),
        as_of=None if as_of is None else _aware(as_of).to_pydatetime(),
        season_steps=int(meta.get("season_length") or 1),
        regressors={name: _numbers(rows[name]) for name in regressors},
        future_regressors={name: _numbers(future[name]) for name in regressors},
        country=_of(meta.get("country"), uid),
        time_zone=_of(meta.get("timezone"), uid) or zone,
    )
    return Asked(item, future[["written_id", "written_ds"]].set_axis(["unique_id", "ds"], axis=1))


def _of(value: Any, uid: str) -> Any:
    """A setting that is one value for all series or a mapping by series."""
    return value.get(uid) if isinstance(value, dict) else value


def _numbers(column: pd.Series) -> np.ndarray[Any, np.dtype[np.float64]]:
    return pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _aware(time: str) -> pd.Timestamp:
    """A time without a zone is UTC."""
    return pd.Timestamp(pd.to_datetime(time, utc=True)).tz_convert(UTC)


def _zone_of(column: pd.Series) -> str | None:
    """Where times are local times of a place, that place's zone."""
    name = str(getattr(column.dtype, "tz", None))
    return name if name != "UTC" and name in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
