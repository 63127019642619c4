"""Learning from feedback: what people say becomes proposals; what an analyst approves becomes a new catalog version, evaluated at once."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from api.services import Services
from core.errors import AppError, Conflict, Invalid, NotFound, UserError
from core.ids import JobId, TenantId
from core.principal import Principal
from core.store import catalogs, evaluations, proposals, questions
from core.store.evaluations import Evaluation
from core.store.proposals import NewProposal, Proposal, ProposalStatus
from nlq import learning
from nlq.learning import Proposed
from nlq.verified import plain
from semantic.catalog.model import Catalog
from semantic.catalog.versions import Published, publish
from semantic.compile import compile_query
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from workers.principals import system_principal
from workers.queue import enqueue

log = structlog.get_logger("api")


class StoredHistory:
    """A tenant's catalog versions in the state store, in one transaction (`semantic.catalog.versions.History`)."""

    def __init__(self, connection: Connection, services: Services, principal: Principal) -> None:
        self._connection, self._services, self._principal = connection, services, principal

    def current(self) -> Catalog | None:
        version = catalogs.current_version(self._connection, self._principal.tenant)
        return self.get(version) if version else None

    def get(self, version: int) -> Catalog:
        row = catalogs.get(self._connection, self._principal.tenant, version)
        return Catalog.model_validate({**row.document, "version": row.version})

    def append(self, catalog: Catalog, *, note: str, expected_version: int, restored_from: int | None) -> int:
        document = catalog.model_copy(update={"version": expected_version + 1}).model_dump(mode="json")
        new = catalogs.NewCatalog(
            document=document, author=self._principal.user, note=note, expected_version=expected_version, restored_from=restored_from
        )
        return catalogs.append(self._connection, self._principal.tenant, new, now=self._services.clock.now()).version


# ---------------------------------------------------------------- feedback


def take_feedback(
    services: Services,
    principal: Principal,
    question_id: str,
    *,
    verdict: str,
    comment: str = "",
    wrong: str | None = None,
    word: str = "",
    means: str = "",
    query: SemanticQuery | None = None,
) -> tuple[questions.Feedback, list[Proposal]]:
    """Keeps what was said, and what it proposes: "right" proposes the question as verified, a word with its meaning a synonym, a corrected
    query the question with that query.

    Raises: NotFound; Invalid for a meaning or query that does not fit the catalog.
    """
    visible = services.catalogs.visible(principal).catalog if (word or query or verdict == "up") else None
    proposed: list[Proposed] = []
    with services.store.read() as connection:
        asked = questions.get(connection, principal.tenant, question_id)
    if visible is not None and word:
        with suppress(Conflict):  # it is known by now
            proposed.append(learning.synonym(word, means, visible))
    if visible is not None and query is not None:
        compile_query(resolve(query, visible, as_of=services.clock.now()))
        proposed.append(learning.verified(asked.entry.text, query))
    if visible is not None and verdict == "up" and query is None:
        found = _answered_query(asked)
        if found is not None and not any(plain(v.question) == plain(asked.entry.text) for v in visible.verified):
            proposed.append(learning.verified(asked.entry.text, found))
    correction: dict[str, Any] = {k: v for k, v in (("wrong", wrong), ("word", word), ("means", means)) if v}
    if query is not None:
        correction["query"] = query.model_dump(mode="json", exclude_none=True)
    now = services.clock.now()
    with services.store.write() as connection:
        saved = questions.give_feedback(
            connection, principal.tenant, principal.user, question_id, verdict="up" if verdict == "up" else "down", comment=comment,
            correction=correction or None, now=now,
        )  # fmt: skip
        made = [
            proposals.propose(connection, principal.tenant, principal.user, NewProposal(p.kind, p.payload, p.summary, question_id), now=now)
            for p in proposed
        ]
    return saved, made


def _answered_query(asked: questions.Question) -> SemanticQuery | None:
    """What was run for it; follow-ups mean nothing without the question before them, so short ones of a conversation are left out."""
    query = (asked.entry.reading or {}).get("query")
    answer = asked.entry.answer or {}
    if (
        asked.entry.outcome != "answer"
        or not query
        or answer.get("intent") != "ask"
        or str(answer.get("paraphrase", "")).startswith("Verified:")
    ):
        return None
    if (
        asked.entry.text.lower().split(" ", 1)[0] in {"and", "only", "without", "what", "same", "their", "but", "now", "instead"}
        and len(asked.entry.text.split()) < 5
    ):
        return None
    return SemanticQuery.model_validate(query)


# ---------------------------------------------------------------- decisions


