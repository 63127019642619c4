"""The shipped confidence model, the made-up questions it is learned from, and the judge of their answers."""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import InternalError
from nlq.calibration.collect import Example
from nlq.calibration.evidence import NAMES
from nlq.calibration.judge import is_right
from nlq.calibration.learn import learn, quality, quality_of
from nlq.calibration.model import from_json, shipped
from nlq.calibration.noise import disturbed
from nlq.calibration.worlds import STYLES, domains, make_world, worlds
from nlq.understand import Considered, Understander
from tests.sql import engine

ROOT = Path(__file__).resolve().parents[3]
SURE = {
    "score": 0.98,
    "inexact": 0.0,
    "worst_link": 1.0,
    "worst_value": 1.0,
    "loose_verbs": 0.0,
    "margin": 1.0,
    "rivals": 0.0,
    "idle_words": 0.0,
}


def values(**changes: float) -> list[float]:
    return [{**SURE, **changes}[name] for name in NAMES]


class TestShipped:
    def test_it_reads_the_evidence_of_this_version(self) -> None:
        assert 0.0 < shipped().ask <= shipped().answer < 1.0
        assert all(0.01 <= shipped().probability(values(score=s / 10)) <= 0.99 for s in range(11))

    @pytest.mark.parametrize(
        "worse", [{"score": 0.5}, {"inexact": 1.2}, {"worst_link": 0.4}, {"margin": -0.5}, {"rivals": 3.0}, {"idle_words": 4.0}, {"loose_verbs": 3.0}]
    )  # fmt: skip
    def test_more_doubt_never_raises_it(self, worse: dict[str, float]) -> None:
        assert shipped().probability(values(**worse)) <= shipped().probability(values())

    def test_an_old_model_is_refused(self) -> None:
        with pytest.raises(InternalError):
            from_json({**shipped().to_json(), "features": ["score"]})

    def test_it_survives_json(self) -> None:
        again = from_json(json.loads(json.dumps(shipped().to_json())))
        assert [again.probability(values(margin=m / 9)) for m in range(10)] == [
            shipped().probability(values(margin=m / 9)) for m in range(10)
        ]

    def test_a_question_needs_neither_scikit_learn_nor_torch(self) -> None:
        code = (
            "import sys, datetime as dt\nfrom tests.sql import engine\nfrom nlq.understand import Understander\n"
            "u = Understander(engine.catalog())\nu.understand('revenue by region', as_of=engine.AS_OF)\n"
            "u.understand('flumox takings', as_of=engine.AS_OF)\n"
            "print([m for m in ('sklearn', 'torch', 'sentence_transformers') if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
        assert done.stdout.strip() == "[]"


class TestLearn:
    def test_it_finds_how_often_what_is_right(self) -> None:
        """A world where readings with a small margin are right half of the time, others always."""
        rng = random.Random(1)
        examples = []
        for number in range(3_000):
            close = rng.random() < 0.5
            row = tuple(values(margin=0.02 if close else 1.0, score=0.9))
            examples.append(Example(f"d{number % 7}", "x", "q", row, rng.random() < (0.5 if close else 1.0), "answer"))
        model = learn(examples, 7)
        assert model.probability(values(margin=0.02, score=0.9)) == pytest.approx(0.5, abs=0.06)
        assert model.probability(values(margin=1.0, score=0.9)) > 0.95
        assert quality(model, examples).ece < 0.03

    def test_the_error_of_overconfidence_is_seen(self) -> None:
        assert quality_of([0.95] * 100, [True] * 50 + [False] * 50).ece == pytest.approx(0.45)
        assert quality_of([0.55] * 100, [True] * 55 + [False] * 45).ece == pytest.approx(0.0, abs=1e-9)


class TestWorlds:
    def test_the_same_seed_makes_the_same_worlds(self) -> None:
        one, two = (list(worlds(3, 4, held_out=False)) for _ in range(2))
        assert one == two
        assert one != list(worlds(4, 4, held_out=False))

    def test_held_out_domains_are_never_trained_on(self) -> None:
        trained = {w.name for w in worlds(3, 40, held_out=False)}
        assert trained.isdisjoint({w.name for w in worlds(3, 10, held_out=True)})

    @pytest.mark.parametrize("style", STYLES)
    def test_columns_of_a_table_have_different_names(self, style: str) -> None:
        for number, domain in enumerate(domains()):
            for table in make_world(domain, random.Random(number), style).tables:  # type: ignore[arg-type]
                names = [table.key, *(k for _, k in table.refs), *(c.physical for c in table.columns)]
                assert len(set(names)) == len(names)


class TestJudge:
    @pytest.mark.parametrize(
        ("expected", "found", "ordered", "right"),
        [
            ([["a", 1]], [["a", 1.0000001]], False, True), ([["a", 1]], [["a", 1.01]], False, False), ([["a"], ["b"]], [["b"], ["a"]], False, True),
            ([["a"], ["b"]], [["b"], ["a"]], True, False), ([["a"]], [[7, "a"]], False, True), ([["a", 7]], [["a"]], False, False),
            ([], [], False, True), ([["a"]], [["a"], ["a"]], False, False), ([["2023-01-01"]], [["2023-01-01 00:00:00"]], False, True),
            ([["a", 1], ["b", 2]], [["a", 2], ["b", 1]], False, False), ([[None]], [[0]], False, False),
        ],
    )  # fmt: skip
    def test_a_table_is_right_when_the_expected_columns_are_there(
        self, expected: list[list[object]], found: list[list[object]], ordered: bool, right: bool
    ) -> None:
        assert is_right(expected, found, ordered=ordered) is right


class TestNoise:
    def test_most_questions_stay_as_they_are(self) -> None:
        rng = random.Random(2)
        same = sum(disturbed("total revenue by region", rng).rstrip("?") == "total revenue by region" for _ in range(400))
        assert 200 < same < 350


class TestUnderstander:
    def test_a_watcher_sees_the_best_reading_and_its_evidence(self) -> None:
        seen: list[Considered] = []
        found = Understander(engine.catalog()).understand("revenue by region", as_of=engine.AS_OF, watch=seen.append)
        assert seen[-1].query == found.readings[0].query
        assert len(seen[-1].values) == len(NAMES)
        assert found.readings[0].confidence == shipped().probability(seen[-1].values)

    def test_a_clear_question_is_surer_than_a_misspelt_one(self) -> None:
        understander = Understander(engine.catalog())
        clear, misspelt = (
            understander.understand(q, as_of=dt.datetime(2024, 5, 15, tzinfo=dt.UTC)).readings[0].confidence
            for q in ("revenue by region", "revenu by reggion")
        )
        assert clear > misspelt


@pytest.mark.slow
def test_learning_anew_on_a_few_businesses_gives_an_honest_model(tmp_path: Path) -> None:
    """The whole way on a real engine, small: it takes half a minute on a quiet machine."""
    code = [
        sys.executable,
        "-m",
        "nlq.calibration",
        "--seed",
        "3",
        "--businesses",
        "15",
        "--held-out",
        "5",
        "--questions",
        "20",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, timeout=280, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["readings"] > 30
    assert 0.5 < figures["right"] <= 1.0
    assert figures["ece"] < 0.25
    assert from_json(json.loads((tmp_path / "confidence.json").read_text())).answer == figures["answer"]
    assert (tmp_path / "reliability.svg").read_text().startswith("<svg")
