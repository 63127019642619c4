"""What a custom model must be able to do. Subclass one of `Forecaster`, `Detector`, `Explainer`; Querent makes it with its artifacts' folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Context:
    """What a model is told beside the numbers.

    grain: minute, hour, day, week, month, quarter or year. season_steps: the main season in steps, 1 when there is none. seed: for all
    randomness. time_zone: where business follows local time, None when buckets are dates. country: ISO code for holidays, or None.
    dimension: what the parts that an explainer is given are values of ("Region"); empty for other kinds.
    """

    grain: str
    season_steps: int = 1
    seed: int = 0
    time_zone: str | None = None
    country: str | None = None
    dimension: str = ""


class Model(ABC):
    """artifacts: the package's folder `artifacts/`, read-only. A model must not need the network, the environment or other files."""

    kind: ClassVar[str]

    def __init__(self, artifacts: Path) -> None:
        self.artifacts = artifacts


class Saving(ABC):
    """What a forecaster inherits as well when it can keep what `fit` learned: `class Mine(Forecaster, Saving)`."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Keeps what `fit` learned, in files below `folder`."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Takes back what `save` kept, in a new object; `predict` then gives the same numbers."""


class Forecaster(Model):
    """Fits on history, then says what comes next. `fit` and `predict` are called once each on a new object for every batch of series."""

    kind = "forecaster"

    @abstractmethod
    def fit(self, history: pa.Table, context: Context) -> None:
        """history: HISTORY, several series one after the other."""

    @abstractmethod
    def predict(self, future: pa.Table) -> pa.Table:
        """future: FUTURE, the buckets that follow each series. Returns FORECAST, one row per row of `future`."""


class Detector(Model):
    """Says how strange each row is, from that row and earlier ones only."""

    kind = "detector"

    @abstractmethod
    def score(self, history: pa.Table, context: Context) -> pa.Table:
        """history: HISTORY. Returns SCORES, one row per row of `history`; a row's score must not depend on later rows."""


class Explainer(Model):
    """Splits the change of a whole among its parts."""

    kind = "explainer"

    @abstractmethod
    def explain(self, parts: pa.Table, context: Context) -> pa.Table:
        """parts: PARTS. Returns CONTRIBUTIONS, which add up to sum(after) - sum(before)."""
