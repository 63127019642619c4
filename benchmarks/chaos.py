"""Parts killed at random under load: `python -m benchmarks.chaos --kills 100`.

An installation of real processes (PostgreSQL, Redis, the embedded warehouse, workers, beat, API; two demo companies) answers questions and
takes jobs, while one part after another gets SIGKILL and is started again at once. At the end: every accepted job ran to its end once;
every answer that came was the right one and the own company's; how long it took after each kill until questions were answered and a new
job was done. The last line is JSON; the exit code is 1 when a job was lost or doubled or an answer was wrong, or a recovery took longer
than `--recovery` seconds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.chaos_parts import Part, end_in_order, postgresql_part, querent_parts, redis_part
from core.errors import Unavailable
from core.ids import JobId, TenantId
from core.settings import Settings
from core.store import job_events, jobs
from core.store.jobs import JobStatus
from workers.bootstrap import Services, build_services
from workers.demo.load import load_demo
from workers.demo.people import DEMO_PASSWORD
from workers.demo.setup import ensure_people_and_catalogs
from workers.demo.span import Span
from workers.demo.world import WORLDS

QUESTIONS = ("revenue by region last month", "orders last month", "visits by channel last month")
COMPANIES = ("acme", "globex")
DAYS = 120
END_S = 120.0


@dataclass
class Seen:
    """accepted: jobs that the API said it took. wrong: answers that were not the right ones. errors: answers that did not come, by kind."""

    accepted: list[tuple[str, str]] = field(default_factory=list)
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


class Person:
    """A signed-in executive of one company. Each call gives None when no answer came, which a killed part may cause."""

    def __init__(self, url: str, company: str) -> None:
        self.company = company
        self._client = httpx.Client(base_url=url, timeout=15, trust_env=False)
        answer = self._client.post("/v1/login", json={"email": f"executive@{company}.example", "password": DEMO_PASSWORD})
        answer.raise_for_status()

    def _post(self, path: str, body: dict[str, Any], seen: Seen) -> dict[str, Any] | None:
        try:
            answer = self._client.post(path, json=body)
        except httpx.HTTPError as error:
            seen.errors[type(error).__name__] += 1
            return None
        if answer.status_code >= 300:
            seen.errors[str(answer.status_code)] += 1
            return None
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, question: str, seen: Seen) -> list[Any] | None:
        found = self._post("/v1/ask", {"question": question}, seen)
        return None if found is None else [found["outcome"], found["rows"]]

    def start_job(self, seen: Seen) -> str | None:
        """Raises nothing; a job whose acceptance was not told may exist, and is nobody's promise."""
        found = self._post("/v1/insights", {"metric": "revenue"}, seen)
        if found is not None:
            seen.accepted.append((self.company, found["id"]))
        return found["id"] if found is not None else None


def prepare(services: Services) -> None:
    """Four months of both companies, up to yesterday."""
    services.migrate()
    end = services.clock.now().date() - dt.timedelta(days=1)
    load_demo(services.admin, tuple((world, Span(end - dt.timedelta(days=DAYS), end, end)) for world in WORLDS))
    ensure_people_and_catalogs(services.store, services.clock.now())


def load(person: Person, expected: dict[str, list[Any]], seen: Seen, stop: threading.Event, pause_s: float) -> None:
    draw = random.Random(person.company)
    while not stop.is_set():
        question = draw.choice(QUESTIONS)
        found = person.ask(question, seen)
        if found == expected[question]:
            seen.right += 1
        elif found is not None:
            seen.wrong.append(f"{person.company}: {question}: {str(found)[:200]}")
        if draw.random() < 0.1:
            person.start_job(seen)
        stop.wait(pause_s)


def recovered(part: Part, person: Person, services: Services, expected: dict[str, list[Any]], seen: Seen, deadline: float) -> bool:
    """Waits until a question is answered and a job that is started now is done."""
    job = None
    while time.monotonic() < deadline:
        part.keep()
        if person.ask(QUESTIONS[0], seen) != expected[QUESTIONS[0]]:
            time.sleep(0.05)
            continue
        job = job or person.start_job(seen)
        if job is not None and _status(services, person.company, job) is JobStatus.DONE:
            return True
        time.sleep(0.05)
    return False


def _status(services: Services, company: str, job: str) -> JobStatus | None:
    """None while the state store is away."""
    try:
        with services.store.read() as connection:
            return jobs.get(connection, TenantId(company), JobId(job)).status
    except Unavailable:
        return None


