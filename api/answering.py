"""ask: question -> understanding -> guarded query -> rows -> chart, headline, receipt. The same flow serves HTTP, pages, CLI and MCP."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool

from api import rendering, schemas
from api.asked import AskedLog
from api.catalogs import VisibleCatalog
from api.definitions import definitions
from api.investigations import investigation
from api.language_model import by_language_model
from api.outlooks import forecast_params, with_measure
from api.services import Services
from api.still_ahead import forecast_instead, is_ahead
from core.errors import AppError, InternalError, Invalid, UserError
from core.principal import Principal
from insights.asked import asked_of
from insights.chart import chart
from insights.headline import headline
from nlq.chips import chips_of, paraphrase
from nlq.dialogue import remember
from nlq.types import Chip, DialogueState, Intent, Reading, Understanding
from nlq.wording import Wording
from semantic.query import SemanticQuery
from semantic.states import GuardedQuery, Param

SHOWN_ROWS = 1_000
Step = Literal["understanding", "understood", "running", "charting"]
Told = Callable[[Step, str], None]  # a step that begins, and what is known by then, in words


def untold(step: Step, detail: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When the question counts as asked, a stopwatch, and who is told of each step."""

    as_of: dt.datetime
    started: float
    told: Told = untold

    @classmethod
    def of(cls, services: Services, as_of: dt.date | None, told: Told = untold) -> Moment:
        now = services.clock.now() if as_of is None else dt.datetime.combine(as_of, dt.time(12), tzinfo=dt.UTC)
        return cls(now, time.perf_counter(), told)

    def ms(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 2)


async def ask(services: Services, principal: Principal, request: schemas.AskRequest, told: Told = untold) -> schemas.Answer:
    """Answers, asks back, refuses, or starts a job; logs the question whatever happens.

    Raises: UserError, Unavailable.
    """
    return await _in_turn(services, principal, lambda: _ask(services, principal, request, told))


async def _in_turn(services: Services, principal: Principal, work: Callable[[], Awaitable[AskedLog]]) -> schemas.Answer:
    """Who waits for the log holds no turn, unless their company floods."""
    async with services.turns.turn(principal.tenant):
        log = await work()
        if services.turns.is_held_back(principal.tenant):
            return await log.kept()
    return await log.kept()


async def _ask(services: Services, principal: Principal, request: schemas.AskRequest, told: Told) -> AskedLog:
    moment = Moment.of(services, request.as_of, told)
    log = AskedLog(services, principal, request)
    try:
        moment.told("understanding", "")
        visible, dialogue, understood = await run_in_threadpool(_understand, services, principal, request.question, moment, log)
        if services.settings.llm_model:
            async with services.turns.paused():
                understood = await run_in_threadpool(
                    by_language_model, services, principal, visible, request.question, understood, moment.as_of
                )
            understood = await run_in_threadpool(with_measure, services, principal, visible, request.question, understood, moment.as_of)
        answer = await _act(services, principal, visible, request, understood, moment)
    except AppError as error:
        log.failed(error, moment.ms())
        return log
    await log.finished(answer, understood.dialogue or dialogue)
    return log


async def run(services: Services, principal: Principal, request: schemas.QueryRequest) -> schemas.Answer:
    """Runs a SemanticQuery as it is. Raises: UserError, Unavailable."""
    return await _in_turn(services, principal, lambda: _reading_without_words(services, principal, request, Intent.ASK))


async def investigate(services: Services, principal: Principal, request: schemas.QueryRequest, intent: Intent) -> schemas.Answer:
    """Starts the job that answers why, what comes next or what is unusual about a SemanticQuery. Raises: UserError, Unavailable."""
    return await (await _reading_without_words(services, principal, request, intent)).kept()


