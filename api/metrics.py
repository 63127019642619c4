"""What Prometheus sees beyond requests: questions by outcome, and the state of jobs and messages as the state store has it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from core.errors import AppError
from core.store.store import Store
from core.store.tables import deliveries, incidents, jobs, sources

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

QUESTIONS = Counter("querent_questions_total", "Questions by outcome", ["outcome"])
UNDERSTANDING = Histogram(
    "querent_understanding_seconds", "From a question's text to its reading", buckets=(0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.2, 1.0)
)
_REMEMBERED_S = 5.0


class StateCollector(Collector):
    """Asks the state store at most every five seconds, whatever scrapes; shows nothing while it is away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[float, list[Metric]] = (-_REMEMBERED_S, [])

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        read_at, found = self._known
        if time.monotonic() - read_at >= _REMEMBERED_S:
            try:
                found = self._read()
            except AppError:
                found = []
            self._known = (time.monotonic(), found)
        return found

    def _read(self) -> list[Metric]:
        count = GaugeMetricFamily("querent_jobs", "Jobs by queue and status; finished ones are not counted", labels=["queue", "status"])
        oldest = GaugeMetricFamily(
            "querent_job_wait_seconds", "Age of the oldest job that is due and not taken, by queue", labels=["queue"]
        )
        by_line = GaugeMetricFamily(
            "querent_job_line_wait_seconds",
            "Age of the oldest job that is due and not taken, of the tenant with the longest line in a queue and of all others",
            labels=["queue", "line"],
        )
        sent = GaugeMetricFamily(
            "querent_deliveries", "Messages of alerts and digests that wait (pending) or could not be sent (dead)", labels=["status"]
        )
        open_ = GaugeMetricFamily("querent_incidents_open", "Incidents that are open")
        failing = GaugeMetricFamily("querent_sources_failing", "Sources whose last run failed")
        now = datetime.now(UTC)
        with self._store.read() as connection:
            waiting = jobs.c.status.in_(("PENDING", "RUNNING"))
            grouped = select(jobs.c.queue, jobs.c.status, func.count()).where(waiting).group_by(jobs.c.queue, jobs.c.status)
            for queue, status, number in connection.execute(grouped):
                count.add_metric([queue, status.lower()], number)
            for queue, ages in _ages(connection, now).items():
                oldest.add_metric([queue], max(ages))
                for whose, age in zip(("longest", "others"), ages, strict=True):
                    by_line.add_metric([queue, whose], age)
            unsent = (
                select(deliveries.c.status, func.count()).where(deliveries.c.status.in_(("pending", "dead"))).group_by(deliveries.c.status)
            )
            for status, number in connection.execute(unsent):
                sent.add_metric([status], number)
            open_.add_metric(
                [], connection.execute(select(func.count()).select_from(incidents).where(incidents.c.status == "open")).scalar_one()
            )
            failing.add_metric(
                [],
                connection.execute(select(func.count()).select_from(sources).where(sources.c.enabled, sources.c.failures > 0)).scalar_one(),
            )
        return [count, oldest, by_line, sent, open_, failing]


def _ages(connection: Connection, now: datetime) -> dict[str, tuple[float, float]]:
    """By queue the seconds that the oldest due job waits: of the tenant that has most in line, and of the others (0 without any)."""
    statement = (
        select(jobs.c.queue, func.count(), func.min(jobs.c.not_before))
        .where(jobs.c.status == "PENDING", jobs.c.not_before <= now)
        .group_by(jobs.c.queue, jobs.c.tenant_id)
    )
    lines: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for queue, waiting, first in connection.execute(statement):
        lines[queue].append((waiting, max(0.0, (now - first).total_seconds())))
    found = {}
    for queue, of_queue in lines.items():
        (_, longest), *others = sorted(of_queue, reverse=True)
        found[queue] = longest, max((age for _, age in others), default=0.0)
    return found
