"""Sources as admins handle them: declared, changed, tested, run, and what became of them."""

from __future__ import annotations

from typing import Any

from api.preconditions import etag_of, hold, refuse_changed
from api.services import Services
from core.errors import Conflict, Invalid, NotFound
from core.ids import JobId, tenant_database
from core.principal import Principal
from core.store import audit, datasets, sources
from core.store.audit import Happening
from core.store.sources import NewSource, Run, Source
from semantic.catalog.model import Catalog, SimpleMetric
from semantic.ingest.table import REJECTED_SUFFIX, STAGING_MARK
from workers.queue import enqueue
from workers.sources.copying import read_columns
from workers.sources.remote import remote
from workers.sources.spec import AnyAddress, Kafka, SourceBody, WebFile, read_address
from workers.sources.streaming import look
from workers.sources.vault import Vault

_SHOWN = "id name kind table_name enabled created_at updated_at next_run_at refreshed_at failures last_error".split()
_OWN_SUFFIXES = (REJECTED_SUFFIX, STAGING_MARK)


def view(source: Source) -> dict[str, Any]:
    """Without its secrets."""
    shown = {name: getattr(source, name) for name in _SHOWN}
    return shown | {"connection": dict(source.connection), "plan": dict(source.plan), "has_secret": source.sealed is not None}


def run_view(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in "id job_id outcome rows_written report started_at ended_at".split()}


def lineage(source: Source, origin: str, catalog: Catalog | None) -> dict[str, Any]:
    """From where to where, and what in the catalog stands on it."""
    database = tenant_database(source.tenant)
    found = [d.name for d in catalog.datasets if (d.database, d.table) == (database, source.table_name)] if catalog else []
    metrics = [m.name for m in catalog.metrics if isinstance(m, SimpleMetric) and m.dataset in found] if catalog else []
    return {"origin": origin, "table": f"{database}.{source.table_name}", "datasets": found, "metrics": metrics}


def found(services: Services, caller: Principal, source_id: str) -> Source:
    """Raises: NotFound."""
    with services.store.read() as connection:
        return sources.get(connection, caller.tenant, source_id)


def load(services: Services, caller: Principal, source_id: str) -> dict[str, Any]:
    """A source with its lineage and its last run. Raises: NotFound."""
    with services.store.read() as connection:
        source = sources.get(connection, caller.tenant, source_id)
        last = sources.runs(connection, caller.tenant, source_id, limit=1)
    try:
        catalog = services.core.catalog(caller.tenant)
    except NotFound:
        catalog = None
    origin = read_address(dict(source.connection), {}).origin if source.kind not in _KEYED else str(source.connection.get("url", ""))
    return view(source) | {"lineage": lineage(source, origin, catalog), "last_run": run_view(last[0]) if last else None}


_KEYED = ("s3", "iceberg", "delta")  # whose keys come in pairs, so that the half that is shown is not whole


def declare(services: Services, caller: Principal, body: SourceBody) -> Source:
    """Raises: Conflict when name or table is taken; Invalid for a table that Querent keeps for itself."""
    _check_table(services, caller, body.plan.table)
    new = _new(services, caller, body, None)
    with services.store.write() as connection:
        made = sources.create(connection, caller.tenant, new, now=services.clock.now())
        happening = Happening(caller.user, "source.create", made.id, details={"kind": made.kind, "table": made.table_name})
        audit.append(connection, caller.tenant, happening, now=services.clock.now())
    return made


def etag(source: Source) -> str:
    """Of what administrators change, its secret too."""
    return etag_of(source.name, source.kind, dict(source.connection), dict(source.plan), source.sealed, source.table_name, source.enabled)


def change(services: Services, caller: Principal, source_id: str, body: SourceBody, *, expected: str | None = None) -> Source:
    """Secrets that are left out stay.

    Raises: NotFound; Conflict; Invalid for another kind, or a new place without its secret; ChangedSince.
    """
    known = found(services, caller, source_id)
    if known.kind != body.connection.kind:
        raise Invalid(f"This source is of kind {known.kind}; declare a new one for {body.connection.kind}.", code="source_kind")
    if known.table_name != body.plan.table:
        _check_table(services, caller, body.plan.table)
    new = _new(services, caller, body, known)
    with services.store.write() as connection:
        hold(connection, expected, "sources", caller.tenant, source_id)
        now_is = sources.get(connection, caller.tenant, source_id)
        refuse_changed(expected, etag(now_is), view(now_is))
        made = sources.replace(connection, caller.tenant, source_id, new, now=services.clock.now())
        audit.append(connection, caller.tenant, Happening(caller.user, "source.change", source_id), now=services.clock.now())
    return made


