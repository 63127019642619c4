"""Answers and studies as one reads them in a notebook: DataFrames, a chart, the words, the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from api.client.failures import NotAnswered
from semantic.pretty import pretty_sql

if TYPE_CHECKING:
    from api.client.client import Querent


_PICTURE_WIDTH = 680  # pixels, where the chart would take the width of a page


@dataclass(frozen=True, slots=True)
class Plot:
    """A Vega-Lite chart; notebooks show it as a picture."""

    spec: Mapping[str, Any]

    def png(self, scale: float = 1.5) -> bytes:
        import vl_convert

        spec = dict(self.spec) | ({"width": _PICTURE_WIDTH} if self.spec.get("width", "container") == "container" else {})
        made: bytes = vl_convert.vegalite_to_png(spec, scale=scale)
        return made

    def _repr_png_(self) -> bytes:
        return self.png()


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What came of a question. `outcome` is answer, clarify, refuse, job, define or describe; `raw` is all that the API said."""

    raw: Mapping[str, Any]
    client: Querent

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def outcome(self) -> str:
        return str(self.raw["outcome"])

    @property
    def headline(self) -> str:
        return str(self.raw.get("headline") or self.raw.get("message") or "")

    @property
    def sql(self) -> str:
        """The SQL that ran; empty when none did."""
        return str((self.raw.get("receipt") or {}).get("sql", ""))

    @property
    def pretty_sql(self) -> str:
        """The same SQL over many lines, for reading."""
        return pretty_sql(self.sql) if self.sql else ""

    @property
    def query(self) -> Mapping[str, Any] | None:
        """The SemanticQuery behind it; `Querent.query` runs it again, also changed."""
        return self.raw.get("query")

    @property
    def confidence(self) -> float | None:
        return self.raw.get("confidence")

    @property
    def choices(self) -> tuple[str, ...]:
        """The readings to choose from when it asks back; `choose` takes one."""
        return tuple(str(c["label"]) for c in self.raw.get("choices", ()))

    @property
    def frame(self) -> pd.DataFrame:
        """The rows, times as timestamps. Raises: NotAnswered when there are none because it asked back, refused or started a job."""
        if self.outcome != "answer":
            raise NotAnswered(self._why_not(), self)
        columns = self.raw["columns"]
        made = pd.DataFrame(self.raw["rows"], columns=[str(c["label"]) for c in columns])
        for index, column in enumerate(columns):
            if column["role"] == "time" and _is_moment(made.iloc[:, index]):
                made[made.columns[index]] = pd.to_datetime(made.iloc[:, index])
        return made

    @property
    def chart(self) -> Mapping[str, Any] | None:
        """A Vega-Lite specification; notebooks draw it."""
        return self.raw.get("chart")

    def plot(self) -> Plot:
        """The chart, as notebooks draw it. Raises: NotAnswered when there is none."""
        if self.chart is None:
            raise NotAnswered("There is no chart for this answer.", self)
        return Plot(self.chart)

    def choose(self, number: int) -> Answer:
        """The answer to the reading `number` (from 0) of a question that was asked back."""
        return self.client.ask(str(self.raw["question"]), choice=number)

    def then(self, follow_up: str) -> Answer:
        """A follow-up in the same conversation."""
        return self.client.ask(follow_up, conversation=self.raw.get("conversation_id"))

    def wait(self, timeout_s: float = 3_600.0, *, progress: bool = True) -> Study:
        """The study that the question started. Raises: NotAnswered when it started none; JobFailed; TimeoutError."""
        if not self.raw.get("job"):
            raise NotAnswered(self._why_not(), self)
        return self.client.job(str(self.raw["job"]["id"])).wait(timeout_s, progress=progress)

    def __repr__(self) -> str:
        lines = [f"{self.outcome}: {self.headline}", *(f"  [{number}] {label}" for number, label in enumerate(self.choices))]
        return "\n".join([*lines, self.frame.to_string(index=False, max_rows=20)] if self.outcome == "answer" else lines)

    def _why_not(self) -> str:
        if self.outcome == "clarify":
            return f"It asks back; choose one with .choose(n): {'; '.join(self.choices)}"
        if self.outcome == "job":
            return "It started a study; .wait() has its result."
        return self.headline or f"There is no table: the outcome is {self.outcome}."

    def _repr_html_(self) -> str:
        table = self.frame.to_html(index=False, max_rows=20) if self.outcome == "answer" else ""
        choices = "".join(f"<li>{escape(c)}</li>" for c in self.choices)
        waits = "<p>It started a study: <code>.wait()</code> has its result.</p>" if self.outcome == "job" else ""
        return f"<p><strong>{escape(self.headline)}</strong></p>{f'<ol start=0>{choices}</ol>' if choices else ''}{table}{waits}"


