"""Proposals: one for the same suggestion, decided once, never another tenant's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import Conflict, NotFound
from core.ids import TenantId, UserId
from core.store import Store, evaluations, proposals
from core.store.evaluations import NewEvaluation
from core.store.proposals import NewProposal

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
ANN, BOB = UserId("usr_ann"), UserId("usr_bob")
NOW = datetime(2026, 3, 2, tzinfo=UTC)
NEW = NewProposal("synonym", {"word": "takings", "means": "metric:revenue"}, "“takings” means Revenue")


class TestPropose:
    def test_the_same_proposal_gains_a_voice(self, store: Store) -> None:
        with store.write() as connection:
            first = proposals.propose(connection, ACME, ANN, NEW, now=NOW)
            again = proposals.propose(connection, ACME, BOB, NEW, now=NOW)
            assert (again.id, again.voices) == (first.id, 2)
            assert proposals.propose(connection, ACME, ANN, NEW, now=NOW).voices == 2
            assert proposals.propose(connection, GLOBEX, ANN, NEW, now=NOW).id != first.id

    def test_one_that_was_rejected_does_not_come_back(self, store: Store) -> None:
        with store.write() as connection:
            made = proposals.propose(connection, ACME, ANN, NEW, now=NOW)
            proposals.decide(connection, ACME, made.id, BOB, "rejected", now=NOW, note="no")
            assert proposals.propose(connection, ACME, ANN, NEW, now=NOW).status == "rejected"
            assert proposals.list_all(connection, ACME, status="open") == ()

    def test_it_is_decided_once(self, store: Store) -> None:
        with store.write() as connection:
            made = proposals.propose(connection, ACME, ANN, NEW, now=NOW)
            proposals.decide(connection, ACME, made.id, BOB, "approved", now=NOW, catalog_version=3)
            with pytest.raises(Conflict):
                proposals.decide(connection, ACME, made.id, BOB, "rejected", now=NOW)

    def test_another_tenant_finds_nothing(self, store: Store) -> None:
        with store.write() as connection:
            made = proposals.propose(connection, ACME, ANN, NEW, now=NOW)
            with pytest.raises(NotFound):
                proposals.decide(connection, GLOBEX, made.id, BOB, "approved", now=NOW)
            assert proposals.list_all(connection, GLOBEX) == ()


class TestEvaluations:
    def test_a_job_that_runs_twice_leaves_one(self, store: Store) -> None:
        with store.write() as connection:
            for regressions in (1, 2):
                evaluations.save(connection, ACME, NewEvaluation("job_1", 3, 2, 5, regressions, {"items": []}, ANN), now=NOW)
            (kept,) = evaluations.list_all(connection, ACME)
            assert kept.regressions == 2
            with pytest.raises(NotFound):
                evaluations.get(connection, GLOBEX, kept.id)
