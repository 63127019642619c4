"""Catalog versions, conversations, questions, datasets, findings, audit, secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict, NotFound
from core.ids import JobId, TenantId, UserId
from core.store import Store, audit, catalogs, conversations, datasets, findings, questions, secrets
from core.store.audit import Happening
from core.store.catalogs import NewCatalog
from core.store.datasets import DatasetLoad
from core.store.findings import DetectionEntry, ForecastEntry
from core.store.questions import QuestionEntry

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANN, BOB = UserId("usr_ann"), UserId("usr_bob")


class TestCatalogs:
    def test_versions_count_up_per_tenant_and_rollback_is_a_new_one(self, store: Store) -> None:
        with store.write() as connection:
            for text in ("one", "two"):
                catalogs.append(connection, ACME, NewCatalog({"name": text}, ANN), now=NOW)
            catalogs.append(connection, GLOBEX, NewCatalog({"name": "theirs"}, BOB), now=NOW)
            back = catalogs.rollback(connection, ACME, 1, author=BOB, now=NOW)
            assert (back.version, back.restored_from, back.document) == (3, 1, {"name": "one"})
            assert catalogs.current(connection, ACME) == back
            assert [note.version for note in catalogs.history(connection, ACME)] == [3, 2, 1]
            assert catalogs.current(connection, GLOBEX).document == {"name": "theirs"}

    def test_an_edit_of_an_old_version_is_a_conflict(self, store: Store) -> None:
        with store.write() as connection:
            catalogs.append(connection, ACME, NewCatalog({}, ANN, expected_version=0), now=NOW)
            with pytest.raises(Conflict):
                catalogs.append(connection, ACME, NewCatalog({}, BOB, expected_version=0), now=NOW)
            assert catalogs.current_version(connection, ACME) == 1

    def test_what_is_not_there_is_not_found(self, store: Store) -> None:
        with store.write() as connection:
            catalogs.append(connection, ACME, NewCatalog({}, ANN), now=NOW)
            with pytest.raises(NotFound):
                catalogs.current(connection, GLOBEX)
            with pytest.raises(NotFound):
                catalogs.get(connection, GLOBEX, 1)
            with pytest.raises(NotFound):
                catalogs.rollback(connection, ACME, 7, author=ANN, now=NOW)


class TestConversations:
    def test_turns_are_numbered_and_the_last_state_is_kept(self, store: Store) -> None:
        with store.write() as connection:
            conversation = conversations.create(connection, ACME, ANN, title="Revenue", now=NOW)
            for number in (1, 2):
                conversations.add_turn(connection, ACME, conversation, question_id=f"q{number}", state={"n": number}, now=NOW)
            assert [turn.number for turn in conversations.list_turns(connection, ACME, ANN, conversation.id)] == [1, 2]
            assert conversations.get(connection, ACME, ANN, conversation.id).state == {"n": 2}

    def test_they_belong_to_one_user_of_one_tenant(self, store: Store) -> None:
        with store.write() as connection:
            conversation = conversations.create(connection, ACME, ANN, title="Revenue", now=NOW)
            for tenant, user in ((ACME, BOB), (GLOBEX, ANN)):
                with pytest.raises(NotFound):
                    conversations.get(connection, tenant, user, conversation.id)
                with pytest.raises(NotFound):
                    conversations.delete(connection, tenant, user, conversation.id, now=NOW)
            conversations.delete(connection, ACME, ANN, conversation.id, now=NOW)
            assert conversations.list_all(connection, ACME, ANN) == ()


class TestQuestions:
    def test_refused_questions_are_logged_with_any_text(self, store: Store) -> None:
        text = "nul \0 lone \ud800 and ünïcödé" + "x" * 20_000
        with store.write() as connection:
            logged = questions.log(connection, ACME, ANN, QuestionEntry(text, "refuse", 1.5, error={"code": "unknown \0 word"}), now=NOW)
            read = questions.get(connection, ACME, logged.id)
        assert len(read.entry.text) == questions.MAX_TEXT
        assert "\0" not in read.entry.text
        assert read.entry.error == {"code": "unknown \ufffd word"}

    def test_a_later_verdict_of_the_same_user_replaces_the_first(self, store: Store) -> None:
        with store.write() as connection:
            logged = questions.log(connection, ACME, ANN, QuestionEntry("q", "answer", 1.0), now=NOW)
            questions.give_feedback(connection, ACME, ANN, logged.id, verdict="up", now=NOW)
            questions.give_feedback(connection, ACME, ANN, logged.id, verdict="down", comment="wrong year", now=NOW)
            questions.give_feedback(connection, ACME, BOB, logged.id, verdict="up", now=NOW)
            found = {item.user: item.verdict for item in questions.list_feedback(connection, ACME, logged.id)}
            assert found == {ANN: "down", BOB: "up"}
            with pytest.raises(NotFound):
                questions.give_feedback(connection, GLOBEX, ANN, logged.id, verdict="up", now=NOW)

    def test_numbers_that_json_does_not_have_are_refused(self, store: Store) -> None:
        with pytest.raises(Exception, match="JSON compliant"), store.write() as connection:
            questions.log(connection, ACME, ANN, QuestionEntry("q", "answer", 1.0, answer={"v": float("nan")}), now=NOW)


class TestFindings:
    def entry(self, job: str = "job_1", metric: str = "revenue") -> ForecastEntry:
        return ForecastEntry(JobId(job), metric, "day", 30, 2, "ets", None, 1, {"mase": 0.8}, ANN)

    def test_the_second_run_of_a_job_replaces_its_entry(self, store: Store) -> None:
        with store.write() as connection:
            first = findings.put(connection, ACME, self.entry(), now=NOW)
            second = findings.put(connection, ACME, self.entry(metric="visits"), now=NOW + timedelta(hours=1))
            assert first == second
            (stored,) = findings.list_all(connection, ACME, ForecastEntry)
        assert stored.entry.metric == "visits"

    def test_an_entry_is_found_by_id_and_by_job_in_its_tenant_only(self, store: Store) -> None:
        with store.write() as connection:
            key = findings.put(connection, ACME, self.entry(), now=NOW)
            assert findings.get(connection, ACME, ForecastEntry, key) == findings.get(connection, ACME, ForecastEntry, "job_1")
            with pytest.raises(NotFound):
                findings.get(connection, GLOBEX, ForecastEntry, key)
            with pytest.raises(NotFound):
                findings.get(connection, ACME, DetectionEntry, key)


class TestDatasets:
    def test_a_later_load_replaces_the_former(self, store: Store) -> None:
        with store.write() as connection:
            first = datasets.put(connection, ACME, DatasetLoad("orders", "orders", "a.csv", "loading", ANN), now=NOW)
            load = DatasetLoad("orders", "orders", "b.csv", "ready", ANN, rows_loaded=5, report={"bad": 0})
            second = datasets.put(connection, ACME, load, now=NOW + timedelta(hours=1))
            assert (second.id, second.rows_loaded, second.created_at) == (first.id, 5, NOW)
            with pytest.raises(NotFound):
                datasets.get(connection, GLOBEX, first.id)


class TestAudit:
    def test_the_chain_holds_and_breaks_where_it_was_touched(self, store: Store) -> None:
        with store.write() as connection:
            for number in range(5):
                audit.append(connection, ACME, Happening("usr_ann", "catalog.apply", f"catalog:{number}"), now=NOW)
            audit.append(connection, GLOBEX, Happening("usr_bob", "login"), now=NOW)
            assert audit.first_broken(connection, ACME) is None
            connection.exec_driver_sql("UPDATE audit_log SET target = 'catalog:9' WHERE tenant_id = 'acme' AND sequence = 3")
            assert audit.first_broken(connection, ACME) == 3
            assert audit.first_broken(connection, GLOBEX) is None

    def test_a_removed_entry_is_noticed(self, store: Store) -> None:
        with store.write() as connection:
            for _ in range(4):
                audit.append(connection, ACME, Happening("usr_ann", "read"), now=NOW)
            connection.exec_driver_sql("DELETE FROM audit_log WHERE tenant_id = 'acme' AND sequence = 2")
            assert audit.first_broken(connection, ACME) == 3

    def test_the_record_is_lost_with_the_deed(self, store: Store) -> None:
        def fail() -> None:
            with store.write() as connection:
                audit.append(connection, ACME, Happening("usr_ann", "read"), now=NOW)
                raise RuntimeError("the deed failed")

        with pytest.raises(RuntimeError):
            fail()
        with store.read() as connection:
            assert audit.read(connection, ACME) == ()


class TestSecrets:
    def test_a_secret_is_made_once(self, store: Store) -> None:
        with store.write() as connection:
            first = secrets.get_or_create(connection, "session_key", now=NOW)
        with store.write() as connection:
            assert secrets.get_or_create(connection, "session_key", now=NOW) == first
            assert secrets.get_or_create(connection, "other", now=NOW) != first
        assert len(first) >= 40