async def _reading_without_words(services: Services, principal: Principal, request: schemas.QueryRequest, intent: Intent) -> AskedLog:
    moment = Moment.of(services, request.as_of)
    visible = await run_in_threadpool(services.catalogs.visible, principal)
    chips = _chips(request.query, visible, intent)
    reading = Reading(intent, request.query, chips, 1.0, paraphrase(chips))
    question = request.question or reading.paraphrase[:4_000] or "(edited query)"
    asked = schemas.AskRequest(question=question, as_of=request.as_of, conversation_id=request.conversation_id)
    log = AskedLog(services, principal, asked)
    try:
        dialogue = await run_in_threadpool(log.dialogue)
        if intent is Intent.ASK:
            answer = await answer_query(services, principal, visible, request.query, moment)
        else:
            params = await _forecast_params(services, principal, visible, reading, request.question, moment)
            answer = await investigation(services, principal, visible.catalog, reading, moment.as_of, params, request.question)
    except AppError as error:
        log.failed(error, moment.ms())
        return log
    _describe_reading(answer, reading)
    answer.confidence = None
    answer.question = question
    answer.suggestions = (await run_in_threadpool(visible.understander.follow_ups, reading))[:6]
    await log.finished(answer, remember(dialogue, question, (reading,)))
    return log


def _chips(query: SemanticQuery, visible: VisibleCatalog, intent: Intent) -> tuple[Chip, ...]:
    """None for a query that names what the caller does not see: running it says so in better words."""
    try:
        return chips_of(query, Wording(visible.catalog), intent, {})
    except UserError:
        return ()


def _understand(
    services: Services, principal: Principal, question: str, moment: Moment, log: AskedLog
) -> tuple[VisibleCatalog, DialogueState | None, Understanding]:
    """In one go, as each way to a thread and back takes its time; a missing measure is found here unless a language model comes first."""
    visible, dialogue = services.catalogs.visible(principal), log.dialogue()
    understood = visible.understander.understand(question, as_of=moment.as_of, dialogue=dialogue)
    if not services.settings.llm_model:
        understood = with_measure(services, principal, visible, question, understood, moment.as_of)
    return visible, dialogue, understood


async def _forecast_params(
    services: Services, principal: Principal, visible: VisibleCatalog, reading: Reading, question: str, moment: Moment
) -> dict[str, Any] | None:
    """A forecast's period, goal and scenario, as the words of the question say; None for other readings."""
    if reading.intent is not Intent.FORECAST:
        return None
    return await run_in_threadpool(forecast_params, services, principal, visible.catalog, reading, question, moment.as_of)


async def _act(
    services: Services,
    principal: Principal,
    visible: VisibleCatalog,
    request: schemas.AskRequest,
    understood: Understanding,
    moment: Moment,
) -> schemas.Answer:
    outcome, readings, message = understood.outcome, understood.readings, understood.message
    restricted = visible.closed.asked_for(request.question, [word.text for word in understood.unknown])
    if restricted is not None:
        outcome, message = "refuse", f"“{restricted}” is data that your roles do not show. Ask an administrator, or ask without it."
    reading: Reading | None
    if request.choice is not None and restricted is None:
        if request.choice >= len(readings):
            raise Invalid(f"There are {len(readings)} readings to choose from; found the choice {request.choice}.", code="bad_choice")
        outcome, readings = "answer", readings[request.choice : request.choice + 1]
    if outcome == "answer":
        reading = readings[0]
        moment.told("understood", reading.paraphrase)
        answer = None
        if reading.intent not in {Intent.WHY, Intent.FORECAST, Intent.UNUSUAL, Intent.SCAN}:
            answer = await answer_query(services, principal, visible, reading.query, moment)
            if is_ahead(reading.query, answer, visible.catalog.calendar, moment.as_of):
                ahead = await run_in_threadpool(forecast_instead, visible.understander, reading, request.question, moment.as_of)
                reading, answer = (reading, answer) if ahead is None else (ahead, None)
        if answer is None:
            params = await _forecast_params(services, principal, visible, reading, request.question, moment)
            answer = await investigation(services, principal, visible.catalog, reading, moment.as_of, params, request.question)
        _describe_reading(answer, reading)
        answer.suggestions = answer.suggestions or (await run_in_threadpool(visible.understander.follow_ups, reading))[:6]
    else:
        reading = readings[0] if readings else None
        answer = schemas.Answer(id="", question=request.question, outcome=outcome, message=message)
        answer.choices = [rendering.choice(i, r) for i, r in enumerate(readings[:4])] if outcome == "clarify" else []
        answer.suggestions = list(understood.suggestions)
    answer.question = request.question
    answer.unknown = [rendering.unknown(word) for word in understood.unknown]
    answer.understanding_ms = round(understood.ms, 2)
    answer.as_of = moment.as_of
    answer.ms = moment.ms()
    return answer


