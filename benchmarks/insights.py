"""`python -m benchmarks.insights [--worlds N]`: what a scan says of invented companies, without events and with one planted thing each.

Prints one JSON line: per grain the share of companies without events of which anything is told, and of which a digest would go out; and of
planted things the share that is told, and told first. No LLM, no outside data.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.worlds import CHANNELS, DEVICES, REGIONS, Company, company, pasts
from core.timeseries import FloatArray, Grain
from insights.narrative import narrate
from insights.ranking import Ranked, ranked, worth_sending
from insights.scan import scan_all
from insights.types import Fact

GRAINS = (Grain.DAY, Grain.WEEK, Grain.MONTH)
LAST = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31}
Change = Callable[[FloatArray], FloatArray]


def looked(world: Company, grain: Grain) -> Ranked:
    made = pasts(world, grain)
    found = ranked(scan_all(made), parts={p.quantity.name: p.parts for p in made})
    narrate(found.told)  # every sentence is proven
    return found


def clean(grain: Grain, worlds: int, first_seed: int = 0) -> tuple[float, float]:
    """(share of worlds of which anything is told, of which a digest would go out); nothing happened in any of them."""
    found = [looked(company(seed, grain), grain) for seed in range(first_seed, first_seed + worlds)]
    return float(np.mean([bool(f.told) for f in found])), float(np.mean([worth_sending(f.told) for f in found]))


def scaled(where: tuple[Any, ...], factor: float) -> Change:
    def change(cells: FloatArray) -> FloatArray:
        cells[where] *= factor
        return cells

    return change


def planted(grain: Grain) -> dict[str, tuple[str, Change, Callable[[Fact], bool]]]:
    """name -> (measure, what is done to its cells, whether a fact tells it)."""
    last, every = slice(-LAST[grain], None), slice(None)
    one_day = -5 if grain is not Grain.DAY else -1
    things: dict[str, tuple[str, Change, Callable[[Fact], bool]]] = {
        "outage of a day": ("orders", scaled((one_day,), 0.15), lambda f: f.kind == "unusual_value" and f.impact < 0),
        "fall of all": ("revenue", scaled((last,), 0.6), lambda f: f.kind in ("unusual_value", "record") and f.quantity.name == "revenue"),
        "channel lost": ("sessions", scaled((last, every, 1), 0.4), lambda f: f.scope == (("channel", CHANNELS[1]),)),
        "device grew": ("orders", scaled((last, every, every, 1), 1.8), lambda f: f.scope == (("device", DEVICES[1]),)),
    }
    if grain is Grain.DAY:
        things["region late"] = ("sessions", scaled((-1, 2), 0.1), lambda f: f.kind == "late_data" and f.scope == (("region", REGIONS[2]),))
        things["loaded twice"] = ("sessions", scaled((-1,), 2.0), lambda f: f.kind == "doubled_data")
        things["new level"] = ("sessions", scaled((slice(-20, None),), 1.6), lambda f: f.kind in ("level_shift", "new_trend"))
    return things


def recall(grain: Grain, worlds: int, first_seed: int = 1000) -> dict[str, dict[str, float]]:
    figures = {}
    for name, (measure, change, tells) in planted(grain).items():
        told = [
            looked(company(seed, grain).changed(measure, change), grain).told  # type: ignore[arg-type]
            for seed in range(first_seed, first_seed + worlds)
        ]
        figures[name] = {
            "told": round(float(np.mean([any(map(tells, facts)) for facts in told])), 3),
            "first": round(float(np.mean([bool(facts) and tells(facts[0]) for facts in told])), 3),
        }
    return figures


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--planted", type=int, default=20, help="Worlds per planted thing and grain.")
    args = parser.parse_args(argv)
    figures: dict[str, Any] = {}
    for grain in GRAINS:
        told, sent = clean(grain, args.worlds)
        figures[grain.value] = {"told": told, "sent": sent, "planted": recall(grain, args.planted)}
        print(grain.value, figures[grain.value], file=sys.stderr, flush=True)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
