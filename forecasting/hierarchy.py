"""Forecasts of parts and wholes that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from core.errors import Invalid
from core.timeseries import FloatArray
from forecasting.types import Forecast

NODES_MAX = 5_000


class Reconciliation(StrEnum):
    """bottom_up adds the leaves. least_variance moves every node in proportion to the variance of its errors (MinT with a diagonal)."""

    BOTTOM_UP = "bottom_up"
    LEAST_VARIANCE = "least_variance"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """children: whole -> its parts, by series id; every whole is the sum of its parts. A series has at most one whole."""

    children: Mapping[str, tuple[str, ...]]

    def leaves_of(self, node: str) -> tuple[str, ...]:
        """The leaves below a node, itself for a leaf.

        Raises: Invalid when the tree has a loop.
        """
        found: list[str] = []
        stack, seen = [node], set()
        while stack:
            one = stack.pop()
            if one in seen:
                raise Invalid(f"Expected a tree of parts and wholes; {one!r} is reached twice.", code="bad_hierarchy")
            seen.add(one)
            parts = self.children.get(one, ())
            stack += reversed(parts)
            if not parts:
                found.append(one)
        return tuple(found)


def reconcile(
    forecasts: Sequence[Forecast], hierarchy: Hierarchy, *, method: Reconciliation = Reconciliation.LEAST_VARIANCE
) -> list[Forecast]:
    """The forecasts, in their order, with means that add up exactly and intervals moved along with them.

    forecasts: one per node of the hierarchy and step; others pass through. Where leaves have a floor of 0 (none of their bounds is negative),
    they stay at or above it.
    Raises: Invalid when a node has no forecast, is named twice, times differ, or there is a loop.
    Source: Wickramasuriya, Athanasopoulos and Hyndman (2019), with diagonal error variances.
    """
    by_id = {f.series_id: f for f in forecasts}
    if len(by_id) != len(forecasts):
        raise Invalid("Expected one forecast per series; found a series id twice.", code="bad_hierarchy")
    nodes = _nodes(hierarchy, by_id)
    leaves = [node for node in nodes if node not in hierarchy.children]
    column = {leaf: k for k, leaf in enumerate(leaves)}
    summing = np.zeros((len(nodes), len(leaves)))
    for row, node in enumerate(nodes):
        summing[row, [column[leaf] for leaf in hierarchy.leaves_of(node)]] = 1.0
    base = np.array([by_id[node].mean for node in nodes])
    if method is Reconciliation.BOTTOM_UP:
        bottom = base[[row for row, node in enumerate(nodes) if node in column]]
    else:
        precision = np.array([1.0 / _variance(by_id[node]) for node in nodes])
        weighted = summing.T * precision
        bottom = np.linalg.lstsq(weighted @ summing, weighted @ base, rcond=None)[0]
    never_below = np.array([_is_floored(by_id[leaf]) for leaf in leaves])
    bottom = np.where(never_below[:, None], np.maximum(bottom, 0.0), bottom)
    added = summing @ bottom
    moved = {node: _moved(by_id[node], added[row]) for row, node in enumerate(nodes)}
    return [moved.get(f.series_id, f) for f in forecasts]


def _nodes(hierarchy: Hierarchy, by_id: Mapping[str, Forecast]) -> list[str]:
    parents: dict[str, str] = {}
    for whole, parts in hierarchy.children.items():
        for part in parts:
            if part in parents:
                raise Invalid(f"Expected one whole per part; {part!r} belongs to {parents[part]!r} and {whole!r}.", code="bad_hierarchy")
            parents[part] = whole
    nodes = list(dict.fromkeys([*hierarchy.children, *parents]))
    missing = [node for node in nodes if node not in by_id]
    if missing:
        raise Invalid(f"Expected a forecast for every node; none for {missing[:3]}.", code="bad_hierarchy")
    if len(nodes) > NODES_MAX:
        raise Invalid(f"Expected at most {NODES_MAX} nodes; found {len(nodes)}. Reconcile one level at a time.", code="bad_hierarchy")
    for node in nodes:
        hierarchy.leaves_of(node)
        if not np.array_equal(by_id[node].times, by_id[nodes[0]].times):
            raise Invalid(f"Expected the same future times everywhere; {node!r} differs from {nodes[0]!r}.", code="bad_hierarchy")
    return nodes


def _variance(forecast: Forecast) -> float:
    """Square of the mean half width of the widest interval, plus a little for flat ones."""
    widest = max(forecast.lower)
    half = 0.5 * float(np.mean(forecast.upper[widest] - forecast.lower[widest]))
    return half**2 + (1e-6 * (1.0 + float(np.abs(forecast.mean).mean()))) ** 2


def _is_floored(forecast: Forecast) -> bool:
    return bool((forecast.mean >= 0).all() and all((low >= 0).all() for low in forecast.lower.values()))


def _moved(forecast: Forecast, mean: FloatArray) -> Forecast:
    shift = mean - forecast.mean
    floored = _is_floored(forecast)

    def along(bounds: Mapping[int, FloatArray], *, below: bool) -> dict[int, FloatArray]:
        found = {}
        for level, values in bounds.items():
            kept = np.minimum(values + shift, mean) if below else np.maximum(values + shift, mean)
            found[level] = np.maximum(kept, 0.0) if floored else kept
        return found

    note = "Adjusted so that the parts add up to the whole."
    notes = forecast.notes if note in forecast.notes else (*forecast.notes, note)
    return replace(forecast, mean=mean, lower=along(forecast.lower, below=True), upper=along(forecast.upper, below=False), notes=notes)
