"""Querent as tools of the Model Context Protocol: the same rights, the same guard, the same receipts as over HTTP.

Over HTTP it is mounted at /mcp and needs an API key (Authorization: Bearer ...); `querent mcp` serves one user over standard input and output.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api import answering, schemas
from api.credentials import principal as principal_of
from api.definitions import formula, metric_definitions
from api.investigations import job_params
from api.problems import from_app_error
from api.services import Services
from api.study_view import with_view
from core.errors import AppError, NotFound, UserError
from core.ids import JobId
from core.principal import Principal
from core.store import jobs
from core.timeseries import Grain
from semantic.query import ByTime, MetricRef, SemanticQuery
from workers.queue import enqueue

ROWS_SHOWN = 100
WAIT_S = 60.0
POLL_S = 0.25
INSTRUCTIONS = (
    "Answers questions about a company's metrics. Call list_metrics first, then ask in plain English; every answer carries its SQL and "
    "definitions. When the outcome is clarify, call ask again with `choice`; when it is refuse, the words listed are not in the catalog."
)
Who = Callable[[Context[Any, Any]], Principal]


def make_server(services: Services, who: Who) -> MCPServer[Any]:
    """The tools, acting for whoever `who` says is calling."""
    server: MCPServer[Any] = MCPServer("querent", instructions=INSTRUCTIONS)

    @server.tool()
    async def list_metrics(ctx: Context[Any, Any]) -> dict[str, Any]:
        """The metrics that may be asked about: name, label, meaning and formula."""
        seen = await run_in_threadpool(services.catalogs.visible, who(ctx))
        return {
            "metrics": [
                {"name": m.name, "label": m.label, "description": m.description, "unit": m.unit, "formula": formula(m, seen.catalog)}
                for m in seen.catalog.metrics
                if not m.hidden
            ]
        }

    @server.tool()
    async def describe_metric(name: str, ctx: Context[Any, Any]) -> dict[str, Any]:
        """One metric with the definitions of everything it is made of."""
        seen = await run_in_threadpool(services.catalogs.visible, who(ctx))
        metric = _said(lambda: seen.catalog.metric(name))
        return {"definitions": [d.model_dump() for d in metric_definitions(metric, seen.catalog)]}

    @server.tool()
    async def ask(question: str, ctx: Context[Any, Any], choice: int | None = None) -> dict[str, Any]:
        """Answers a question in plain English with rows and a receipt, asks back with choices, or names what it does not know."""
        try:
            request = schemas.AskRequest(question=question, choice=choice)
            answer = await answering.ask(services, who(ctx), request)
        except AppError as error:
            raise ToolError(_shown(error)) from error
        if answer.job is not None:
            return await _finished(services, who(ctx), answer.job.id)
        document = answer.model_dump(mode="json", exclude_none=True, exclude={"chart", "query"})
        document["rows"] = document.get("rows", [])[:ROWS_SHOWN]
        return document

    @server.tool()
    async def forecast(metric: str, ctx: Context[Any, Any], horizon: int = 28, grain: str = "day") -> dict[str, Any]:
        """What a metric is expected to be, with 80 and 95 % intervals. grain: hour, day, week, month, quarter or year."""
        return await _study(services, who(ctx), "forecast", metric, grain, horizon)

    @server.tool()
    async def explain_change(metric: str, ctx: Context[Any, Any], grain: str = "month") -> dict[str, Any]:
        """Which segments account for a metric's change from the period before the last complete one to that one."""
        return await _study(services, who(ctx), "explain", metric, grain)

    @server.tool()
    async def get_insights(metric: str, ctx: Context[Any, Any], grain: str = "day") -> dict[str, Any]:
        """What was unusual in a metric's history."""
        return await _study(services, who(ctx), "detect", metric, grain)

    return server


class McpApp:
    """The server over streamable HTTP. A call without a valid credential gets a 401 problem and reaches no tool."""

    def __init__(self, services: Services) -> None:
        self.server = make_server(services, _caller)
        # DNS rebinding is of no use against a server that takes API keys only, never cookies.
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        self._app: ASGIApp = self.server.streamable_http_app(
            streamable_http_path="/", stateless_http=True, json_response=True, transport_security=security
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            if "authorization" not in request.headers:
                raise UserError("Send Authorization: Bearer <API key>.", code="unauthenticated", status=401)
            scope.setdefault("state", {})["principal"] = await principal_of(request)
        except AppError as error:
            await from_app_error(request, error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _caller(ctx: Context[Any, Any]) -> Principal:
    request = ctx.request_context.request
    found = request.scope["state"].get("principal") if isinstance(request, Request) else None
    if not isinstance(found, Principal):
        raise ToolError("No credential came with this call.")
    return found


async def _study(
    services: Services, principal: Principal, kind: str, metric: str, grain: str, horizon: int | None = None
) -> dict[str, Any]:
    try:
        query = SemanticQuery(metrics=(MetricRef(metric=metric),), by=(ByTime(grain=Grain(grain)),))
        seen = await run_in_threadpool(services.catalogs.visible, principal)
        params = job_params(kind, query, seen.catalog, horizon)
        job = await run_in_threadpool(enqueue, services.core, kind, params, principal, None)
    except AppError as error:
        raise ToolError(_shown(error)) from error
    return await _finished(services, principal, job)


async def _finished(services: Services, principal: Principal, job_id: str) -> dict[str, Any]:
    """The job's headline, sentences and table once it is done; after a minute, where to look."""

    def load() -> jobs.Job:
        with services.store.read() as connection:
            return jobs.get(connection, principal.tenant, JobId(job_id))

    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        job = await run_in_threadpool(load)
        if job.status.is_final:
            if job.error is not None:
                raise ToolError(str(job.error.get("message", "The job failed.")))
            view = with_view(job.kind, job.result) or {}
            return {"job": job_id, **{key: view[key] for key in ("headline", "narrative", "view_table", "receipt") if view.get(key)}}
        await asyncio.sleep(POLL_S)
    return {"job": job_id, "status": "still running", "href": f"/v1/jobs/{job_id}"}


def _said(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except NotFound as error:
        raise ToolError(_shown(error)) from error


def _shown(error: AppError) -> str:
    if isinstance(error, UserError):
        return f"{error.message} {'Try: ' + ', '.join(error.suggestions) if error.suggestions else ''}".strip()
    return error.message if error.retryable else "Something went wrong on our side."
