"""How much of the data a caller sees, as a key: figures made for one are shown only to those who see the same."""

from __future__ import annotations

import hashlib
import json

from core.principal import Principal
from semantic.catalog.model import Catalog
from semantic.catalog.visible import applies
from semantic.expr import Predicate
from semantic.query import Measure


def visibility_key(principal: Principal, catalog: Catalog) -> str:
    """`all` when no row policy narrows the caller, else a hash of the policies and the caller's values for them."""
    policies = sorted((p for p in catalog.row_policies if applies(principal, p)), key=lambda p: p.name)
    if not policies:
        return "all"
    seen = [
        [p.model_dump(mode="json", exclude={"roles"}), sorted(map(str, principal.attributes.get(p.attribute or "", ())))] for p in policies
    ]
    return _digest(seen)


def measure_key(measure: Measure, where: Predicate | None) -> str:
    """The same for the same figures: a measure with its filter."""
    return _digest([measure.model_dump(mode="json"), where.model_dump(mode="json") if where is not None else None])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]
