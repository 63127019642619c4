"""Jobs: accepted once, held by one, never lost, never finished twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict, NotFound
from core.ids import JobId, TenantId, UserId
from core.store import Store, job_events, job_leases, jobs, retention
from core.store.job_leases import Lease, Progress
from core.store.jobs import Job, JobStatus, NewJob

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
USER = UserId("usr_ann")
LEASE = timedelta(seconds=30)


def add_job(store: Store, key: str | None = None, **params: object) -> Job:
    with store.write() as connection:
        return jobs.create(connection, ACME, USER, NewJob("forecast", "heavy", params, key), now=NOW)


def claim(store: Store, job: Job, owner: str = "w1", seconds: float = 0) -> Job | None:
    with store.write() as connection:
        return job_leases.claim(connection, Lease(job.id, ACME, owner), now=NOW + timedelta(seconds=seconds), lease_for=LEASE)


class TestCreate:
    def test_the_same_key_and_request_is_the_same_job(self, store: Store) -> None:
        assert add_job(store, "k", metric="a") == add_job(store, "k", metric="a")

    def test_the_same_key_for_another_request_is_a_conflict(self, store: Store) -> None:
        add_job(store, "k", metric="a")
        with pytest.raises(Conflict):
            add_job(store, "k", metric="b")

    def test_keys_belong_to_a_user_and_tenant(self, store: Store) -> None:
        first = add_job(store, "k", metric="a")
        with store.write() as connection:
            other = jobs.create(connection, ACME, UserId("usr_bob"), NewJob("forecast", "heavy", {"metric": "b"}, "k"), now=NOW)
            third = jobs.create(connection, GLOBEX, USER, NewJob("forecast", "heavy", {"metric": "c"}, "k"), now=NOW)
        assert len({first.id, other.id, third.id}) == 3

    def test_another_tenant_sees_nothing_of_it(self, store: Store) -> None:
        job = add_job(store)
        with store.write() as connection:
            with pytest.raises(NotFound):
                jobs.get(connection, GLOBEX, job.id)
            with pytest.raises(NotFound):
                jobs.request_cancel(connection, GLOBEX, job.id, now=NOW)
            assert jobs.list_all(connection, GLOBEX) == ()
            assert job_events.after(connection, GLOBEX, job.id) == ()
            assert job_leases.claim(connection, Lease(job.id, GLOBEX, "w"), now=NOW, lease_for=LEASE) is None

    def test_pages_go_on_after_the_last_id(self, store: Store) -> None:
        made = [add_job(store).id for _ in range(5)]
        with store.read() as connection:
            first = jobs.list_all(connection, ACME, limit=3)
            second = jobs.list_all(connection, ACME, limit=3, before_id=first[-1].id)
        assert sorted(made) == sorted(job.id for job in (*first, *second))


class TestLease:
    def test_one_of_two_claimants_wins(self, store: Store) -> None:
        job = add_job(store)
        held = claim(store, job, "w1")
        assert held is not None
        assert (held.status, held.attempts, held.lease_owner) == (JobStatus.RUNNING, 1, "w1")
        assert claim(store, job, "w2") is None

    def test_a_finished_job_cannot_be_claimed_or_finished_again(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job)
        with store.write() as connection:
            assert job_leases.finish(connection, Lease(job.id, ACME, "w1"), {"n": 1}, now=NOW)
            assert not job_leases.finish(connection, Lease(job.id, ACME, "w1"), {"n": 2}, now=NOW)
            assert not job_leases.fail(connection, Lease(job.id, ACME, "w1"), {"code": "x"}, now=NOW)
        assert claim(store, job) is None
        with store.read() as connection:
            assert jobs.get(connection, ACME, job.id).result == {"n": 1}

    def test_who_lost_the_lease_changes_nothing(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job, "w1")
        with store.write() as connection:
            for lost in job_leases.running(connection):
                assert job_leases.reclaim(connection, lost, max_losses=3, now=NOW) is JobStatus.PENDING
        claim(store, job, "w2")
        old = Lease(job.id, ACME, "w1")
        with store.write() as connection:
            assert not job_leases.heartbeat(connection, old, now=NOW, lease_for=LEASE).holds
            assert not job_leases.report(connection, old, Progress("fit", 0.9, 9, 10), now=NOW)
            assert not job_leases.save_checkpoint(connection, old, {"x": 1}, now=NOW)
            assert not job_leases.finish(connection, old, {}, now=NOW)
            assert not job_leases.put_back(connection, old, not_before=NOW, reason={}, now=NOW)
            job_now = jobs.get(connection, ACME, job.id)
        assert (job_now.status, job_now.lease_owner, job_now.attempts, job_now.losses) == (JobStatus.RUNNING, "w2", 2, 1)
        assert (job_now.progress, job_now.checkpoint) == (0.0, {})

    def test_a_job_put_back_waits_until_its_time(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job)
        with store.write() as connection:
            later = NOW + timedelta(seconds=8)
            assert job_leases.put_back(connection, Lease(job.id, ACME, "w1"), not_before=later, reason={"code": "unavailable"}, now=NOW)
            waiting = jobs.get(connection, ACME, job.id)
        assert (waiting.status, waiting.error) == (JobStatus.PENDING, {"code": "unavailable"})
        assert claim(store, job, "w2", seconds=7) is None
        again = claim(store, job, "w2", seconds=8)
        assert again is not None
        assert (again.attempts, again.error) == (2, None)

    def test_a_job_that_kills_its_workers_fails_in_the_end(self, store: Store) -> None:
        job = add_job(store)
        for attempt in range(3):
            assert claim(store, job, f"w{attempt}") is not None
            with store.write() as connection:
                (lost,) = job_leases.running(connection)
                status = job_leases.reclaim(connection, lost, max_losses=3, now=NOW)
        assert status is JobStatus.FAILED
        with store.read() as connection:
            ended = jobs.get(connection, ACME, job.id)
        assert ended.error is not None
        assert ended.error["code"] == "worker_lost"

    def test_only_one_of_two_reapers_takes_a_job_back(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job)
        with store.write() as connection:
            (lost,) = job_leases.running(connection)
            assert job_leases.reclaim(connection, lost, max_losses=3, now=NOW) is JobStatus.PENDING
            assert job_leases.reclaim(connection, lost, max_losses=3, now=NOW) is None

    def test_a_heartbeat_between_look_and_reclaim_saves_the_job(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job)
        with store.write() as connection:
            (seen,) = job_leases.running(connection)
            job_leases.heartbeat(connection, Lease(job.id, ACME, "w1"), now=NOW + timedelta(seconds=31), lease_for=LEASE)
            assert job_leases.reclaim(connection, seen, max_losses=3, now=NOW) is None


class TestCancel:
    def test_a_waiting_job_is_cancelled_at_once(self, store: Store) -> None:
        job = add_job(store)
        with store.write() as connection:
            assert jobs.request_cancel(connection, ACME, job.id, now=NOW).status is JobStatus.CANCELLED
        assert claim(store, job) is None

    def test_a_running_job_is_asked_and_its_lost_worker_ends_it(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job)
        with store.write() as connection:
            asked = jobs.request_cancel(connection, ACME, job.id, now=NOW)
            assert (asked.status, asked.cancel_requested) == (JobStatus.RUNNING, True)
            assert job_leases.heartbeat(connection, Lease(job.id, ACME, "w1"), now=NOW, lease_for=LEASE).cancel_requested
            (lost,) = job_leases.running(connection)
            assert job_leases.reclaim(connection, lost, max_losses=3, now=NOW) is JobStatus.CANCELLED

    def test_a_finished_job_stays_as_it_is(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job)
        with store.write() as connection:
            job_leases.finish(connection, Lease(job.id, ACME, "w1"), {}, now=NOW)
            assert jobs.request_cancel(connection, ACME, job.id, now=NOW).status is JobStatus.DONE


class TestEvents:
    def test_events_are_numbered_without_gaps_and_resume_anywhere(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job)
        lease = Lease(job.id, ACME, "w1")
        with store.write() as connection:
            for done in range(3):
                job_leases.report(connection, lease, Progress("fit", done / 4, done, 4), now=NOW)
            job_leases.finish(connection, lease, {}, now=NOW)
            events = job_events.after(connection, ACME, job.id)
            assert [event.sequence for event in events] == [1, 2, 3, 4, 5, 6]
            assert [event.kind for event in events] == ["status", "status", "progress", "progress", "progress", "status"]
            assert events[-1].data["status"] == "DONE"
            assert job_events.after(connection, ACME, job.id, 4) == events[4:]


class TestUnsent:
    def test_a_message_is_missing_when_none_was_sent_or_its_time_is_over(self, store: Store) -> None:
        job = add_job(store)

        def unsent(seconds: float) -> list[job_leases.Unsent]:
            with store.read() as connection:
                found = job_leases.unsent(connection, now=NOW + timedelta(seconds=seconds), overdue_after=timedelta(seconds=20))
            return list(found)

        (never,) = unsent(0)
        assert (never.job, never.queue, never.sent_at) == (job.id, "heavy", None)
        with store.write() as connection:
            assert job_leases.take_sending(connection, never, now=NOW)
            assert not job_leases.take_sending(connection, never, now=NOW)  # the other of two who would send it
        assert unsent(19) == []
        (overdue,) = unsent(20)
        with store.write() as connection:
            assert job_leases.take_sending(connection, overdue, now=NOW + timedelta(seconds=20))
        assert unsent(39) == []
        with store.write() as connection:
            job_leases.mark_unsent(connection, ACME, job.id)
        assert unsent(39) == [never]

    def test_a_long_line_hides_no_other_queue(self, store: Store) -> None:
        line = [add_job(store) for _ in range(3)]
        with store.write() as connection:
            for job in line:
                job_leases.mark_sent(connection, ACME, job.id, now=NOW)
            new = jobs.create(connection, ACME, line[0].user, jobs.NewJob("load_file", "default", {}), now=NOW)
            job_leases.mark_sent(connection, ACME, new.id, now=NOW)
            never = jobs.create(connection, ACME, line[0].user, jobs.NewJob("forecast", "heavy", {}), now=NOW)
        with store.read() as connection:
            found = job_leases.unsent(connection, now=NOW, overdue_after=timedelta(0), limit=1)
        assert [one.job for one in found] == [never.id, line[0].id, new.id]

    def test_a_running_or_unknown_job_is_not_sent(self, store: Store) -> None:
        job = add_job(store)
        claim(store, job)
        with store.write() as connection:
            job_leases.mark_sent(connection, ACME, JobId("job_unknown"), now=NOW)
            assert job_leases.unsent(connection, now=NOW, overdue_after=timedelta(0)) == ()


class TestRetention:
    def test_progress_of_old_jobs_goes_and_their_statuses_stay(self, store: Store) -> None:
        old, running = add_job(store), add_job(store)
        for job in (old, running):
            claim(store, job)
        with store.write() as connection:
            for job in (old, running):
                job_leases.report(connection, Lease(job.id, ACME, "w1"), Progress("fit", 0.5, 1, 2), now=NOW)
            job_leases.finish(connection, Lease(old.id, ACME, "w1"), {}, now=NOW)
            assert retention.prune(connection, now=NOW + timedelta(days=7)).progress_events == 0
            assert retention.prune(connection, now=NOW + timedelta(days=7, seconds=1)).progress_events == 1
            assert [event.kind for event in job_events.after(connection, ACME, old.id)] == ["status", "status", "status"]
            assert len(job_events.after(connection, ACME, running.id)) == 3
