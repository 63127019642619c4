"""The Celery app: over Redis or RabbitMQ by `broker_url`, else over a spool folder in `home`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

from core.settings import Settings

QUEUES = ("default", "heavy", "models", "sandbox")
TICKS = "ticks"  # worked off beside `default`; apart from it, so that schedules do not wait behind a line of jobs
RUN_TASK = "querent.run"
REAP_TASK = "querent.reap"
DAILY_TASK = "querent.daily"
RULES_TASK = "querent.alert_rules"
DELIVER_TASK = "querent.deliver"
DIGESTS_TASK = "querent.digests"
SOURCES_TASK = "querent.sources"
REAP_EVERY = timedelta(seconds=10)
DAILY_CHECK_EVERY = timedelta(minutes=15)
MOST_BETWEEN_SENDINGS = timedelta(seconds=10)
LEAST_TICK_LIFE = timedelta(seconds=10)  # so that a busy machine with short ticks still takes some
POLL_S = 0.1  # a message waits half of this on average; listing a small folder ten times a second costs under 1 % of a core
VISIBILITY_TIMEOUT_S = 3600  # Redis gives an unacknowledged message to another worker after this; a second delivery finds no job to claim
# Who sends does not wait for a broker that is away: the job is accepted and the reaper sends it later.
_GIVE_UP_SOON = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


def make_app(settings: Settings) -> Celery:
    """An app that knows queues and broker but no tasks: enough to send. Makes the spool folders; connects to nothing."""
    app = Celery("querent", set_as_current=False)
    tick = timedelta(seconds=settings.tick_s)
    app.conf.update(
        task_default_queue="default",
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_max_memory_per_child=4_000_000,  # kilobytes; the child is replaced after the task that exceeded it
        worker_soft_shutdown_timeout=10.0,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=4,
        timezone="UTC",
        beat_schedule={
            "reap": _tick(REAP_TASK, REAP_EVERY),
            "daily": _tick(DAILY_TASK, DAILY_CHECK_EVERY),
            "alert_rules": _tick(RULES_TASK, tick),
            "deliver": _tick(DELIVER_TASK, min(tick, MOST_BETWEEN_SENDINGS)),
            "digests": _tick(DIGESTS_TASK, 2 * tick),
            "sources": _tick(SOURCES_TASK, 2 * tick),
        },
        **_transport(settings),
    )
    return app


def _tick(task: str, every: timedelta) -> dict[str, Any]:
    """A message that nobody took before the next one is due is worth nothing."""
    return {"task": task, "schedule": every, "options": {"expires": max(every, LEAST_TICK_LIFE).total_seconds(), "queue": TICKS}}


def spool_folder(settings: Settings) -> Path:
    return settings.home.resolve() / "broker"


def messages_waiting(app: Celery, queue: str) -> int | None:
    """How many messages of a queue no worker has taken yet; None when the broker does not say."""
    with app.connection_for_write() as connection:
        away = (OSError, OperationalError, *connection.connection_errors)
        try:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:
            return 0  # nobody has sent to it yet
        except away:
            return None


def _transport(settings: Settings) -> dict[str, Any]:
    if settings.broker_url:
        options: dict[str, Any] = dict(_GIVE_UP_SOON)
        if settings.broker_url.startswith("redis"):
            options |= {"visibility_timeout": VISIBILITY_TIMEOUT_S, "socket_connect_timeout": 2, "socket_timeout": 10}
        return {"broker_url": settings.broker_url, "broker_transport_options": options}
    TRANSPORT_ALIASES["spool"] = "workers.spool:SpoolTransport"
    folder = spool_folder(settings)
    for part in ("messages", "control"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    messages = str(folder / "messages")
    return {
        "broker_url": "spool://localhost",
        "broker_transport_options": {
            "data_folder_in": messages,
            "data_folder_out": messages,
            "control_folder": str(folder / "control"),
            "polling_interval": POLL_S,
        },
        "worker_enable_remote_control": False,  # its reply queues would leave files behind for every process
    }
