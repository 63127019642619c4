"""What insights found: kept narratives, what readers say of facts, what insights may do for a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.credentials import Caller
from api.insight_schemas import FactFeedback
from api.others_jobs import load as load_job
from api.paging import Cursor, PageSize, at, cut
from api.routes.jobs import view
from api.services import Services, services_of
from core.errors import Conflict, Forbidden, NotFound
from core.principal import Principal
from core.rights import Right, may
from core.store import audit, fact_votes, findings, tenants
from core.store.audit import Happening
from core.store.fact_votes import FactVote
from core.store.findings import InsightEntry, Stored
from insights.kept_texts import kept_retold
from insights.retold import names_in, retold
from workers.jobs.budget import SETTING, InsightSettings, insight_settings
from workers.queue import enqueue

router = APIRouter(prefix="/v1/insights", tags=["insights"])


class SettingsBody(InsightSettings):
    """What insights may do for this tenant; admins only."""


@router.get("", summary="Your insights, newest first")
async def list_insights(
    request: Request,
    caller: Caller,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = findings.list_all(connection, caller.tenant, InsightEntry, before_id=cursor, limit=limit)
        items = [_row(item) for item in found if _entry(item).created_by == caller.user]
        return schemas.Page(items=items, next=found[-1].id if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.get("/feedback", summary="What you said of facts")
async def list_feedback(request: Request, caller: Caller, cursor: Cursor = None, limit: PageSize = 200) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            votes = fact_votes.list_all(connection, caller.tenant, caller.user)
        return cut(
            votes, lambda vote: at(vote.at or services.clock.now(), vote.topic), _vote, cursor=cursor, limit=limit, newest_first=True
        )

    return await run_in_threadpool(read)


@router.delete("/feedback/{topic}", status_code=204, summary="Take back what you said of a fact")
async def retract(request: Request, topic: str, caller: Caller) -> None:
    services = services_of(request)

    def take_back() -> None:
        with services.store.write() as connection:
            if not fact_votes.retract(connection, caller.tenant, caller.user, topic[:16]):
                raise NotFound("You have said nothing of this.", code="unknown_feedback")

    await run_in_threadpool(take_back)


@router.get("/settings", summary="What insights may do for this tenant")
async def get_settings(request: Request, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    found = await run_in_threadpool(insight_settings, services.store, caller.tenant)
    return found.model_dump(mode="json")


@router.put("/settings", summary="Switch insights off, for all or some metrics; cap what one run may ask")
async def put_settings(request: Request, body: SettingsBody, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    if not may(caller, Right.ADMIN):
        raise Forbidden("Only admins change what insights may do.")

    def change() -> dict[str, Any]:
        catalog = services.catalogs.full(caller.tenant)
        for name in body.off_metrics:
            catalog.metric(name)
        s = services.settings
        if body.rephrase and not (s.llm_base_url and s.llm_model and s.llm_sees_values):
            raise Conflict(
                "No language model is connected that may see values: an operator sets QUERENT_LLM_BASE_URL, QUERENT_LLM_MODEL and "
                "QUERENT_LLM_SEES_VALUES first.",
                code="no_language_model",
            )
        with services.store.write() as connection:
            tenants.set_settings(connection, caller.tenant, {SETTING: body.model_dump(mode="json")})
            audit.append(connection, caller.tenant, Happening(caller.user, "insights.settings", SETTING), now=services.clock.now())
        return body.model_dump(mode="json")

    return await run_in_threadpool(change)


@router.get("/{insight_id}", summary="One kept insight with its facts")
async def get_insight(request: Request, insight_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def read() -> dict[str, Any]:
        found = load(services, caller, insight_id)
        with services.store.read() as connection:
            votes = {vote.topic: vote.verdict for vote in fact_votes.list_all(connection, caller.tenant, caller.user)}
        entry = _entry(found)
        return _row(found) | {"facts": kept_retold(entry.facts), "feedback": {t: v for t, v in votes.items() if t in _topics(entry)}}

    return await run_in_threadpool(read)


@router.post("/{insight_id}/rebuild", status_code=202, summary="Make an old narrative again, with the templates of its own version")
async def rebuild(request: Request, insight_id: str, caller: Caller) -> schemas.JobView:
    services = services_of(request)

    def start() -> schemas.JobView:
        found = load(services, caller, insight_id)
        if not _entry(found).words:
            raise Conflict("This narrative was made before versions of the words were kept.", code="words_unknown")
        job_id = enqueue(services.core, "rebuild_narrative", {"insight": found.id}, caller)
        return view(load_job(services, caller, job_id))

    return await run_in_threadpool(start)


@router.post("/{insight_id}/facts/{fact_id}/feedback", summary="Was this fact useful? It counts for you only, and can be taken back")
async def feedback(request: Request, insight_id: str, fact_id: str, body: FactFeedback, caller: Caller) -> dict[str, Any]:
    """What it does is shown in the score of later facts: `reader`, with the reasons."""
    services = services_of(request)

    def vote() -> dict[str, Any]:
        found = load(services, caller, insight_id)
        fact, sentence = _fact(_entry(found), fact_id)
        topic = str(fact["topic"])
        with services.store.write() as connection:
            if body.verdict is None:
                fact_votes.retract(connection, caller.tenant, caller.user, topic)
            else:
                quantity = cast(Mapping[str, Any], fact["quantity"])
                metric = str(quantity["name"] or quantity["label"])
                made = FactVote(topic, str(fact["kind"]), metric, body.verdict, found.id, sentence)
                fact_votes.put(connection, caller.tenant, caller.user, made, now=services.clock.now())
        return {"insight_id": found.id, "fact": fact_id, "topic": topic, "verdict": body.verdict}

    return await run_in_threadpool(vote)


def load(services: Services, caller: Principal, key: str) -> Stored:
    """By its id or its job's. Raises: NotFound, also for what was made with somebody else's rights."""
    with services.store.read() as connection:
        found = findings.get(connection, caller.tenant, InsightEntry, key)
    if _entry(found).created_by != caller.user:
        raise NotFound(f"There is no insight {key[:60]!r}.", code="unknown_insight")
    return found


def _entry(found: Stored) -> InsightEntry:
    return cast(InsightEntry, found.entry)


def _row(found: Stored) -> dict[str, Any]:
    entry = _entry(found)
    return {
        "id": found.id, "job_id": entry.job_id, "metric": entry.metric, "kind": entry.kind, "headline": retold(entry.headline, names_in(entry.facts.get("told", ()))),
        "words": entry.words, "created_at": found.created_at,
    }  # fmt: skip


def _all_facts(entry: InsightEntry) -> list[Mapping[str, Any]]:
    facts = [*entry.facts.get("told", ()), *entry.facts.get("facts", ())]
    return [fact for fact in facts if isinstance(fact, Mapping) and "topic" in fact]


def _topics(entry: InsightEntry) -> set[str]:
    return {str(fact["topic"]) for fact in _all_facts(entry)}


def _fact(entry: InsightEntry, fact_id: str) -> tuple[Mapping[str, Any], str]:
    """The fact and the sentence that told it. Raises: NotFound."""
    told = list(entry.facts.get("told", ()))
    for fact in _all_facts(entry):
        if fact.get("id") == fact_id:
            place = next((i for i, other in enumerate(told) if other.get("id") == fact_id), None)
            sentences = list(entry.facts.get("sentences", ()))
            return fact, str(sentences[place]) if place is not None and place < len(sentences) else ""
    raise NotFound(f"This insight has no fact {fact_id[:40]!r}.", code="unknown_fact")


def _vote(vote: FactVote) -> dict[str, Any]:
    return {name: getattr(vote, name) for name in FactVote.__dataclass_fields__}