def outcome(services: Services, seen: Seen) -> dict[str, int]:
    """How the accepted jobs ended, after waiting for them. `doubled`: finished more than once."""
    deadline, ended = time.monotonic() + END_S, Counter[str]()
    for company, job in seen.accepted:
        while ((status := _status(services, company, job)) is None or not status.is_final) and time.monotonic() < deadline:
            time.sleep(0.1)
        with services.store.read() as connection:
            events = job_events.after(connection, TenantId(company), JobId(job), limit=1000)
        done = sum(e.kind == "status" and e.data.get("status") == "DONE" for e in events)
        ended["done" if status is JobStatus.DONE else "lost"] += 1
        ended["doubled"] += done > 1
    return {"accepted": len(seen.accepted), "done": ended["done"], "lost": ended["lost"], "doubled": ended["doubled"]}


def run(options: argparse.Namespace, folder: Path, started: list[Part]) -> dict[str, Any]:
    broker, broker_url = redis_part(folder)
    database, state_url = postgresql_part(folder)
    environment, url, own = querent_parts(folder, state_url, broker_url, options.workers)
    parts = [broker, database, *own]
    for part in parts[:3]:
        started.append(part)
        part.start()
    os.environ.update({k: v for k, v in environment.items() if k.startswith("QUERENT_")})
    services = build_services(Settings())
    prepare(services)
    for part in parts[3:]:
        started.append(part)
        part.start()
    seen, stop = Seen(), threading.Event()
    people = [Person(url, company) for company in COMPANIES]
    expected = [{question: person.ask(question, seen) or [] for question in QUESTIONS} for person in people]
    if expected[0] == expected[1] or not all(answer and answer[0] == "answer" for one in expected for answer in one.values()):
        raise RuntimeError("the companies' answers are not there or not different before the first kill")
    watcher = Person(url, COMPANIES[0])
    if not recovered(parts[-1], watcher, services, expected[0], seen, time.monotonic() + END_S):
        raise RuntimeError("no job was done before the first kill")
    threads = [threading.Thread(target=load, args=(p, e, seen, stop, options.pause)) for p, e in zip(people, expected, strict=True)]
    for thread in threads:
        thread.start()
    draw, took, slow = random.Random(options.seed), defaultdict[str, list[float]](list), []
    order = [parts[n % len(parts)] for n in range(options.kills)]
    draw.shuffle(order)
    until = time.monotonic() + options.minutes * 60
    for number, part in enumerate(order, start=1):
        if time.monotonic() > until:
            break
        time.sleep(draw.uniform(0, options.pause))
        killed = time.monotonic()
        part.kill()
        part.start(wait=False)
        if not recovered(part, watcher, services, expected[0], seen, killed + 60):
            slow.append(part.name)
        took[part.name].append(time.monotonic() - killed)
        print(f"{number}/{options.kills} {part.name}: {took[part.name][-1]:.1f} s", file=sys.stderr, flush=True)
    stop.set()
    for thread in threads:
        thread.join()
    figures = {
        "kills": sum(map(len, took.values())),
        "jobs": outcome(services, seen),
        "answers": {"right": seen.right, "wrong": len(seen.wrong), "first_wrong": seen.wrong[:3]},
        "without_answer": dict(seen.errors),
        "recovery_s": {name: {"max": round(max(v), 1), "mean": round(sum(v) / len(v), 1)} for name, v in sorted(took.items())},
        "never_recovered": slow,
    }
    services.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=40.0, help="after so long it ends with the kills that there were")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between a person's questions, and at most before a kill")
    parser.add_argument("--recovery", type=float, default=10.0, help="seconds that a recovery may take")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    end_in_order()
    folder = Path(tempfile.mkdtemp(prefix="querent-chaos-"))
    started: list[Part] = []
    try:
        figures = run(options, folder, started)
    finally:
        for part in reversed(started):
            part.kill()
    shutil.rmtree(folder, ignore_errors=True)
    slowest = max(v["max"] for v in figures["recovery_s"].values())
    good = not (figures["jobs"]["lost"] or figures["jobs"]["doubled"] or figures["answers"]["wrong"] or slowest > options.recovery)
    print(json.dumps({"passed": good, **figures}))
    sys.exit(not good)


if __name__ == "__main__":
    main()
