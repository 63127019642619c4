"""Preparing, thresholds, incidents, PyOD scorers and the runner, one by one."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from anomaly import DetectInput, detect, detect_many
from anomaly.incidents import Rows, Terms, quiet_seconds, spans
from anomaly.prepare import grid_index, prepare, step_seconds
from anomaly.pyod_scorer import PastEcod, causal_scores, raw_windows, score_series
from anomaly.thresholds import score_threshold
from benchmarks import anomaly as runner
from benchmarks import planted
from core.errors import Invalid
from core.timeseries import Grain, TimeSeries

HOUR_NS = 3_600_000_000_000


def times(n: int, freq: str = "h", start: str = "2023-01-02"):
    return pd.date_range(start, periods=n, freq=freq).to_numpy("datetime64[ns]")


class TestPrepare:
    def test_the_last_of_repeated_rows_wins(self):
        t = times(3)
        rows = prepare(DetectInput(TimeSeries("s", np.r_[t, t[1:2]], np.array([1.0, 2.0, 3.0, 9.0]))))
        assert rows.values.tolist() == [1.0, 9.0, 3.0]
        assert rows.dropped

    def test_a_month_is_complete_when_the_calendar_month_has_ended(self):
        t = pd.date_range("2023-01-01", periods=3, freq="MS").to_numpy("datetime64[ns]")
        series = TimeSeries("s", t, np.ones(3), Grain.MONTH)
        assert len(prepare(DetectInput(series, as_of=datetime(2023, 3, 30, tzinfo=UTC))).times) == 2
        assert len(prepare(DetectInput(series, as_of=datetime(2023, 4, 1, tzinfo=UTC))).times) == 3

    def test_rows_without_a_time_are_refused(self):
        with pytest.raises(Invalid, match="time"):
            prepare(DetectInput(TimeSeries("s", np.array(["2023-01-01", "NaT"], "datetime64[ns]"), np.ones(2))))

    def test_the_step_is_the_usual_distance_or_the_grain(self):
        assert step_seconds(np.r_[times(5), times(3, start="2023-02-01")], None) == 3600
        assert step_seconds(times(3), Grain.DAY) == 86_400
        assert step_seconds(times(1), None) == 3600

    def test_local_hours_keep_their_place_over_a_clock_change(self):
        t = times(24 * 4, start="2023-03-10 05:00")  # New York springs forward on 12 March
        grid = grid_index(t, 3600, "America/New_York")
        at_noon = [g % 24 for g, x in zip(grid, pd.DatetimeIndex(t, tz="UTC").tz_convert("America/New_York"), strict=True) if x.hour == 12]
        assert set(at_noon) == {12}


class TestThreshold:
    def test_fewer_false_alarms_need_a_higher_score(self):
        at = [score_threshold(x) for x in (1e4, 300.0, 114.0, 50.0, 24.0, 10.0, 4.0, 0.5, 1e-3)]
        assert at == sorted(at)
        assert score_threshold(24.0) == pytest.approx(3.0)

    def test_days_are_few_so_that_the_same_rate_needs_a_lower_score_down_to_a_least_one(self):
        assert score_threshold(24.0, 86_400) == score_threshold(4.0, 86_400) == pytest.approx(2.5)
        assert score_threshold(2.6, 86_400) == pytest.approx(3.0)
        assert score_threshold(1.0, 604_800) > score_threshold(2.0, 604_800)

    @pytest.mark.parametrize("bad", [0.0, -1.0, float("inf"), float("nan")])
    def test_nonsense_is_refused(self, bad):
        with pytest.raises(Invalid):
            score_threshold(bad)


class TestSpans:
    def found(self, score, cost=1.0, off=None, values=None, doubt=0.0, **terms):
        n = len(score)
        side = np.array(off or [1.0] * n)
        rows = Rows(
            np.arange(n) * HOUR_NS,
            np.array(score, float),
            np.full(n, np.nan),
            np.full(n, cost),
            side,
            side if values is None else values,
            np.full(n, doubt),
        )
        return spans(rows, Terms(3.0, 6 * HOUR_NS, **terms))

    def test_flags_within_the_quiet_time_are_one_event(self):
        assert self.found([0, 4, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 4, 0]) == [(1, 1, 4, 4), (12, 12, 12, 12)]

    def test_what_is_doubtful_must_be_stranger(self):
        assert self.found([0, 4, 0], doubt=1.5) == []
        assert self.found([0, 5, 0], doubt=1.5) == [(1, 1, 1, 1)]

    def test_a_long_event_flickers_longer(self):
        assert self.found([4] * 30 + [0] * 10 + [6, 0]) == [(0, 0, 40, 40)]

    def test_more_of_the_same_reopens_the_incident_of_an_unpredictable_series(self):
        twice = [0, 4, *[0] * 14, 4, 0]
        assert self.found(twice, may_reopen=True) == [(1, 1, 16, 1)]
        assert len(self.found(twice)) == 2
        assert len(self.found(twice, cost=0.3, may_reopen=True)) == 2  # where much is predicted, what comes later is news
        assert len(self.found([*twice[:16], 5.6, 0], may_reopen=True)) == 2  # much stranger
        assert len(self.found(twice, off=[1.0] * 10 + [-1.0] * 8, may_reopen=True)) == 2  # to the other side
        assert len(self.found([0, 4, *[0] * 20, 4, 0], may_reopen=True)) == 2  # a day later

    def test_what_is_half_as_large_within_a_day_is_an_aftershock_where_little_is_predicted(self):
        twice, half = [0, 5, *[0] * 20, 4, 0], [1.0] * 10 + [0.5] * 14
        assert self.found(twice, off=half, knows_aftershocks=True) == [(1, 1, 22, 1)]
        assert len(self.found(twice, off=half)) == 2
        assert len(self.found(twice, off=[1.0] * 10 + [0.6] * 14, knows_aftershocks=True)) == 2  # larger
        assert len(self.found(twice, off=[1.0] * 10 + [-0.5] * 14, knows_aftershocks=True)) == 2  # to the other side
        assert len(self.found([*twice[:22], 5.1, 0], off=half, knows_aftershocks=True)) == 2  # stranger
        assert len(self.found(twice, cost=0.3, off=half, knows_aftershocks=True)) == 2  # where much is predicted
        assert len(self.found([0, 5, *[0] * 24, 4, 0], off=[*half, *half[-4:]], knows_aftershocks=True)) == 2  # more than a day later

    def test_what_comes_the_day_after_is_the_same_event_where_the_level_never_went_back(self):
        rng = np.random.default_rng(1)
        usual = (10 + 5 * np.sin(np.arange(240) * np.pi / 12)) * rng.normal(1, 0.02, 240)
        score = np.zeros(240)
        score[[200, 224]] = 5.0
        off = [3.0] * 240
        assert len(self.found(score, off=off, values=usual, knows_days=True)) == 2
        assert self.found(score, off=off, values=np.where(np.arange(240) >= 200, 1.5, 1.0) * usual, knows_days=True) == [
            (200, 200, 224, 200)
        ]

    def test_a_lower_score_keeps_it_open_but_does_not_open_it(self):
        assert self.found([2.5, 0, 0, 0, 0, 0, 0, 0, 4, 0, 2.5, 0]) == [(8, 8, 10, 8)]

    def test_below_an_hour_a_row_is_told_when_it_is_high_or_another_comes_soon(self):
        apart, soon = [0, 4, 0, 0, 0, 0, 0, 0, 4, 0], [0, 4, 0, 0, 0, 0, 0, 3.5, 0]
        assert self.found(apart, lone_are_higher=True) == []
        assert self.found(soon, lone_are_higher=True) == [(1, 7, 7, 1)]
        assert self.found([0, 5, 0], lone_are_higher=True) == [(1, 1, 1, 1)]
        assert len(self.found(apart, cost=0.2, lone_are_higher=True)) == 2  # where the series is well predicted

    def test_scores_that_are_not_known_flag_nothing(self):
        assert self.found([np.nan] * 10) == []

    def test_a_storm_is_not_news(self):
        score = np.zeros(24 * 60)
        score[::7] = 4.0
        assert len(self.found(score)) < 25

    def test_who_was_alerted_often_of_little_is_alerted_only_of_more_until_it_was_calm_again(self):
        score = np.zeros(24 * 120)
        score[24 * 4 : 24 * 60 : 36] = 3.2
        weak = self.found(score)
        assert len(weak) < 0.5 * np.count_nonzero(score)
        score[24 * 60] = 8.0
        score[-5] = 3.2
        assert [span[0] for span in self.found(score)] == [*(span[0] for span in weak), 24 * 60, len(score) - 5]
        assert len(self.found(score, cost=0.0)) == np.count_nonzero(score)  # all of them, where the series is well predicted

    def test_quiet_time(self):
        assert quiet_seconds(60) == 6 * 3600
        assert quiet_seconds(3600) == 6 * 3600
        assert quiet_seconds(86_400) == 6 * 86_400


class TestPyod:
    @pytest.mark.parametrize("name", ["ecod", "iforest", "knn"])
    def test_a_spike_scores_highest_and_later_rows_change_nothing(self, name):
        rng = np.random.default_rng(1)
        y = rng.normal(50, 1, 400)
        y[300] += 30
        t = times(400)
        score = score_series(t, y, 3600, name)
        assert int(np.nanargmax(score[150:320])) + 150 in range(300, 307)
        cut = score_series(t[:310], y[:310], 3600, name)
        np.testing.assert_allclose(cut, score[:310])
        assert np.isnan(score[:100]).all()

    def test_our_ecod_scores_a_single_row_as_pyod_does(self):
        from pyod.models.ecod import ECOD

        rng = np.random.default_rng(3)
        past, new = rng.exponential(1, (300, 3)), rng.exponential(3, (8, 3))
        theirs, ours = ECOD(), PastEcod()
        theirs.fit(past)
        ours.fit(past)
        single = [float(theirs.decision_function(row[None, :])[0]) for row in new]
        assert np.corrcoef(single, ours.decision_function(new))[0, 1] > 0.99

    def test_windows_hold_earlier_values_only(self):
        np.testing.assert_array_equal(raw_windows(np.arange(4.0), 3), [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]])

    def test_an_unknown_detector_is_refused(self):
        with pytest.raises(Invalid):
            causal_scores(np.zeros((200, 1)), "magic")  # type: ignore[arg-type]


class TestRunner:
    @pytest.fixture(scope="class")
    def suite(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("suite")
        t = times(24 * 40)
        rng = np.random.default_rng(1)
        rows, labels = [], {}
        for name in ("plain", "spiky"):
            y = rng.normal(50, 1, len(t))
            if name == "spiky":
                y[700] += 25
                labels[name] = [[str(t[700]), str(t[701])]]
            rows.append(pd.DataFrame({"unique_id": name, "ds": t, "value": y}))
        pd.concat(rows).to_parquet(folder / "series.parquet")
        (folder / "labels.json").write_text(json.dumps(labels))
        (folder / "suite.json").write_text(json.dumps({"name": "x", "probation": {"share": 0.15}, "timezone": {"plain": "Europe/Paris"}}))
        return folder

    def test_it_finds_the_event_and_prints_figures_last(self, suite, tmp_path, capsys):
        out = tmp_path / "out.jsonl"
        assert runner.main(["--suite", str(suite), "--out", str(out)]) == 0
        figures = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert figures["failures"] == []
        assert figures["scores"]["F1"] == 1.0
        assert figures["incidents"]["recall"] == 1.0
        rows = {r["unique_id"]: r for r in map(json.loads, out.read_text().splitlines())}
        assert "2023-01-31T04:00:00" in [i["detected_at"][:19] for i in rows["spiky"]["incidents"]]
        scores = pd.read_parquet(tmp_path / rows["plain"]["scores"])
        assert list(scores.columns) == ["unique_id", "ds", "score"]
        assert len(scores) == 2 * 24 * 40

    def test_it_works_without_labels(self, suite, tmp_path, capsys):
        other = tmp_path / "unlabelled"
        other.mkdir()
        for name in ("series.parquet", "suite.json"):
            (other / name).write_bytes((suite / name).read_bytes())
        assert runner.main(["--suite", str(other), "--out", str(tmp_path / "o.jsonl")]) == 0
        assert "scores" not in json.loads(capsys.readouterr().out.splitlines()[-1])

    def test_one_bad_series_does_not_stop_the_others(self, suite, tmp_path, capsys):
        bad = tmp_path / "bad"
        bad.mkdir()
        (bad / "series.parquet").write_bytes((suite / "series.parquet").read_bytes())
        (bad / "suite.json").write_text(json.dumps({"name": "x", "timezone": {"plain": "Nowhere/Land"}}))
        assert runner.main(["--suite", str(bad), "--out", str(tmp_path / "o.jsonl")]) == 0
        figures = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert [f["unique_id"] for f in figures["failures"]] == ["plain"]


def test_planted_metrics_have_labels_inside_their_time():
    rng = np.random.default_rng(3)
    t, y = planted.base(rng, "h", "traffic")
    z, labels = planted.plant(rng, t, y, "h", "traffic")
    assert labels
    assert (z != y).any()
    assert all(pd.Timestamp(a) in t and pd.Timestamp(b) in t for a, b in labels)


def test_kept_machine_code_is_of_all_compiled_sources_also_those_that_are_called():
    from anomaly.compiled import sources_stamp
    from anomaly.kernel import run

    assert run._cache._cache_file._source_stamp == sources_stamp()  # numba alone would look at kernel.py only


def test_many_series_are_judged_one_by_one():
    items = [DetectInput(TimeSeries(str(k), times(100), np.ones(100))) for k in range(3)]
    assert [d.series_id for d in detect_many(items)] == ["0", "1", "2"]
    assert detect(items[0]).incidents == ()
