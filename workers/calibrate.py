"""The model of confidence made anew and logged to MLflow, as every other model is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.ids import TenantId
from models.lineage import Lineage, code_version
from models.names import ANY_METRIC, ModelName
from models.registry import ModelVersion, Registry, RunRecord

# Confidence is learned from made-up businesses, so its model belongs to no customer.
SHARED_TENANT = TenantId("querent")
_CODE = ("nlq", "semantic")


def calibrate(
    registry: Registry,
    *,
    seed: int,
    businesses: int,
    held_out: int,
    questions: int,
    folder: Path,
    written: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[ModelVersion, dict[str, Any]]:
    """The registered version and the report; files are written into `folder`. Same code and recipe: the version that is there already.

    Raises: Unavailable when MLflow does not answer.
    """
    from nlq.calibration.rebuild import Recipe, rebuild, write

    made = rebuild(Recipe(seed, businesses, held_out, questions), progress, written)
    write(made, folder)
    report = made.report()
    code = code_version(_CODE)
    name = ModelName(SHARED_TENANT, "understanding", ANY_METRIC, "confidence")
    record = RunRecord(
        name,
        key=f"confidence-{code}-{seed}-{businesses}-{held_out}-{questions}",
        lineage=Lineage(query_hash="", catalog_version=0, data_version=f"seed-{seed}", code_version=code),
        params={"seed": seed, "businesses": businesses, "held_out": held_out, "questions": questions},
        metrics=made.metrics(),
        files={"model/confidence.json": made.model.to_json(), "report.json": report},
    )
    return registry.log_run(record), report
