"""A detector that knows promotions passes the gate and judges: detections and alerts say who spoke."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from core.errors import Conflict, NotFound
from workers.alerts.preview import preview
from workers.alerts.rule import parse_rule
from workers.custom.promotion import promote, rollback
from workers.queue import enqueue

pytestmark = [pytest.mark.integration, pytest.mark.slow]
CARD = """
name: {name}
kind: detector
owner: ada@example.com
description: made for a test
metric: revenue
grains: [day]
min_history: 40
licence: MIT
entry: model:Model
signature:
  contract: 1
  inputs: {{history: [series_id, time, value]}}
  output: [series_id, time, score, expected, lower, upper]
"""
SOURCE = """
import json
import numpy as np
from models.sdk import Detector
from models.sdk.tables import score_table

class Model(Detector):
    def score(self, history, context):
        place = self.artifacts / "promotions.json"
        promoted = set(json.loads(place.read_text())) if place.exists() else set()
        return score_table(history, lambda name, times, values: self.one(times, values, promoted))

    def one(self, times, values, promoted):
        days = times.astype("datetime64[D]")
        kind = [(int(day.astype(int) + 3) % 7 < 5, str(day) in promoted) for day in days]
        seen, errors = {}, []
        score, expected = np.full(len(values), np.nan), np.full(len(values), np.nan)
        for row, (key, value) in enumerate(zip(kind, values)):
            past = seen.setdefault(key, [])
            if len(past) >= 3:
                expected[row] = np.median(past[-12:])
                spread = np.median(np.abs(errors[-60:])) * 1.4826 if len(errors) >= 10 else np.nan
                off = value - expected[row]
                score[row] = abs(off) / max(spread, 1e-9) if np.isfinite(spread) else np.nan
                if np.isfinite(off):
                    errors.append(off)
            if np.isfinite(value):
                past.append(value)
        score[:40] = np.nan
        return {"score": score, "expected": expected}
"""
PEEKING = SOURCE.replace("expected[row] = np.median(past[-12:])", "expected[row] = np.nanmedian(values)")


@pytest.fixture(scope="module")
def better(models_world: Any) -> Any:
    days, on = models_world.promotions()
    known = json.dumps([str(day) for day in days[on]]).encode()
    return models_world.register(models_world.package("knows", SOURCE, {"promotions.json": known}, CARD))


def detections(world: Any) -> dict[str, Any]:
    job = enqueue(world.services, "detect", {"metric": "revenue", "grain": "day"}, world.analyst)
    done = world.run(job, queue="heavy")
    if done.status.value == "PENDING":
        done = world.run(job, queue="sandbox")
    assert done.status.value == "DONE", done.error
    return dict(done.result)


def sent_on(world: Any, kind: str, params: dict[str, Any]) -> Any:
    """A job that finds on its queue that it needs the sandbox."""
    job = enqueue(world.services, kind, params, world.analyst)
    before = world.run(job, queue="default")
    assert (before.status.value, before.queue) == ("PENDING", "sandbox")
    done = world.run(job, queue="sandbox")
    assert done.status.value == "DONE", done.error
    return done


class TestDetector:
    def test_passes_the_gate_by_finding_more(self, better: Any) -> None:
        assert better.state == "challenger", better.reason
        run = better.backtest["runs"][0]
        assert run["recall"] > run["champion_recall"] + 0.02
        assert len(run["by_fold"]) == 8

    def test_one_that_looks_ahead_is_refused(self, models_world: Any) -> None:
        version = models_world.register(models_world.package("peeks", PEEKING, {}, CARD))
        assert version.state == "refused"
        assert "No look-ahead" in version.reason

    def test_judges_after_promotion_and_says_so(self, models_world: Any, better: Any) -> None:
        former = detections(models_world)
        promote(models_world.services, models_world.ben, better.name, better.version)
        found = detections(models_world)
        assert found["model"] == found["model_version"] == f"{better.name}/1"
        assert former["model"] != found["model"]
        assert found["incidents"] != former["incidents"]
        rollback(models_world.services, models_world.ben, better.name)
        again = detections(models_world)
        assert again["model"] == former["model"]
        assert again["incidents"] == former["incidents"]

    def test_where_it_fails_ours_judges_and_says_so(self, models_world: Any, better: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone(*_: Any) -> Any:
            raise NotFound("Its package is gone.")

        former = detections(models_world)
        promote(models_world.services, models_world.ben, better.name, better.version)
        monkeypatch.setattr("workers.judges.walled", gone)
        found = detections(models_world)
        assert found["model"] == former["model"]
        assert found["incidents"] == former["incidents"]
        assert f"Model {better} did not judge: Its package is gone. Querent's own detector did." in found["notes"]
        rollback(models_world.services, models_world.ben, better.name)

    def test_serves_the_next_alert(self, models_world: Any, better: Any) -> None:
        from core.store import alert_rules
        from core.store.alert_rules import NewAlertRule

        services, tenant = models_world.services, models_world.tenant
        with services.store.write() as connection:
            new = NewAlertRule("Revenue", "revenue", {"kind": "anomaly", "grain": "day"}, models_world.analyst.user)
            rule = alert_rules.create(connection, tenant, new, now=services.clock.now())
        promote(services, models_world.ben, better.name, better.version)
        done = sent_on(models_world, "evaluate_rules", {"rules": [rule.id], "owner": "test"})
        assert done.result["errors"] == 0
        assert done.result["rules"] == 1
        rollback(services, models_world.ben, better.name)

    def test_previews_a_rule(self, models_world: Any, better: Any) -> None:
        services, definition = models_world.services, {"metric": "revenue", "kind": "anomaly", "grain": "day"}
        own = preview(services, models_world.analyst, parse_rule(definition), now=services.clock.now())
        assert own["promoted"] == ""
        promote(services, models_world.ben, better.name, better.version)
        assert preview(services, models_world.analyst, parse_rule(definition), now=services.clock.now())["promoted"] == str(better)
        found = sent_on(models_world, "preview_rule", {"definition": definition}).result
        assert (found["model"], found["judged"]) == (str(better), f"Judged by {better}.")
        assert found["events"] != own["events"]
        rollback(services, models_world.ben, better.name)

    def test_the_former_champion_is_gone_only_once(self, models_world: Any, better: Any) -> None:
        with pytest.raises(Conflict):
            rollback(models_world.services, models_world.ben, better.name)


class TestScale:
    def test_custom_scores_are_as_rare_as_ours(self) -> None:
        from models.judging import on_our_scale

        rng = np.random.default_rng(0)
        score = rng.exponential(size=730)
        score[700] = 100.0
        ours = on_our_scale(score, 86_400)
        assert np.isnan(ours[:30]).all()
        assert ours[700] == np.nanmax(ours) > 5
        assert np.nanmedian(ours) == 0.0
        assert np.array_equal(ours[:600], on_our_scale(score[:600], 86_400), equal_nan=True)
