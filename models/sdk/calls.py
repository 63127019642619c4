"""One call of a model of any kind: tables by name in, one table `output` out. Used by authors' checks and inside the sandbox alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from models.sdk.contract import Context, Detector, Explainer, Forecaster, Model, Saving
from models.sdk.failures import NothingKept
from models.sdk.schemas import OUTPUTS, check_schema


def call(
    model: Model, tables: Mapping[str, pa.Table], context: Context, *, through: tuple[Path, Callable[[], Model]] | None = None
) -> dict[str, pa.Table]:
    """{"output": table} with the columns of the kind. through: (folder, maker): a forecaster is saved there and loaded into a new object.

    Raises: ValueError for an answer of another shape; NothingKept when it was to be saved and is no `Saving`; what the model raises.
    """
    if isinstance(model, Forecaster):
        model.fit(tables["history"], context)
        answering = model
        if through is not None:
            answering = _reloaded(model, *through)
        made = answering.predict(tables["future"])
    elif isinstance(model, Detector):
        made = model.score(tables["history"], context)
    elif isinstance(model, Explainer):
        made = model.explain(tables["parts"], context)
    else:
        raise ValueError(f"a forecaster, detector or explainer was expected; found {type(model).__name__}")
    return {"output": check_schema(made, OUTPUTS[model.kind], "The model's answer")}


def _reloaded(model: Forecaster, folder: Path, again: Callable[[], Model]) -> Forecaster:
    if not isinstance(model, Saving):
        raise NothingKept("The model fits anew each time.")
    model.save(folder)
    other = again()
    if not (isinstance(other, Forecaster) and isinstance(other, Saving)):
        raise ValueError(f"another {type(model).__name__} was expected; found {type(other).__name__}")
    other.load(folder)
    return other
