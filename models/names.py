"""Names of registered models: `<tenant>.<kind>.<metric or *>.<name>`, so that a tenant's models are known by their name alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import Invalid, NotFound
from core.ids import TenantId, tenant_id

_PART = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
ANY_METRIC = "*"


@dataclass(frozen=True, slots=True)
class ModelName:
    """kind: forecast, detect or explain. metric: a declared metric, `adhoc-<hash>` for any other measure, or * for all metrics."""

    tenant: TenantId
    kind: str
    metric: str
    name: str

    def __post_init__(self) -> None:
        tenant_id(self.tenant)
        for what, text in (("kind", self.kind), ("metric", self.metric), ("name", self.name)):
            if not _PART.match(text) and not (what == "metric" and text == ANY_METRIC):
                raise Invalid(f"A model's {what} is 1-128 letters, digits, _ or -; found {text[:60]!r}.", code="bad_model_name")

    def __str__(self) -> str:
        return f"{self.tenant}.{self.kind}.{self.metric}.{self.name}"


def parse_model_name(tenant: TenantId, text: str) -> ModelName:
    """Raises: NotFound for another tenant's model and for what is no model name."""
    parts = text.split(".")
    if len(parts) != 4 or parts[0] != tenant:
        raise NotFound(f"There is no model {text[:120]!r}.", code="unknown_model")
    try:
        return ModelName(TenantId(parts[0]), *parts[1:])
    except Invalid as error:
        raise NotFound(f"There is no model {text[:120]!r}.", code="unknown_model") from error
