from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benchmarks.forecast import main
from benchmarks.forecast_suite import as_written, series_of
from forecasting.prepare import prepare


@pytest.fixture
def suite(tmp_path, weekly_pattern):
    """Two daily series: one with a gap, repeated rows and an incomplete last bucket, one with nothing but missing values."""
    days = pd.date_range("2023-01-02", periods=114, freq="D")
    y = weekly_pattern(114)
    train = pd.DataFrame({"unique_id": "a", "ds": days[:100], "y": y[:100]}).drop(index=range(40, 45))
    train = pd.concat([train, train.tail(5), pd.DataFrame({"unique_id": "b", "ds": days[:20], "y": np.nan})])
    future = pd.concat([pd.DataFrame({"unique_id": uid, "ds": days[100:], "y": y[100:]}) for uid in ("a", "b")])
    train.to_parquet(tmp_path / "train.parquet")
    future[["unique_id", "ds"]].to_parquet(tmp_path / "known_future.parquet")
    meta = {"name": "t", "freq": "D", "season_length": 7, "horizon": 14, "as_of": {"a": "2023-04-12"}}
    (tmp_path / "suite.json").write_text(json.dumps(meta))
    return tmp_path, future


class TestRunner:
    def test_works_without_the_truth_and_forecasts_every_series(self, suite, capsys):
        folder, future = suite
        assert main(["--suite", str(folder), "--out", str(folder / "out.parquet"), "--processes", "1"]) == 0
        figures = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert figures["series"] == 2
        assert figures["failures"] == 1
        assert "scores" not in figures
        made = pd.read_parquet(folder / "out.parquet")
        assert list(made.columns) == ["unique_id", "ds", "mean", "lo80", "hi80", "lo95", "hi95", "model"]
        assert len(made.merge(future, on=["unique_id", "ds"])) == 28
        assert np.isfinite(made[["mean", "lo80", "hi80", "lo95", "hi95"]].to_numpy()).all()

    def test_scores_when_the_truth_is_there(self, suite, capsys):
        folder, future = suite
        future[future["unique_id"] == "a"].to_parquet(folder / "future.parquet")
        main(["--suite", str(folder), "--out", str(folder / "out.parquet"), "--processes", "1"])
        scores = json.loads(capsys.readouterr().out.splitlines()[-1])["scores"]
        assert scores["MASE"] < scores["MASE_seasonal_naive"]
        assert 0 <= scores["coverage80"] <= scores["coverage95"] <= 1


class TestHowSuitesAreWritten:
    """Rows come back with ids and times as they were asked, whatever they are written as."""

    @pytest.fixture
    def frames(self):
        days = pd.date_range("2024-03-01", periods=40, freq="D")
        return [pd.DataFrame({"unique_id": 7, "ds": days[part], "y": np.arange(40.0)[part]}) for part in (slice(30), slice(30, 40))]

    @pytest.mark.parametrize(
        "written",
        [
            lambda ds: ds.dt.strftime("%Y-%m-%d"),
            lambda ds: ds.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            lambda ds: ds.dt.date,
            lambda ds: ds.dt.tz_localize("Europe/Berlin"),
            lambda ds: ds.astype("datetime64[s]"),
        ],
    )
    def test_times(self, frames, written):
        train, future = (frame.assign(ds=written(frame["ds"])) for frame in frames)
        (asked,) = series_of({"horizon": 10}, train, future.sample(frac=1, random_state=1))
        steps = np.diff(np.r_[asked.item.series.times[-1:], asked.item.future_times])
        assert asked.item.series.values.tolist() == list(range(30))
        assert (np.abs(steps - np.timedelta64(1, "D")) <= np.timedelta64(1, "h")).all()
        made = pd.DataFrame({"unique_id": "7", "ds": asked.item.future_times, "mean": np.arange(30.0, 40.0)})
        joined = future.merge(as_written(made, [asked]), on=["unique_id", "ds"])
        assert joined["mean"].tolist() == joined["y"].tolist() == list(range(30, 40))

    def test_local_midnights_are_days_of_their_place(self, frames):
        train, future = (frame.assign(ds=frame["ds"].dt.tz_localize("Europe/Berlin")) for frame in frames)
        prepared = prepare(series_of({"horizon": 10}, train, future)[0].item)
        assert prepared.raw.tolist() == list(range(30))

    def test_an_as_of_with_an_offset_is_that_moment(self, frames):
        meta = {"horizon": 10, "as_of": {"7": "2024-03-30T12:00:00+02:00"}}
        assert series_of(meta, *frames)[0].item.as_of == datetime(2024, 3, 30, 10, tzinfo=UTC)
