"""When a digest comes, who may end it, and how an issue reads."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from core.errors import Invalid, Unauthenticated
from core.ids import TenantId, UserId
from core.store.digests import Issue, NewIssue
from workers.alerts.message import plain
from workers.digests.definition import DigestDefinition, next_time, parse_definition, slot_of
from workers.digests.message import of_issue, read_unsubscribe_token, unsubscribe_token

NOW = dt.datetime(2026, 3, 26, 12, 0, tzinfo=dt.UTC)  # a Thursday


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type]


class TestNextTime:
    def test_daily_is_the_next_eight_oclock_of_the_readers_zone(self) -> None:
        assert next_time(DigestDefinition(cadence="daily", time_zone="America/New_York"), "UTC", NOW) == utc(2026, 3, 27, 12)

    def test_weekly_waits_for_its_day(self) -> None:
        assert next_time(DigestDefinition(cadence="weekly", weekday=0), "UTC", NOW) == utc(2026, 3, 30, 8)

    def test_monthly_waits_for_its_date(self) -> None:
        assert next_time(DigestDefinition(cadence="monthly", day=1), "UTC", NOW) == utc(2026, 4, 1, 8)

    def test_the_hour_stays_when_clocks_change(self) -> None:
        daily = DigestDefinition(cadence="daily", time_zone="Europe/Berlin")  # summer time begins on 29 March
        assert [next_time(daily, "UTC", utc(2026, 3, day, 12)).hour for day in (27, 28, 29)] == [7, 6, 6]

    def test_an_hour_that_the_clock_skips_still_comes_once(self) -> None:
        night = DigestDefinition(cadence="daily", at="02:30", time_zone="Europe/Berlin")
        first = next_time(night, "UTC", utc(2026, 3, 28, 12))
        assert first == utc(2026, 3, 29, 1, 30)
        assert next_time(night, "UTC", first) == utc(2026, 3, 30, 0, 30)

    def test_a_slot_is_named_by_the_local_date(self) -> None:
        tokyo = DigestDefinition(cadence="daily", time_zone="Asia/Tokyo")
        assert slot_of(tokyo, "UTC", utc(2026, 3, 26, 23)) == "daily 2026-03-27"


class TestDefinition:
    @pytest.mark.parametrize(
        "bad", [{"cadence": "hourly"}, {"at": "25:00"}, {"weekday": 7}, {"day": 31}, {"time_zone": "Mars/Olympus"}, {"metric": "revenue"}]
    )
    def test_what_cannot_be_is_refused(self, bad: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            parse_definition(bad)


class TestToken:
    def test_it_ends_one_readers_digest_and_no_other(self) -> None:
        token = unsubscribe_token("key", "acme", "dig_1", "usr_1")
        assert read_unsubscribe_token("key", token) == ("acme", "dig_1", "usr_1")
        other = unsubscribe_token("key", "acme", "dig_1", "usr_2")
        forged = other.partition(".")[0] + "." + token.partition(".")[2]
        for bad in (forged, token + "0", "x", "", token.partition(".")[0]):
            with pytest.raises(Unauthenticated):
                read_unsubscribe_token("key", bad)
        with pytest.raises(Unauthenticated):
            read_unsubscribe_token("another key", token)


class TestIssue:
    def test_labels_of_the_data_cannot_become_markup(self) -> None:
        evil = "<img src=x onerror=alert(1)>"
        told = [{"id": "f1", "favourable": False}]
        body = {
            "digest": evil, "sentences": [evil], "told": told, "notes": [evil], "next": [{"text": evil}],
            "charts": [{"title": evil, "fact": "f1", "chart": {"mark": "line"}}],
        }  # fmt: skip
        new = NewIssue("dig_1", UserId("usr_1"), "daily 2026-03-27", "issued", evil, body)
        made = of_issue(Issue("iss_1", TenantId("acme"), new, NOW), base_url="https://q.example/", key="key")
        assert made.html is not None
        assert evil not in made.html
        assert 'src="cid:chart0"' in made.html
        assert "(unfavourable)" in made.html  # not by colour alone
        assert made.images == (("chart0", {"mark": "line"}),)
        assert "Unsubscribe: https://q.example/v1/digests/unsubscribe?token=" in plain(made)
