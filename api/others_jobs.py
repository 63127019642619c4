"""Jobs of other people: whose results one may look at, and which kinds one may start again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from api.services import Services
from core.errors import Forbidden, NotFound
from core.ids import JobId, UserId
from core.principal import Principal
from core.rights import Right, may
from core.store import jobs, users
from core.store.jobs import Job
from semantic.catalog.model import Catalog
from semantic.catalog.visible import closed_fields
from workers.forecasts.visibility import figures_key, kept_params, sees_as_much, visibility_key
from workers.principals import SYSTEM_USER, system_principal

_SERIES = ("forecast", "detect", "forecast_batch", "forecast_part")  # of what their parameters name and nothing else
_WIDE = (
    "explain",
    "scan",
    "digest",
    "preview_rule",
    "evaluate_rules",
    "evaluate_questions",
    "rebuild_narrative",
)  # any field may be told of
AGAIN: Mapping[str, Right] = {
    "forecast": Right.ASK, "detect": Right.ASK, "explain": Right.ASK, "scan": Right.ASK, "forecast_batch": Right.JOBS,
    "score_forecasts": Right.JOBS, "preview_rule": Right.RULES, "evaluate_questions": Right.CATALOG, "infer_catalog": Right.DATA,
    "refresh_values": Right.DATA, "load_file": Right.DATA, "refresh_source": Right.ADMIN, "register_model": Right.MODELS,
    "shadow_models": Right.MODELS, "watch_models": Right.MODELS, "mirror_models": Right.MODELS,
}  # fmt: skip
"""What starting a job takes; kinds that are not here are started by schedules alone."""


def load(services: Services, caller: Principal, job_id: str, *, figures: bool = True) -> Job:
    """A job of the caller's tenant: one's own, and for those who run the data everybody's.

    figures: also what it found, which is for those who see as much as its maker.
    Raises: NotFound; Forbidden.
    """
    with services.store.read() as connection:
        job = jobs.get(connection, caller.tenant, JobId(job_id))
    if job.user != caller.user and not may(caller, Right.JOBS):
        raise Forbidden("This job was started by somebody else.")
    known = shown(services, caller, (job,))[0]
    if figures and known is not job:
        raise Forbidden("This job ran with rights to data that you do not have; start one of your own.", code="not_yours")
    return known


def shown(services: Services, caller: Principal, found: Iterable[Job]) -> tuple[Job, ...]:
    """The jobs; those that were made with more than the caller sees, without parameters, result and error."""
    makers: dict[str, Principal | None] = {}
    made = []
    for job in found:
        if job.user != caller.user and job.user not in makers:
            makers[job.user] = _maker(services, caller, job.user)
        hides = job.user != caller.user and not _sees(services, caller, makers[job.user], job)
        made.append(replace(job, params={}, result=None, error=None) if hides else job)
    return tuple(made)


def refuse_again(caller: Principal, kind: str) -> None:
    """Raises: Forbidden for a job that the caller could not have started."""
    right = AGAIN.get(kind)
    if right is None or not may(caller, right):
        raise Forbidden(f"Jobs of the kind {kind.replace('_', ' ')!r} are not yours to start.")


def _sees(services: Services, caller: Principal, maker: Principal | None, job: Job) -> bool:
    if job.kind not in _SERIES + _WIDE:
        return True
    try:
        catalog = services.catalogs.full(caller.tenant)
    except NotFound:
        return True  # without a catalog there are no figures
    if maker is None:
        return visibility_key(caller, catalog) == "all" and not closed_fields(catalog, caller)
    return sees_as_much(caller, maker, catalog) or (job.kind in _SERIES and _same_figures(caller, maker, catalog, job))


def _same_figures(caller: Principal, maker: Principal, catalog: Catalog, job: Job) -> bool:
    return all(
        figures_key(caller, catalog, params) in ("all", figures_key(maker, catalog, params))
        for params in (kept_params({**job.params, "metric": name}, "") for name in _metrics(job, catalog))
    )


def _metrics(job: Job, catalog: Catalog) -> list[str | None]:
    """None for a measure that is no declared metric."""
    if job.kind == "forecast_batch":
        return list(job.params.get("metrics") or [m.name for m in catalog.metrics])
    return [job.params.get("metric")]


def _maker(services: Services, caller: Principal, user: UserId) -> Principal | None:
    if user == SYSTEM_USER:
        return system_principal(caller.tenant)
    with services.store.read() as connection:
        try:
            return users.get(connection, caller.tenant, user).principal()
        except NotFound:
            return None
