"""A candidate explainer against who explains the metric now."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import Invalid
from core.store.model_versions import StoredVersion
from core.timeseries import Grain
from forecasting.types import ForecastInput
from insights.drivers.change import amount_causes
from insights.drivers.leaves import Leaves
from insights.drivers.spread import leaf_spread
from models.explaining import contributions_of, most, plain
from models.gate.planted import Course, Planted, run
from models.gate.recalled import judge
from models.gate.verdict import Criterion
from models.sandbox.limits import Limits
from models.sandbox.subject import WalledModel
from models.sdk.card import ModelCard, card_of
from models.serving import ready
from semantic.catalog.visible import visible_to
from semantic.query import MetricRef
from workers.champions import champion_for, walled
from workers.context import JobContext
from workers.custom.promotion import OWN
from workers.jobs.dimensions import is_additive, telling_dimensions
from workers.jobs.querying import Receipt
from workers.jobs.series import fetch_series
from workers.kinds import SeriesParams

LIMITS = Limits(cpu_s=900, wall_s=900)
MAX_DIMENSIONS = 3
VALUES = (3, 50)
"""Of a dimension: with fewer every change is the other segment's, with more each is too small to tell."""
LAGS = {Grain.DAY: 7}  # a Monday is compared with a Monday, as explanations do


@dataclass(frozen=True, slots=True)
class Courses:
    """One metric to compare on, by up to three dimensions."""

    metric: str
    grain: Grain
    courses: tuple[Course, ...]
    receipt: Receipt


def fetch_courses(context: JobContext, card: ModelCard, metric: str) -> Courses:
    """Raises: Invalid (`not_additive`, `no_dimension`); UserError for what cannot be asked; NotEnoughData; Unavailable."""
    grain = Grain(card.grains[0])
    catalog = visible_to(context.services.catalog(context.tenant), context.principal)
    measure = MetricRef(metric=metric)
    if not is_additive(catalog, measure):
        raise Invalid(f"An explainer splits a metric whose segments add up, a count or a sum; {metric!r} is neither.", code="not_additive")
    found: list[Course] = []
    receipt: Receipt | None = None
    for ref in telling_dimensions(catalog, measure, (), 3 * MAX_DIMENSIONS):
        if len(found) == MAX_DIMENSIONS:
            break
        fetched = fetch_series(context, SeriesParams(metric=metric, grain=grain, segments=(ref,), max_series=VALUES[1]))
        parts = fetched.series[1:]
        if not VALUES[0] <= len(parts) or fetched.left_out:
            continue
        total = ready(ForecastInput(fetched.series[0], 1, as_of=context.as_of))
        known = len(np.intersect1d(total.times, fetched.series[0].times))  # without the bucket that is not over
        values = np.nan_to_num(np.array([part.values[:known] for part in parts]).T)
        labels = tuple(fetched.segments[part.series_id].label for part in parts)
        found.append(Course(catalog.field(ref).label, labels, values, LAGS.get(grain, 1)))
        receipt = receipt or fetched.receipt
    if receipt is None:
        raise Invalid(f"No dimension of {metric!r} has {VALUES[0]} to {VALUES[1]} values to plant drivers in.", code="no_dimension")
    return Courses(metric, grain, tuple(found), receipt)


def compare_explainers(
    context: JobContext, version: StoredVersion, card: ModelCard, ground: Courses, tell: Callable[[int, int], None]
) -> tuple[dict[str, Any], list[Criterion]]:
    """What was found, and the gate's criteria. Raises: ModelFailed; NotEnoughData; Unavailable."""
    serving = champion_for(context.services, context.tenant, "explain", ground.metric, ground.grain)
    with ExitStack() as stack:
        subject = stack.enter_context(walled(context.services, version, LIMITS))
        other = stack.enter_context(walled(context.services, serving, LIMITS)) if serving is not None else None

        def champion(one: Planted) -> int:
            if serving is None or other is None:
                return own_search(one)
            return _named(other, card_of(dict(serving.card)), one, ground.grain)

        def peak() -> int:
            subject.fresh()
            return subject.peak_bytes

        found = run(
            (ground.metric, ground.grain.value, str(serving) if serving else OWN),
            ground.courses,
            (lambda one: _named(subject, card, one, ground.grain), champion),
            peak_bytes=peak,
            on_progress=tell,
        )
    return found.as_json(), judge(found)


def own_search(one: Planted) -> int:
    """What Querent's own search names first; where it is sure of none, what the plain differences say."""
    split = one.split
    rows = np.arange(len(split.segments), dtype=np.int64)[None, :]
    if (split.before >= 0).all() and (split.after >= 0).all():
        causes = amount_causes(Leaves((split.dimension,), (split.segments,), rows), split.before, split.after, leaf_spread(one.past)).causes
        if causes:
            return split.segments.index(causes[0].segment.pairs[0][1])
    return most(split, plain(split))


def _named(subject: WalledModel, card: ModelCard, one: Planted, grain: Grain) -> int:
    return most(one.split, contributions_of(subject, card, one.split, grain.value))
