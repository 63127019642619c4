"""Jobs of other people: whose results one may look at, and which kinds one may start again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pydantic import ValidationError

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
_WITHOUT_FIGURES = {
    "infer_catalog", "refresh_values", "load_file", "refresh_source", "register_model", "shadow_models", "watch_models", "mirror_models",
    "score_forecasts", "diagnose",
}  # fmt: skip
# Any other kind may tell of any field.
AGAIN: Mapping[str, Right] = {
    "forecast": Right.ASK, "detect": Right.ASK, "explain": Right.ASK, "scan": Right.ASK, "forecast_batch": Right.JOBS,
    "score_forecasts": Right.JOBS, "preview_rule": Right.RULES, "evaluate_questions": Right.CATALOG, "infer_catalog": Right.DATA,
    "refresh_values": Right.DATA, "load_file": Right.DATA, "refresh_source": Right.ADMIN, "register_model": Right.MODELS,
    "shadow_models": Right.MODELS, "watch_models": Right.MODELS, "mirror_models": Right.MODELS,
    "diagnose": Right.JOBS,
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
    jobs_found = tuple(found)
    others = {job.user for job in jobs_found} - {caller.user}
    catalog = _catalog(services, caller) if others else None
    if catalog is None:
        return jobs_found  # without a catalog there are no figures
    makers = {user: _maker(services, caller, user) for user in others}
    seen = {user: _sees_all(caller, maker, catalog) for user, maker in makers.items()}
    return tuple(
        job
        if job.user == caller.user
        or job.kind in _WITHOUT_FIGURES
        or seen[job.user]
        or _same_figures(caller, makers[job.user], catalog, job)
        else replace(job, params={}, result=None, error=None)
        for job in jobs_found
    )


def may_again(caller: Principal, kind: str) -> bool:
    """Whether the caller could have started a job of this kind."""
    right = AGAIN.get(kind)
    return right is not None and may(caller, right)


def refuse_again(caller: Principal, kind: str) -> None:
    """Raises: Forbidden for a job that the caller could not have started."""
    if not may_again(caller, kind):
        raise Forbidden(f"Jobs of the kind {kind.replace('_', ' ')!r} are not yours to start.")


def _catalog(services: Services, caller: Principal) -> Catalog | None:
    try:
        return services.catalogs.full(caller.tenant)
    except NotFound:
        return None


def _sees_all(caller: Principal, maker: Principal | None, catalog: Catalog) -> bool:
    """Of a maker who is gone nobody knows what they saw."""
    if maker is None:
        return visibility_key(caller, catalog) == "all" and not closed_fields(catalog, caller)
    return sees_as_much(caller, maker, catalog)


def _same_figures(caller: Principal, maker: Principal | None, catalog: Catalog, job: Job) -> bool:
    """Whether what the job names comes to the same for both; not where its parameters cannot be read any more."""
    if maker is None or job.kind not in _SERIES or job.params.get("scenario"):
        return False  # a scenario also tells of its driver
    try:
        asked = [kept_params({**job.params, "metric": name}, "") for name in _metrics(job, catalog)]
    except ValidationError:
        return False
    return all(figures_key(caller, catalog, params) in ("all", figures_key(maker, catalog, params)) for params in asked)


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
