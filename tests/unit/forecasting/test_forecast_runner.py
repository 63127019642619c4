from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.forecast import main


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
