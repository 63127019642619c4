"""Traces: spans from a request through the job that it started to the query that ran, by OpenTelemetry's own names and headers.

Without `start_tracing` every call here does nothing measurable. Spans carry ids, kinds, counts and durations; never a question, a value,
a name of a person or a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from core.errors import AppError, Invalid
from core.settings import Settings

_TRACER = trace.get_tracer("querent")
_NO_LINK = frozenset({"tracestate", "baggage"})


@contextmanager
def span(name: str, kind: SpanKind = SpanKind.INTERNAL, **attributes: str | int | float) -> Iterator[Span]:
    """A span around the block; an error marks it with its code or type, without its text."""
    with _TRACER.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield made
        except BaseException as error:
            made.set_status(Status(StatusCode.ERROR, error.code if isinstance(error, AppError) else type(error).__name__))
            raise


def carried() -> dict[str, str]:
    """The headers that carry the present span to another process; empty when nothing is traced."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return {name: value for name, value in headers.items() if name not in _NO_LINK}


@contextmanager
def continued(headers: Mapping[str, str]) -> Iterator[None]:
    """Spans of the block belong to the trace that `headers` carry, if they carry one."""
    known = {name.lower(): value for name, value in headers.items() if name.lower() == "traceparent"}
    token = context.attach(propagate.extract(known))
    try:
        yield
    finally:
        context.detach(token)


def start_tracing(settings: Settings, part: str) -> bool:
    """Sends this process's spans to `otlp_url`; whether there is one. Once per process, after forking: it starts a thread.

    part: api, worker or beat. Raises: Invalid when the extra `otel` is not installed.
    """
    if not settings.otlp_url:
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise Invalid("QUERENT_OTLP_URL needs the extra otel: pip install 'querent[otel]'.", code="no_otel") from error
    resource = Resource.create({"service.name": f"querent-{part}", "deployment.environment.name": settings.environment})
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(settings.trace_share)), shutdown_on_exit=True)
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_url.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return True
