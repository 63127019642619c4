"""An explanation as the result of its job: plain JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from insights.drivers.mix_rate import Split
from insights.period_change import DimensionChange, SegmentChange, period_change
from insights.study import Explained, Study
from insights.types import Fact
from workers.jobs.chart_data import finite

MAX_SEGMENTS = 12


def result_of(study: Study, explained: Explained, sentences: Sequence[str], notes: Sequence[str]) -> dict[str, Any]:
    """The first sentence is the headline, the rest the narrative; `facts` are what they stand on, each with its receipts."""
    quantity = study.quantity
    periods = {"after": study.period, "before": study.baseline}
    change = explained.facts[0]
    return {
        "label": quantity.label,
        "unit": quantity.unit,
        "format": quantity.format,
        "good_direction": quantity.good_direction,
        "kind": study.kind,
        "headline": sentences[0],
        "narrative": [*sentences[1:], *notes],
        "told": [fact.as_json() for fact in explained.told],
        "facts": [fact.as_json() for fact in explained.facts],
        "periods": {name: _json_period(period) for name, period in periods.items()},
        "change": {
            "before": study.before,
            "after": study.after,
            "difference": study.difference,
            "relative": finite(study.difference / abs(study.before)) if study.before else None,
            "additive": study.kind == "amount",
            "p": change.test.p if change.test else None,
        },
        "causes": [_cause(fact) for fact in explained.facts if fact.kind in ("driver", "counter_driver")],
        "dimensions": _dimensions(study),
        "mix": [_split(split) for split in explained.splits[:4]],
    }


def _json_period(period: Any) -> dict[str, Any]:
    return {
        "label": period.label,
        "start": period.start.isoformat() if period.start else None,
        "end": period.end.isoformat() if period.end else None,
        "end_inclusive": False,
    }


def _cause(fact: Fact) -> dict[str, Any]:
    return {
        "segment": fact.segment,
        "scope": dict(fact.scope),
        **{name: finite(value) for name, value in fact.values.items()},
        "p": fact.test.p if fact.test else None,
    }


def _dimensions(study: Study) -> list[dict[str, Any]]:
    """Each dimension's segments on their own, for amounts."""
    cube = study.cube
    if cube is None or study.kind != "amount" or cube.leaves.count == 0:
        return []
    by_dimension: dict[str, list[SegmentChange]] = {}
    for cuboid in cube.leaves.cuboids(1):
        place = cuboid.dimensions[0]
        before = np.bincount(cuboid.key, weights=cube.before, minlength=cuboid.size)
        after = np.bincount(cuboid.key, weights=cube.after, minlength=cuboid.size)
        by_dimension[cube.leaves.dimensions[place]] = [
            SegmentChange(label, float(b), float(a)) for label, b, a in zip(cube.leaves.labels[place], before, after, strict=True)
        ]
    return [_dimension(item) for item in period_change(study.before, study.after, by_dimension).dimensions]


def _dimension(item: DimensionChange) -> dict[str, Any]:
    def shown(driver: Any) -> dict[str, Any]:
        return {
            "segment": driver.segment,
            "before": driver.before,
            "after": driver.after,
            "difference": driver.difference,
            "share": finite(driver.share),
            "unexpected": driver.unexpected,
        }

    return {
        "dimension": item.dimension,
        "segments": item.segments,
        "unevenness": round(item.unevenness, 4),
        "drivers": [shown(driver) for driver in item.drivers],
        "detractors": [shown(driver) for driver in item.detractors],
    }


def _split(split: Split) -> dict[str, Any]:
    segments = sorted(split.segments, key=lambda s: (-max(s.share_before, s.share_after), s.name))[:MAX_SEGMENTS]
    return {
        "dimension": split.dimension,
        "rate_effect": split.rate_effect,
        "mix_effect": split.mix_effect,
        "reversal": split.reversal,
        "segments": [
            {
                "segment": s.name,
                "rate_before": finite(s.rate_before),
                "rate_after": finite(s.rate_after),
                "share_before": s.share_before,
                "share_after": s.share_after,
                "rate_effect": s.rate_effect,
                "mix_effect": s.mix_effect,
            }
            for s in segments
        ],
    }
