"""Where a model version comes from, as hashes that can be compared."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Lineage:
    """query_hash: the SQL and its parameters; data_version: of the tables read; code_version: of the packages that made the numbers."""

    query_hash: str
    catalog_version: int
    data_version: str
    code_version: str


def query_hash(sql: str, params: Mapping[str, Any]) -> str:
    """16 hex digits of a query's text and bound values."""
    content = json.dumps([sql, {name: str(value) for name, value in params.items()}], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@lru_cache(maxsize=8)
def code_version(packages: Sequence[str]) -> str:
    """16 hex digits over the sources of installed packages (pass a tuple). Finds them without importing them."""
    digest = hashlib.sha256()
    for package in packages:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
