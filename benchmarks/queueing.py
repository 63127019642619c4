"""How many people one installation carries: `python -m benchmarks.queueing --users 10000 --api-ms 60 --api-servers 8`.

Simulates people who ask, read for a while and ask again, as a closed queueing network: `api` (processor time of one question in an API
process; as many servers as processes), then, for questions that are not answered from the cache, `warehouse` (as many servers as queries
run at once). Service times are drawn from lognormal distributions with the given medians and spread, or from measured ones (`--measured`:
a file with one answer's milliseconds per line, as own requests show them). Arrivals keep their daily peak for `--minutes`. First come,
first served, except that no service is cut. The last line is JSON.
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np


@dataclass
class Station:
    """servers work side by side; who finds none free waits in line. busy_s: of all servers together."""

    servers: int
    free: int = field(init=False)
    line: deque[tuple[float, int]] = field(default_factory=deque)
    busy_s: float = 0.0
    longest_line: int = 0

    def __post_init__(self) -> None:
        self.free = self.servers


@dataclass(frozen=True)
class Plan:
    """think_s: mean seconds between an answer and the next question. cached: share of questions that need no warehouse."""

    users: int
    think_s: float
    cached: float
    api_s: np.ndarray
    warehouse_s: np.ndarray
    api_servers: int
    warehouse_servers: int
    seconds: float
    seed: int


def simulate(plan: Plan) -> dict[str, object]:
    """Answer times of questions asked after the first fifth of the time (until then the lines fill)."""
    rng = np.random.default_rng(plan.seed)
    stations = (Station(plan.api_servers), Station(plan.warehouse_servers))
    services = (plan.api_s, plan.warehouse_s)
    events: list[tuple[float, int, str, int]] = []
    order = count()
    asked = np.zeros(plan.users)
    goes_on = np.zeros(plan.users, dtype=bool)
    answers: list[float] = []
    for user, at in enumerate(rng.exponential(plan.think_s, plan.users)):
        heapq.heappush(events, (float(at), next(order), "ask", user))

    def arrive(now: float, where: int, user: int) -> None:
        station = stations[where]
        if station.free:
            station.free -= 1
            serve(now, where, user)
        else:
            station.line.append((now, user))
            station.longest_line = max(station.longest_line, len(station.line))

    def serve(now: float, where: int, user: int) -> None:
        took = float(services[where][rng.integers(len(services[where]))])
        stations[where].busy_s += took
        heapq.heappush(events, (now + took, next(order), "left 0" if where == 0 else "left 1", user))

    while events and events[0][0] < plan.seconds:
        now, _, what, user = heapq.heappop(events)
        if what == "ask":
            asked[user], goes_on[user] = now, rng.random() >= plan.cached
            arrive(now, 0, user)
            continue
        where = int(what[-1])
        station = stations[where]
        if station.line:
            serve(now, where, station.line.popleft()[1])
        else:
            station.free += 1
        if where == 0 and goes_on[user]:
            arrive(now, 1, user)
            continue
        if asked[user] > plan.seconds / 5:
            answers.append(now - asked[user])
        heapq.heappush(events, (now + float(rng.exponential(plan.think_s)), next(order), "ask", user))
    p50, p95, p99 = (round(float(v) * 1000) for v in np.percentile(answers, [50, 95, 99])) if answers else (0, 0, 0)
    return {
        "users": plan.users,
        "questions_per_s": round(len(answers) / (plan.seconds * 0.8), 1),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "api_busy": round(stations[0].busy_s / plan.seconds / plan.api_servers, 3),
        "warehouse_busy": round(stations[1].busy_s / plan.seconds / plan.warehouse_servers, 3),
        "longest_line": stations[0].longest_line,
    }


def times_s(median_ms: float, spread: float, measured: Path | None, rng: np.random.Generator) -> np.ndarray:
    """Measured times where there are some, else 20,000 lognormal ones; spread: the standard deviation of the logarithm."""
    if measured is not None:
        return np.array([float(line) for line in measured.read_text().split()]) / 1000
    return np.asarray(rng.lognormal(np.log(median_ms / 1000), spread, 20_000))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--think", type=float, default=120.0, help="mean seconds between an answer and the next question")
    parser.add_argument("--cached", type=float, default=0.7, help="share of questions that the result cache answers")
    parser.add_argument("--api-ms", type=float, default=60.0, help="median processor time of one question in an API process")
    parser.add_argument("--warehouse-ms", type=float, default=60.0, help="median of one query")
    parser.add_argument("--spread", type=float, default=0.6)
    parser.add_argument("--api-measured", type=Path)
    parser.add_argument("--warehouse-measured", type=Path)
    parser.add_argument("--api-servers", type=int, default=8, help="API processes, one core each")
    parser.add_argument("--warehouse-servers", type=int, default=8, help="queries that run at once")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    plan = Plan(
        options.users, options.think, options.cached,
        times_s(options.api_ms, options.spread, options.api_measured, rng),
        times_s(options.warehouse_ms, options.spread, options.warehouse_measured, rng),
        options.api_servers, options.warehouse_servers, options.minutes * 60, options.seed,
    )  # fmt: skip
    print(json.dumps(simulate(plan)))


if __name__ == "__main__":
    main()
