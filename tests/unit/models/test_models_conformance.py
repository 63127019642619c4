"""`check_model` on models in this process: good ones pass, each kind of bad one fails its own check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.conformance import check_model
from models.sdk import Context, Detector, Explainer, Forecaster, Saving
from models.sdk.card import ModelCard, card_of
from models.sdk.schemas import CONTRIBUTIONS, signature_of
from models.sdk.tables import forecast_table, per_series, score_table


def card(kind: str, **change: Any) -> ModelCard:
    value = {
        "name": "m", "kind": kind, "owner": "a@b.c", "description": "d", "metric": "revenue", "grains": ["day"], "min_history": 21,
        "licence": "MIT", "entry": "model:M", "signature": signature_of(kind), "horizon": 40 if kind == "forecaster" else 0,
    }  # fmt: skip
    return card_of({**value, **change})


class FitsAnew(Forecaster):
    """Repeats the last week; declares no saving."""

    def fit(self, history: pa.Table, context: Context) -> None:
        self.last = {name: values[-7:] for name, _, values in per_series(history, fill=True)}
        self.spread = {name: float(np.std(values)) for name, _, values in per_series(history, fill=True)}

    def predict(self, future: pa.Table) -> pa.Table:
        return forecast_table(future, self.ahead)

    def ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.resize(self.last[name], len(times)), np.full(len(times), self.spread[name])


class Naive(FitsAnew, Saving):
    def save(self, folder: Path) -> None:
        np.savez(folder / "state.npz", **{f"v{k}": v for k, v in self.last.items()}, **{f"s{k}": v for k, v in self.spread.items()})

    def load(self, folder: Path) -> None:
        found = np.load(folder / "state.npz")
        self.last = {k[1:]: found[k] for k in found if k[0] == "v"}
        self.spread = {k[1:]: float(found[k]) for k in found if k[0] == "s"}


class Forgetful(Naive):
    def load(self, folder: Path) -> None:
        super().load(folder)
        self.last = {name: values * 0.9 for name, values in self.last.items()}


class Infinite(Naive):
    def ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(times), np.inf), np.ones(len(times))


class Crossed(Naive):
    def ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return super().ahead(name, times)[0], -np.ones(len(times))


class Dice(Naive):
    def ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, error = super().ahead(name, times)
        return mean + np.random.default_rng().normal(size=len(times)), error


class Flat(Naive):
    def ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(times), 100.0), np.ones(len(times))


class Remembers(Naive):
    """Keeps the longest history it ever saw and answers from there."""

    seen: np.ndarray = np.empty(0)

    def fit(self, history: pa.Table, context: Context) -> None:
        super().fit(history, context)
        values = next(per_series(history, fill=True))[2]
        self.known = len(values)
        if len(values) > len(Remembers.seen):
            Remembers.seen = values

    def ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        later = Remembers.seen[self.known : self.known + len(times)]
        mean, error = super().ahead(name, times)
        return (later, error) if len(later) == len(times) else (mean, error)


class NeedsMore(Naive):
    def fit(self, history: pa.Table, context: Context) -> None:
        if history.num_rows < 50:
            raise ValueError("50 rows or more, please")
        super().fit(history, context)


class Gapless(Naive):
    def fit(self, history: pa.Table, context: Context) -> None:
        if history.column("value").null_count:
            raise ValueError("no gaps, please")
        super().fit(history, context)


class Lazy(Naive):
    def predict(self, future: pa.Table) -> pa.Table:
        return super().predict(future).slice(1)


class Listless(Naive):
    def predict(self, future: pa.Table) -> Any:
        return super().predict(future).to_pylist()


class TestForecasters:
    def test_a_good_one_passes_every_check(self) -> None:
        report = check_model(Naive(Path()), card("forecaster"))
        assert report.passed, str(report)
        assert {check.outcome for check in report.checks} == {"passed"}
        assert str(report).endswith("15 of 15 passed")

    def test_one_that_fits_anew_has_nothing_to_save(self) -> None:
        report = check_model(FitsAnew(Path()), card("forecaster"))
        assert report.passed
        assert [check.name for check in report.checks if check.outcome == "skipped"] == ["Saved and loaded"]

    @pytest.mark.parametrize(
        ("model", "failed"),
        [
            (Infinite, "One finite row per step asked for"),
            (Crossed, "Intervals hold the mean and each other"),
            (Dice, "The same history gives the same forecast"),
            (Flat, "Forecasts follow the history"),
            (Remembers, "No look-ahead"),
            (NeedsMore, "Short history"),
            (Gapless, "Gaps"),
            (Lazy, "One finite row per step asked for"),
            (Listless, "One finite row per step asked for"),
            (Forgetful, "Saved and loaded"),
        ],
    )
    def test_what_is_wrong_is_found(self, model: type[Forecaster], failed: str) -> None:
        report = check_model(model(Path()), card("forecaster"))
        assert not report.passed
        assert failed in {check.name for check in report.checks if check.outcome == "failed"}
        assert any(reason.startswith(failed) for reason in report.reasons)

    def test_too_slow_is_told(self) -> None:
        report = check_model(Naive(Path()), card("forecaster"), max_seconds=0.0)
        assert [check.name for check in report.checks if check.outcome == "failed"] == ["Quick enough"]

    @pytest.mark.parametrize("grain", ["hour", "week", "month", "quarter", "year"])
    def test_any_grain(self, grain: str) -> None:
        report = check_model(Naive(Path()), card("forecaster", grains=[grain]))
        assert report.passed, str(report)

    def test_progress_is_told_and_may_stop(self) -> None:
        told: list[tuple[int, int]] = []

        def stop(done: int, total: int) -> None:
            told.append((done, total))
            if done == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            check_model(Naive(Path()), card("forecaster"), on_check=stop)
        assert told == [(1, 15), (2, 15)]

    def test_a_card_is_needed(self) -> None:
        with pytest.raises(ValueError, match="card"):
            check_model(Naive(Path()))


class Residual(Detector):
    """How far from the value a week before, against what was usual before."""

    def score(self, history: pa.Table, context: Context) -> pa.Table:
        return score_table(history, lambda name, times, values: {"score": self.one(values)})

    def one(self, values: np.ndarray) -> np.ndarray:
        off = np.abs(values - np.r_[np.full(7, np.nan), values[:-7]])
        score = np.full(len(values), np.nan)
        for row in range(20, len(values)):
            past = off[:row][np.isfinite(off[:row])]
            if len(past) and np.isfinite(off[row]):
                score[row] = off[row] / max(float(np.median(past)), 1e-9)
        return score


class Peeks(Residual):
    def one(self, values: np.ndarray) -> np.ndarray:
        return np.abs(values - np.nanmean(values)) / max(float(np.nanstd(values)), 1e-9)


class Blind(Residual):
    def one(self, values: np.ndarray) -> np.ndarray:
        return np.zeros(len(values))


class TestDetectors:
    def test_a_good_one_passes(self) -> None:
        report = check_model(Residual(Path()), card("detector"))
        assert report.passed, str(report)

    @pytest.mark.parametrize(("model", "failed"), [(Peeks, "No look-ahead"), (Blind, "A gross outlier is strange")])
    def test_what_is_wrong_is_found(self, model: type[Detector], failed: str) -> None:
        report = check_model(model(Path()), card("detector"))
        assert failed in {check.name for check in report.checks if check.outcome == "failed"}


def explaining(share: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Explainer:
    class Shares(Explainer):
        def explain(self, parts: pa.Table, context: Context) -> pa.Table:
            before, after = (
                np.nan_to_num(np.asarray(parts.column(name).to_numpy(zero_copy_only=False), float)) for name in ("before", "after")
            )
            return pa.Table.from_arrays([parts.column("part"), pa.array(share(before, after))], schema=CONTRIBUTIONS)

    return Shares(Path())


class TestExplainers:
    def test_a_good_one_passes(self) -> None:
        assert check_model(explaining(lambda before, after: after - before), card("explainer")).passed

    def test_one_that_does_not_add_up_fails(self) -> None:
        report = check_model(explaining(lambda before, after: after), card("explainer"))
        assert "Contributions add up" in {check.name for check in report.checks if check.outcome == "failed"}
