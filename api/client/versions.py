"""A version of a custom model as one reads it in a notebook: state, gate, checks, backtest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from api.client.answers import Plot
from api.client.failures import NotAnswered


@dataclass(frozen=True, slots=True, repr=False)
class ModelVersion:
    """`raw` is all that the API said; `version["card"]` is the same as `version.raw["card"]`."""

    raw: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.raw[name]

    @property
    def name(self) -> str:
        return str(self.raw["name"])

    @property
    def number(self) -> int:
        return int(self.raw["version"])

    @property
    def state(self) -> str:
        """checking, challenger, champion, previous, retired, refused or withdrawn."""
        return str(self.raw["state"])

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was refused."""
        return tuple(map(str, self.raw.get("reasons") or ()))

    @property
    def gate(self) -> pd.DataFrame:
        """Each criterion with what was required and found; empty where it did not come so far."""
        return pd.DataFrame((self.raw.get("verdict") or {}).get("criteria", []), columns=["name", "passed", "required", "found"])

    @property
    def checks(self) -> pd.DataFrame:
        """The suite's checks: what must hold, passed, failed or skipped, and what was found."""
        return pd.DataFrame((self.raw.get("conformance") or {}).get("checks", []), columns=["name", "outcome", "detail", "seconds"])

    @property
    def errors(self) -> pd.DataFrame:
        """Of a forecaster: the error of this model, of who serves and of the last season again, by metric and series."""
        rows = [{"metric": run["metric"], **series} for run in self._runs for series in run.get("series", ())]
        return pd.DataFrame(rows)

    def plot(self, run: int = 0, *, periods: int = 2) -> Plot:
        """The last test periods of the backtest: what came, and what this model, who serves and the last season had said.

        run: which metric of a model of all. Raises: NotAnswered without a backtest.
        """
        from api.web.model_chart import backtest_chart

        spec = backtest_chart(_last(self._runs[run], periods)) if run < len(self._runs) else None
        if spec is None:
            raise NotAnswered("There is no backtest to draw: only forecasters that pass their checks have one.", self)
        return Plot(spec)

    @property
    def _runs(self) -> list[Mapping[str, Any]]:
        return list((self.raw.get("backtest") or {}).get("runs", ()))

    def __repr__(self) -> str:
        return "\n".join([f"{self.name}/{self.number}: {self.state}", *(f"  {reason}" for reason in self.reasons)])

    def _repr_html_(self) -> str:
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in self.reasons)
        gate = self.gate.to_html(index=False) if len(self.gate) else ""
        return f"<p><strong>{escape(self.name)}/{self.number}: {escape(self.state)}</strong></p>{f'<ul>{reasons}</ul>' if reasons else ''}{gate}"


def _last(run: Mapping[str, Any], periods: int) -> Mapping[str, Any]:
    """The run with its last test periods, and the actual values from a while before them."""
    plot = run.get("plot")
    if not plot:
        return run
    folds, history = plot["folds"][-max(1, periods) :], plot["history"]
    start = max(0, sum(t < folds[0]["t"][0] for t in history["t"]) - len(folds[0]["t"]))
    return {**run, "plot": {"history": {name: values[start:] for name, values in history.items()}, "folds": folds}}
