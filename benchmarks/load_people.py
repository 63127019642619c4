"""What the people of the load runner do: ask, read and ask again; follow a job; flood. And what they saw of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np

COMMON = (
    "revenue last month", "orders by region last quarter", "revenue by month this year", "top 5 countries by revenue last year",
    "visits by channel last month", "average order value by month last year", "revenue by region last quarter compared to the year before",
    "orders by day of week last year", "units by category last quarter", "refunds last month",
)  # fmt: skip
MEASURES = ("revenue", "orders", "units", "visits", "refunds")
GROUPS = ("", " by region", " by country", " by channel")
CACHED_SHARE = 0.7
Headers = dict[str, str]


def fresh(draw: random.Random) -> str:
    """A question that is unlikely to have been asked: a measure between two days of the last three years."""
    start = draw.randrange(1000)
    first = np.datetime64("today") - np.timedelta64(1050 - start, "D")
    last = first + np.timedelta64(draw.randrange(7, 50), "D")
    return f"{draw.choice(MEASURES)}{draw.choice(GROUPS)} from {first} to {last}"


@dataclass
class Seen:
    """cached, fresh: durations of answers in ms, by the kind of question. wrong: statuses that should not have come. shed: 429 and 503 with
    Retry-After. spent_s: for how long people were there to see."""

    cached: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    shed: Counter[str] = field(default_factory=Counter)
    spent_s: float = 0.0

    @property
    def answers(self) -> int:
        return len(self.cached) + len(self.fresh)

    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = {"answers": self.answers, "per_s": round(self.answers / self.spent_s, 1) if self.spent_s else None}
        for name, ms in (("all", [*self.cached, *self.fresh]), ("cached", self.cached), ("fresh", self.fresh)):
            found |= {} if not ms else {f"{name}_ms": dict(zip(("p50", "p95", "p99"), percentiles(ms), strict=True))}
        return found | {"errors": dict(self.wrong), "shed": dict(self.shed)}


def percentiles(ms: Sequence[float]) -> list[float]:
    return [round(float(value), 1) for value in np.percentile(ms, [50, 95, 99])]


@dataclass(frozen=True)
class Site:
    """Where to ask, and over which connections."""

    url: str
    session: aiohttp.ClientSession

    async def sign_in(self, email: str, password: str) -> Headers:
        async with self.session.post(f"{self.url}/v1/login", json={"email": email, "password": password}) as answer:
            answer.raise_for_status()
            return {"Cookie": f"querent_session={answer.cookies['querent_session'].value}"}

    async def ask(self, headers: Headers, question: str, seen: Seen, *, is_common: bool = True) -> None:
        started = time.perf_counter()
        try:
            async with self.session.post(f"{self.url}/v1/ask", json={"question": question}, headers=headers) as answer:
                body = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            seen.wrong[type(error).__name__] += 1
            return
        if answer.status == 200 and body["outcome"] == "answer":
            (seen.cached if is_common else seen.fresh).append((time.perf_counter() - started) * 1000)
        elif answer.status in (429, 503) and answer.headers.get("Retry-After"):
            seen.shed[str(answer.status)] += 1
        else:
            seen.wrong[str(answer.status) if answer.status != 200 else body["outcome"]] += 1

    async def start_forecast(self, headers: Headers) -> str:
        """A job that nobody works off, as there is no worker."""
        async with self.session.post(f"{self.url}/v1/forecasts", json={"metric": "revenue", "horizon": 400}, headers=headers) as answer:
            answer.raise_for_status()
            return str((await answer.json())["id"])

    async def person(self, headers: Headers, seen: Seen, until: float, think_s: float, seed: int) -> None:
        """Asks until that moment (monotonic seconds), and reads in between; with think_s 0 without pause, also when told to come later."""
        draw = random.Random(seed)
        await asyncio.sleep(min(draw.uniform(0, max(think_s, 0.5)), until - time.monotonic()))
        while time.monotonic() < until:
            is_common = draw.random() < CACHED_SHARE
            await self.ask(headers, draw.choice(COMMON) if is_common else fresh(draw), seen, is_common=is_common)
            rest_s = draw.expovariate(1 / think_s) if think_s else 0.0
            await asyncio.sleep(min(rest_s, max(until - time.monotonic(), 0.0)))

    async def people(self, everybody: Sequence[Headers], seen: Seen, seconds: float, think_s: float, seed: int) -> None:
        started = time.monotonic()
        until = started + seconds
        await asyncio.gather(*(self.person(one, seen, until, think_s, seed + n) for n, one in enumerate(everybody)))
        seen.spent_s += time.monotonic() - started

    async def follow(self, headers: Headers, job: str, opened: Counter[str]) -> None:
        """Holds one event stream open until cancelled; counts it as ended when the server ends it before."""
        try:
            async with self.session.get(
                f"{self.url}/v1/jobs/{job}/events", headers=headers, timeout=aiohttp.ClientTimeout(total=None)
            ) as answer:
                opened["open" if answer.status == 200 else str(answer.status)] += 1
                async for _ in answer.content:
                    pass
            opened["ended"] += 1
        except aiohttp.ClientError as error:
            opened[type(error).__name__] += 1
