"""How a job can end, run in this process on a real state store."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from core.errors import Invalid, NotEnoughData, Unavailable
from core.ids import JobId, TenantId
from core.store import job_events, job_leases, jobs, tenants, users
from core.store.jobs import Job, JobStatus
from core.store.users import User
from workers import heartbeat
from workers.bootstrap import Services
from workers.context import GivesWay, JobContext
from workers.kinds import KINDS
from workers.queue import cancel, enqueue
from workers.reaper import reap
from workers.run import JobFunction, run_job, run_next

ACME = TenantId("acme")


def read(services: Services, job: JobId) -> Job:
    with services.store.read() as connection:
        return jobs.get(connection, ACME, job)


def accept(services: Services, ann: User, **params: Any) -> JobId:
    return enqueue(services, "diagnose", params, ann.principal())


def run(services: Services, job: JobId, function: JobFunction) -> Job:
    run_job(services, {"diagnose": function}, ACME, job)
    return read(services, job)


class TestEnds:
    def test_a_result_makes_it_done(self, services: Services, ann: User) -> None:
        job = accept(services, ann)
        done = run(services, job, lambda context: {"who": context.principal.user, "as_of": context.as_of.isoformat()})
        assert (done.status, done.progress, done.error, done.lease_owner) == (JobStatus.DONE, 1.0, None, None)
        assert done.result == {"who": ann.id, "as_of": done.created_at.isoformat()}

    def test_a_users_error_is_told(self, services: Services, ann: User) -> None:
        def fail(_: JobContext) -> Mapping[str, Any]:
            raise NotEnoughData("12 points are too few.", suggestions=["take a finer grain"])

        ended = run(services, accept(services, ann), fail)
        assert ended.status is JobStatus.FAILED
        assert dict(ended.error or {}) == {
            "code": "not_enough_data",
            "message": "12 points are too few.",
            "retryable": False,
            "suggestions": ["take a finer grain"],
        }

    @pytest.mark.parametrize("error", [KeyError("secret-value"), ZeroDivisionError(), ValueError("password=hunter2")])
    def test_a_defect_of_ours_is_hidden(self, services: Services, ann: User, error: Exception) -> None:
        def fail(_: JobContext) -> Mapping[str, Any]:
            raise error

        ended = run(services, accept(services, ann), fail)
        assert dict(ended.error or {})["code"] == "internal_error"
        assert "secret" not in str(ended.error)
        assert "hunter2" not in str(ended.error)

    def test_a_result_that_is_no_json_fails(self, services: Services, ann: User) -> None:
        ended = run(services, accept(services, ann), lambda _: {"mean": float("nan")})
        assert (ended.status, dict(ended.error or {})["code"]) == (JobStatus.FAILED, "internal_error")

    def test_what_is_away_makes_it_wait_longer_each_time(self, services: Services, ann: User) -> None:
        def away(_: JobContext) -> Mapping[str, Any]:
            raise Unavailable("The warehouse does not answer.")

        job = accept(services, ann)
        waits = []
        for _ in range(3):
            waiting = run(services, job, away)
            assert (waiting.status, dict(waiting.error or {})["code"]) == (JobStatus.PENDING, "unavailable")
            waits.append((waiting.not_before - waiting.updated_at).total_seconds())
            with services.store.write() as connection:
                connection.exec_driver_sql("UPDATE jobs SET not_before = created_at")
        assert 2 <= waits[0] <= 2.5 < 4 <= waits[1] <= 5 < 8 <= waits[2] <= 10
        assert run(services, job, lambda _: {}).status is JobStatus.DONE

    def test_after_a_day_of_waiting_it_gives_up(self, services: Services, ann: User) -> None:
        job = accept(services, ann)
        with services.store.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET created_at = '2020-01-01 00:00:00.000000'")

        def away(_: JobContext) -> Mapping[str, Any]:
            raise Unavailable("The warehouse does not answer.")

        assert run(services, job, away).status is JobStatus.FAILED

    def test_a_waiting_job_is_not_run_before_its_time(self, services: Services, ann: User) -> None:
        def away(_: JobContext) -> Mapping[str, Any]:
            raise Unavailable("The warehouse does not answer.")

        job = accept(services, ann)
        run(services, job, away)
        assert run_job(services, {"diagnose": lambda _: {}}, ACME, job) is None

    def test_an_unknown_job_is_nothing_to_do(self, services: Services) -> None:
        assert run_job(services, {}, ACME, JobId("job_none")) is None

    def test_another_tenant_cannot_run_it(self, services: Services, ann: User) -> None:
        job = accept(services, ann)
        assert run_job(services, {"diagnose": lambda _: {}}, TenantId("globex"), job) is None
        assert read(services, job).status is JobStatus.PENDING


class TestRights:
    def test_a_user_disabled_meanwhile_has_none(self, services: Services, ann: User) -> None:
        job = accept(services, ann)
        with services.store.write() as connection:
            users.set_disabled(connection, ACME, ann.id, True)
        assert dict(run(services, job, lambda _: {}).error or {})["code"] == "user_disabled"

    def test_a_tenant_disabled_meanwhile_has_none(self, services: Services, ann: User) -> None:
        job = accept(services, ann)
        with services.store.write() as connection:
            tenants.set_disabled(connection, ACME, True)
        assert dict(run(services, job, lambda _: {}).error or {})["code"] == "tenant_disabled"


class TestProgress:
    def test_events_tell_each_step_and_the_share_of_the_whole(self, services: Services, ann: User) -> None:
        def work(context: JobContext) -> Mapping[str, Any]:
            for done in range(1000):
                context.progress("hold", done, 1000)
            return {}

        job = accept(services, ann)
        run(services, job, work)
        with services.store.read() as connection:
            told = [event for event in job_events.after(connection, ACME, job) if event.kind == "progress"]
        assert told[0].data == {"step": "hold", "progress": 0.0, "done": 0, "total": 1000}
        assert len(told) < 50  # within a step at most four a second are written

    def test_a_step_that_the_kind_does_not_have_is_a_defect(self, services: Services, ann: User) -> None:
        def work(context: JobContext) -> Mapping[str, Any]:
            context.progress("dance")
            return {}

        assert dict(run(services, accept(services, ann), work).error or {})["code"] == "internal_error"

    def test_a_checkpoint_is_there_for_the_next_attempt(self, services: Services, ann: User) -> None:
        def first(context: JobContext) -> Mapping[str, Any]:
            context.save_checkpoint({"batch": 3})
            raise Unavailable("away")

        job = accept(services, ann)
        run(services, job, first)
        with services.store.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET not_before = created_at")
        assert run(services, job, lambda context: {"from": context.job.checkpoint["batch"]}).result == {"from": 3}


class TestCancel:
    def test_a_running_job_stops_at_its_next_progress(self, services: Services, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heartbeat, "BEAT_S", 0.05)
        job = accept(services, ann)

        def work(context: JobContext) -> Mapping[str, Any]:
            cancel(services, ACME, job)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                context.progress("hold")
                time.sleep(0.01)
            return {}

        ended = run(services, job, work)
        assert (ended.status, ended.result) == (JobStatus.CANCELLED, None)

    def test_a_stubborn_job_is_interrupted(self, services: Services, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heartbeat, "BEAT_S", 0.05)
        monkeypatch.setattr(heartbeat, "INTERRUPT_AFTER_S", 0.2)
        interrupted = threading.Event()

        def work(_: JobContext) -> Mapping[str, Any]:
            cancel(services, ACME, job)
            assert interrupted.wait(10)
            return {}

        job = accept(services, ann)
        run_job(services, {"diagnose": work}, ACME, job, ending=heartbeat.Ending(interrupted.set, kill=lambda: None))
        assert interrupted.is_set()

    def test_a_run_beyond_its_limit_is_interrupted_and_one_that_ignores_that_is_failed_and_killed(
        self, services: Services, ann: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(heartbeat, "BEAT_S", 0.05)
        monkeypatch.setattr(heartbeat, "HARD_LIMIT_MARGIN_S", 0.3)
        monkeypatch.setitem(KINDS, "diagnose", replace(KINDS["diagnose"], soft_limit_s=0))
        interrupted, killed = threading.Event(), threading.Event()

        def work(_: JobContext) -> Mapping[str, Any]:
            assert interrupted.wait(10)
            assert killed.wait(10)
            return {"too": "late"}

        job = accept(services, ann)
        assert run_job(services, {"diagnose": work}, ACME, job, ending=heartbeat.Ending(interrupted.set, killed.set)) is None
        ended = read(services, job)
        assert (ended.status, dict(ended.error or {})["code"], ended.result) == (JobStatus.FAILED, "job_timeout", None)


class TestLostLease:
    def test_a_run_whose_lease_was_taken_stops_and_writes_nothing(
        self, services: Services, ann: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(heartbeat, "BEAT_S", 0.05)
        job = accept(services, ann)

        def work(context: JobContext) -> Mapping[str, Any]:
            with services.store.write() as connection:
                for lost in job_leases.running(connection):
                    job_leases.reclaim(connection, lost, max_losses=9, now=services.clock.now())
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                context.check_cancelled()
                time.sleep(0.01)
            return {"wrong": True}

        assert run_job(services, {"diagnose": work}, ACME, job) is None
        after = read(services, job)
        assert (after.status, after.result, after.losses) == (JobStatus.PENDING, None, 1)

    def test_the_lease_is_renewed_while_the_job_runs(self, services: Services, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heartbeat, "BEAT_S", 0.05)
        job = accept(services, ann)

        def work(_: JobContext) -> Mapping[str, Any]:
            first = read(services, job).lease_until
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and read(services, job).lease_until == first:
                time.sleep(0.02)
            return {"renewed": read(services, job).lease_until != first}

        assert run(services, job, work).result == {"renewed": True}


class TestReaper:
    def test_a_job_of_a_dead_process_comes_back_before_its_lease_ends(self, services: Services, ann: User) -> None:
        from workers.holder import holder_name

        machine, _, _, run_id = holder_name().split("/")
        job = accept(services, ann)
        dead = job_leases.Lease(job, ACME, f"{machine}/4194303/1/{run_id}")
        with services.store.write() as connection:
            job_leases.claim(connection, dead, now=services.clock.now(), lease_for=timedelta(hours=1))
        assert reap(services).reclaimed == 1
        assert run(services, job, lambda _: {}).status is JobStatus.DONE

    def test_a_job_of_a_living_process_or_another_machine_stays(self, services: Services, ann: User) -> None:
        from workers.holder import holder_name

        for owner in (holder_name(), "other-machine/1/1/ab"):
            job = accept(services, ann)
            with services.store.write() as connection:
                job_leases.claim(connection, job_leases.Lease(job, ACME, owner), now=services.clock.now(), lease_for=timedelta(hours=1))
        assert reap(services).reclaimed == 0

    def test_as_many_messages_are_sent_again_as_were_lost(self, services: Services, ann: User) -> None:
        for _ in range(5):
            accept(services, ann)
        assert reap(services).sent == 0
        with services.store.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET sent_at = '2020-01-01 00:00:00.000000'")
        assert reap(services).sent == 0  # each still has its message
        messages = sorted((services.settings.home / "broker" / "messages").glob("*.msg"))
        for message in messages[1:4]:
            message.unlink()
        assert reap(services).sent == 3
        assert reap(services).sent == 0


class TestTurns:
    def test_a_message_starts_the_job_whose_turn_it_is(self, services: Services, ann: User) -> None:
        first, second = accept(services, ann), accept(services, ann)
        assert run_next(services, {"diagnose": lambda _: {}}, "default") is JobStatus.DONE
        assert [read(services, job).status for job in (first, second)] == [JobStatus.DONE, JobStatus.PENDING]
        assert run_next(services, {"diagnose": lambda _: {}}, "heavy") is None

    def test_the_end_of_a_job_at_the_companys_bound_lets_the_next_start(self, services: Services, ann: User) -> None:
        services.settings = services.settings.model_copy(update={"jobs_at_once": 1})
        first, second = accept(services, ann), accept(services, ann)
        folder = services.settings.home / "broker" / "messages"
        for message in folder.glob("*.msg"):
            message.unlink()
        held: list[JobStatus | None] = []

        def work(_: JobContext) -> Mapping[str, Any]:
            held.append(run_next(services, {"diagnose": lambda _: {}}, "default"))
            return {}

        assert run_next(services, {"diagnose": work}, "default") is JobStatus.DONE
        assert (held, read(services, first).status) == ([None], JobStatus.DONE)
        assert len(list(folder.glob("*.msg"))) == 1
        assert run_next(services, {"diagnose": lambda _: {}}, "default") is JobStatus.DONE
        assert read(services, second).status is JobStatus.DONE

    def test_what_gives_way_goes_on_after_those_who_wait(self, services: Services, ann: User) -> None:
        def part(context: JobContext) -> Mapping[str, Any]:
            if not context.job.checkpoint:
                context.save_checkpoint({"half": True})
                raise GivesWay(context.job.queue)
            return {"whole": True}

        job = accept(services, ann)
        waiting = run(services, job, part)
        assert (waiting.status, dict(waiting.error or {})["code"]) == (JobStatus.PENDING, "gives_way")
        ended = run(services, job, part)
        assert (ended.result, ended.attempts) == ({"whole": True}, 1)  # going on is no second attempt


class TestEnqueue:
    def test_the_message_holds_no_parameters(self, services: Services, ann: User) -> None:
        accept(services, ann, hold_s=1.234567)
        (message,) = (services.settings.home / "broker" / "messages").glob("*.msg")
        assert "1.234567" not in message.read_text()
        import base64
        import json

        body = json.loads(base64.b64decode(json.loads(message.read_text())["body"]))
        assert body[0][0] == "acme"
        assert str(body[0][1]).startswith("job_")
        assert len(body[0]) == 2

    def test_a_repeated_key_sends_nothing_more_once_it_ran(self, services: Services, ann: User) -> None:
        first = enqueue(services, "diagnose", {}, ann.principal(), "k")
        run(services, first, lambda _: {})
        assert enqueue(services, "diagnose", {}, ann.principal(), "k") == first
        assert len(list((services.settings.home / "broker" / "messages").glob("*.msg"))) == 1

    @pytest.mark.parametrize(
        ("kind", "params"),
        [
            ("forecast", {}),
            ("forecast", {"metric": "m", "measure": {"kind": "constant", "value": 1}}),
            ("forecast", {"metric": "m", "horizon_steps": 0}),
            ("forecast", {"metric": "m", "horizon_steps": 10**6}),
            ("forecast", {"metric": "m", "sql": "DROP TABLE x"}),
            ("load_file", {"upload": "../../etc/passwd", "original_name": "x", "dataset": "x"}),
            ("load_file", {"upload": "a.csv", "original_name": "x", "dataset": "x; DROP"}),
            ("diagnose", {"hold_s": -1}),
        ],
    )
    def test_bad_parameters_are_refused_before_anything_is_written(
        self, services: Services, ann: User, kind: str, params: dict[str, Any]
    ) -> None:
        with pytest.raises(Invalid):
            enqueue(services, kind, params, ann.principal())
        with services.store.read() as connection:
            assert jobs.list_all(connection, ACME) == ()


class TestInterruption:
    def test_the_time_limit_is_told_as_such(self, services: Services, ann: User) -> None:
        def work(_: JobContext) -> Mapping[str, Any]:
            raise SoftTimeLimitExceeded

        ended = run(services, accept(services, ann), work)
        assert (ended.status, dict(ended.error or {})["code"]) == (JobStatus.FAILED, "job_timeout")

    def test_an_interruption_after_a_cancel_is_a_cancel(self, services: Services, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heartbeat, "BEAT_S", 0.05)
        job = accept(services, ann)

        def work(context: JobContext) -> Mapping[str, Any]:
            cancel(services, ACME, job)
            assert context.heartbeat.cancelled.wait(10)
            raise SoftTimeLimitExceeded

        assert run(services, job, work).status is JobStatus.CANCELLED
