"""Who judges a metric for what is unusual: Querent's own detector, or the custom one that was promoted for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from anomaly import DetectInput, Detection, detect
from core.errors import InternalError, NotFound
from core.store.model_versions import StoredVersion
from core.timeseries import Grain
from models.judging import detect_with
from models.sandbox.limits import Limits
from models.sdk.card import card_of
from models.sdk.failures import ModelFailed
from workers.alerts.rule import AnomalyRule
from workers.champions import promoted_here, walled
from workers.context import JobContext

JUDGING_LIMITS = Limits(cpu_s=600, wall_s=600)


class CustomDetector:
    """Stands in for `anomaly.detect`. `label` is the `name/version`; `speaker` and `said` are what is to be shown and kept of who judged."""

    def __init__(self, context: JobContext, version: StoredVersion) -> None:
        self._context = context
        self.version = version
        self.label = str(version)
        self._failure = ""

    @property
    def speaker(self) -> str:
        """The model's label; empty once Querent's own detector had to judge in its place."""
        return "" if self._failure else self.label

    @property
    def said(self) -> str:
        """Who judged, as a sentence."""
        if self._failure:
            return f"Model {self.label} did not judge: {self._failure} Querent's own detector did."
        return f"Judged by {self.label}."

    def detect_many(
        self, inputs: Sequence[DetectInput], *, sensitivity: float, min_effect: float = 0.0, direction: str = "both"
    ) -> list[Detection]:
        """In the order of `inputs`, all of one grain. Where the model fails, Querent's own detector judges and the notes say so.

        Raises: Invalid for an option that makes no sense; Unavailable.
        """
        card = card_of(dict(self.version.card))
        try:
            with walled(self._context.services, self.version, JUDGING_LIMITS) as subject:
                return detect_with(
                    subject, card, self.label, inputs, sensitivity=sensitivity, min_effect=min_effect, direction=direction
                )  # fmt: skip
        except (ModelFailed, NotFound, InternalError) as error:
            self._failure = error.message[:400]
            own = [detect(item, sensitivity=sensitivity, min_effect=min_effect, direction=direction) for item in inputs]
            return [replace(found, notes=(*found.notes, self.said)) for found in own]


def detector_for(context: JobContext, metric: str | None, grain: Grain) -> CustomDetector | None:
    """What judges `metric` at `grain` instead of Querent's own detector, or None.

    Raises: BelongsElsewhere outside of queue `sandbox`, which sends the job there; Unavailable.
    """
    version = promoted_here(context, "detect", metric, grain)
    return None if version is None else CustomDetector(context, version)


def judging(custom: CustomDetector) -> Callable[[AnomalyRule, DetectInput, float], Detection]:
    """What `workers.alerts.evaluate.Judge` takes as its `custom`."""

    def judge(rule: AnomalyRule, item: DetectInput, sensitivity: float) -> Detection:
        return custom.detect_many([item], sensitivity=sensitivity, min_effect=rule.min_effect, direction=rule.direction)[0]

    return judge
