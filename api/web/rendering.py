"""Templates with autoescape, and how answers appear in them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from api import schemas
from api.web.assets import entry
from insights.wording import cell
from semantic.states import OutputColumn

SHOWN_ROWS = 200
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(_environment.get_template(template).render(assets=entry(), **values), status_code=status)


def table(answer: schemas.Answer) -> dict[str, Any]:
    """Headers and formatted cells of an answer's rows: {"headers", "rows": [[{"text", "css"}]], "hidden"}."""
    columns = [OutputColumn(c.name, c.label, c.role, unit=c.unit, format=c.format, grain=c.grain) for c in answer.columns]  # type: ignore[arg-type]
    headers = [{"text": c.label, "css": "number" if c.role in {"measure", "change"} else ""} for c in columns]
    rows = [[_cell(value, column) for value, column in zip(row, columns, strict=True)] for row in answer.rows[:SHOWN_ROWS]]
    return {"headers": headers, "rows": rows, "hidden": max(answer.row_count - SHOWN_ROWS, 0)}


def _cell(value: Any, column: OutputColumn) -> dict[str, str]:
    css = "number" if column.role in {"measure", "change"} else ""
    if column.role == "change" and isinstance(value, int | float) and value != 0:
        css += " up" if value > 0 else " down"
    return {"text": cell(_dated(value, column), column), "css": css}


def _dated(value: Any, column: OutputColumn) -> Any:
    if not isinstance(value, str) or column.role != "time":
        return value
    try:
        return dt.datetime.fromisoformat(value) if "T" in value else dt.date.fromisoformat(value)
    except ValueError:
        return value


def as_json(value: Any) -> Markup:
    """JSON for a data block in a page: `<`, `>` and `&` as escapes, so that no value can end the block."""
    text = json.dumps(value, default=str).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text)


def underlined(answer: schemas.Answer) -> Markup:
    """The question with the words that were not understood marked."""
    text, parts, at = answer.question, [], 0
    for word in sorted(answer.unknown, key=lambda w: w.start):
        if word.start < at or word.end > len(text):
            continue
        title = f"Did you mean: {', '.join(word.nearest)}" if word.nearest else "Not in the catalog"
        parts += [
            escape(text[at : word.start]),
            Markup('<mark class="unknown" title="{}">{}</mark>').format(title, text[word.start : word.end]),
        ]
        at = word.end
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


_environment.filters["as_json"] = as_json
_environment.globals.update(table=table, underlined=underlined)
