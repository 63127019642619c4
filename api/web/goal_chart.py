"""A goal as a small picture: what came, what is expected with its range, and the line to reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, PAD = 240, 56, 3


@dataclass(frozen=True, slots=True)
class GoalChart:
    """Paths in a box of 240 x 56; empty where there is nothing to draw. target: the height of the line to reach."""

    past: str
    ahead: str
    band: str
    target: float


def goal_chart(status: Mapping[str, Any] | None) -> GoalChart | None:
    """Of a goal's status (`workers.forecasts.goals.Outlook.as_json`); None without a past to begin at. What is expected goes straight to the end."""
    past = (status or {}).get("past") or ()
    if status is None or not past:
        return None
    ends = {"t": status["until"], "v": status["expected"], "l": status.get("lower_80"), "u": status.get("upper_80")}
    line = [ends] if status["until"] and None not in ends.values() and _moment(ends["t"]) > _moment(past[-1]["t"]) else []
    if len(past) + len(line) < 2:
        return None
    times = [_moment(p["t"]) for p in (*past, *line)]
    values = [float(p["v"]) for p in past] + [float(p[k]) for p in line for k in ("v", "l", "u")] + [float(status["target"])]
    low, high = min(values), max(values)
    first, span = min(times), (max(times) - min(times)) or 1.0

    def place(point: Mapping[str, Any], key: str = "v") -> tuple[float, float]:
        return round(PAD + (_moment(point["t"]) - first) / span * (WIDTH - 2 * PAD), 1), height(float(point[key]))

    def height(value: float) -> float:
        return round(HEIGHT - PAD - (value - low) / ((high - low) or 1.0) * (HEIGHT - 2 * PAD), 1)

    here = [place(past[-1])]
    upper = here + [place(p, "u") for p in line]
    lower = here + [place(p, "l") for p in line]
    return GoalChart(
        past=_path([place(p) for p in past]),
        ahead=_path(here + [place(p) for p in line]),
        band=f"{_path(upper + lower[::-1])}Z" if line else "",
        target=height(float(status["target"])),
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points) if len(points) > 1 else ""


def _moment(text: str) -> float:
    found = dt.datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()
