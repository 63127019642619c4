"""One trace from a request through the job to the query on the warehouse, in OpenTelemetry's own exporter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.services import Services
from core.ids import JobId, TenantId
from core.settings import Settings
from core.tracing import start_tracing
from workers.jobs import FUNCTIONS
from workers.run import run_job

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(made))
    trace.set_tracer_provider(provider)
    yield made
    provider.shutdown()


def test_request_job_and_query_are_one_trace_without_anything_private(
    executive: Any, services: Services, exporter: InMemorySpanExporter
) -> None:
    link = executive.post("/v1/insights", {"metric": "revenue"}, headers={"traceparent": CALLER}).json()
    assert "id" in link, link
    run_job(services.core, FUNCTIONS, TenantId("acme"), JobId(link["id"]))
    executive.post("/v1/ask", {"question": "revenue by secret-word last month"}, headers={"traceparent": CALLER})
    spans = exporter.get_finished_spans()
    mine = [s for s in spans if f"{s.context.trace_id:032x}" == CALLER.split("-")[1]]
    by_name = {s.name: s for s in mine}
    request, job = by_name["POST /v1/insights"], by_name["job explain"]
    queries = [s for s in mine if s.name == "warehouse query" and s.parent is not None and s.parent.span_id == job.context.span_id]
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLER.split("-")[2]
    assert job.parent is not None
    assert job.parent.span_id == request.context.span_id
    assert queries
    assert all(s.attributes and s.attributes["querent.rows_read"] >= 0 for s in queries)
    assert "secret-word" not in "".join(s.to_json() for s in spans)


def test_nothing_is_sent_without_a_collector() -> None:
    assert start_tracing(Settings(otlp_url="", _env_file=None), "api") is False  # type: ignore[call-arg]
