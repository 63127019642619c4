"""Brings a source's rows into the tenant's own database: fetched or copied by the engine, swapped in at once, written down with what changed."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import Unavailable, UserError
from core.ids import new_id, tenant_database
from core.private import private_folder
from core.store import audit, catalogs, datasets, sources
from core.store.audit import Happening
from core.store.catalogs import NewCatalog
from core.store.datasets import DatasetLoad
from core.store.sources import Outcome, Run, Source
from semantic.ingest.load import load_files
from semantic.ingest.types import LoadOptions
from workers.context import JobContext
from workers.jobs.infer_catalog import infer
from workers.jobs.load_file import refresh_known_values
from workers.kinds import InferCatalogParams, RefreshSourceParams
from workers.sources.copying import COPY_S, Copy
from workers.sources.drift import drift, refuse_drift
from workers.sources.fetch import TOTAL_S, fetch
from workers.sources.forgetting import without_columns
from workers.sources.remote import remote
from workers.sources.spec import Kafka, Plan, WebFile, read_address
from workers.sources.streaming import Stream, noted
from workers.sources.tick import after_failure
from workers.sources.vault import Vault

# Longer than the longest run: a second one beside it would drop what the first has staged.
LEASE = dt.timedelta(seconds=TOTAL_S + COPY_S + 300)


def run(context: JobContext) -> dict[str, Any]:
    """{"source", "table", "outcome", "rows", "total", "drift", ...}: the run as it is kept.

    Raises: UserError when the source cannot be read or does not fit (nothing is changed then); Unavailable when the warehouse is away or
    another run of the same source is not done yet.
    """
    params = RefreshSourceParams.model_validate(context.job.params)
    services, started_at = context.services, context.services.clock.now()
    with services.store.write() as connection:
        source = sources.get(connection, context.tenant, params.source)
        held = sources.claim(connection, context.tenant, source.id, context.job_id, now=started_at, lease_for=LEASE)
    if not held:
        raise Unavailable("Another run of this source is not done yet; this one follows it.", code="source_busy")
    try:
        report = _refreshed(context, source, full=params.full)
        outcome: Outcome = "unchanged" if report.pop("unchanged", False) else "ok"
        _note(context, source, _run(context, source, outcome, report, started_at))
    except UserError as error:
        if not error.retryable:
            _note(
                context,
                source,
                _run(context, source, "failed", {"error": {"code": error.code, "message": error.message}}, started_at),
                error,
            )
        raise
    finally:
        with services.store.write() as connection:
            sources.release(connection, context.tenant, source.id, context.job_id)
    note = _tell_catalog(context, source, report) if outcome == "ok" else ""
    return {"source": source.name, "table": source.table_name, "outcome": outcome, "note": note, **report}


def _refreshed(context: JobContext, source: Source, *, full: bool) -> dict[str, Any]:
    plan = Plan.model_validate(source.plan)
    address = read_address(dict(source.connection), Vault.of(context.services).unseal(source.sealed))
    context.progress("connect", 0, 1)
    if isinstance(address, WebFile):
        return _fetched(context, source, address, plan, full=full)
    if isinstance(address, Kafka):
        return _streamed(context, source, address, plan, full=full)
    admin, allowed = context.services.admin, context.services.settings.outbound_hosts
    copy = Copy(admin, tenant_database(context.tenant), plan, remote(address, allowed))
    context.progress("copy", 0, 1)
    done = copy.run(full=full, published=context.check_cancelled)
    return {
        "origin": address.origin,
        "mode": "full" if full else plan.mode,
        "rows": done.rows,
        "total": done.total,
        "columns": {column.name: column.type for column in done.columns},
        "drift": done.drift.shown,
        "from": done.before,
        "to": done.after,
    }


def _streamed(context: JobContext, source: Source, address: Kafka, plan: Plan, *, full: bool) -> dict[str, Any]:
    services = context.services
    last = _last_run(context, source)
    known = noted(last.report) if last is not None and last.started_at > source.updated_at else {}
    stream = Stream(
        services.admin, tenant_database(context.tenant), plan, address, services.settings.outbound_hosts, known,
        origin=str(last.report.get("origin") or "") if last is not None else "",
    )  # fmt: skip
    context.progress("copy", 0, 1)
    done = stream.run(full=full, check=context.check_cancelled)
    return {
        "origin": address.origin,
        "mode": "full" if full else plan.mode,
        "rows": done.rows,
        "total": done.total,
        "columns": dict(done.columns),
        "drift": done.drift.shown,
        "positions": {str(partition): offset for partition, offset in done.positions.items()},
        "behind": done.behind,
        "missed": done.missed,
        "set_aside": done.set_aside,
        "empty": done.empty,
    }


def _fetched(context: JobContext, source: Source, address: WebFile, plan: Plan, *, full: bool) -> dict[str, Any]:
    services = context.services
    last = _last_run(context, source)
    before = last.report if last is not None else {}
    known = last is not None and last.started_at > source.updated_at  # else it may be another file's: the address or the table changed
    folder = private_folder(services.uploads) / context.job_id  # its own, so that messages name the file as its owner knows it
    try:
        found = fetch(
            address, folder, _stem(address.origin), stamp=str(before.get("stamp") or "") if known and not full else "",
            allowed=services.settings.outbound_hosts, max_bytes=services.settings.max_upload_bytes,
        )  # fmt: skip
        if found.path is None:
            return dict(before) | {"rows": 0, "unchanged": True, "drift": drift({}, {}).shown}
        context.progress("copy", 0, 1)
        report = load_files(
            [found.path], context.tenant, services.admin, LoadOptions(names={found.path: plan.table}),
            on_progress=lambda _, share: context.progress("copy", share, 1),
            on_learnt=lambda types: refuse_drift(drift(dict(before.get("columns") or types), types), plan, full=True),
        )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = report.tables[0]
    columns = {column.name: column.type for column in table.columns}
    return {
        "origin": address.origin,
        "mode": "full",
        "rows": table.rows_loaded,
        "total": table.rows_loaded,
        "columns": columns,
        "drift": drift(dict(before.get("columns") or columns), columns).shown,
        "set_aside": table.rows_rejected,
        "stamp": found.stamp,
    }


def _stem(url: str) -> str:
    """
    >>> _stem("https://example.com/a/Sales 2025.csv.gz"), _stem("https://example.com/")
    ('Sales_2025', 'file')
    """
    return re.sub(r"[^A-Za-z0-9-]+", "_", url.rpartition("/")[2].partition(".")[0])[:80] or "file"


def _last_run(context: JobContext, source: Source) -> Run | None:
    """The last that did not fail."""
    with context.services.store.read() as connection:
        known = sources.runs(connection, context.tenant, source.id, failed=False, limit=1)
    return known[0] if known else None


def _run(context: JobContext, source: Source, outcome: Outcome, report: Mapping[str, Any], started_at: dt.datetime) -> Run:
    ended_at = context.services.clock.now()
    return Run(new_id("run"), source.id, context.job_id, outcome, int(report.get("rows", 0)), report, started_at, ended_at)


def _note(context: JobContext, source: Source, run: Run, error: UserError | None = None) -> None:
    """The run, the table's entry among the tenant's data, and the audit entry, kept together. Of a source that was removed meanwhile the
    table stays, as it does of one that is removed later."""
    now = run.ended_at
    with context.services.store.write() as connection:
        is_there = sources.exists(connection, context.tenant, source.id)
        if error is None:
            if is_there:
                sources.record(connection, source, run)
            load = DatasetLoad(
                source.table_name, source.table_name, f"{source.name} ({source.kind})", "ready", source.created_by,
                rows_loaded=int(run.report.get("total", 0)), rows_rejected=int(run.report.get("set_aside", 0)),
                report={"source": source.id, "origin": run.report.get("origin", "")}, job_id=context.job_id,
            )  # fmt: skip
            datasets.put(connection, context.tenant, load, now=now)
        elif is_there:
            again_at = after_failure(source, source.failures, now)
            sources.record(connection, source, run, error=error.message, next_run_at=again_at)
        details = {"rows": run.rows_written, "table": source.table_name}
        happening = Happening(context.job.user, "source.refresh", source.id, run.outcome if error is None else error.code, details)
        audit.append(connection, context.tenant, happening, now=now)


def _tell_catalog(context: JobContext, source: Source, report: Mapping[str, Any]) -> str:
    """New tables and columns can be asked at once, and new values are known. What stood in the way of that; the rows are in, whatever it is."""
    plan = Plan.model_validate(source.plan)
    found = report["drift"]
    try:
        if found["removed"]:
            _forget(context, source, found["removed"])
        if plan.infer_catalog and (source.refreshed_at is None or any(found.values())):
            infer(context, InferCatalogParams(note=f"Source {source.name}"[:300]), (), ("catalog", "catalog", "catalog"))
        refresh_known_values(context)
    except UserError as error:
        return error.message
    return ""


def _forget(context: JobContext, source: Source, gone: Sequence[str]) -> None:
    """Raises: Invalid when the catalog needs what is gone; Conflict when somebody changed it meanwhile."""
    with context.services.store.read() as connection:
        version = catalogs.current_version(connection, context.tenant)
    if not version:
        return
    current = context.services.catalog(context.tenant, version)
    changed = without_columns(current, tenant_database(context.tenant), source.table_name, gone)
    if changed != current:
        document = changed.model_copy(update={"version": version + 1}).model_dump(mode="json")
        new = NewCatalog(document, context.job.user, note=f"Source {source.name}: {', '.join(gone)} gone"[:300], expected_version=version)
        with context.services.store.write() as connection:
            catalogs.append(connection, context.tenant, new, now=context.services.clock.now())
