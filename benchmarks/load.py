"""Many people at once: `python -m benchmarks.load --url http://127.0.0.1:8080 --users 200 --seconds 120`.

Runs against a product that is up with demo data (`make demo`, on another core if there is one). Each user asks, reads for `--think` seconds
(exponential), and asks again; 70 % of questions are those that everybody asks (cached), 30 % were never asked before. Meanwhile `--streams`
server-sent event streams stay open. With `--noisy` one tenant floods while another asks at an ordinary pace, and the other's p95 is compared
with its p95 alone. The last line is JSON: p50, p95 and p99 in ms, errors by status, requests a second, memory and processor time of the process given by `--pid`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np

PASSWORD = "querent-demo-1"
COMMON = (
    "revenue last month", "orders by region last quarter", "revenue by month this year", "top 5 countries by revenue last year",
    "visits by channel last month", "average order value by month last year", "revenue by region last quarter compared to the year before",
    "orders by day of week last year", "units by category last quarter", "refunds last month",
)  # fmt: skip
MEASURES = ("revenue", "orders", "units", "visits", "refunds")
GROUPS = ("", " by region", " by country", " by channel")


def fresh(draw: random.Random) -> str:
    """A question that is unlikely to have been asked: a measure between two days of the last three years."""
    start = draw.randrange(1000)
    first = np.datetime64("today") - np.timedelta64(1050 - start, "D")
    last = first + np.timedelta64(draw.randrange(7, 50), "D")
    return f"{draw.choice(MEASURES)}{draw.choice(GROUPS)} from {first} to {last}"


@dataclass
class Seen:
    """ms: durations of answers. wrong: statuses that should not have come. started: monotonic seconds."""

    ms: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    def figures(self) -> dict[str, Any]:
        if not self.ms:
            return {"answers": 0, "errors": dict(self.wrong)}
        p50, p95, p99 = (round(float(v), 1) for v in np.percentile(self.ms, [50, 95, 99]))
        rate = len(self.ms) / (time.monotonic() - self.started)
        return {"answers": len(self.ms), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "per_s": round(rate, 1), "errors": dict(self.wrong)}


async def sign_in(session: aiohttp.ClientSession, url: str, email: str) -> dict[str, str]:
    async with session.post(f"{url}/v1/login", json={"email": email, "password": PASSWORD}) as answer:
        answer.raise_for_status()
        return {"Cookie": f"querent_session={answer.cookies['querent_session'].value}"}


async def ask(session: aiohttp.ClientSession, url: str, headers: dict[str, str], question: str, seen: Seen) -> None:
    started = time.perf_counter()
    try:
        async with session.post(f"{url}/v1/ask", json={"question": question}, headers=headers) as answer:
            body = await answer.json()
            if answer.status == 200 and body["outcome"] == "answer":
                seen.ms.append((time.perf_counter() - started) * 1000)
            else:
                seen.wrong[str(answer.status) if answer.status != 200 else body["outcome"]] += 1
    except (aiohttp.ClientError, TimeoutError) as error:
        seen.wrong[type(error).__name__] += 1


async def user(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str], seen: Seen, until: float, think_s: float, seed: int
) -> None:
    draw = random.Random(seed)
    await asyncio.sleep(draw.uniform(0, max(think_s, 1)))
    while time.monotonic() < until:
        await ask(session, url, headers, draw.choice(COMMON) if draw.random() < 0.7 else fresh(draw), seen)
        await asyncio.sleep(draw.expovariate(1 / think_s) if think_s else 0)


async def stream(session: aiohttp.ClientSession, url: str, headers: dict[str, str], job: str, opened: Counter[str]) -> None:
    """Holds one event stream open until cancelled."""
    try:
        async with session.get(f"{url}/v1/jobs/{job}/events", headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            opened["open" if answer.status == 200 else str(answer.status)] += 1
            async for _ in answer.content:
                pass
    except (aiohttp.ClientError, asyncio.CancelledError):
        opened["closed"] += 1


def memory_mb(pid: int | None) -> float | None:
    if pid is None:
        return None
    with open(f"/proc/{pid}/status") as status:
        return round(next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024, 1)


def cpu_s(pid: int | None) -> float | None:
    """Processor time that the process has used; what it grows by tells what a question costs, however busy the machine is."""
    if pid is None:
        return None
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def everybody(options: argparse.Namespace) -> dict[str, Any]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        # One sign-in per role: limits are per user, and the load must not be held back by them; start the API with QUERENT_RATE_PER_MINUTE=0.
        headers = [await sign_in(session, options.url, f"{who}@acme.example") for who in ("executive", "analyst", "scientist", "admin")]
        for question in COMMON:
            await ask(session, options.url, headers[0], question, Seen())
        before, used = memory_mb(options.pid), cpu_s(options.pid)
        opened: Counter[str] = Counter()
        streams: list[asyncio.Task[None]] = []
        if options.streams:
            async with session.post(
                f"{options.url}/v1/forecasts", json={"metric": "revenue", "horizon": 400}, headers=headers[0]
            ) as answer:
                job = (await answer.json())["id"]
            streams = [asyncio.create_task(stream(session, options.url, headers[0], job, opened)) for _ in range(options.streams)]
        seen, until = Seen(), time.monotonic() + options.seconds
        users = (
            user(session, options.url, headers[n % len(headers)], seen, until, options.think, options.seed + n)
            for n in range(options.users)
        )
        await asyncio.gather(*users)
        figures = {"users": options.users, "think_s": options.think, **seen.figures(), "streams": dict(opened)}
        if used is not None and seen.ms:
            figures["cpu_ms_per_answer"] = round(((cpu_s(options.pid) or 0) - used) * 1000 / len(seen.ms), 1)
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        return figures | {"memory_mb_before": before, "memory_mb_after": memory_mb(options.pid)}


async def noisy(options: argparse.Namespace) -> dict[str, Any]:
    """The quiet tenant's p95 alone, then while the other floods without pause."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        quiet = await sign_in(session, options.url, "executive@globex.example")
        loud = await sign_in(session, options.url, "executive@acme.example")
        figures: dict[str, Any] = {}
        for name, floods in (("alone", 0), ("beside_a_flood", options.users)):
            seen, noise, until = Seen(), Seen(), time.monotonic() + options.seconds / 2
            calm = [user(session, options.url, quiet, seen, until, 1.0, options.seed + n) for n in range(5)]
            await asyncio.gather(*calm, *(user(session, options.url, loud, noise, until, 0.0, 10_000 + n) for n in range(floods)))
            figures[name] = seen.figures() | {"flood": noise.figures()}
        figures["p95_ratio"] = round(figures["beside_a_flood"]["p95_ms"] / figures["alone"]["p95_ms"], 2)
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--think", type=float, default=10.0, help="mean seconds between a user's questions")
    parser.add_argument("--streams", type=int, default=0)
    parser.add_argument("--pid", type=int, help="API process whose memory is read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noisy", action="store_true")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(noisy(options) if options.noisy else everybody(options))))


if __name__ == "__main__":
    main()
