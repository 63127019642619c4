"""Forecasts as rows of the results table, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from core.ids import JobId
from forecasting.types import Backtest, Forecast
from workers.jobs.results import JobRows

LEVELS = (80, 95)
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("job_id", "series_id", "metric", "segment")]
    + [("time", pa.timestamp("ms", tz="UTC"))]
    + [(name, pa.float64()) for name in ("mean", "lower_80", "upper_80", "lower_95", "upper_95")]
    + [("model", pa.string()), ("fallback", pa.string()), ("mase", pa.float64()), ("naive_mase", pa.float64()), ("notes", pa.string())]
    + [("written_at", pa.timestamp("ms", tz="UTC"))]
)


def part_id(part: int, series_id: str) -> str:
    """The id under which a ratio's part is kept beside the ratio itself."""
    return f"part {part}: {series_id}"


def to_arrow(
    made: Iterable[tuple[str, Forecast]], *, job: JobId, metric: str, segments: Mapping[str, Mapping[str, str]], written_at: datetime
) -> pa.Table:
    """made: (id in the table, forecast). segments: id -> field and value."""
    tables = []
    for row_id, item in made:
        n = len(item.times)
        shared: dict[str, Any] = {
            "job_id": job,
            "series_id": row_id,
            "metric": metric,
            "segment": json.dumps(dict(segments.get(row_id, {})), ensure_ascii=False),
            "model": item.model,
            "fallback": item.fallback or "",
            "mase": item.backtest.mase if item.backtest else float("nan"),
            "naive_mase": item.backtest.naive_mase if item.backtest else float("nan"),
            "notes": json.dumps(list(item.notes), ensure_ascii=False),
            "written_at": written_at,
        }
        columns: dict[str, Any] = {name: [value] * n for name, value in shared.items()}
        columns["time"] = item.times.astype("datetime64[ms]")
        columns["mean"] = item.mean
        for level in LEVELS:
            columns[f"lower_{level}"], columns[f"upper_{level}"] = item.lower[level], item.upper[level]
        tables.append(pa.table([pa.array(columns[f.name], type=f.type) for f in _SCHEMA], schema=_SCHEMA))
    return pa.concat_tables(tables) if tables else _SCHEMA.empty_table()


def read_forecasts(rows: JobRows) -> dict[str, Forecast]:
    """What the job has written so far, by id in the table."""
    return from_arrow(
        rows.read(
            "series_id, time, mean, lower_80, upper_80, lower_95, upper_95, model, fallback, mase, naive_mase, notes",
            "ORDER BY series_id, time",
        )
    )


def from_arrow(table: pa.Table) -> dict[str, Forecast]:
    """Sorted by series_id and time."""
    ids = table.column("series_id").to_pylist()
    times = np.array(table.column("time").to_numpy(zero_copy_only=False), dtype="datetime64[ns]")
    numbers = {name: table.column(name).to_numpy(zero_copy_only=False).astype(np.float64) for name in _NUMBERS}
    texts = {name: table.column(name) for name in ("model", "fallback", "notes")}
    found: dict[str, Forecast] = {}
    start = 0
    for end in range(1, len(ids) + 1):
        if end < len(ids) and ids[end] == ids[start]:
            continue
        at = slice(start, end)
        mase, naive = float(numbers["mase"][start]), float(numbers["naive_mase"][start])
        found[ids[start]] = Forecast(
            series_id=ids[start],
            times=times[at],
            mean=numbers["mean"][at],
            lower={level: numbers[f"lower_{level}"][at] for level in LEVELS},
            upper={level: numbers[f"upper_{level}"][at] for level in LEVELS},
            model=str(texts["model"][start].as_py()),
            fallback=str(texts["fallback"][start].as_py()) or None,
            backtest=Backtest(mase, naive, float("nan"), float("nan"), 0, {}) if np.isfinite(mase) else None,
            notes=tuple(json.loads(str(texts["notes"][start].as_py()))),
        )
        start = end
    return found


_NUMBERS = ("mean", "lower_80", "upper_80", "lower_95", "upper_95", "mase", "naive_mase")
