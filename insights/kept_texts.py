"""What is kept of a study, a digest or a board's snapshot, as who reads it now writes numbers and dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.formats import current
from insights.chart_formats import in_formats
from insights.retold import is_day, names_in, retold, retold_lines

_LINES = ("narrative", "sentences", "own_sentences", "notes")
_CHARTS = ("charts", "fact_charts")


def kept_retold(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The same for whoever writes the usual way. kept: `told` are the facts of its sentences; `sections` are a board's.

    Figures and everything else for programs stay as they are.
    """
    made = dict(kept)
    if current().is_usual:
        return made
    names = names_in(kept.get("told") or ())
    for name in _LINES:
        if kept.get(name):
            made[name] = retold_lines(kept[name], names)
    if isinstance(kept.get("headline"), str):
        made["headline"] = retold(kept["headline"], names)
    if kept.get("next"):
        made["next"] = [dict(step) | {"text": retold(str(step["text"]), names)} for step in kept["next"]]
    for name in _CHARTS:
        if kept.get(name):
            made[name] = [_charted(item, names) for item in kept[name]]
    if kept.get("sections"):
        made["sections"] = [_section(one) for one in kept["sections"]]
        made["sentences"] = [
            retold(str(line), _names_of(one)) for line, one in zip(kept.get("sentences") or (), kept["sections"], strict=False)
        ]  # a line per section
    return made


def title_retold(title: str) -> str:
    """Of an issue: a name that somebody gave, then the period."""
    name, comma, period = title.rpartition(", ")
    return f"{name}{comma}{retold(period)}" if comma else title


def chart_retold(spec: Mapping[str, Any], names: Iterable[str] = ()) -> dict[str, Any]:
    known = tuple(names)
    said = {name: retold(spec[name], known) for name in ("title", "description") if isinstance(spec.get(name), str)}
    return in_formats(spec) | said


def _charted(item: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    known = tuple(names)
    told = dict(item) | {"title": retold(str(item.get("title", "")), known)}
    return told | ({"chart": chart_retold(item["chart"], known)} if item.get("chart") else {})


def _section(one: Mapping[str, Any]) -> dict[str, Any]:
    """Cells of figures and days are retold, other cells are names."""
    names, right = _names_of(one), set(one["right"])
    rows = [[retold(str(cell)) if i in right or is_day(str(cell)) else cell for i, cell in enumerate(row)] for row in one["rows"]]
    told = dict(one) | {"headline": retold(str(one["headline"]), names), "rows": rows, "columns": retold_lines(one["columns"], names)}
    return told | {"notes": retold_lines(one["notes"], names), "chart": chart_retold(one["chart"], names) if one["chart"] else None}


def _names_of(one: Mapping[str, Any]) -> tuple[str, ...]:
    right = set(one["right"])
    cells = (str(cell) for row in one["rows"] for i, cell in enumerate(row) if i not in right)
    return (str(one["title"]), *(cell for cell in cells if not is_day(cell)))