def _describe_reading(answer: schemas.Answer, reading: Reading) -> None:
    answer.intent = reading.intent.value
    answer.chips = [rendering.chip(c) for c in reading.chips]
    answer.confidence = round(reading.confidence, 3)
    answer.paraphrase = reading.paraphrase
    answer.query = reading.query.model_dump(mode="json", exclude_none=True)


async def answer_query(
    services: Services, principal: Principal, visible: VisibleCatalog, query: SemanticQuery, moment: Moment, *, is_logged: bool = True
) -> schemas.Answer:
    """Resolve -> compile -> guard -> verify -> cache or run -> chart, headline, receipt. is_logged: the caller logs it as a question."""
    guarded = guard(services, principal, visible, query, moment.as_of)
    moment.told("running", "")
    result = await services.run_cached(principal, guarded, is_logged=is_logged, catalog_version=visible.catalog.version)
    rows = result.rows()
    moment.told("charting", f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'}")
    columns = Wording(visible.catalog).columns(result.columns, query)
    asked = asked_of(query, visible.catalog, moment.as_of)
    said = headline(columns, rows, guarded.windows, truncated=result.truncated, asked=asked)
    return schemas.Answer(
        id="",
        question="",
        outcome="answer",
        headline=said,
        query=query.model_dump(mode="json", exclude_none=True),
        columns=[rendering.column(c) for c in columns],
        rows=rendering.rows(rows[:SHOWN_ROWS]),
        row_count=len(rows),
        truncated=result.truncated or len(rows) > SHOWN_ROWS,
        chart=chart(columns, rows, title=said, now=asked.now),
        receipt=rendering.receipt(guarded, result, definitions(query, visible.catalog), visible.catalog.version),
        as_of=moment.as_of,
        ms=moment.ms(),
    )


def guard(services: Services, principal: Principal, visible: VisibleCatalog, query: SemanticQuery, as_of: dt.datetime) -> GuardedQuery:
    """The kernel: names resolve against what the caller may see; the guard scopes with the whole catalog.

    Raises: UserError.
    """
    full = services.catalogs.full(principal.tenant, visible.catalog.version)
    return visible.guarded.guarded(query, full, principal, as_of=as_of, trust=services.core.trust)


async def answer_sql(services: Services, principal: Principal, request: schemas.SqlRequest) -> schemas.Answer:
    """Analyst SQL through the same guard and verifier. Raises: UserError, Unavailable."""
    sql, params = request.sql, {name: Param(p.type, p.value) for name, p in request.parameters.items()}
    moment = Moment.of(services, None)
    log = AskedLog(services, principal, schemas.AskRequest(question=sql[:4_000]))
    try:
        async with services.turns.turn(principal.tenant):
            guarded = await run_in_threadpool(services.guard_sql, principal, sql, params)
            result = await services.run_cached(principal, guarded, is_logged=True)
    except UserError as error:
        log.failed(error, moment.ms())
        return await log.kept()
    except InternalError as error:
        if error.code != "warehouse_error":
            raise
        # What an analyst wrote and the engine refuses in words that we do not know is a mistake in the SQL rather than ours; its name says more.
        log.failed(Invalid(f"The SQL could not be run: {error.message}", code="query_failed_on_data"), moment.ms())
        return await log.kept()
    rows = result.rows()
    answer = schemas.Answer(
        id="",
        question=sql,
        outcome="answer",
        intent="sql",
        columns=rendering.columns_of(result),
        rows=rendering.rows(rows[:SHOWN_ROWS]),
        row_count=len(rows),
        truncated=result.truncated or len(rows) > SHOWN_ROWS,
        receipt=rendering.receipt(guarded, result, [], services.catalogs.full(principal.tenant).version),
        ms=moment.ms(),
    )
    await log.finished(answer, None)
    return await log.kept()
