"""Why a metric changed between two periods: facts in the order in which they are told. Pure numbers in, facts out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from core.timeseries import FloatArray
from insights.claims import is_rate
from insights.drivers.change import Cause, Causes, amount_causes, rate_causes
from insights.drivers.leaves import Cuboid, Mask
from insights.drivers.mix_rate import Split, split_rate
from insights.drivers.spread import leaf_spread
from insights.periods import grain_of
from insights.study import Cube, Explained, Study
from insights.types import Evidence, Fact, Score
from insights.when import dated_facts, without

MIX_MATTERS = 0.3  # of all that moved in a rate
MIN_HISTORY = 6
OVERLAP = 0.5  # of a segment's own rows
STORY = 0.15  # of the relative change
TELLING_SHARE = 0.1  # of the change; less is true but not worth a sentence
MAX_TOLD_DRIVERS = 2


def explain_change(study: Study) -> Explained:
    """Facts about a change: how large, against what is usual and a year ago, its parts, mix and rate, segments that account for it."""
    change, dated = _change(study), dated_facts(study)
    context = [*_year_ago(study), *_usual(study)]
    if study.difference == 0 or study.cube is None or study.cube.leaves.count < 2:
        parts = _parts(study)
        when = [*dated, *without(study, dated)]
        return Explained((change, *when, *parts, *context), (change, *when, *parts[:3], *context), None, ())
    causes, splits = _causes(study), _splits(study)
    drivers = [_driver_fact(study, cause, causes.tried) for cause in causes.causes] if causes else []
    towards = [f for f in drivers if f is not None and f.kind == "driver" and f.values["share"] >= TELLING_SHARE]
    against = [f for f in drivers if f is not None and f.kind == "counter_driver" and abs(f.values["share"]) >= TELLING_SHARE]
    towards, against = (_apart(study, [f for f in facts if _matters(study, f)]) for facts in (towards, against))
    mix = _mix_facts(study, splits)
    told_drivers = [*towards[:MAX_TOLD_DRIVERS], *against[:1]]
    rest = _remainder(study, told_drivers) if told_drivers else []
    if not told_drivers and not mix:
        dated = [*dated, *without(study, dated)]
    none = [_no_driver(study, causes)] if causes is not None and not towards and not against and not mix else []
    parts = _parts(study)
    told = [
        change,
        *_balanced([] if mix else parts, [*mix, *dated], [*told_drivers, *rest, *none]),
        *context[: 1 if len(parts) + len(mix) + len(dated) + len(told_drivers) > 2 else 2],
    ]
    facts = (change, *mix, *dated, *towards, *against, *rest, *none, *parts, *context)
    return Explained(facts, tuple(told[:7]), causes, splits)


def _balanced(parts: Sequence[Fact], shape: Sequence[Fact], drivers: Sequence[Fact]) -> list[Fact]:
    """At most five: parts give way to what is more telling. shape: the mix, and where in time."""
    room = max(5 - len(shape) - len(drivers), 0)
    return [*parts[: min(room, 2)], *shape, *drivers][:5]


def _change(study: Study) -> Fact:
    test = _usual_test(study)
    relative = abs(study.difference) / abs(study.before) if study.before else 1.0
    score = Score(min(1.0, relative), 1.0 - (test.p if test else 0.5))
    values = {"before": study.before, "after": study.after, "difference": study.difference}
    return Fact(
        "period_change", study.quantity, study.period, study.baseline, values=values, test=test, impact=study.difference, score=score,
        receipts=study.receipt("whole"),
    )  # fmt: skip


def _moves(study: Study) -> FloatArray:
    """How the metric moved from period to period before: in its own unit for rates, relative else. Without the change itself."""
    known = np.asarray([v for v in study.history if math.isfinite(v)], dtype=np.float64)
    if len(known) < MIN_HISTORY or study.baseline.end != study.period.start:
        return np.zeros(0)  # what is usual from month to month says nothing of a change over a year
    if is_rate(study.quantity) or (known <= 0).any():
        return np.diff(known)
    return np.diff(np.log(known))


def _usual_test(study: Study) -> Evidence | None:
    """Whether the move is larger than moves have been: t of the move over their root mean square."""
    moves = _moves(study)
    if len(moves) < MIN_HISTORY - 1 or not np.any(moves):
        return None
    relative = not is_rate(study.quantity) and min(v for v in study.history if math.isfinite(v)) > 0
    if relative and (study.before <= 0 or study.after <= 0):
        return None
    move = math.log(study.after / study.before) if relative else study.difference
    spread = float(np.sqrt(np.mean(moves**2)))
    return Evidence("t", move / spread, float(2 * stats.t.sf(abs(move) / spread, len(moves))), len(moves))


def _year_ago(study: Study) -> list[Fact]:
    if study.year_ago is None or not math.isfinite(study.year_ago[1]):
        return []
    period, value = study.year_ago
    if period.start == study.baseline.start:
        return []
    values = {"year_ago": value, "after": study.after}
    return [
        Fact(
            "year_ago", study.quantity, study.period, period, values=values, impact=study.after - value, receipts=study.receipt("year_ago")
        )
    ]


def _usual(study: Study) -> list[Fact]:
    moves = _moves(study)
    grain = grain_of(study.period)
    if not len(moves) or grain is None:
        return []
    positive = not is_rate(study.quantity) and min(v for v in study.history if math.isfinite(v)) > 0
    usual = float(np.median(np.abs(np.expm1(moves) if positive else moves)))
    if (not is_rate(study.quantity) and not positive) or not usual:
        return []
    return [
        Fact(
            "usual_move",
            study.quantity,
            study.period,
            study.baseline,
            names=(grain.value,),
            values={"usual": usual},
            receipts=study.receipt("history"),
        )
    ]


def _parts(study: Study) -> list[Fact]:
    return [
        Fact(
            "part", study.quantity, study.period, study.baseline, names=(part.name,), impact=part.effect,
            values={"before": part.before, "after": part.after, "effect": part.effect}, receipts=study.receipt("whole"),
        )
        for part in study.parts
    ]  # fmt: skip


def _causes(study: Study) -> Causes | None:
    """None where a leaf is below 0: shares of what cancels out say nothing."""
    cube = study.cube
    if cube is None or study.kind == "other":
        return None
    columns = [c for c in (cube.before, cube.after, cube.base_before, cube.base_after) if c is not None]
    if any((column < 0).any() for column in columns):
        return None
    spread = leaf_spread(cube.past, cube.base_past) if cube.past is not None else None
    if cube.base_before is None or cube.base_after is None:
        return amount_causes(cube.leaves, cube.before, cube.after, spread)
    return rate_causes(cube.leaves, (cube.before, cube.base_before), (cube.after, cube.base_after), spread)


def _driver_fact(study: Study, cause: Cause, tried: int) -> Fact | None:
    """A driver where the segment moved with the whole, a counter driver where it moved against it; None where it only lagged."""
    whole, difference = study.difference, cause.difference
    values: dict[str, float] = {}
    if study.kind == "rate" and study.cube is not None and study.cube.base_after is not None:
        # What the segment's own rate did to the whole rate, at its present share.
        difference = cause.unexpected / float(study.cube.base_after.sum()) * study.scale
        values = {
            "rate_before": cause.before / cause.base_before * study.scale if cause.base_before else math.nan,
            "rate_after": cause.after / cause.base_after * study.scale if cause.base_after else math.nan,
        }
    if difference * cause.unexpected <= 0:
        return None
    part = difference / whole
    values |= {
        "before": cause.before,
        "after": cause.after,
        "difference": difference,
        "share": part,
        "whole": whole,
        "unexpected": cause.unexpected,
    }
    scope = cause.segment.pairs
    test = Evidence("log-likelihood ratio", cause.gain, cause.p, tried)
    score = Score(min(1.0, abs(part)), 1.0 - cause.p, actionability=1.0 if len(scope) <= 2 else 0.8)
    return Fact(
        "driver" if part > 0 else "counter_driver", study.quantity, study.period, study.baseline, scope, values, test=test,
        impact=difference, score=score, receipts=study.receipt("cube"),
    )  # fmt: skip


def _remainder(study: Study, drivers: Sequence[Fact]) -> list[Fact]:
    """How the metric did without the segments that were told."""
    cube = study.cube
    if cube is None:
        return []
    outside = np.ones(cube.leaves.count, dtype=bool)
    for fact in drivers:
        outside &= ~_inside(cube, fact)
    before, after = float(cube.before[outside].sum()), float(cube.after[outside].sum())
    if cube.base_before is not None and cube.base_after is not None:
        bases = float(cube.base_before[outside].sum()), float(cube.base_after[outside].sum())
        if min(bases) <= 0:
            return []
        before, after = before / bases[0] * study.scale, after / bases[1] * study.scale
    if before <= 0:
        return []
    return [
        Fact(
            "remainder",
            study.quantity,
            study.period,
            study.baseline,
            values={"before": before, "after": after, "told": float(len(drivers))},
            impact=after - before,
            receipts=study.receipt("cube"),
        )
    ]


def _inside(cube: Cube, fact: Fact) -> Mask:
    """(leaves,) which leaves the fact is about."""
    inside = np.ones(cube.leaves.count, dtype=bool)
    for dimension, value in fact.scope:
        place = cube.leaves.dimensions.index(dimension)
        inside &= cube.leaves.codes[place] == cube.leaves.labels[place].index(value)
    return inside


def _apart(study: Study, drivers: Sequence[Fact]) -> list[Fact]:
    """Those that are mostly about other rows than the ones before them: shares of the same rows told twice would not add up."""
    cube = study.cube
    kept: list[Fact] = []
    if cube is None:
        return kept
    told = np.zeros(cube.leaves.count, dtype=bool)
    weight = cube.before + cube.after
    for fact in drivers:
        inside = _inside(cube, fact)
        if weight[inside & told].sum() <= OVERLAP * weight[inside].sum():
            kept.append(fact)
            told |= inside
    return kept


def _matters(study: Study, driver: Fact) -> bool:
    """Whether the change would be another one without this segment: all else moving alike is no story about a segment."""
    rest = _remainder(study, [driver])
    if not rest or not study.before:
        return True
    before, after = rest[0].values["before"], rest[0].values["after"]
    return abs((after - before) / before - study.difference / study.before) >= STORY * abs(study.difference / study.before)


def _no_driver(study: Study, causes: Causes) -> Fact:
    cube = study.cube
    names = (
        () if cube is None else tuple(d for d, labels in zip(cube.leaves.dimensions, cube.leaves.labels, strict=True) if len(labels) > 1)
    )
    test = Evidence("log-likelihood ratio", 0.0, causes.best_p, causes.tried)
    return Fact("no_driver", study.quantity, study.period, study.baseline, names=names[:4], test=test, receipts=study.receipt("cube"))


def _splits(study: Study) -> tuple[Split, ...]:
    """A rate's mix and rate by each dimension, the one with most mix first."""
    cube = study.cube
    if cube is None or cube.base_before is None or cube.base_after is None or study.kind != "rate":
        return ()
    found: list[Split] = []
    for cuboid in cube.leaves.cuboids(1):
        labels = cube.leaves.labels[cuboid.dimensions[0]]

        def summed(column: FloatArray, cuboid: Cuboid = cuboid) -> FloatArray:
            return np.bincount(cuboid.key, weights=column, minlength=cuboid.size).astype(np.float64)

        split = split_rate(
            cube.leaves.dimensions[cuboid.dimensions[0]], labels, (summed(cube.before), summed(cube.base_before)),
            (summed(cube.after), summed(cube.base_after)),
        )  # fmt: skip
        if split is not None:
            found.append(_scaled(split, study.scale))
    return tuple(sorted(found, key=lambda split: (-abs(split.mix_effect), len(split.segments), split.dimension)))


