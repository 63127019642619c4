"""Who forecasts a metric: Querent's own engine, or the custom model that was promoted for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from core.errors import InternalError, NotFound
from core.ids import TenantId
from core.store import model_runs, model_slots, model_versions
from core.store.model_runs import NewRun
from core.store.model_versions import StoredVersion
from core.timeseries import Grain
from forecasting.engine import LEVELS
from forecasting.types import Forecast, ForecastInput
from models.sandbox.limits import Limits
from models.sandbox.sandbox import Sandbox
from models.sandbox.subject import WalledModel
from models.sdk.card import card_of
from models.serving import forecast_with, without_custom
from workers.beside import compared
from workers.bootstrap import Services
from workers.context import BelongsElsewhere, JobContext
from workers.packages import PackageFiles

SANDBOX_QUEUE = "sandbox"
COMPARE_EVERY = timedelta(hours=20)
SERVING_LIMITS = Limits(cpu_s=1800, wall_s=1800)


def promoted_here(context: JobContext, kind: str, metric: str | None, grain: Grain | None) -> StoredVersion | None:
    """Who serves in Querent's place, where this job may run it; None: nobody. Raises: BelongsElsewhere outside of queue `sandbox`."""
    version = champion_for(context.services, context.tenant, kind, metric, grain)
    if version is not None and context.queue != SANDBOX_QUEUE:
        raise BelongsElsewhere(SANDBOX_QUEUE)
    return version


def champion_for(services: Services, tenant: TenantId, kind: str, metric: str | None, grain: Grain | None) -> StoredVersion | None:
    """The promoted custom version that serves `metric` at `grain` (None: at any), or None: Querent's own models do.

    kind: "forecast", "detect" or "explain". metric: a declared metric; None (any other measure) is never served by a custom model.
    Raises: Unavailable when the state store does not answer.
    """
    if metric is None:
        return None
    with services.store.read() as connection:
        slot = model_slots.serving(connection, tenant, kind, metric)
        if slot is None or slot.champion_id is None:
            return None
        found = model_versions.get(connection, tenant, slot.champion_id)
    return found if grain is None or grain.value in found.card.get("grains", ()) else None


class CustomForecaster:
    """Stands in for `forecasting.engine.forecast_many`, for series of the metric itself. `label` is the `name/version` to be shown and kept."""

    def __init__(self, context: JobContext, version: StoredVersion, grain: Grain, metric: str) -> None:
        self._context, self._grain, self._metric = context, grain, metric
        self.version = version
        self.label = str(version)

    def forecast_many(
        self,
        inputs: Sequence[ForecastInput],
        *,
        levels: tuple[int, ...] = LEVELS,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[Forecast]:
        """In the order of `inputs`; what the model cannot serve is forecast by the engine and says so in `fallback`.

        The first input's forecast (the total) is remembered beside the engine's, for the watch over a new champion. Raises: Unavailable.
        """
        services = self._context.services
        card = card_of(dict(self.version.card))
        try:
            subject = walled(services, self.version, SERVING_LIMITS)
        except (NotFound, InternalError) as error:
            return without_custom(inputs, self.label, error.message, levels, on_progress)
        with subject:
            made = forecast_with(subject, card, self.label, inputs, levels=levels, on_progress=on_progress)
        if inputs and self._is_comparison_due():
            new = NewRun(
                self.version.id, "champion", self._metric, self._grain.value, self._context.job_id, compared(inputs[0], made[0])
            )  # fmt: skip
            with services.store.write() as connection:
                model_runs.put(connection, self._context.tenant, new, now=services.clock.now())
        return made

    def _is_comparison_due(self) -> bool:
        """Once a day is enough: each costs a forecast of the engine's own."""
        with self._context.services.store.read() as connection:
            runs = model_runs.of_version(connection, self._context.tenant, self.version.id, limit=20)
        newest = max((run.made_at for run in runs if run.role == "champion" and run.metric == self._metric), default=None)
        return newest is None or self._context.services.clock.now() - newest > COMPARE_EVERY


def forecaster_for(context: JobContext, metric: str | None, grain: Grain) -> CustomForecaster | None:
    """What forecasts `metric` at `grain` instead of the engine, or None: the engine does.

    Custom models run behind walls that only workers of queue `sandbox` build. Raises: BelongsElsewhere in other workers, which sends the
    job there; so call this before work that would be lost. Unavailable.
    """
    version = promoted_here(context, "forecast", metric, grain) if metric is not None else None
    return None if version is None or metric is None else CustomForecaster(context, version, grain, metric)


def walled(services: Services, version: StoredVersion, limits: Limits) -> WalledModel:
    """A version behind walls, to be used as a context manager. Raises: NotFound when its package is gone; Unavailable without MLflow."""
    folder = PackageFiles(services.settings.home, services.registry).unpacked(version)
    return WalledModel(sandbox_at(services.settings.home.resolve() / "sandbox" / "sessions"), folder, card_of(dict(version.card)), limits)


@lru_cache(maxsize=2)
def sandbox_at(folder: Path) -> Sandbox:
    """This process's sandbox; its warm interpreter ends with the process."""
    return Sandbox(folder)