@dataclass(frozen=True, slots=True, repr=False)
class Study:
    """The result of a forecast, detection, explanation or scan."""

    kind: str
    result: Mapping[str, Any]

    @property
    def headline(self) -> str:
        return str(self.result.get("headline", ""))

    @property
    def narrative(self) -> tuple[str, ...]:
        return tuple(str(s) for s in self.result.get("narrative", ()))

    @property
    def chart(self) -> Mapping[str, Any] | None:
        return self.result.get("chart")

    def plot(self) -> Plot:
        """The chart, as notebooks draw it. Raises: NotAnswered when there is none."""
        if self.chart is None:
            raise NotAnswered("There is no chart for this study.", self)
        return Plot(self.chart)

    @property
    def model(self) -> str:
        """Which model and version spoke; empty where none did."""
        return str(self.result.get("model_version") or self.result.get("model") or "")

    @property
    def sql(self) -> str:
        """The SQL that read the data; empty where none did."""
        return str((self.result.get("receipt") or {}).get("sql", ""))

    @property
    def pretty_sql(self) -> str:
        """The same SQL over many lines, for reading."""
        return ";\n\n".join(pretty_sql(part) for part in self.sql.split(";\n\n")) if self.sql else ""

    @property
    def table(self) -> pd.DataFrame:
        """What people read, as text."""
        shown = self.result.get("view_table") or {"columns": [], "rows": []}
        return pd.DataFrame(shown["rows"], columns=shown["columns"])

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers: points of all series of a forecast or detection; incidents; of other studies a row per fact."""
        rows: list[dict[str, Any]] = []
        for series in self.result.get("series", ()):
            points = series.get("forecast") or series.get("points") or ()
            rows += [{"series": series.get("label") or series.get("id") or series.get("series_id"), **point} for point in points]
        if not rows:
            rows = [dict(item) for item in self.result.get("incidents", ())] or [_flat(fact) for fact in self.result.get("facts", ())]
        made = pd.DataFrame(rows)
        for name in ("t", "started_at", "ended_at", "detected_at"):
            if name in made:
                made[name] = pd.to_datetime(made[name], utc=True)
        return made

    def __repr__(self) -> str:
        return "\n".join([f"{self.kind}: {self.headline}", *(f"  {sentence}" for sentence in self.narrative)])

    def _repr_html_(self) -> str:
        sentences = "".join(f"<p>{escape(s)}</p>" for s in self.narrative)
        return f"<p><strong>{escape(self.headline)}</strong></p>{sentences}{self.table.to_html(index=False, max_rows=20) if len(self.table) else ''}"


def _flat(fact: Mapping[str, Any]) -> dict[str, Any]:
    """A fact as a row: what it is, of which segment, its numbers; p of its test where there is one."""
    segment = " / ".join(map(str, (fact.get("scope") or {}).values()))
    return {
        "kind": fact.get("kind"),
        "metric": fact.get("metric"),
        "segment": segment,
        **fact.get("values", {}),
        "p": (fact.get("test") or {}).get("p"),
    }


def _is_moment(column: pd.Series[Any]) -> bool:
    """Whether every cell reads as a date; cyclic grains, such as the day of the week, do not."""
    texts = column.dropna().astype(str)
    return bool(len(texts)) and bool(texts.str.match(r"\d{4}-\d{2}-\d{2}").all())
