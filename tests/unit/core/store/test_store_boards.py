"""Boards in the state store: versions, optimistic locking, comments, links; tenants apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict, NotFound
from core.ids import TenantId, UserId
from core.store import Store, boards, preferences
from core.store.boards import BoardComment, Edit

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ANN, BOB = UserId("usr_ann"), UserId("usr_bob")


def edit(title: str, on: int, author: UserId = ANN) -> Edit:
    return Edit(title, {"title": title, "pins": []}, f"renamed to {title}", author, on)


@pytest.fixture
def acme() -> TenantId:
    return TenantId("acme")


@pytest.fixture
def globex() -> TenantId:
    return TenantId("globex")


class TestEdit:
    def test_makes_the_next_version_and_keeps_all(self, store: Store, acme: TenantId) -> None:
        with store.write() as connection:
            made = boards.create(connection, acme, edit("One", 0), now=NOW)
            second = boards.edit(connection, acme, made.id, edit("Two", 1), now=NOW)
            kept = boards.versions(connection, acme, made.id)
        assert (second.title, second.version, second.changes) == ("Two", 2, 2)
        assert [(v.version, v.content["title"]) for v in kept] == [(2, "Two"), (1, "One")]

    def test_on_an_old_version_is_refused_and_changes_nothing(self, store: Store, acme: TenantId) -> None:
        with store.write() as connection:
            made = boards.create(connection, acme, edit("One", 0), now=NOW)
            boards.edit(connection, acme, made.id, edit("Two", 1), now=NOW)
        with pytest.raises(Conflict), store.write() as connection:
            boards.edit(connection, acme, made.id, edit("Late", 1, BOB), now=NOW)
        with store.read() as connection:
            assert boards.get(connection, acme, made.id).title == "Two"
            assert len(boards.versions(connection, acme, made.id)) == 2

    def test_a_role_that_goes_is_named_by_no_board_of_its_company(self, store: Store, acme: TenantId, globex: TenantId) -> None:
        with store.write() as connection:
            ours, theirs = (boards.create(connection, tenant, edit("One", 0), now=NOW) for tenant in (acme, globex))
            for board in (ours, theirs):
                boards.share(connection, board.tenant, board.id, {"closer": "edit", "viewer": "see"}, now=NOW)
            assert (boards.unshare(connection, acme, "closer"), boards.unshare(connection, acme, "closer")) == (1, 0)
            left = boards.get(connection, acme, ours.id)
            assert (left.sharing, left.changes) == ({"viewer": "see"}, 3)
            assert "closer" in boards.get(connection, globex, theirs.id).sharing

    def test_a_removed_board_is_gone_for_everything(self, store: Store, acme: TenantId) -> None:
        with store.write() as connection:
            made = boards.create(connection, acme, edit("One", 0), now=NOW)
            boards.remove(connection, acme, made.id, now=NOW)
            assert boards.list_all(connection, acme) == ()
            with pytest.raises(NotFound):
                boards.edit(connection, acme, made.id, edit("Two", 1), now=NOW)
            with pytest.raises(NotFound):
                boards.add_link(connection, acme, made.id, ANN, expires_at=NOW, now=NOW)


class TestTenants:
    def test_another_company_finds_nothing(self, store: Store, acme: TenantId, globex: TenantId) -> None:
        with store.write() as connection:
            made = boards.create(connection, acme, edit("One", 0), now=NOW)
            link = boards.add_link(connection, acme, made.id, ANN, expires_at=NOW + timedelta(days=1), now=NOW)
            for ask in (
                lambda: boards.get(connection, globex, made.id),
                lambda: boards.edit(connection, globex, made.id, edit("Stolen", 1), now=NOW),
                lambda: boards.version(connection, globex, made.id, 1),
                lambda: boards.share(connection, globex, made.id, {"viewer": "see"}, now=NOW),
                lambda: boards.remove(connection, globex, made.id, now=NOW),
                lambda: boards.link(connection, globex, link.id),
            ):
                with pytest.raises(NotFound):
                    ask()
            assert boards.versions(connection, globex, made.id) == ()
            assert boards.comments(connection, globex, made.id) == ()
            boards.revoke_link(connection, globex, made.id, link.id, now=NOW)
            assert boards.link(connection, acme, link.id).revoked_at is None


class TestComments:
    def test_count_as_a_change_but_not_as_a_version(self, store: Store, acme: TenantId) -> None:
        with store.write() as connection:
            made = boards.create(connection, acme, edit("One", 0), now=NOW)
            said = BoardComment("cmt_1", made.id, None, None, "Hello", ANN, NOW)
            boards.comment(connection, acme, said)
            after = boards.get(connection, acme, made.id)
            assert boards.comments(connection, acme, made.id) == (said,)
            boards.remove_comment(connection, acme, made.id, said.id, now=NOW)
            assert boards.comments(connection, acme, made.id) == ()
        assert (after.version, after.changes) == (1, 2)


class TestLinks:
    def test_those_taken_back_are_not_listed(self, store: Store, acme: TenantId) -> None:
        with store.write() as connection:
            made = boards.create(connection, acme, edit("One", 0), now=NOW)
            first = boards.add_link(connection, acme, made.id, ANN, expires_at=NOW + timedelta(days=1), now=NOW)
            second = boards.add_link(connection, acme, made.id, ANN, expires_at=NOW + timedelta(days=2), now=NOW + timedelta(seconds=1))
            boards.revoke_link(connection, acme, made.id, first.id, now=NOW)
            assert [link.id for link in boards.links(connection, acme, made.id)] == [second.id]


class TestPreferences:
    def test_are_each_persons_own_and_are_replaced(self, store: Store, acme: TenantId, globex: TenantId) -> None:
        with store.write() as connection:
            preferences.put(connection, acme, ANN, "cards", ["a"], now=NOW)
            preferences.put(connection, acme, ANN, "cards", ["b"], now=NOW)
            assert preferences.get(connection, acme, ANN, "cards") == ["b"]
            assert preferences.get(connection, acme, BOB, "cards") is None
            assert preferences.get(connection, globex, ANN, "cards") is None
