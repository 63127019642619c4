"""The kinds of jobs: their parameters, queue, time limit and steps. Light on purpose: the API imports this to accept jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import Invalid, NotFound
from core.timeseries import Grain
from semantic.expr import FieldRef, Predicate
from semantic.query import ComparePeriod, Measure, MetricRef, TimeWindow


class Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MeasureParams(Params):
    """What is measured: a declared `metric` by name, or any `measure`; `where` narrows the rows."""

    metric: str | None = None
    measure: Measure | None = None
    where: Predicate | None = None
    time: TimeWindow | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> MeasureParams:
        if (self.metric is None) == (self.measure is None):
            raise ValueError("give exactly one of metric and measure")
        return self

    @property
    def asked(self) -> Measure:
        return self.measure if self.measure is not None else MetricRef(metric=self.metric or "")


class SeriesParams(MeasureParams):
    """Which series: the whole, and one per combination of the values of `segments`."""

    segments: tuple[FieldRef, ...] = Field(default=(), max_length=3)
    grain: Grain = Grain.DAY
    max_series: int = Field(default=2000, ge=1, le=10_000)


class GoalParams(Params):
    """A value to reach. goal_id: a stored goal."""

    target: float = Field(allow_inf_nan=False)
    direction: Literal["at_least", "at_most"] = "at_least"
    goal_id: str | None = Field(default=None, max_length=64)


class ScenarioParams(Params):
    """What if the metric `driver` is `change_percent` higher (or lower) than expected from now on?"""

    driver: str = Field(max_length=128)
    change_percent: float = Field(ge=-100, le=1000, allow_inf_nan=False)


class ForecastParams(SeriesParams):
    """`period` asks for one figure of a time window that ends in the future; without it `horizon_steps` of `grain`.

    running_total: the figure counts all there ever were until then, not the period's own; None decides by what is counted.
    """

    horizon_steps: int = Field(default=30, ge=1, le=1000)
    period: TimeWindow | None = None
    goal: GoalParams | None = None
    scenario: ScenarioParams | None = None
    running_total: bool | None = None


class ForecastBatchParams(Params):
    """Many forecasts: each of `metrics` (none: the certified ones) in whole and by each of `segments`, `batch_series` series a task.

    refit_steps: a series' fit serves for so many steps unless it drifts; 0 fits again always.
    """

    metrics: tuple[str, ...] = Field(default=(), max_length=200)
    segments: tuple[FieldRef, ...] = Field(default=(), max_length=3)
    grain: Grain = Grain.DAY
    horizon_steps: int = Field(default=28, ge=1, le=400)
    max_series: int = Field(default=2000, ge=1, le=10_000, description="Segments per metric.")
    batch_series: int = Field(default=100, ge=10, le=200)
    refit_steps: int = Field(default=7, ge=0, le=100)


class ForecastPartParams(Params):
    """One task of a batch: these series of one metric."""

    batch: str = Field(max_length=64)
    metric: str = Field(max_length=128)
    segments: tuple[FieldRef, ...] = Field(default=(), max_length=3)
    series: tuple[str, ...] = Field(min_length=1, max_length=200)
    grain: Grain = Grain.DAY
    horizon_steps: int = Field(default=28, ge=1, le=400)
    refit_steps: int = Field(default=7, ge=0, le=100)


class ScoreForecastsParams(Params):
    """Compares stored forecasts with what came, as far as it came."""


class DetectParams(SeriesParams):
    """period: what was unusual in it is told; without it, in all the history."""

    period: TimeWindow | None = None
    false_alarms_per_year: float = Field(default=24.0, gt=0, le=365, description="How sensitive: false alarms to expect per series.")
    second_opinion: Literal["ecod", "iforest", "knn", "ensemble"] | None = None


class ExplainParams(MeasureParams):
    """Why the measure differs between `time` and the period before; without `time` the latest complete period of `grain` with a value.

    dimensions: where to look; none takes the categories that the measure can be split by. compare: with what; none is the period before.
    asked_way: the question takes it for granted that the measure rose or fell; the answer says so where it did not.
    """

    asked_way: Literal["up", "down"] | None = None
    grain: Grain = Grain.MONTH
    dimensions: tuple[FieldRef, ...] = Field(default=(), max_length=10)
    compare: ComparePeriod | None = None


class EvaluateQuestionsParams(Params):
    """Runs the verified questions with catalog `version` (default: the current one) and compares with `base` (default: the one before)."""

    version: int | None = Field(default=None, ge=1)
    base: int | None = Field(default=None, ge=1)


class EvaluateRulesParams(Params):
    """Looks at due alert rules of the job's user. owner: who leased them, as in the state store."""

    rules: tuple[str, ...] = Field(min_length=1, max_length=500)
    owner: str = Field(max_length=200)


class PreviewRuleParams(Params):
    """When a rule would have told something, judged by who judges when it runs. rule_id: a rule whose feedback counts too."""

    definition: dict[str, Any]
    rule_id: str | None = Field(default=None, max_length=64)


class ScanParams(Params):
    """Anything one should know: the last complete period of `grain` of these metrics; none takes the certified ones, else all, up to 8.

    where: only of these rows. period: this one instead of the last complete; a running one is compared like with like.
    summary: also how each metric stands, news or not.
    """

    metrics: tuple[str, ...] = Field(default=(), max_length=20)
    where: Predicate | None = None
    grain: Grain = Grain.DAY
    period: TimeWindow | None = None
    summary: bool = False
    limit: int = Field(default=5, ge=1, le=10)


