"""Which registered model a job's run belongs to."""

from __future__ import annotations

import hashlib
import re

from core.ids import TenantId
from models.names import ModelName
from workers.kinds import SeriesParams

AUTOMATIC = "auto"


def model_name(tenant: TenantId, kind: str, params: SeriesParams) -> ModelName:
    """`<tenant>.<kind>.<metric>.auto`; a measure that is no declared metric is known by a hash of what it is."""
    if params.metric is not None and re.fullmatch(r"[A-Za-z0-9_-]{1,128}", params.metric):
        return ModelName(tenant, kind, params.metric, AUTOMATIC)
    digest = hashlib.sha256(params.asked.model_dump_json().encode()).hexdigest()[:12]
    return ModelName(tenant, kind, f"adhoc-{digest}", AUTOMATIC)
