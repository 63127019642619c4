"""Templates with autoescape, and what they call."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from api import schemas
from api.web.assets import entry
from api.web.dates_said import plain_dates, point_said
from api.web.icons import icon
from api.web.nav import nav_for
from core.formats import current
from core.store.brandings import USUAL
from insights.wording import begun, count, figure, number, percent
from semantic.pretty import pretty_sql

_FIGURE = re.compile(r"[-+−–]?\s?[€$£¥]?\s?\d[\d,.]*\s?(%|pp|[KMBT]|bn)?$")
_PLAIN = re.compile(r"[^:]+: [^(]+ \(([^()]+)\)\.")
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    known = values.get("v")
    values.setdefault("brand", known.brand if known is not None else USUAL)
    return HTMLResponse(_environment.get_template(template).render(assets=entry(), **values), status_code=status)


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
        parts += [escape(text[at : word.start]), Markup('<mark class="unknown">{}</mark>').format(text[word.start : word.end])]
        at = word.end
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def with_word(answer: schemas.Answer, word: schemas.Unknown, other: str) -> str:
    """The question with `other` in the place of the unknown word."""
    return answer.question[: word.start] + other + answer.question[word.end :]


def ago(then: dt.datetime, now: dt.datetime | None = None) -> str:
    """How long ago, in the largest unit: just now, 5 min ago, 3 h ago, 2 days ago, else the date."""
    seconds = ((now or dt.datetime.now(dt.UTC)) - then).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h ago"
    days = int(seconds // 86_400)
    return f"{days} {'day' if days == 1 else 'days'} ago" if days < 14 else current().day(then)


def moment(at: dt.datetime | str) -> str:
    """A day and time of day: 5 May 2026, 14:30."""
    known = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    day = current().day(known)
    return day if (known.hour, known.minute) == (0, 0) else f"{day}, {current().clock(known)}"


def sentence(text: str) -> str:
    """With a capital first; the rest as it is, unlike `capitalize`."""
    return text[:1].upper() + text[1:]


def beneath_figure(said: str) -> str:
    """What is left to say beneath a single figure that is shown large: of "Orders: 9,054 (last month, Oct 2026)." when that was."""
    plain = _PLAIN.fullmatch(said)
    return sentence(plain[1]) if plain else said


def is_banded(spec: Mapping[str, Any]) -> bool:
    """Whether a chart shows a range around its line."""
    marks = [layer.get("mark") for layer in spec.get("layer", [])]
    return any((mark.get("type") if isinstance(mark, dict) else mark) == "area" for mark in marks)


def is_limited(spec: Mapping[str, Any]) -> bool:
    """Whether a line across a chart is not to be passed."""
    return any(isinstance(layer.get("mark"), Mapping) and layer["mark"].get("type") == "rule" for layer in spec.get("layer", []))


def size(count: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{figure(count, 0 if unit == 'bytes' else 1)} {unit}"
        count = count / 1000
    return str(count)


_environment.filters.update(
    as_json=as_json,
    ago=ago,
    begun=begun,
    beneath_figure=beneath_figure,
    clock=lambda at: current().clock(at, seconds=True),
    count=count,
    day=lambda at: current().day(at),
    figure=figure,
    moment=moment,
    percent=percent,
    plain_dates=plain_dates,
    point_said=point_said,
    sentence=sentence,
    size=size,
    pretty_sql=pretty_sql,
    quote=lambda text: quote(str(text), safe=""),
)
_environment.tests["figure"] = lambda value: isinstance(value, int | float) or bool(_FIGURE.match(str(value)))
_environment.globals.update(
    underlined=underlined, with_word=with_word, number=number, icon=icon, nav_for=nav_for, is_banded=is_banded, is_limited=is_limited
)
