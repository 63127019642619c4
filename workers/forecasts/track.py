"""How earlier forecasts of the same thing turned out."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy.engine import Connection

from core.ids import TenantId
from core.store import forecast_records
from core.timeseries import Grain

LOOKED_AT = 6


def track_record(connection: Connection, tenant: TenantId, measure_key: str, grain: Grain, visibility: str) -> dict[str, Any] | None:
    """{"forecasts", "points", "error", "coverage_80", "coverage_95"} over the last 6 scored forecasts, by points; None when none was scored."""
    found = forecast_records.scores(connection, tenant, visibility=visibility, measure_key=measure_key, grain=grain.value, limit=LOOKED_AT)
    scores = [s.score for s in found if s.score.points and s.score.error is not None]
    if not scores:
        return None
    weights = np.array([s.points for s in scores], dtype=np.float64)

    def mean(values: list[float | None]) -> float | None:
        known = np.array([v is not None for v in values])
        numbers = np.array([v if v is not None else 0.0 for v in values])
        return float((numbers * weights)[known].sum() / weights[known].sum()) if known.any() else None

    return {
        "forecasts": len(scores),
        "points": int(weights.sum()),
        "error": mean([s.error for s in scores]),
        "coverage_80": mean([s.coverage_80 for s in scores]),
        "coverage_95": mean([s.coverage_95 for s in scores]),
    }
