"""The FastAPI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import openapi, problems
from api.body_limits import BodyLimits
from api.idempotency import Idempotent
from api.mcp_server import McpApp
from api.middleware import RequestEnvelope
from api.routes import (
    admin,
    alerts,
    ask,
    auth,
    boards,
    catalog,
    channels,
    digests,
    forecasts,
    goals,
    health,
    incidents,
    insights,
    jobs,
    learning,
    models,
    scim,
    sources,
)
from api.services import Services
from api.web import lost, pages
from api.web.assets import STATIC
from workers.bootstrap import build_services


class CachedStatic(StaticFiles):
    """Built assets carry a hash of their content in their names, so browsers may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200 and path.startswith("assets/"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create_app(services: Services | None = None) -> FastAPI:
    """An application on the given services, else on those of the process's settings. Migrates the state store at start."""
    made = services or Services(build_services())
    tools = McpApp(made)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(made.core.migrate)
        async with tools.server.session_manager.run():
            yield
        await made.close()
        await run_in_threadpool(made.core.close)

    app = FastAPI(
        title="Querent", version=version("querent"), lifespan=lifespan,
        description="Questions about a company's metrics in plain English, answered with receipts. No LLM.",
        docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json",
    )  # fmt: skip
    app.state.services = made
    problems.install(app)
    lost.install(app)
    openapi.describe(app)
    for router in (
        ask.router,
        jobs.router,
        models.router,
        forecasts.router,
        goals.router,
        alerts.router,
        incidents.router,
        channels.router,
        insights.router,
        digests.router,
        boards.router,
        catalog.router,
        learning.router,
        auth.router,
        sources.router,
        admin.router,
        scim.router,
        health.router,
        pages.router,
    ):
        app.include_router(router)
    app.mount("/mcp", tools, name="mcp")
    app.mount("/static", CachedStatic(directory=STATIC), name="static")
    app.add_middleware(Idempotent)
    app.add_middleware(BodyLimits)
    app.add_middleware(RequestEnvelope)
    return app
