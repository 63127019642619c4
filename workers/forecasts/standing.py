"""Batches of forecasts that go on by themselves: made anew once a bucket has passed, fitted again only where due or drifting."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.store.jobs import Job, JobStatus
from core.timeseries import Grain

PREFIX = "standing-"
"""How the idempotency keys of repeats begin; they are no one's asking."""
_PERIOD_DAYS = {Grain.WEEK: 7, Grain.MONTH: 28, Grain.QUARTER: 84, Grain.YEAR: 364}


@dataclass(frozen=True, slots=True)
class Repeat:
    """A batch to accept again, with the rights of the one who asked for it last. key: the same all day."""

    asked: Job
    key: str


def repeats(batches: Sequence[Job], now: datetime, days: int) -> tuple[Repeat, ...]:
    """What is to be made anew today.

    batches: all batches of a tenant, newest first. The same request of the same user stands for `days` days after it was last asked for, once it
    was made; it stops when its latest batch is cancelled, and is left alone while one is under way or no bucket has passed since.
    """
    found: dict[tuple[str, str], list[Job]] = {}
    for job in batches:
        found.setdefault((job.user, json.dumps(dict(job.params), sort_keys=True)), []).append(job)
    due = []
    for group in found.values():
        latest, asked = group[0], next((job for job in group if not is_repeat(job)), None)
        if asked is None or now - asked.created_at > timedelta(days=days) or latest.cancel_requested or not latest.status.is_final:
            continue
        passed = now.date() - latest.created_at.date() >= timedelta(days=_PERIOD_DAYS.get(Grain(asked.params["grain"]), 1))
        if passed and any(job.status is JobStatus.DONE for job in group):
            due.append(Repeat(asked, f"{PREFIX}{asked.id}-{now.date().isoformat()}"))
    return tuple(due)


def is_repeat(batch: Job) -> bool:
    """Was it accepted by schedule?"""
    return (batch.idempotency_key or "").startswith(PREFIX)
