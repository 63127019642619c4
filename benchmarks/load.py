"""Many people at once: `python -m benchmarks.load --users 200 --seconds 600 --streams 1000`.

Starts an installation of its own (PostgreSQL, Redis, warehouse with `--rows` rows, one API process with the limits that an installation has by
itself), and people of two companies, each with an API key. Each asks, reads for `--think` seconds on average (exponential), and asks again; 70 %
of the questions are those that everybody asks (cached), 30 % were never asked before. Meanwhile `--streams` server-sent event streams stay open.
`--noisy` is another run: half of the people of both companies ask at an ordinary pace, in turns alone and beside a flood of the other company
(`--flood` clients without pause, which come again at once when they are told to wait). With `--url` a product that is up with demo data is asked
instead (`make demo`), by the demo's logins; `--pid` is then the API process that is watched.

The last line is JSON: p50, p95 and p99 in ms of all, cached and fresh questions; errors by status; requests a second; processor time a question
of each part; memory of the API at the start, over time and at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks import load_installation
from benchmarks.chaos_parts import Part, end_in_order, family
from benchmarks.load_people import COMMON, Headers, Seen, Site, percentiles

DEMO_PASSWORD = "querent-demo-1"
CROWD, OTHERS = "acme", "globex"
QUIET_THINK_S = 2.0
PHASES = 3  # alone and beside the flood in turns, so that both see the machine at the same times
SETTLE_S = 8.0
OPENING_S = 120.0
SAMPLES = 20
FOLLOWERS = 20  # people who share the open streams between them
KEPT_S = 2.0  # below the API's 5 s, so that no question goes over a connection that is being closed
WARM_SHARE = 0.1  # of the run: until then the process still fills its caches


def memory_mb(pid: int) -> float:
    with open(f"/proc/{pid}/status") as status:
        return round(next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024, 1)


def cpu_s(pid: int) -> float:
    """Processor time that the process and its ended children have used."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def all_cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: sum(map(cpu_s, family(pid))) for name, pid in pids.items()}


async def sampled(pid: int, every_s: float, found: list[float]) -> None:
    while True:
        found.append(memory_mb(pid))
        await asyncio.sleep(every_s)


async def everybody(site: Site, people: list[Headers], pids: Mapping[str, int], options: argparse.Namespace) -> dict[str, Any]:
    for question in COMMON:
        await site.ask(people[0], question, Seen())
    opened: Counter[str] = Counter()
    streams: list[asyncio.Task[None]] = []
    memory: list[float] = []
    at_start = memory_mb(pids["api"]) if pids else None
    if options.streams:
        followers = people[:FOLLOWERS]
        jobs = [await site.start_forecast(one) for one in followers]
        streams = [
            asyncio.create_task(site.follow(followers[n % len(followers)], jobs[n % len(jobs)], opened)) for n in range(options.streams)
        ]
        opened_by = time.monotonic() + OPENING_S
        while opened.total() < options.streams and time.monotonic() < opened_by:
            await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLE_S)
    watch = asyncio.create_task(sampled(pids["api"], options.seconds / SAMPLES, memory)) if pids else None
    seen, before = Seen(), all_cpu_s(pids)
    await site.people(people, seen, options.seconds, options.think, options.seed)
    used = {name: (after - before[name]) for name, after in all_cpu_s(pids).items()}
    still_open = sum(not task.done() for task in streams)
    for task in (*streams, *([watch] if watch else [])):
        task.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    figures = {"users": len(people), "think_s": options.think, "seconds": options.seconds, **seen.figures()}
    figures |= {"streams": {"opened": dict(opened), "open_at_the_end": still_open}}
    if seen.answers and used:
        figures["cpu_ms_per_answer"] = {name: round(s * 1000 / seen.answers, 1) for name, s in used.items()}
        figures["cores"] = {name: round(s / seen.spent_s, 2) for name, s in used.items()}
    if memory:
        settled = memory[int(len(memory) * WARM_SHARE) :]
        figures["api_memory_mb"] = {"at_start": at_start, "over_time": memory, "grown_after_warming": round(settled[-1] - settled[0], 1)}
    return figures


async def noisy(site: Site, quiet: list[Headers], loud: list[Headers], options: argparse.Namespace) -> dict[str, Any]:
    """The others' latency alone and beside the flood, in turns; each turn begins with some seconds that do not count."""
    for one in (quiet[0], loud[0]):
        for question in COMMON:
            await site.ask(one, question, Seen())
    seen = {"alone": Seen(), "beside_a_flood": Seen()}
    flood, seconds = Seen(), options.seconds / (2 * PHASES)
    for phase in range(PHASES):
        for name, floods in (("alone", 0), ("beside_a_flood", options.flood)):
            until = time.monotonic() + SETTLE_S + seconds
            noise = [
                asyncio.create_task(site.person(loud[n % len(loud)], flood, until, 0.0, options.seed + 10_000 + n)) for n in range(floods)
            ]
            await asyncio.sleep(SETTLE_S)
            await site.people(quiet, seen[name], seconds, QUIET_THINK_S, options.seed + 1_000 * phase)
            await asyncio.gather(*noise)
    flood.spent_s = (SETTLE_S + seconds) * PHASES
    p95 = {name: percentiles([*one.cached, *one.fresh])[1] for name, one in seen.items()}
    figures = {
        "people": len(quiet),
        "think_s": QUIET_THINK_S,
        "flooding_clients": options.flood,
        "p95_ratio": round(p95["beside_a_flood"] / p95["alone"], 2),
    }
    return figures | {name: one.figures() for name, one in seen.items()} | {"flood": flood.figures()}


async def measure(url: str, people: dict[str, list[Headers]], pids: Mapping[str, int], options: argparse.Namespace) -> dict[str, Any]:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        site = Site(url, session)
        if not people:
            people = {
                company: list(
                    await asyncio.gather(
                        *(site.sign_in(f"{who}@{company}.example", DEMO_PASSWORD) for who in ("executive", "analyst", "scientist", "admin"))
                    )
                )
                for company in (CROWD, OTHERS)
            }
            people[CROWD] = (people[CROWD] * options.users)[: options.users]
        if options.noisy:
            return await noisy(site, people[OTHERS], people[CROWD], options)
        return await everybody(site, people[CROWD], pids, options)


def run_own(options: argparse.Namespace) -> dict[str, Any]:
    end_in_order()
    folder, started = Path(tempfile.mkdtemp(prefix="querent-load-")), list[Part]()
    try:
        wanted = {CROWD: options.flood, OTHERS: options.quiet} if options.noisy else {CROWD: options.users, OTHERS: 0}
        own = load_installation.start(folder, options.rows, wanted, started)
        pids = {name: part.pid for name, part in own.parts.items()}
        return {"rows": own.rows, **asyncio.run(measure(own.url, own.keys, pids, options))}
    finally:
        for part in reversed(started):
            part.kill()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--think", type=float, default=10.0, help="mean seconds between a person's questions")
    parser.add_argument("--streams", type=int, default=0)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--noisy", action="store_true")
    parser.add_argument("--flood", type=int, default=200, help="clients that flood, with --noisy")
    parser.add_argument("--quiet", type=int, default=20, help="people of the other company, with --noisy")
    parser.add_argument("--url", help="a product that is up with demo data, instead of one of our own")
    parser.add_argument("--pid", type=int, help="with --url: the API process that is watched")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.url:
        pids = {"api": options.pid} if options.pid else {}
        figures = asyncio.run(measure(options.url, {}, pids, options))
    else:
        figures = run_own(options)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
