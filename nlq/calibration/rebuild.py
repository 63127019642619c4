"""The model of confidence made anew from a seed: collect, learn, measure on domains that were never trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nlq.calibration.collect import collect
from nlq.calibration.diagram import reliability_svg
from nlq.calibration.learn import Quality, learn, quality, quality_of
from nlq.calibration.model import Calibrated
from nlq.calibration.written import written_examples


@dataclass(frozen=True, slots=True)
class Recipe:
    """Same recipe, same code: same model."""

    seed: int = 7
    businesses: int = 98
    held_out: int = 30
    questions: int = 60


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """held_out: how honest the model is on domains it never saw; before: the transparent score on the same; written: on questions that people wrote."""

    model: Calibrated
    recipe: Recipe
    trained_on: int
    held_out: Quality
    before: Quality
    written: Quality | None = None

    def report(self) -> dict[str, Any]:
        return {
            "recipe": asdict(self.recipe), "trained_on": self.trained_on, "answer": self.model.answer, "ask": self.model.ask,
            "held_out": asdict(self.held_out), "transparent_score": asdict(self.before),
            "written": None if self.written is None else asdict(self.written),
        }  # fmt: skip

    def metrics(self) -> dict[str, float]:
        q = self.held_out
        told = {} if self.written is None else {"ece_written": self.written.ece, "right_written": self.written.right}
        return told | {
            "ece": q.ece,
            "brier": q.brier,
            "auc": q.auc,
            "right": q.right,
            "readings": float(q.count),
            "ece_before": self.before.ece,
        }


def rebuild(recipe: Recipe, progress: Callable[[str], None] = lambda _: None, written: Path | None = None) -> Rebuilt:
    """Takes some minutes. Needs the engine (chDB) and scikit-learn. written: a folder of questions to measure on, never to learn from."""
    trained, _ = collect(
        recipe.seed,
        recipe.businesses,
        recipe.questions,
        held_out=False,
        progress=lambda n: progress(f"business {n} of {recipe.businesses}"),
    )
    model = learn(trained, recipe.seed)
    unseen, _ = collect(
        recipe.seed,
        recipe.held_out,
        recipe.questions,
        held_out=True,
        progress=lambda n: progress(f"held-out business {n} of {recipe.held_out}"),
    )
    before = quality_of([e.values[0] for e in unseen], [e.right for e in unseen])
    people = quality(model, written_examples(written)) if written is not None else None
    return Rebuilt(model, recipe, len(trained), quality(model, unseen), before, people)


def write(rebuilt: Rebuilt, folder: Path) -> tuple[Path, ...]:
    """`confidence.json` (what the service loads), `report.json`, `reliability.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {"held-out businesses": rebuilt.held_out, "score before": rebuilt.before}
    if rebuilt.written is not None:
        drawn["questions of tests"] = rebuilt.written
    files = {
        "confidence.json": json.dumps(rebuilt.model.to_json(), separators=(",", ":")) + "\n",
        "report.json": json.dumps(rebuilt.report(), indent=1) + "\n",
        "reliability.svg": reliability_svg(drawn),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in files)
