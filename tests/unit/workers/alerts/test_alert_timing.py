"""Schedules, quiet hours over midnight and clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workers.alerts.rule import QuietHours, parse_rule
from workers.alerts.timing import cooldown, history_start, next_run, recovery, sends_from, wall_clock

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestNextRun:
    def test_missed_runs_are_not_made_up_for(self) -> None:
        rule = parse_rule({"metric": "m", "schedule": {"every_minutes": 60}})
        now = at("2026-05-01T10:20:00")
        later = next_run(rule, "rul_1", now=now + timedelta(days=3), zone="UTC")
        assert now + timedelta(days=3) < later <= now + timedelta(days=3, hours=1)

    def test_rules_are_spread_over_five_minutes(self) -> None:
        rule = parse_rule({"metric": "m", "schedule": {"every_minutes": 60}})
        times = {next_run(rule, f"rul_{n}", now=at("2026-05-01T10:20:00"), zone="UTC") for n in range(200)}
        assert len(times) > 50
        assert all(time.minute < 5 for time in times)

    def test_once_a_day_is_local_time_also_when_the_clock_changes(self) -> None:
        rule = parse_rule({"metric": "m", "schedule": {"at": "07:30"}})
        assert next_run(rule, "r", now=at("2026-03-28T12:00:00"), zone=BERLIN) == at("2026-03-29T05:30:00")
        assert next_run(rule, "r", now=at("2026-03-27T12:00:00"), zone=BERLIN) == at("2026-03-28T06:30:00")


class TestQuietHours:
    night = (QuietHours(start="22:00", end="07:00"),)

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            ("2026-05-01T12:00:00", "2026-05-01T12:00:00"),
            ("2026-05-01T21:00:00", "2026-05-02T05:00:00"),  # 23:00 in Berlin
            ("2026-05-02T03:00:00", "2026-05-02T05:00:00"),
            ("2026-05-02T05:00:00", "2026-05-02T05:00:00"),
        ],
    )
    def test_a_message_waits_until_they_end(self, now: str, expected: str) -> None:
        assert sends_from(self.night, at(now), BERLIN) == at(expected)

    def test_windows_that_follow_each_other_are_waited_for_together(self) -> None:
        windows = (QuietHours(start="22:00", end="07:00"), QuietHours(start="06:00", end="09:00"))
        assert sends_from(windows, at("2026-05-01T23:00:00"), "UTC") == at("2026-05-02T09:00:00")

    def test_all_day_every_day_still_ends(self) -> None:
        windows = (QuietHours(start="00:00", end="12:00"), QuietHours(start="12:00", end="00:00"))
        assert sends_from(windows, at("2026-05-01T23:00:00"), "UTC") > at("2026-05-01T23:00:00")

    def test_only_on_the_named_days(self) -> None:
        weekend = (QuietHours(start="00:00", end="23:59", days=(5, 6)),)
        assert sends_from(weekend, at("2026-05-01T12:00:00"), "UTC") == at("2026-05-01T12:00:00")  # a Friday


class TestOver:
    def test_a_metric_of_minutes_that_recovers_for_two_of_them_has_not_recovered(self) -> None:
        rule, asked = parse_rule({"metric": "m", "grain": "minute"}), parse_rule({"metric": "m", "grain": "minute", "recovery_buckets": 5})
        assert (recovery(rule), recovery(asked)) == (timedelta(minutes=15), timedelta(minutes=5))
        assert [recovery(rule, timedelta(hours=h)) for h in (4, 100)] == [timedelta(hours=1), timedelta(hours=2)]
        assert recovery(parse_rule({"metric": "m"}), timedelta(days=90)) == timedelta(days=2)

    def test_what_lasted_longer_may_pause_for_longer_unless_each_is_asked_for(self) -> None:
        rule = parse_rule({"metric": "m", "grain": "minute"})
        assert [cooldown(rule, timedelta(hours=h)) for h in (0, 4, 100)] == [timedelta(minutes=31), timedelta(hours=2), timedelta(days=1)]
        each = parse_rule({"metric": "m", "grain": "hour", "cooldown_buckets": 0})
        assert cooldown(each, timedelta(days=4)) == timedelta(hours=1)


def test_days_end_by_the_calendars_zone() -> None:
    from core.timeseries import Grain

    assert wall_clock(at("2026-05-02T03:00:00"), Grain.DAY, "America/New_York") == at("2026-05-01T23:00:00")
    assert wall_clock(at("2026-05-02T03:00:00"), Grain.HOUR, "America/New_York") == at("2026-05-02T03:00:00")


def test_the_history_starts_at_the_same_place_all_month() -> None:
    from core.timeseries import Grain

    assert history_start(Grain.DAY, at("2026-05-02T03:00:00")) == history_start(Grain.DAY, at("2026-05-28T03:00:00"))
