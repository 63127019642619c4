"""Draws forecasts of a suite to look at: `python -m benchmarks.forecast_pictures --suite DIR --out FOLDER --limit 10`.

One PNG per series: the last of history, the forecast with its 80 and 95 % bands and, where future.parquet is there, what came.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecast_suite import read_suite
from forecasting.engine import forecast_many
from forecasting.types import Forecast, ForecastInput

HISTORY_HORIZONS = 4


def picture(item: ForecastInput, made: Forecast, truth: pd.DataFrame | None) -> dict[str, Any]:
    """A Vega-Lite chart."""
    shown = HISTORY_HORIZONS * made.times.shape[0]
    past = pd.DataFrame({"ds": item.series.times, "value": item.series.values}).sort_values("ds").tail(shown)
    ahead = pd.DataFrame(
        {
            "ds": made.times,
            "value": made.mean,
            **{f"lo{k}": v for k, v in made.lower.items()},
            **{f"hi{k}": v for k, v in made.upper.items()},
        }
    )
    x = {"field": "ds", "type": "temporal", "title": None}
    y = {"field": "value", "type": "quantitative", "title": item.series.series_id, "scale": {"zero": False}}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": _rows(ahead)},
            "mark": {"type": "area", "opacity": opacity, "color": "#4c78a8"},
            "encoding": {"x": x, "y": {**y, "field": f"lo{level}"}, "y2": {"field": f"hi{level}"}},
        }
        for level, opacity in ((95, 0.18), (80, 0.3))
    ]
    layers.append(
        {"data": {"values": _rows(past)}, "mark": {"type": "line", "color": "#444444", "strokeWidth": 1}, "encoding": {"x": x, "y": y}}
    )
    layers.append({"data": {"values": _rows(ahead)}, "mark": {"type": "line", "color": "#1f4e8c"}, "encoding": {"x": x, "y": y}})
    if truth is not None:
        came = truth.rename(columns={"y": "value"})[["ds", "value"]]
        layers.append(
            {
                "data": {"values": _rows(came)},
                "mark": {"type": "point", "color": "#d62728", "size": 9, "filled": True},
                "encoding": {"x": x, "y": y},
            }
        )
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": 760,
        "height": 220,
        "title": made.model[:110],
        "layer": layers,
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    text = table.assign(ds=table["ds"].astype(str))
    return [{k: (None if isinstance(v, float) and not np.isfinite(v) else v) for k, v in row.items()} for row in text.to_dict("records")]


def main(argv: Sequence[str] | None = None) -> int:
    import vl_convert

    parser = argparse.ArgumentParser(prog="benchmarks.forecast_pictures", description="Draws forecasts of a suite.")
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=10)
    options = parser.parse_args(argv)
    items = [one.item for one in read_suite(options.suite, options.limit)]
    truths: dict[str, pd.DataFrame] = {}
    if (options.suite / "future.parquet").exists():
        truths = {str(uid): rows for uid, rows in pd.read_parquet(options.suite / "future.parquet").groupby("unique_id")}
    options.out.mkdir(parents=True, exist_ok=True)
    for item, made in zip(items, forecast_many(items), strict=True):
        name = re.sub(r"[^a-z0-9]+", "_", item.series.series_id.lower()).strip("_")
        png = vl_convert.vegalite_to_png(picture(item, made, truths.get(item.series.series_id)), scale=1.0)
        (options.out / f"forecast_{name}.png").write_bytes(png)
    print(f"{len(items)} pictures in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