def _scaled(split: Split, scale: float) -> Split:
    if scale == 1.0:
        return split
    segments = tuple(
        replace(
            s,
            rate_before=s.rate_before * scale,
            rate_after=s.rate_after * scale,
            rate_effect=s.rate_effect * scale,
            mix_effect=s.mix_effect * scale,
        )
        for s in split.segments
    )
    return replace(
        split, before=split.before * scale, after=split.after * scale, rate_effect=split.rate_effect * scale,
        mix_effect=split.mix_effect * scale, segments=segments,
    )  # fmt: skip


def _mix_facts(study: Study, splits: Sequence[Split]) -> list[Fact]:
    """A shift of the mix, and a reversal where there is one, by the dimension that shows it most."""
    if not splits or study.cube is None:
        return []
    best = splits[0]
    if best.mix_weight < MIX_MATTERS or abs(best.mix_effect) < 0.2 * abs(study.difference) or not _mix_is_real(best):
        return []
    facts: list[Fact] = []
    values = {"mix": best.mix_effect, "rate": best.rate_effect, "whole": study.difference}
    common = Fact(
        "mix_rate",
        study.quantity,
        study.period,
        study.baseline,
        names=(best.dimension,),
        values=values,
        impact=best.mix_effect,
        receipts=study.receipt("cube"),
    )
    if best.reversal:
        facts.append(replace(common, kind="reversal"))
    facts.append(common)
    moved = max(best.segments, key=lambda s: (round(abs(s.share_after - s.share_before), 9), s.share_after - s.share_before, s.name))
    if study.cube.base_label:
        shares = {"share_before": moved.share_before, "share_after": moved.share_after}
        scope = ((best.dimension, moved.name),)
        facts.append(
            replace(common, kind="share_shift", names=(study.cube.base_label,), scope=scope, values=shares, impact=moved.mix_effect)
        )
    return facts


def _mix_is_real(split: Split) -> bool:
    """Whether some segment's share of the base moved by a hundredth or more; less is not a shift that anyone would act on."""
    return max(abs(s.share_after - s.share_before) for s in split.segments) >= 0.01
