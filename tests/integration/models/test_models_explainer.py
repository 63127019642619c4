"""An explainer that knows which swings mean nothing passes the gate and says what segments contribute; explanations say who spoke."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workers.custom.promotion import promote, rollback
from workers.queue import enqueue

pytestmark = [pytest.mark.integration]
TEMPLATE = Path(__file__).parents[3] / "models" / "templates" / "explainer"
TENDERS = [f"Tender {number}" for number in range(1, 5)]


def package(world: Any, name: str, one_off: list[str], metric: str = "visits") -> Any:
    """The template as an author completes it."""
    card = (
        (TEMPLATE / "model.yaml")
        .read_text()
        .replace("name: explainer", f"name: {name}")
        .replace("metric: revenue", f"metric: {metric}")
        .replace("[day, week, month]", "[day]")
    )
    source = (TEMPLATE / "source/model.py").read_text()
    return world.package(name, source, {"one_off.json": json.dumps(one_off).encode()}, card, plain=True)


@pytest.fixture(scope="module")
def better(models_world: Any) -> Any:
    return models_world.register(package(models_world, "knows", TENDERS))


def explained(world: Any, **more: Any) -> dict[str, Any]:
    job = enqueue(world.services, "explain", {"metric": "visits", "grain": "day", **more}, world.analyst)
    done = world.run(job, queue="default")
    if done.status.value == "PENDING":
        assert done.queue == "sandbox"
        done = world.run(job, queue="sandbox")
    assert done.status.value == "DONE", done.error
    return dict(done.result)


class TestExplainer:
    def test_passes_the_gate_by_naming_more(self, better: Any) -> None:
        assert better.state == "challenger", better.reason
        run = better.backtest["runs"][0]
        assert run["of"] == "drivers"
        assert run["recall"] > run["champion_recall"] + 0.02

    @pytest.mark.parametrize(
        ("metric", "reason"), [("visits", "Names more first than plain differences"), ("revenue", "No dimension of 'revenue'")]
    )
    def test_one_that_knows_nothing_is_refused(self, metric: str, reason: str, models_world: Any) -> None:
        version = models_world.register(package(models_world, f"plain-{metric}", [], metric))
        assert version.state == "refused"
        assert reason in version.reason

    def test_explains_after_promotion_and_says_so(self, models_world: Any, better: Any) -> None:
        former = explained(models_world)
        assert former["model"] == ""
        promote(models_world.services, models_world.ben, better.name, better.version)
        found = explained(models_world)
        assert found["model"] == f"{better.name}/1"
        assert found["causes"][0]["segment"] == "Shop"
        assert not [cause for cause in found["causes"] if cause["segment"] in TENDERS]
        assert any(f"said by model {better.name}/1" in sentence for sentence in found["narrative"])
        assert found["change"] == former["change"]
        weekly = explained(models_world, grain="week")
        assert weekly["model"] == ""
        assert any("does not explain changes by week. Querent's own" in sentence for sentence in weekly["narrative"])
        rollback(models_world.services, models_world.ben, better.name)
        assert explained(models_world)["narrative"] == former["narrative"]
