"""Questions of many people kept in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import NotFound
from core.ids import TenantId, UserId
from core.store import Store, audit, conversations, questions, usage
from core.store.asked import Asked, Turn, keep
from core.store.audit import Happening
from core.store.conversations import Conversation
from core.store.questions import QuestionEntry

ACME = TenantId("acme")
NOW = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
TOMORROW = NOW + timedelta(minutes=5)
ANN, BOB = UserId("usr_ann"), UserId("usr_bob")


def asked(user: UserId, text: str, turn: Turn | None = None, *, at: datetime = NOW) -> Asked:
    question = questions.make(ACME, user, QuestionEntry(text, "answer", 1.0), now=at)
    return Asked(question, Happening(user, "data.query", question.id), {"queries": 1, "rows_read": 10}, turn)


def kept(store: Store, *all_of_them: Asked) -> None:
    with store.write() as connection:
        keep(connection, ACME, all_of_them)


def test_each_has_its_log_entry_turn_use_and_place_in_the_chain(store: Store) -> None:
    talk, other = (conversations.make(user, title="Revenue", now=NOW) for user in (ANN, BOB))
    kept(store, asked(ANN, "one", Turn(talk, True, {"n": 1})), asked(BOB, "two", Turn(other, True, {})), asked(BOB, "no turn"))
    kept(store, asked(ANN, "three", Turn(talk, False, {"n": 2})), asked(ANN, "four", Turn(talk, False, {"n": 3}), at=TOMORROW))
    with store.read() as connection:
        logged = {one.id: one.entry.text for one in questions.list_all(connection, ACME)}
        turns = conversations.list_turns(connection, ACME, ANN, talk.id)
        assert [(turn.number, logged[turn.question_id]) for turn in turns] == [(1, "one"), (2, "three"), (3, "four")]
        assert conversations.get(connection, ACME, ANN, talk.id).state == {"n": 3}
        used = {(one.user, one.day, one.kind): one.used for one in usage.since(connection, ACME, NOW.date())}
        assert used == {
            (ANN, NOW.date(), "queries"): 2, (ANN, NOW.date(), "rows_read"): 20, (BOB, NOW.date(), "queries"): 2,
            (BOB, NOW.date(), "rows_read"): 20, (ANN, TOMORROW.date(), "queries"): 1, (ANN, TOMORROW.date(), "rows_read"): 10,
        }  # fmt: skip
        chain = audit.read(connection, ACME)
        assert [logged[entry.target] for entry in reversed(chain)] == ["one", "two", "no turn", "three", "four"]
        assert audit.first_broken(connection, ACME) is None


def test_none_is_kept_when_one_goes_on_with_a_conversation_that_is_gone(store: Store) -> None:
    gone: Conversation = conversations.make(ANN, title="Revenue", now=NOW)
    with pytest.raises(NotFound):
        kept(store, asked(BOB, "one"), asked(ANN, "two", Turn(gone, False, {})))
    with store.read() as connection:
        assert (questions.list_all(connection, ACME), audit.read(connection, ACME)) == ((), ())
        assert usage.since(connection, ACME, NOW.date()) == ()


def test_what_is_appended_for_others_carries_what_the_request_told(store: Store) -> None:
    with audit.watched("req_1") as watch:
        told = audit.told(Happening(ANN, "data.query"))
    with store.write() as connection:
        audit.append_all(connection, ACME, [(told, NOW), (Happening(BOB, "login"), NOW)])
        assert [entry.request_id for entry in audit.read(connection, ACME)] == [None, "req_1"]
        assert audit.append_all(connection, ACME, []) == ()
    assert watch.told == 1