class DigestParams(Params):
    """One reader's issue of a digest for one of its times; `slot` names it, so that it is made once."""

    digest: str = Field(max_length=64)
    slot: str = Field(max_length=40)


class RebuildParams(Params):
    """Makes a kept narrative again, by its id."""

    insight: str = Field(max_length=64)


class InferCatalogParams(Params):
    """Completes the catalog from `database` (default: the tenant's own; shared ones, told apart by `tenant_column`, are for operators).

    `apply` False only shows what would be found.
    """

    database: str | None = None
    tenant_column: str | None = None
    glossary: dict[str, str] = Field(default_factory=dict, max_length=5000)
    apply: bool = True
    note: str = Field(default="", max_length=300)


class RefreshValuesParams(Params):
    """Rebuilds the index of distinct values that questions may name."""


class LoadFileParams(Params):
    """Loads an uploaded file, kept at `upload` inside the upload folder, into `dataset`."""

    upload: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}(\.[A-Za-z0-9.]{1,20})?$")
    original_name: str = Field(max_length=400)
    dataset: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")
    mode: Literal["replace", "append"] = "replace"
    infer_catalog: bool = True


class RefreshSourceParams(Params):
    """One run of a declared source; `full` takes all rows anew, whatever its plan says."""

    source: str = Field(max_length=64)
    full: bool = False


class RegisterModelParams(Params):
    """Checks and compares an uploaded model version."""

    version: str = Field(max_length=64)


class TendModelsParams(Params):
    """All custom models of the tenant."""


class DiagnoseParams(Params):
    """A round trip through broker and worker that takes `hold_s` seconds."""

    hold_s: float = Field(default=0.0, ge=0, le=600)


@dataclass(frozen=True, slots=True)
class Kind:
    """`steps` maps names to shares of the whole; `soft_limit_s` ends a run as FAILED with job_timeout."""

    params: type[Params]
    queue: str
    steps: Mapping[str, float]
    soft_limit_s: int = 1800


KINDS: Mapping[str, Kind] = {
    "forecast": Kind(ForecastParams, "heavy", {"fetch": 0.1, "fit": 0.75, "write": 0.05, "register": 0.1}, soft_limit_s=7200),
    "forecast_batch": Kind(ForecastBatchParams, "heavy", {"plan": 0.05, "fit": 0.9, "register": 0.05}, soft_limit_s=6 * 3600),
    "forecast_part": Kind(ForecastPartParams, "heavy", {"fetch": 0.1, "fit": 0.8, "register": 0.1}, soft_limit_s=3600),
    "score_forecasts": Kind(ScoreForecastsParams, "default", {"score": 1.0}, soft_limit_s=1800),
    "detect": Kind(DetectParams, "heavy", {"fetch": 0.1, "score": 0.75, "write": 0.05, "register": 0.1}),
    "explain": Kind(ExplainParams, "default", {"fetch": 0.6, "explain": 0.4}, soft_limit_s=300),
    "evaluate_questions": Kind(EvaluateQuestionsParams, "default", {"run questions": 1.0}, soft_limit_s=1200),
    "evaluate_rules": Kind(EvaluateRulesParams, "default", {"evaluate": 1.0}, soft_limit_s=1200),
    "preview_rule": Kind(PreviewRuleParams, "default", {"evaluate": 1.0}, soft_limit_s=300),
    "scan": Kind(ScanParams, "default", {"fetch": 0.8, "scan": 0.2}, soft_limit_s=300),
    "digest": Kind(DigestParams, "default", {"fetch": 0.8, "scan": 0.1, "issue": 0.1}, soft_limit_s=600),
    "rebuild_narrative": Kind(RebuildParams, "default", {"rebuild": 1.0}, soft_limit_s=120),
    "infer_catalog": Kind(InferCatalogParams, "default", {"read schema": 0.2, "infer": 0.7, "save": 0.1}, soft_limit_s=900),
    "refresh_values": Kind(RefreshValuesParams, "default", {"read values": 1.0}, soft_limit_s=900),
    "load_file": Kind(LoadFileParams, "heavy", {"read file": 0.1, "load": 0.7, "infer catalog": 0.2}, soft_limit_s=7200),
    "refresh_source": Kind(RefreshSourceParams, "heavy", {"connect": 0.1, "copy": 0.8, "catalog": 0.1}, soft_limit_s=3600),
    "register_model": Kind(
        RegisterModelParams, "sandbox", {"check": 0.3, "backtest": 0.6, "register": 0.05, "shadow": 0.05}, soft_limit_s=7200
    ),
    "shadow_models": Kind(TendModelsParams, "sandbox", {"shadow": 1.0}, soft_limit_s=3600),
    "watch_models": Kind(TendModelsParams, "default", {"watch": 1.0}, soft_limit_s=1800),
    "mirror_models": Kind(TendModelsParams, "models", {"mirror": 1.0}, soft_limit_s=600),
    "diagnose": Kind(DiagnoseParams, "default", {"hold": 1.0}, soft_limit_s=900),
}


def kind(name: str) -> Kind:
    """Raises: NotFound."""
    try:
        return KINDS[name]
    except KeyError:
        raise NotFound(f"There is no job kind {name[:40]!r}.", code="unknown_job_kind", suggestions=list(KINDS)) from None


def checked_params(name: str, params: Mapping[str, object]) -> dict[str, object]:
    """The parameters in full, as JSON values. Raises: NotFound for the kind; Invalid for the parameters."""
    try:
        return kind(name).params.model_validate(params).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "parameters"
        raise Invalid(f"A {name} job's {place} is not usable: {first['msg']}.", code="bad_job_parameters", path=place) from error
