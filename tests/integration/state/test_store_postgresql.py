"""The state store on PostgreSQL: schema, types, and what only shows when writers really run at once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from api.preconditions import hold
from core.errors import Conflict, Unavailable
from core.ids import TenantId, UserId
from core.principal import Role
from core.store import (
    Store,
    alert_rules,
    api_keys,
    audit,
    catalogs,
    conversations,
    datasets,
    findings,
    job_events,
    job_leases,
    job_turns,
    jobs,
    questions,
    secrets,
    sessions,
    tenants,
    usage,
    users,
)
from core.store.asked import Asked, Turn, keep
from core.store.audit import Happening
from core.store.catalogs import NewCatalog
from core.store.datasets import DatasetLoad
from core.store.findings import ForecastEntry
from core.store.job_leases import Lease, Progress
from core.store.jobs import JobStatus, NewJob
from core.store.migrate import current_revision, downgrade, head_revision, migrate
from core.store.questions import QuestionEntry
from core.store.tables import metadata
from core.store.users import NewUser

pytestmark = pytest.mark.integration
ACME, ANN = TenantId("acme"), UserId("usr_ann")
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
_number = itertools.count()


@pytest.fixture
def store(postgresql: Any) -> Iterator[Store]:
    opened = Store.open(postgresql.database(f"state_{next(_number)}"))
    migrate(opened.engine)
    with opened.write() as connection:
        tenants.create(connection, ACME, name="Acme", now=NOW)
    yield opened
    opened.close()


def at_once(work: Callable[[int], Any], count: int = 6) -> list[Any]:
    """Results (or exceptions) of `work(0..count-1)` run in threads that start together."""
    gate, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = work(number)
        except Exception as error:
            results[number] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class TestSchema:
    def test_it_goes_up_matches_the_tables_and_goes_down(self, postgresql: Any) -> None:
        store = Store.open(postgresql.database(f"schema_{next(_number)}"))
        assert at_once(lambda _: migrate(store.engine), 3) == [None] * 3
        with store.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
        downgrade(store.engine)
        assert set(inspect(store.engine).get_table_names()) <= {"alembic_version"}
        migrate(store.engine)
        assert current_revision(store.engine) == head_revision()
        store.close()

    def test_a_server_that_is_away_is_unavailable(self) -> None:
        with pytest.raises(Unavailable):
            Store.open("postgresql://querent@127.0.0.1:1/none").ping()


class TestValues:
    def test_every_repository_reads_back_what_it_wrote(self, store: Store) -> None:
        with store.write() as connection:
            new = NewUser("a@x.com", "Änn", frozenset({Role.ANALYST}), "pass-word-1", {"regions": ("EMEA",)})
            user = users.create(connection, ACME, new, now=NOW)
            assert (user.created_at, user.attributes) == (NOW, {"regions": ("EMEA",)})
            assert users.sign_in(connection, "a@x.com", "pass-word-1").id == user.id
            _, key = api_keys.create(connection, ACME, user.id, name="k", now=NOW)
            assert api_keys.authenticate(connection, key, now=NOW).user == user.id
            _, token = sessions.create(connection, ACME, user.id, now=NOW, lifetime=timedelta(hours=1))
            assert sessions.authenticate(connection, token, now=NOW)[1].id == user.id
            assert catalogs.append(connection, ACME, NewCatalog({"a": [1, None, "ü"]}, user.id), now=NOW).document == {"a": [1, None, "ü"]}
            talk = conversations.create(connection, ACME, user.id, title="t", now=NOW)
            entry = QuestionEntry("nul \0 and \ud800", "refuse", 1.0, error={"text": "nul \0 and \ud800"}, reading=None)
            question = questions.log(connection, ACME, user.id, entry, now=NOW)
            assert questions.get(connection, ACME, question.id).entry.error == {"text": "nul \ufffd and ?"}
            assert conversations.add_turn(connection, ACME, talk, question_id=question.id, state={}, now=NOW).number == 1
            questions.give_feedback(connection, ACME, user.id, question.id, verdict="up", now=NOW)
            datasets.put(connection, ACME, DatasetLoad("d", "d", "d.csv", "ready", user.id), now=NOW)
            job = jobs.create(connection, ACME, user.id, NewJob("forecast", "heavy", {"x": 1.5}, "key"), now=NOW)
            assert jobs.create(connection, ACME, user.id, NewJob("forecast", "heavy", {"x": 1.5}, "key"), now=NOW) == job
            lease = Lease(job.id, ACME, "w")
            assert job_leases.claim(connection, lease, now=NOW, lease_for=timedelta(seconds=30)) is not None
            assert job_leases.report(connection, lease, Progress("fit", 0.5, 1, 2), now=NOW)
            assert job_leases.finish(connection, lease, {"ok": True}, now=NOW)
            assert [event.sequence for event in job_events.after(connection, ACME, job.id)] == [1, 2, 3, 4]
            forecast = ForecastEntry(job.id, "m", "day", 7, 1, "ets", None, 1, {}, user.id)
            assert findings.put(connection, ACME, forecast, now=NOW) == findings.put(connection, ACME, forecast, now=NOW)


class TestAtOnce:
    def test_a_reader_keeps_its_snapshot_while_another_writes(self, store: Store) -> None:
        with store.read() as reader:
            before = tenants.get(reader, ACME)
            with store.write() as writer:
                tenants.set_disabled(writer, ACME, True)
            assert tenants.get(reader, ACME) == before
        with store.read() as reader:
            assert tenants.get(reader, ACME).disabled

    def test_two_schedulers_never_get_the_same_rule(self, store: Store) -> None:
        with store.write() as connection:
            for number in range(40):
                new = alert_rules.NewAlertRule(f"rule {number}", "revenue", {}, ANN, next_run_at=NOW)
                alert_rules.create(connection, ACME, new, now=NOW)

        def lease(number: int) -> list[str]:
            with store.write() as connection:
                taken = alert_rules.lease_due(connection, f"s{number}", now=NOW, lease_for=timedelta(minutes=1), limit=20)
            return [rule.id for rule in taken]

        taken = [key for keys in at_once(lease) for key in keys]
        assert len(taken) == len(set(taken))
        assert len(taken) >= 20

    def test_one_of_many_claimants_gets_the_job(self, store: Store) -> None:
        with store.write() as connection:
            job = jobs.create(connection, ACME, ANN, NewJob("k", "q", {}), now=NOW)

        def claim(number: int) -> bool:
            with store.write() as connection:
                lease = Lease(job.id, ACME, f"w{number}")
                return job_leases.claim(connection, lease, now=NOW, lease_for=timedelta(seconds=30)) is not None

        assert sorted(at_once(claim)) == [False] * 5 + [True]

    def test_a_companys_bound_holds_when_two_look_at_once(self, store: Store) -> None:
        def accept(user: str) -> None:
            with store.write() as connection:
                jobs.create(connection, ACME, UserId(user), NewJob("forecast", "heavy", {}), now=NOW)

        def take(connection: Any, owner: str) -> jobs.Job | None:
            return job_turns.claim_next(connection, "heavy", owner, at_once=1, now=NOW, lease_for=timedelta(seconds=30))

        accept("usr_ann")
        with store.write() as connection:
            first = take(connection, "w1")
            assert first is not None
            job_leases.finish(connection, Lease(first.id, ACME, "w1"), {}, now=NOW)
        accept("usr_ann")
        found: list[jobs.Job | None] = []

        def another() -> None:
            with store.write() as connection:
                found.append(take(connection, "w3"))

        with store.write() as connection:
            assert take(connection, "w2") is not None
            accept("usr_bob")  # whose turn comes before Ann's, so that the other worker looks for another job
            thread = threading.Thread(target=another)
            thread.start()
            thread.join(timeout=0.3)
        thread.join()
        assert found == [None]

    def test_one_idempotency_key_makes_one_job(self, store: Store) -> None:
        def create(_: int) -> str:
            with store.write() as connection:
                return jobs.create(connection, ACME, ANN, NewJob("k", "q", {}, "same"), now=NOW).id

        made = at_once(create)
        assert len(set(made)) == 1, made
        assert str(made[0]).startswith("job_")

    def test_one_of_many_edits_of_a_catalog_wins(self, store: Store) -> None:
        def edit(number: int) -> int:
            with store.write() as connection:
                return catalogs.append(connection, ACME, NewCatalog({"n": number}, ANN, expected_version=0), now=NOW).version

        results = at_once(edit)
        assert sum(result == 1 for result in results) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 5

    def test_what_is_compared_with_an_etag_cannot_change_before_it_is_changed(self, store: Store) -> None:
        with store.write() as connection:
            user = users.create(connection, ACME, NewUser("etag@acme.example", "old", frozenset({Role.VIEWER}), "long-enough-1"), now=NOW)
        for expected, is_held in ((None, False), ('"etag"', True)):
            with store.write() as one:
                hold(one, expected, "users", ACME, user.id)
                users.get(one, ACME, user.id)
                with pytest.raises(Unavailable) if is_held else nullcontext(), store.write() as other:
                    other.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
                    users.rename(other, ACME, user.id, "new")

    def test_the_audit_chain_has_no_forks(self, store: Store) -> None:
        def append(number: int) -> None:
            for _ in range(5):
                with store.write() as connection:
                    audit.append(connection, ACME, Happening(f"usr_{number}", "read"), now=NOW)

        assert at_once(append) == [None] * 6
        with store.read() as connection:
            assert audit.first_broken(connection, ACME) is None
            assert [entry.sequence for entry in audit.read(connection, ACME)] == list(range(30, 0, -1))

    def test_deeds_and_their_records_at_once_do_not_wait_for_each_other(self, store: Store) -> None:
        met = threading.Barrier(6)

        def ask(number: int) -> int:
            with store.write() as connection:
                questions.log(connection, ACME, ANN, QuestionEntry(f"q{number}", "answer", 1.0), now=NOW)
                met.wait(5)  # all have inserted a row of the tenant before the first appends
                return audit.append(connection, ACME, Happening(ANN, "data.query"), now=NOW).sequence

        assert sorted(at_once(ask)) == [1, 2, 3, 4, 5, 6]

    def test_questions_of_many_kept_by_several_processes_at_once(self, store: Store) -> None:
        people = [UserId(f"usr_{number}") for number in range(8)]
        with store.write() as connection:
            talks = [conversations.create(connection, ACME, user, title="t", now=NOW) for user in people]

        def ask(number: int) -> None:
            order = range(8) if number % 2 else range(7, -1, -1)
            made = [
                Asked(questions.make(ACME, people[n], QuestionEntry("q", "answer", 1.0), now=NOW), Happening(people[n], "data.query"),
                      {"queries": 1, "rows_read": 5}, Turn(talks[n], False, {}) if n % 2 else Turn(conversations.make(people[n], title="n", now=NOW), True, {}))
                for n in order
            ]  # fmt: skip
            for one in (made[:4], made[4:]):
                with store.write() as connection:
                    keep(connection, ACME, one)

        assert at_once(ask) == [None] * 6
        with store.read() as connection:
            assert audit.first_broken(connection, ACME) is None
            assert [turn.number for turn in conversations.list_turns(connection, ACME, people[1], talks[1].id)] == [1, 2, 3, 4, 5, 6]
            assert usage.total(connection, ACME, "queries", day=NOW.date()) == 48

    def test_events_of_one_job_are_numbered_without_gaps(self, store: Store) -> None:
        with store.write() as connection:
            job = jobs.create(connection, ACME, ANN, NewJob("k", "q", {}), now=NOW)

        def note(number: int) -> int:
            with store.write() as connection:
                return job_events.append(connection, ACME, job.id, "note", {"n": number}, now=NOW)

        assert sorted(at_once(note)) == [2, 3, 4, 5, 6, 7]

    def test_turns_of_one_conversation_get_a_number_each(self, store: Store) -> None:
        with store.write() as connection:
            talk = conversations.create(connection, ACME, ANN, title="t", now=NOW)

        def add(number: int) -> int:
            with store.write() as connection:
                return conversations.add_turn(connection, ACME, talk, question_id=f"q{number}", state={}, now=NOW).number

        assert sorted(at_once(add)) == [1, 2, 3, 4, 5, 6]

    def test_everybody_reads_the_same_new_secret(self, store: Store) -> None:
        def read(_: int) -> str:
            with store.write() as connection:
                return secrets.get_or_create(connection, "session_key", now=NOW)

        assert len(set(at_once(read))) == 1

    def test_only_one_reaper_takes_a_lost_job_back(self, store: Store) -> None:
        with store.write() as connection:
            job = jobs.create(connection, ACME, ANN, NewJob("k", "q", {}), now=NOW)
            job_leases.claim(connection, Lease(job.id, ACME, "gone"), now=NOW, lease_for=timedelta(seconds=1))
            (lost,) = job_leases.running(connection)

        def reclaim(_: int) -> JobStatus | None:
            with store.write() as connection:
                return job_leases.reclaim(connection, lost, max_losses=5, now=NOW + timedelta(seconds=2))

        results = at_once(reclaim)
        assert results.count(JobStatus.PENDING) == 1
        assert results.count(None) == 5