def list_proposals(
    services: Services, principal: Principal, status: ProposalStatus | None = None, before: str | None = None
) -> tuple[Proposal, ...]:
    with services.store.read() as connection:
        return proposals.list_all(connection, principal.tenant, status=status, before_id=before)


def approve(services: Services, principal: Principal, key: str, *, note: str = "") -> Proposal:
    """A new catalog version with the proposal in it, and an evaluation of the verified questions on their way.

    Raises: NotFound; Conflict when it was decided or the catalog changed meanwhile; Invalid when it does not fit the catalog any more.
    """
    with services.store.write() as connection:
        found = proposals.get(connection, principal.tenant, key)
        if found.status != "open":
            raise Conflict(f"This proposal was {found.status} already.", code="proposal_decided")
        history = StoredHistory(connection, services, principal)
        current = history.current()
        if current is None:
            raise NotFound("This tenant has no catalog yet.", code="no_catalog")
        changed = learning.applied(current, found.kind, found.payload, approved_by=principal.user, note=note)
        _refuse_what_does_not_run(services, changed, found)
        published = publish(history, changed, note=f"Approved: {found.summary}"[:1_000], expected_version=current.version)
        decided = proposals.decide(
            connection,
            principal.tenant,
            key,
            principal.user,
            "approved",
            now=services.clock.now(),
            note=note,
            catalog_version=published.version,
        )
    evaluate_later(services, principal, published.version)
    return decided


def reject(services: Services, principal: Principal, key: str, *, note: str = "") -> Proposal:
    """Raises: NotFound; Conflict."""
    with services.store.write() as connection:
        return proposals.decide(connection, principal.tenant, key, principal.user, "rejected", now=services.clock.now(), note=note)


def _refuse_what_does_not_run(services: Services, catalog: Catalog, found: Proposal) -> None:
    if found.kind == "verified":
        try:
            compile_query(resolve(SemanticQuery.model_validate(found.payload["query"]), catalog, as_of=services.clock.now()))
        except UserError as error:
            raise Invalid(f"The proposed query does not run on the current catalog: {error.message}", code="bad_query") from error


def verify_question(services: Services, principal: Principal, question: str, query: SemanticQuery, *, note: str = "") -> Published:
    """Raises: Invalid for a question without words or a query that does not run; Conflict."""
    proposed = learning.verified(question, query)
    with services.store.write() as connection:
        history = StoredHistory(connection, services, principal)
        current = history.current()
        if current is None:
            raise NotFound("This tenant has no catalog yet.", code="no_catalog")
        compile_query(resolve(query, current, as_of=services.clock.now()))
        changed = learning.applied(current, proposed.kind, proposed.payload, approved_by=principal.user, note=note)
        published = publish(history, changed, note=proposed.summary[:1_000], expected_version=current.version)
    evaluate_later(services, principal, published.version)
    return published


def forget_question(services: Services, principal: Principal, question: str) -> Published:
    """Raises: Invalid when it is not verified; Conflict."""
    with services.store.write() as connection:
        history = StoredHistory(connection, services, principal)
        current = history.current()
        if current is None:
            raise NotFound("This tenant has no catalog yet.", code="no_catalog")
        changed = learning.without_verified(current, question)
        return publish(history, changed, note=f"No longer verified: {question}"[:1_000], expected_version=current.version)


# ---------------------------------------------------------------- evaluations


def evaluate_later(services: Services, principal: Principal, version: int) -> JobId | None:
    """The job that runs the verified questions of a new version against the one before; None when nothing is verified, or when it cannot be
    accepted now: what was published stays published.
    """
    with services.store.read() as connection:
        document = catalogs.get(connection, principal.tenant, version).document
        before = catalogs.get(connection, principal.tenant, version - 1).document if version > 1 else {}
    if not document.get("verified") and not before.get("verified"):
        return None
    try:
        return enqueue(services.core, "evaluate_questions", {"version": version}, system_principal(principal.tenant), f"evaluate-{version}")
    except AppError as error:
        log.warning("evaluation_not_started", tenant=principal.tenant, version=version, code=error.code)
        return None


def list_evaluations(services: Services, tenant: TenantId, *, before_id: str | None = None, limit: int = 50) -> tuple[Evaluation, ...]:
    with services.store.read() as connection:
        return evaluations.list_all(connection, tenant, before_id=before_id, limit=limit)


def get_evaluation(services: Services, tenant: TenantId, key: str) -> Evaluation:
    """Raises: NotFound."""
    with services.store.read() as connection:
        return evaluations.get(connection, tenant, key)
