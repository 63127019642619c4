"""Whose job is started next, on a real state store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.ids import JobId, TenantId, UserId
from core.store import Store, job_leases, job_turns, jobs, retention
from core.store.job_leases import Lease
from core.store.jobs import Job, NewJob

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)


def add(store: Store, tenant: TenantId, user: str, count: int = 1, queue: str = "heavy") -> list[Job]:
    with store.write() as connection:
        return [jobs.create(connection, tenant, UserId(user), NewJob("forecast", queue, {}), now=NOW) for _ in range(count)]


class Worker:
    """Takes what comes next, and may end what it took."""

    def __init__(self, store: Store, at_once: int = 0) -> None:
        self.store, self.at_once, self.seconds = store, at_once, 0

    def take(self, queue: str = "heavy") -> Job | None:
        self.seconds += 1
        with self.store.write() as connection:
            now = NOW + timedelta(seconds=self.seconds)
            return job_turns.claim_next(connection, queue, "w", at_once=self.at_once, now=now, lease_for=LEASE)

    def end(self, job: Job) -> None:
        with self.store.write() as connection:
            assert job_leases.finish(connection, Lease(job.id, job.tenant, "w"), {}, now=NOW)

    def order(self, count: int) -> list[JobId]:
        taken = []
        for _ in range(count):
            job = self.take()
            assert job is not None
            self.end(job)
            taken.append(job.id)
        return taken


def ids(found: list[Job]) -> list[JobId]:
    return [job.id for job in found]


class TestClaimNext:
    def test_one_persons_jobs_come_as_they_were_accepted(self, store: Store) -> None:
        made = add(store, ACME, "ann", 4)
        assert Worker(store).order(4) == ids(made)

    def test_another_companys_job_waits_for_one_of_a_flood_at_most(self, store: Store) -> None:
        flood = add(store, ACME, "ann", 50)
        worker = Worker(store)
        assert worker.order(3) == ids(flood[:3])
        (other,) = add(store, GLOBEX, "bob")
        assert worker.order(1) == [other.id]
        assert worker.order(2) == ids(flood[3:5])

    def test_companies_take_turns_and_within_one_its_people(self, store: Store) -> None:
        ann, abe, bob = add(store, ACME, "ann", 4), add(store, ACME, "abe", 2), add(store, GLOBEX, "bob", 3)
        assert Worker(store).order(9) == ids([ann[0], bob[0], abe[0], bob[1], ann[1], bob[2], abe[1], ann[2], ann[3]])

    def test_who_has_fewer_running_comes_first_although_served_later(self, store: Store) -> None:
        add(store, ACME, "ann", 5)
        worker = Worker(store)
        worker.take()
        worker.take()
        (first, second) = add(store, GLOBEX, "bob", 2)
        assert [job.id for job in (worker.take(), worker.take()) if job] == [first.id, second.id]

    def test_queues_are_apart(self, store: Store) -> None:
        add(store, ACME, "ann", queue="default")
        assert Worker(store).take("heavy") is None
        assert Worker(store).take("default") is not None

    def test_what_is_not_due_has_no_turn(self, store: Store) -> None:
        (job,) = add(store, ACME, "ann")
        with store.write() as connection:
            job_leases.claim(connection, Lease(job.id, ACME, "w"), now=NOW, lease_for=LEASE)
            later = NOW + timedelta(hours=1)
            job_leases.put_back(connection, Lease(job.id, ACME, "w"), not_before=later, reason={}, now=NOW)
        assert Worker(store).take() is None

    def test_a_company_at_its_bound_waits_for_an_end(self, store: Store) -> None:
        flood = add(store, ACME, "ann", 5)
        worker = Worker(store, at_once=2)
        first = worker.take()
        worker.take()
        assert worker.take() is None
        with store.read() as connection:
            assert job_turns.startable(connection, "heavy", at_once=2, now=NOW) == 0
            assert job_turns.startable(connection, "heavy", at_once=0, now=NOW) == 3
        assert first is not None
        worker.end(first)
        third = worker.take()
        assert third is not None
        assert third.id == flood[2].id

    def test_old_turns_are_forgotten(self, store: Store) -> None:
        add(store, ACME, "ann")
        Worker(store).take()
        with store.write() as connection:
            retention.prune(connection, now=NOW + timedelta(hours=2))
            assert connection.exec_driver_sql("SELECT count(*) FROM job_turns").scalar_one() == 1
            retention.prune(connection, now=NOW + timedelta(days=2))
            assert connection.exec_driver_sql("SELECT count(*) FROM job_turns").scalar_one() == 0


class TestAhead:
    def test_it_counts_the_own_company_only_and_no_more_of_each_than_take_their_turn(self, store: Store) -> None:
        mine = add(store, ACME, "ann", 3)
        add(store, ACME, "abe", 10)
        add(store, GLOBEX, "bob", 20)
        with store.read() as connection:
            assert [job_turns.ahead(connection, job, now=NOW) for job in mine] == [1, 3, 5]

    def test_a_job_that_runs_or_is_not_due_does_not_wait_for_its_turn(self, store: Store) -> None:
        (job,) = add(store, ACME, "ann")
        with store.read() as connection:
            assert job_turns.ahead(connection, job, now=NOW - timedelta(seconds=1)) is None
        running = Worker(store).take()
        assert running is not None
        with store.read() as connection:
            assert job_turns.ahead(connection, running, now=NOW) is None
