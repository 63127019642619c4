"""Goals and how they stand, what each series' forecast rests on, and how forecasts turned out."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from core.store.columns import Json
from core.store.tables.meta import ID_LENGTH, id_column, instant, metadata, tenant_column

goals = Table(
    "goals",
    metadata,
    id_column(),
    tenant_column(),
    Column("name", String(200), nullable=False),
    Column("metric", String(128), nullable=False),
    Column("filters", Json),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("target", Float, nullable=False),
    Column("direction", String(16), nullable=False),
    Column("owner", String(ID_LENGTH), nullable=False),
    Column("created_by", String(ID_LENGTH), nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Index("ix_goals_tenant_id_metric", "tenant_id", "metric"),
)

goal_statuses = Table(
    "goal_statuses",
    metadata,
    id_column(),
    tenant_column(),
    Column("goal_id", String(ID_LENGTH), ForeignKey("goals.id", ondelete="CASCADE"), nullable=False),
    Column("visibility", String(64), nullable=False),
    Column("status", Json, nullable=False),
    Column("job_id", String(ID_LENGTH), nullable=False),
    instant("at"),
    UniqueConstraint("goal_id", "visibility"),
)

forecast_fits = Table(
    "forecast_fits",
    metadata,
    id_column(),
    tenant_column(),
    Column("stream", String(64), nullable=False),
    Column("series_key", String(64), nullable=False),
    Column("metric", String(128), nullable=False),
    Column("job_id", String(ID_LENGTH), nullable=False),
    Column("row_id", String(1000), nullable=False),
    Column("data_hash", String(64), nullable=False),
    instant("fitted_until"),
    instant("covers_until"),
    Column("model", String(500), nullable=False),
    Column("mase", Float),
    Column("naive_mase", Float),
    Column("fits", Integer, nullable=False),
    Column("carried", Integer, nullable=False),
    instant("fitted_at"),
    UniqueConstraint("tenant_id", "stream", "series_key"),
)

forecast_scores = Table(
    "forecast_scores",
    metadata,
    id_column(),
    tenant_column(),
    Column("forecast_id", String(ID_LENGTH), nullable=False),
    Column("job_id", String(ID_LENGTH), nullable=False),
    Column("metric", String(200), nullable=False),
    Column("measure_key", String(64), nullable=False),
    Column("grain", String(16), nullable=False),
    Column("visibility", String(64), nullable=False),
    Column("model_version", String(300)),
    Column("series_count", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("error", Float),
    Column("naive_error", Float),
    Column("bias", Float),
    Column("coverage_80", Float),
    Column("coverage_95", Float),
    Column("details", Json, nullable=False),
    Column("complete", Boolean, nullable=False),
    instant("made_at"),
    instant("scored_until"),
    instant("scored_at"),
    UniqueConstraint("tenant_id", "forecast_id"),
    Index("ix_forecast_scores_tenant_id_measure_key", "tenant_id", "measure_key", "made_at"),
)
