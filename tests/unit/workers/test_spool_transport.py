"""The spool folder as a broker: whole messages, each taken once, in order."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES

from core.settings import Settings
from workers.broker import make_app, spool_folder
from workers.spool import sweep


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    app = make_app(Settings(home=tmp_path))
    assert TRANSPORT_ALIASES["spool"] == "workers.spool:SpoolTransport"
    return app.connection_for_write()


def test_messages_come_out_in_order_and_once(connection: Connection) -> None:
    channel = connection.default_channel
    for number in range(3):
        channel._put("default", {"n": number})
    assert [channel._get("default")["n"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        channel._get("default")


def test_queues_are_apart(connection: Connection) -> None:
    channel = connection.default_channel
    channel._put("heavy", {"n": 1})
    with pytest.raises(Empty):
        channel._get("default")
    assert channel._size("heavy") == 1
    assert channel._get("heavy") == {"n": 1}


def test_each_message_is_taken_by_one_of_many_readers(connection: Connection, tmp_path: Path) -> None:
    channel = connection.default_channel
    for number in range(60):
        channel._put("default", {"n": number})
    taken: list[int] = []

    def take() -> None:
        own = make_app(Settings(home=tmp_path)).connection_for_read().default_channel
        while True:
            try:
                taken.append(own._get("default")["n"])
            except Empty:
                return

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(60))


def test_half_written_messages_are_not_seen_and_swept_away(connection: Connection, tmp_path: Path) -> None:
    messages = spool_folder(Settings(home=tmp_path)) / "messages"
    draft = messages / ".00000000000000000001_ab.default.msg.draft"
    draft.write_text('{"half')
    with pytest.raises(Empty):
        connection.default_channel._get("default")
    connection.default_channel._put("default", {"n": 1})
    now_s = draft.stat().st_mtime
    assert sweep(messages, older_than_s=60, now_s=now_s + 59) == 0
    assert sweep(messages, older_than_s=60, now_s=now_s + 61) == 1
    assert connection.default_channel._get("default") == {"n": 1}