def remove(services: Services, caller: Principal, source_id: str, *, expected: str | None = None) -> None:
    """The table that it filled stays, as a dataset like an uploaded one. Raises: NotFound; ChangedSince."""
    with services.store.write() as connection:
        hold(connection, expected, "sources", caller.tenant, source_id)
        known = sources.get(connection, caller.tenant, source_id)
        refuse_changed(expected, etag(known), view(known))
        sources.delete(connection, caller.tenant, source_id)
        audit.append(connection, caller.tenant, Happening(caller.user, "source.delete", source_id), now=services.clock.now())


def start(services: Services, caller: Principal, source_id: str, *, full: bool) -> JobId:
    """Raises: NotFound; RateLimited."""
    with services.store.read() as connection:
        sources.get(connection, caller.tenant, source_id)
    return enqueue(services.core, "refresh_source", {"source": source_id, "full": full}, caller)


def probe(services: Services, caller: Principal, body: SourceBody, source_id: str | None = None) -> list[dict[str, str]]:
    """The columns that the source would bring; reads no row, but of documents the first thousand. A file is only looked at by a run.

    Raises: Invalid when it cannot be read, or its host may not be reached.
    """
    known = None
    if source_id is not None:
        with services.store.read() as connection:
            known = sources.get(connection, caller.tenant, source_id)
    address = _with_secrets(services, body.connection, known)
    if isinstance(address, WebFile):
        raise Invalid("A file has no columns before it is read; run the source to test it.", code="source_not_testable")
    services.core.quotas.refuse_over(caller.tenant, "queries")
    services.core.quotas.count(caller)
    if isinstance(address, Kafka):
        return [{"name": name, "type": kind} for name, kind in look(address, services.settings.outbound_hosts).items()]
    found = read_columns(services.core.admin, remote(address, services.settings.outbound_hosts))
    return [{"name": c.source, "type": c.type} | ({"note": c.note} if c.note else {}) for c in found]


def stored(services: Services, caller: Principal, source_id: str) -> SourceBody:
    """A source as it could be declared again. Raises: NotFound; Invalid."""
    known = found(services, caller, source_id)
    hidden = Vault.of(services.core).unseal(known.sealed)
    return SourceBody.model_validate(
        {"name": known.name, "connection": {**known.connection, **hidden}, "plan": dict(known.plan), "enabled": known.enabled}
    )


def _new(services: Services, caller: Principal, body: SourceBody, known: Source | None) -> NewSource:
    address, now = _with_secrets(services, body.connection, known), services.clock.now()
    planned = known.next_run_at if known is not None and known.plan.get("every_minutes") == body.plan.every_minutes else None
    return NewSource(
        name=body.name,
        kind=address.kind,
        connection=address.shown,
        plan=body.plan.model_dump(mode="json"),
        sealed=Vault.of(services.core).seal(address.hidden),
        table_name=body.plan.table,
        created_by=caller.user if known is None else known.created_by,
        enabled=body.enabled,
        next_run_at=(planned or now) if body.plan.every_minutes and body.enabled else None,
    )


def _with_secrets(services: Services, given: AnyAddress, known: Source | None) -> AnyAddress:
    """With the secrets that are stored when none are given, for the same place only: a stored password is not sent to another host."""
    if given.hidden or known is None or known.sealed is None:
        return given
    shown = given.shown
    if known.kind in _KEYED:  # whose keys are left out as a pair
        shown["access_key"] = shown["access_key"] or known.connection.get("access_key", "")
    where = ("host", "port", "brokers", "url", "user", "access_key")
    if any(known.connection.get(name) != shown.get(name) for name in where):
        raise Invalid("The place or the user changed; give the secret again as well.", code="source_secret_needed")
    return read_address(shown, Vault.of(services.core).unseal(known.sealed))


def _check_table(services: Services, caller: Principal, table: str) -> None:
    if any(mark in table for mark in _OWN_SUFFIXES):
        raise Invalid(f"{table!r} is a name that Querent keeps for itself.", code="bad_table")
    database = tenant_database(caller.tenant)
    with services.store.read() as connection:
        taken = any(d.table_name == table for d in datasets.list_all(connection, caller.tenant, limit=1000))
    found = services.core.admin.query_arrow(
        "SELECT count() FROM system.tables WHERE database = {d:String} AND name = {t:String}", {"d": database, "t": table}
    )
    if taken or found.column(0)[0].as_py():
        raise Conflict(f"There is a table {table!r} already; give another name.", code="table_exists")
