"""Machines whose clocks differ go by PostgreSQL's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.clock import SystemClock
from core.settings import Settings
from core.store.shared_clock import LOOKED_AGAIN_S, SharedClock
from core.store.store import Store
from workers.bootstrap import build_services

pytestmark = pytest.mark.integration


class Wrong:
    """A clock that is wrong by so much."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


def test_a_wrong_clock_is_set_right_and_a_right_one_left_alone(postgresql: Any) -> None:
    store = Store.open(postgresql.database("clock"))
    try:
        for by in (timedelta(minutes=-10), timedelta(minutes=10), timedelta(days=400)):
            assert abs(SharedClock(store, Wrong(by)).now() - datetime.now(UTC)) < timedelta(seconds=60)
        assert SharedClock(store, SystemClock()).look() == timedelta()
    finally:
        store.close()


def test_it_is_looked_at_again_and_a_store_that_is_away_changes_nothing(postgresql: Any) -> None:
    store, local, at_s = Store.open(postgresql.database("clock_again")), Wrong(timedelta(hours=1)), [0.0]
    clock = SharedClock(store, local, now_s=lambda: at_s[0])
    clock.now()
    local.by = timedelta(hours=-1)  # set wrong the other way
    assert datetime.now(UTC) - clock.now() > timedelta(minutes=90)
    clock.look()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=60)
    away = Store.open("postgresql://querent@127.0.0.1:1/none")
    clock._store = away
    at_s[0] += LOOKED_AGAIN_S
    clock.look()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=60)
    away.close()
    store.close()


def test_services_take_it_with_postgresql_only(postgresql: Any, tmp_path: Any) -> None:
    def made(url: str) -> Any:
        return build_services(Settings(home=tmp_path, state_url=url, _env_file=None)).clock  # type: ignore[call-arg]

    assert isinstance(made(postgresql.database("clock_services")), SharedClock)
    assert isinstance(made(""), SystemClock)
