"""Loads an uploaded file into the tenant's own database and completes the catalog, so that it can be asked at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import Conflict, NotFound, UserError
from core.ids import tenant_database
from core.store import catalogs, datasets
from core.store.datasets import DatasetLoad
from semantic.ingest.load import load_files
from semantic.ingest.types import LoadOptions, LoadReport, TableReport
from workers.context import JobContext
from workers.jobs.infer_catalog import infer, require_editor
from workers.kinds import InferCatalogParams, LoadFileParams


def run(context: JobContext) -> dict[str, Any]:
    """{"tables": [reports], "catalog": what inference made of it, or None}.

    Raises: UserError for a file that cannot be loaded (nothing is changed then); Unavailable when the warehouse is away.
    """
    params = LoadFileParams.model_validate(context.job.params)
    require_editor(context)
    upload = context.services.uploads / params.upload
    context.progress("read file", 0, 1)
    try:
        reports = _loaded(context, params, upload)
    except UserError as error:
        _note_failure(context, params, error)
        upload.unlink(missing_ok=True)
        raise
    catalog = None
    if params.infer_catalog:
        steps = ("infer catalog", "infer catalog", "infer catalog")
        catalog = infer(context, InferCatalogParams(note=f"Loaded {params.original_name}"[:300]), (), steps)
    refresh_known_values(context)
    upload.unlink(missing_ok=True)
    return {"tables": reports, "catalog": catalog}


def refresh_known_values(context: JobContext) -> None:
    """The new values are known to the next question; without a catalog there is nothing to index."""
    with context.services.store.read() as connection:
        known = catalogs.current_version(connection, context.tenant)
    if known:
        context.services.value_files.refresh(context.services.catalog(context.tenant), context.tenant, context.services.admin)


def _loaded(context: JobContext, params: LoadFileParams, upload: Path) -> list[dict[str, Any]]:
    """Loads once: a run that comes after a finished load takes its report from the checkpoint.

    Raises: Conflict when an append was cut off and cannot be told to have happened or not.
    """
    checkpoint = context.job.checkpoint
    if "reports" in checkpoint:
        return list(checkpoint["reports"])
    if not upload.is_file():
        raise NotFound("The uploaded file is no longer there; upload it again.", code="upload_gone")
    if params.mode == "append":
        _guard_append(context, params, checkpoint)
    _note(
        context,
        params,
        DatasetLoad(params.dataset, params.dataset, params.original_name, "loading", context.job.user, job_id=context.job_id),
    )
    options = LoadOptions(mode=params.mode, names={upload: params.dataset})
    report = load_files(
        [upload], context.tenant, context.services.admin, options, on_progress=lambda _, share: context.progress("load", share, 1)
    )
    reports = _as_json(report, params)
    context.save_checkpoint({"reports": reports})
    if params.dataset not in {table.table for table in report.tables}:
        with context.services.store.write() as connection:
            datasets.forget_loading(connection, context.tenant, params.dataset)
    for table, shown in zip(report.tables, reports, strict=True):
        _note(
            context,
            params,
            DatasetLoad(
                name=table.table,
                table_name=table.table,
                source=params.original_name,
                status="ready",
                created_by=context.job.user,
                rows_loaded=table.rows_loaded,
                rows_rejected=table.rows_rejected,
                report=shown,
                job_id=context.job_id,
            ),
        )
    return reports


def _guard_append(context: JobContext, params: LoadFileParams, checkpoint: Mapping[str, Any]) -> None:
    """An append cannot be repeated blindly: after a cut-off it is repeated only if the table is still what it was before."""
    version = context.services.admin.data_version(tenant_database(context.tenant), [params.dataset])
    before = checkpoint.get("before_append")
    if before is not None and before != version:
        raise Conflict(
            f"Appending {params.original_name!r} was cut off when it was almost done, and {params.dataset!r} has changed since: look whether its "
            "rows are there, and upload the file again if they are not.",
            code="append_cut_off",
        )
    context.save_checkpoint({"before_append": version})


def _note_failure(context: JobContext, params: LoadFileParams, error: UserError) -> None:
    """Keeps a dataset that was there before as it is; a new one is shown as failed with the reason."""
    with context.services.store.read() as connection:
        known = [d for d in datasets.list_all(connection, context.tenant, limit=1000) if d.name == params.dataset]
    if known and known[0].rows_loaded:
        kept = known[0]
        load = DatasetLoad(
            kept.name,
            kept.table_name,
            kept.source,
            "ready",
            kept.created_by,
            kept.rows_loaded,
            kept.rows_rejected,
            kept.report,
            kept.job_id,
        )
    else:
        report = {"error": {"code": error.code, "message": error.message}}
        load = DatasetLoad(
            params.dataset, params.dataset, params.original_name, "failed", context.job.user, report=report, job_id=context.job_id
        )
    _note(context, params, load)


def _note(context: JobContext, params: LoadFileParams, load: DatasetLoad) -> None:
    with context.services.store.write() as connection:
        known = {d.name: d for d in datasets.list_all(connection, context.tenant, limit=1000)}
        if load.status == "loading" and load.name in known and known[load.name].rows_loaded:
            return  # what is there stays visible as ready while its replacement loads
        datasets.put(connection, context.tenant, load, now=context.services.clock.now())


def _as_json(report: LoadReport, params: LoadFileParams) -> list[dict[str, Any]]:
    return [_table(table, params.original_name) for table in report.tables]


def _table(table: TableReport, source: str) -> dict[str, Any]:
    return {
        "source": source,
        "database": table.database,
        "table": table.table,
        "rows_loaded": table.rows_loaded,
        "rows_rejected": table.rows_rejected,
        "columns": [{"name": c.name, "source": c.source, "type": c.type, "nulls": c.nulls, "note": c.note} for c in table.columns],
        "rejected": [{"line": r.line, "column": r.column, "reason": r.reason, "row": r.row[:500]} for r in table.rejected],
        "rejected_table": table.rejected_table,
        "notes": list(table.notes),
    }
