"""Every number and text that decides what insights say, in one value: what a registered version of the words holds."""

from __future__ import annotations

from typing import Any

from insights import dated, explaining, lagged, past, ranking, reader, yearly
from insights.drivers import change, search
from insights.kinds import TEMPLATES
from insights.looks import course, events, goals, loads, made, segments, value, within
from insights.narrative import TEMPLATES_VERSION

_ROOMS = {
    "ranking": ranking, "reader": reader, "made": made, "past": past, "dated": dated, "value": value, "course": course, "segments": segments, "loads": loads,
    "within": within, "events": events, "goals": goals, "lagged": lagged, "yearly": yearly, "explaining": explaining, "drivers": change,
    "search": search,
}  # fmt: skip


def words_settings() -> dict[str, Any]:
    """Templates, thresholds (every constant number of the rooms that decide) and the models used, as plain JSON."""
    thresholds = {
        name: {key: value for key, value in sorted(vars(room).items()) if key.isupper() and isinstance(value, int | float)}
        for name, room in _ROOMS.items()
    }
    weights = {"same_topic": dict(reader.SAME_TOPIC), "same_sort": dict(reader.SAME_SORT)}
    models = {
        "expectation": "seasonal median with growth",
        "course": "linear trend with a step or a bend, errors of one step's memory",
        "event": "statsmodels UnobservedComponents, local level, seasonal 7",
        "drivers": "negative binomial likelihood ratio",
    }
    return {
        "templates_version": TEMPLATES_VERSION, "templates": dict(TEMPLATES), "thresholds": thresholds, "weights": weights, "models": models,
    }  # fmt: skip
