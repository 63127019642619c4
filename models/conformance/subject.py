"""What is checked: a model in this process, or one behind walls. The suite sees no difference."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from models.sdk.calls import call
from models.sdk.contract import Context, Model
from models.sdk.failures import ModelFailed, NothingKept
from models.sdk.package import load_folder


class Subject(Protocol):
    """`fresh` forgets everything: a new object, and behind walls a new process."""

    def fresh(self) -> None: ...
    def run(self, tables: Mapping[str, pa.Table], context: Context) -> pa.Table:
        """Raises: ModelFailed."""
        ...

    def saved(self, tables: Mapping[str, pa.Table], context: Context) -> pa.Table | None:
        """The answer after saving and loading in between; None when the model keeps nothing. Raises: ModelFailed."""
        ...


class LocalSubject:
    """A model in this process, for its author."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @classmethod
    def from_folder(cls, folder: Path) -> LocalSubject:
        return cls(load_folder(folder)[0])

    def fresh(self) -> None:
        """Nothing to do: each call makes a new object. What a module keeps for itself stays, as the checks are to find."""

    def run(self, tables: Mapping[str, pa.Table], context: Context) -> pa.Table:
        try:
            return call(self._new(), tables, context)["output"]
        except Exception as error:  # whatever the author's code raises is a finding
            raise ModelFailed(f"The model raised {type(error).__name__}: {str(error)[:500]}") from error

    def saved(self, tables: Mapping[str, pa.Table], context: Context) -> pa.Table | None:
        with tempfile.TemporaryDirectory() as folder:
            try:
                return call(self._new(), tables, context, through=(Path(folder), self._new))["output"]
            except NothingKept:
                return None
            except Exception as error:
                raise ModelFailed(f"The model raised {type(error).__name__}: {str(error)[:500]}") from error

    def _new(self) -> Model:
        return type(self._model)(self._model.artifacts)
