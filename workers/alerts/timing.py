"""When a rule runs, when it may speak, and up to when it judges. Pure functions of times."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from core.timeseries import Grain
from workers.alerts.rule import AnyRule, QuietHours

BUCKET = {
    Grain.MINUTE: dt.timedelta(minutes=1),
    Grain.HOUR: dt.timedelta(hours=1),
    Grain.DAY: dt.timedelta(days=1),
    Grain.WEEK: dt.timedelta(days=7),
    Grain.MONTH: dt.timedelta(days=31),
}
# What is fetched: enough for two seasons of the detector's memory. More costs time at each run and changes no score by much.
HISTORY = {
    Grain.MINUTE: dt.timedelta(days=15),
    Grain.HOUR: dt.timedelta(days=70),
    Grain.DAY: dt.timedelta(days=760),
    Grain.WEEK: dt.timedelta(days=5 * 366),
    Grain.MONTH: dt.timedelta(days=8 * 366),
}
LATE_AFTER = {
    Grain.MINUTE: dt.timedelta(hours=2),
    Grain.HOUR: dt.timedelta(days=1),
    Grain.DAY: dt.timedelta(days=4),
    Grain.WEEK: dt.timedelta(days=21),
    Grain.MONTH: dt.timedelta(days=70),
}  # an event known for longer is kept without a message: after an outage of ours nobody wants last week's storm


USUAL_COOLDOWN, USUAL_RECOVERY = 2, 2  # buckets
MINUTES_COOLDOWN, MINUTES_RECOVERY = 30, 15  # a metric that recovers for two minutes has not recovered
LONG_SHARE = 0.5  # of how long an event has lasted, as anomaly.incidents.LENGTH_SHARE: what failed for ten hours flickers for five
MOST_COOLDOWN = {Grain.MINUTE: dt.timedelta(days=1)}  # else a day of buckets
RECOVERY_SHARE, MOST_RECOVERY = 0.25, dt.timedelta(hours=2)  # below an hour: who was told that it is over is not told so each half hour


def cooldown(rule: AnyRule, lasted: dt.timedelta = dt.timedelta(0)) -> dt.timedelta:
    """How far after the start of an event's last bucket the next may start and be the same event. lasted: from its first bucket to its last."""
    grain = Grain(rule.grain)
    usual = MINUTES_COOLDOWN if grain is Grain.MINUTE else USUAL_COOLDOWN
    asked = usual if rule.cooldown_buckets is None else rule.cooldown_buckets
    most = MOST_COOLDOWN.get(grain, 24 * BUCKET[grain]) if asked else dt.timedelta(0)  # who asks for none wants each
    return max(BUCKET[grain] * (asked + 1), min(LONG_SHARE * lasted, most))


def recovery(rule: AnyRule, lasted: dt.timedelta = dt.timedelta(0)) -> dt.timedelta:
    """How long after the start of an event's last bucket it is over."""
    grain = Grain(rule.grain)
    usual = MINUTES_RECOVERY if grain is Grain.MINUTE else USUAL_RECOVERY
    asked = BUCKET[grain] * (usual if rule.recovery_buckets is None else rule.recovery_buckets)
    return max(asked, min(RECOVERY_SHARE * lasted, MOST_RECOVERY)) if grain is Grain.MINUTE else asked


def next_run(rule: AnyRule, rule_id: str, *, now: dt.datetime, zone: str) -> dt.datetime:
    """The first time after `now`; missed ones are not made up for. Rules are spread over their interval by their id."""
    if rule.schedule.at is not None:
        hour, minute = map(int, rule.schedule.at.split(":"))
        local = now.astimezone(ZoneInfo(zone)).replace(hour=hour, minute=minute, second=0, microsecond=0)
        while local.astimezone(dt.UTC) <= now:
            local += dt.timedelta(days=1)
        return local.astimezone(dt.UTC)
    every_s = rule.schedule.every_minutes * 60
    offset_s = zlib.crc32(rule_id.encode()) % min(every_s, 300)  # within five minutes of the round time
    passed_s = int(now.timestamp()) - offset_s
    return dt.datetime.fromtimestamp((passed_s // every_s + 1) * every_s + offset_s, dt.UTC)


def history_start(grain: Grain, now: dt.datetime) -> dt.datetime:
    """The first instant that is fetched: a month's begin, so that the series starts at the same place all month and scores stay."""
    start = now - HISTORY[grain]
    if grain is Grain.MINUTE:
        return start.replace(hour=0, minute=0, second=0, microsecond=0)
    return start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def sends_from(quiet: Sequence[QuietHours], now: dt.datetime, zone: str) -> dt.datetime:
    """`now`, or the end of the quiet hours that `now` is in."""
    at = now
    for _ in range(2 * len(quiet) + 1):  # one window may end inside another
        ends = [end for window in quiet if (end := _quiet_end(window, at, zone)) is not None]
        if not ends:
            return at
        at = max(ends)
    return at


def _quiet_end(window: QuietHours, now: dt.datetime, zone: str) -> dt.datetime | None:
    local = now.astimezone(ZoneInfo(zone))
    for back in (0, 1):
        day = local.date() - dt.timedelta(days=back)
        if day.weekday() not in window.days:
            continue
        start = _at(day, window.start, zone)
        end = _at(day + dt.timedelta(days=1) if window.end <= window.start else day, window.end, zone)
        if start <= now < end:
            return end
    return None


def _at(day: dt.date, clock: str, zone: str) -> dt.datetime:
    hour, minute = map(int, clock.split(":"))
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def in_maintenance(rule: AnyRule, start: dt.datetime, end: dt.datetime) -> bool:
    """Whether something that begins in the bucket [start, end) begins in a planned window."""
    return any(window.start < end and start < window.end for window in rule.maintenance)


def wall_clock(now: dt.datetime, grain: Grain, zone: str) -> dt.datetime:
    """`now` on the clock that bucket starts are on: days and longer are dates of the calendar's zone, written as midnight UTC."""
    if grain in (Grain.MINUTE, Grain.HOUR):
        return now
    return now.astimezone(ZoneInfo(zone)).replace(tzinfo=dt.UTC)
