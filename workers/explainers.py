"""Who says what the segments of a metric contribute to its change: Querent's own search, or the custom explainer that was promoted for it."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InternalError, NotFound
from core.store.model_versions import StoredVersion
from core.timeseries import Grain
from insights.attributed import Attribution, SegmentSums, explained_with
from insights.periods import grain_of
from insights.study import Explained, Study
from models.explaining import Split, contributions_of, standing_out
from models.sandbox.limits import Limits
from models.sandbox.subject import WalledModel
from models.sdk.card import ModelCard, card_of
from models.sdk.failures import ModelFailed
from workers.champions import promoted_here, walled
from workers.context import JobContext

EXPLAINING_LIMITS = Limits(cpu_s=120, wall_s=120)


class CustomExplainer:
    """`label` is the `name/version` to be shown and kept."""

    def __init__(self, context: JobContext, version: StoredVersion) -> None:
        self._context = context
        self.version = version
        self.label = str(version)

    def contributions(self, sums: Sequence[SegmentSums], grain: str) -> tuple[list[Attribution], str]:
        """What it says of each dimension, and why it says nothing: one of them is empty. Raises: Unavailable."""
        card = card_of(dict(self.version.card))
        if grain not in card.grains:
            return [], f"it does not explain changes by {grain}."
        try:
            with walled(self._context.services, self.version, EXPLAINING_LIMITS) as subject:
                return [_attribution(subject, card, one, grain) for one in sums], ""
        except (ModelFailed, NotFound, InternalError) as error:
            return [], error.message[:400]


def explainer_for(context: JobContext, metric: str | None) -> CustomExplainer | None:
    """What explains `metric` instead of Querent's own search, or None.

    Raises: BelongsElsewhere outside of queue `sandbox`, which sends the job there; so call this before work that would be lost. Unavailable.
    """
    version = promoted_here(context, "explain", metric, None)
    return None if version is None else CustomExplainer(context, version)


def explained_by(custom: CustomExplainer | None, study: Study, explained: Explained, grain: Grain) -> tuple[Explained, str, list[str]]:
    """By `custom` where there is one and it can: the explanation, the model that spoke (empty: Querent's own search) and a note on it.

    grain: of the question, for periods that are no step of one. Raises: Unavailable.
    """
    if custom is None:
        return explained, "", []
    steps = grain_of(study.period) or grain
    return explained_with(study, explained, custom.label, lambda sums: custom.contributions(sums, steps.value))


def _attribution(subject: WalledModel, card: ModelCard, sums: SegmentSums, grain: str) -> Attribution:
    split = Split(sums.dimension, sums.segments, sums.before, sums.after)
    found = contributions_of(subject, card, split, grain)
    return Attribution(sums, found, standing_out(split, found))
