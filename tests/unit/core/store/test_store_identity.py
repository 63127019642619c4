"""Users, keys and sessions: what lets somebody in, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict, Invalid, NotFound, Unauthenticated
from core.ids import TenantId
from core.principal import Role
from core.store import Store, api_keys, sessions, tenants, users
from core.store.users import NewUser, User

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def add_user(store: Store, tenant: TenantId = ACME, email: str = "ann@example.com", password: str | None = "pass-word-1") -> User:
    new = NewUser(email, "Ann", frozenset({Role.MANAGER}), password, {"regions": ("EMEA", "APAC")})
    with store.write() as connection:
        return users.create(connection, tenant, new, now=NOW)


class TestUsers:
    def test_a_user_reads_back_whole(self, store: Store) -> None:
        made = add_user(store, email=" Ann@Example.COM ")
        with store.read() as connection:
            read = users.get(connection, ACME, made.id)
            assert users.by_email(connection, ACME, "ANN@example.com") == read
        assert read.email == "ann@example.com"
        principal = read.principal()
        assert (principal.tenant, principal.roles) == (ACME, frozenset({Role.MANAGER}))
        assert principal.attributes == {"regions": ("EMEA", "APAC")}

    def test_another_tenants_user_does_not_exist(self, store: Store) -> None:
        made = add_user(store)
        with store.write() as connection:
            for call in (
                lambda: users.get(connection, GLOBEX, made.id),
                lambda: users.set_disabled(connection, GLOBEX, made.id, True),
                lambda: users.set_password(connection, GLOBEX, made.id, "new-password"),
                lambda: api_keys.create(connection, GLOBEX, made.id, name="k", now=NOW),
                lambda: sessions.create(connection, GLOBEX, made.id, now=NOW, lifetime=timedelta(hours=1)),
            ):
                with pytest.raises(NotFound):
                    call()
        with store.read() as connection:
            assert users.get(connection, ACME, made.id) == made

    def test_an_email_is_taken_once_per_tenant(self, store: Store) -> None:
        add_user(store)
        add_user(store, GLOBEX)
        with pytest.raises(Conflict):
            add_user(store, email="ANN@example.com")

    @pytest.mark.parametrize("email", ["", "ann", "@x", "ann@", "a nn@x.com", "ann@x\n.com", "x" * 330 + "@x.com"])
    def test_bad_emails_are_refused(self, store: Store, email: str) -> None:
        with pytest.raises(Invalid):
            add_user(store, email=email)


class TestSignIn:
    def test_the_right_password_signs_in(self, store: Store) -> None:
        made = add_user(store)
        with store.read() as connection:
            assert users.sign_in(connection, " ANN@example.com", "pass-word-1").id == made.id

    def test_wrong_password_unknown_user_and_no_password_are_one_error(self, store: Store) -> None:
        add_user(store)
        add_user(store, email="sso@example.com", password=None)
        messages = set()
        for email, password in (("ann@example.com", "wrong"), ("bob@example.com", "pass-word-1"), ("sso@example.com", ""), ("", "")):
            with store.read() as connection, pytest.raises(Unauthenticated) as caught:
                users.sign_in(connection, email, password)
            messages.add(caught.value.message)
        assert len(messages) == 1

    def test_disabled_users_and_tenants_stay_out(self, store: Store) -> None:
        ann, bob = add_user(store), add_user(store, GLOBEX, "bob@example.com")
        with store.write() as connection:
            users.set_disabled(connection, ACME, ann.id, True)
            tenants.set_disabled(connection, GLOBEX, True)
        with store.read() as connection:
            for email in ("ann@example.com", bob.email):
                with pytest.raises(Unauthenticated):
                    users.sign_in(connection, email, "pass-word-1")

    def test_one_email_in_two_tenants_is_told_apart_by_password_or_tenant(self, store: Store) -> None:
        add_user(store, ACME, password="pass-word-1")
        add_user(store, GLOBEX, password="pass-word-2")
        with store.read() as connection:
            assert users.sign_in(connection, "ann@example.com", "pass-word-2").tenant == GLOBEX
        with store.write() as connection:
            users.set_password(connection, GLOBEX, users.sign_in(connection, "ann@example.com", "pass-word-2").id, "pass-word-1")
            with pytest.raises(Conflict) as caught:
                users.sign_in(connection, "ann@example.com", "pass-word-1")
            assert set(caught.value.suggestions) == {ACME, GLOBEX}
            assert users.sign_in(connection, "ann@example.com", "pass-word-1", tenant=ACME).tenant == ACME


class TestApiKeys:
    def test_a_key_acts_as_its_user_within_its_scopes(self, store: Store) -> None:
        user = add_user(store)
        with store.write() as connection:
            _, text = api_keys.create(connection, ACME, user.id, name="ci", now=NOW, scopes=["ask"])
        with store.read() as connection:
            principal = api_keys.authenticate(connection, text, now=NOW)
        assert (principal.tenant, principal.user, principal.scopes) == (ACME, user.id, frozenset({"ask"}))

    def test_only_a_hash_is_stored(self, store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
        user = add_user(store)
        with store.write() as connection:
            _, text = api_keys.create(connection, ACME, user.id, name="ci", now=NOW)
            _, token = sessions.create(connection, ACME, user.id, now=NOW, lifetime=timedelta(hours=1))
            kept = "".join(map(str, connection.exec_driver_sql("SELECT * FROM api_keys").all()))
            kept += "".join(map(str, connection.exec_driver_sql("SELECT * FROM sessions").all()))
        assert text.split("_", 2)[2] not in kept
        assert token not in kept

    def test_wrong_expired_and_revoked_keys_are_one_error(self, store: Store) -> None:
        user = add_user(store)
        with store.write() as connection:
            _, good = api_keys.create(connection, ACME, user.id, name="a", now=NOW)
            _, expired = api_keys.create(connection, ACME, user.id, name="b", now=NOW, expires_at=NOW + timedelta(hours=1))
            key, revoked = api_keys.create(connection, ACME, user.id, name="c", now=NOW)
            api_keys.revoke(connection, ACME, key.id, now=NOW)
        later = NOW + timedelta(hours=1)
        prefix = "_".join(good.split("_")[:2])
        with store.read() as connection:
            api_keys.authenticate(connection, good, now=later)
            messages = set()
            for text in (expired, revoked, f"{prefix}_wrong", good[:-1], good + "x", "", "qk_zzzz_zzzz"):
                with pytest.raises(Unauthenticated) as caught:
                    api_keys.authenticate(connection, text, now=later)
                messages.add(caught.value.message)
        assert len(messages) == 1

    def test_a_disabled_user_has_no_working_key(self, store: Store) -> None:
        user = add_user(store)
        with store.write() as connection:
            _, text = api_keys.create(connection, ACME, user.id, name="a", now=NOW)
            users.set_disabled(connection, ACME, user.id, True)
        with store.read() as connection, pytest.raises(Unauthenticated):
            api_keys.authenticate(connection, text, now=NOW)

    def test_last_use_is_noted_to_the_minute(self, store: Store) -> None:
        user = add_user(store)
        with store.write() as connection:
            key, text = api_keys.create(connection, ACME, user.id, name="a", now=NOW)
            seen = []
            for seconds in (0, 30, 60):
                api_keys.touch(connection, text, now=NOW + timedelta(seconds=seconds))
                seen.append(api_keys.get(connection, ACME, key.id).last_used_at)
        assert seen == [NOW, NOW, NOW + timedelta(seconds=60)]


class TestSessions:
    def test_a_session_lasts_until_it_expires_or_is_revoked(self, store: Store) -> None:
        user = add_user(store)
        with store.write() as connection:
            session, token = sessions.create(connection, ACME, user.id, now=NOW, lifetime=timedelta(minutes=15))
            assert sessions.authenticate(connection, token, now=NOW)[1].id == user.id
            with pytest.raises(Unauthenticated):
                sessions.authenticate(connection, token, now=NOW + timedelta(minutes=15))
            with pytest.raises(NotFound):
                sessions.revoke(connection, GLOBEX, session.id, now=NOW)
            sessions.revoke(connection, ACME, session.id, now=NOW)
            with pytest.raises(Unauthenticated):
                sessions.authenticate(connection, token, now=NOW)

    def test_signing_out_everywhere_ends_all_of_one_users_sessions(self, store: Store) -> None:
        ann, bob = add_user(store), add_user(store, email="bob@example.com")
        with store.write() as connection:
            lifetime = timedelta(hours=1)
            tokens = [sessions.create(connection, ACME, user.id, now=NOW, lifetime=lifetime)[1] for user in (ann, ann, bob)]
            assert sessions.revoke_all(connection, ACME, ann.id, now=NOW) == 2
            sessions.authenticate(connection, tokens[2], now=NOW)
            with pytest.raises(Unauthenticated):
                sessions.authenticate(connection, tokens[0], now=NOW)
