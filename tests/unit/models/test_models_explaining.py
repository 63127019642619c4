"""Contributions are checked, and explainers compared on planted drivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pytest

from core.errors import NotEnoughData
from models.explaining import Split, contributions_of, most, plain, standing_out
from models.gate.planted import FACTORS, SHARES, Course, Planted, plant, run
from models.gate.recalled import judge
from models.sdk.card import ModelCard, card_of
from models.sdk.contract import Context
from models.sdk.failures import ModelFailed
from models.sdk.schemas import CONTRIBUTIONS, signature_of

SPLIT = Split("Region", ("EMEA", "APAC", "AMER"), np.array([600.0, 300.0, 100.0]), np.array([540.0, 270.0, 40.0]))


def card() -> ModelCard:
    return card_of(
        {
            "name": "m", "kind": "explainer", "owner": "a@b.c", "description": "d", "metric": "revenue", "grains": ["week"],
            "min_history": 1, "licence": "MIT", "entry": "model:M", "signature": signature_of("explainer"),
        }
    )  # fmt: skip


class Answers:
    """A subject that answers with what it is told."""

    def __init__(self, answer: Callable[[pa.Table], pa.Table]) -> None:
        self.answer, self.asked = answer, list[Context]()

    def fresh(self) -> None: ...

    def run(self, tables: Mapping[str, pa.Table], context: Context) -> pa.Table:
        self.asked.append(context)
        return self.answer(tables["parts"])

    def saved(self, tables: Mapping[str, pa.Table], context: Context) -> pa.Table | None: ...


def given(*contributions: float) -> Callable[[pa.Table], pa.Table]:
    return lambda parts: pa.Table.from_arrays([parts.column("part"), pa.array(contributions)], schema=CONTRIBUTIONS)


class TestContributions:
    def test_are_taken_when_they_add_up(self) -> None:
        subject = Answers(given(-60.0, -30.0, -60.0))
        assert contributions_of(subject, card(), SPLIT, "week").tolist() == [-60.0, -30.0, -60.0]
        assert (subject.asked[0].grain, subject.asked[0].dimension) == ("week", "Region")

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (given(-60.0, -30.0, -50.0), "add up to -140"),
            (given(-60.0, -30.0, float("nan")), "add up"),
            (lambda parts: given(-60.0, -30.0, -60.0)(parts).slice(0, 2), "2 parts for 3"),
            (lambda parts: parts, "the columns part string, contribution double were expected"),
        ],
    )
    def test_are_refused_when_not(self, answer: Callable[[pa.Table], pa.Table], said: str) -> None:
        with pytest.raises(ModelFailed, match=said):
            contributions_of(Answers(answer), card(), SPLIT, "week")

    def test_what_stands_out_is_what_size_does_not_say(self) -> None:
        assert standing_out(SPLIT, plain(SPLIT)).tolist() == pytest.approx([30.0, 15.0, -45.0])
        assert most(SPLIT, plain(SPLIT)) == 2


NAMES = ("Web", "App", "Shop", "Phone", "Fair", "Tender 1", "Tender 2", "Tender 3", "Tender 4")


def course(periods: int = 60) -> Course:
    """Five steady channels and four small ones that rarely bring in ten times as much, which their names tell and a short past does not."""
    rng = np.random.default_rng(3)
    values = np.array([300.0, 200, 150, 120, 100, 15, 15, 15, 15]) * np.exp(rng.normal(0, 0.03, (periods, 9)))
    values[:, 5:] *= np.where(rng.random((periods, 4)) < 0.2, 10.0, 1.0)
    return Course("Channel", NAMES, values)


def knows(one: Planted) -> int:
    steady = np.array([not name.startswith("Tender") for name in one.split.segments])
    change = np.log(one.split.after / one.split.before)
    return int(np.argmax(np.abs(change) * steady))


def by_size(one: Planted) -> int:
    return most(one.split, plain(one.split))


class TestPlanted:
    def test_one_segment_is_moved_and_no_other(self) -> None:
        steady = course()
        found = plant(steady, 40, seed=5)
        assert found is not None
        moved = found.split.after / steady.values[40]
        assert (np.delete(moved, found.row) == 1.0).all()
        assert 1 / FACTORS[1] <= moved[found.row] <= FACTORS[1]
        assert not 1 / FACTORS[0] < moved[found.row] < FACTORS[0]
        assert len(found.past) == 9
        assert (found.past[-1] == found.split.before).all()
        assert SHARES[0] <= found.split.before[found.row] / found.split.before.sum() <= SHARES[1]

    def test_who_knows_what_is_noise_names_more(self) -> None:
        found = run(("m", "week", "own"), [course()], (knows, by_size), peak_bytes=lambda: 5)
        assert found.recall > found.champion_recall + 0.1
        assert found.champion_recall == found.naive_recall
        assert all(item.passed for item in judge(found)), [str(item) for item in judge(found)]

    def test_the_same_names_are_not_better(self) -> None:
        found = run(("m", "week", "own"), [course()], (by_size, by_size), peak_bytes=lambda: 5)
        assert {item.name for item in judge(found) if not item.passed} == {
            "Names more drivers first than who serves now",
            "More by more than chance",
            "Names more first than plain differences",
        }

    def test_a_short_past_is_too_little(self) -> None:
        with pytest.raises(NotEnoughData, match="18 periods"):
            run(("m", "week", "own"), [course(periods=17)], (by_size, by_size), peak_bytes=lambda: 0)
