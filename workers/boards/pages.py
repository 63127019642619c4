"""A board's snapshot as pages and as the text of an e-mail. `sections`: as `Section.as_json` gives them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from workers.pages_pdf import ACCENT, Block, Chart, Heading, Rows, Text, sized

Sections = Sequence[Mapping[str, Any]]
_MAIL_CHART = 600  # pixels
_CELL = "padding:4px 8px;border-bottom:1px solid #ddd"


def blocks(sections: Sections) -> tuple[Block, ...]:
    """For a document."""
    made: list[Block] = []
    for one in sections:
        made.append(Heading(str(one["title"])))
        if one["headline"]:
            made.append(Text(str(one["headline"])))
        if one["chart"] is not None:
            made.append(Chart(_untitled(one["chart"]), f"Chart: {one['headline'] or one['title']}"))
        if one["rows"]:
            made.append(Rows(one["columns"], one["rows"], frozenset(one["right"])))
        made += [Text(note, soft=True) for note in _notes(one)]
    return tuple(made)


def charts(sections: Sections, *, accent: str = ACCENT) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The pictures of an e-mail by their content ids."""
    return tuple(
        (f"chart{i}", sized(_untitled(one["chart"]), _MAIL_CHART, accent=accent))
        for i, one in enumerate(sections)
        if one["chart"] is not None
    )


def as_html(sections: Sections, *, pictures: bool) -> str:
    """The inside of an e-mail; `cid:chart0` ... are the charts. Every text is escaped: names and values are data."""
    safe = html.escape
    parts: list[str] = []
    for i, one in enumerate(sections):
        parts.append(f'<h2 style="font-size:15px;margin:22px 0 4px">{safe(str(one["title"]))}</h2>')
        if one["headline"]:
            parts.append(f'<p style="margin:4px 0">{safe(str(one["headline"]))}</p>')
        if pictures and one["chart"] is not None:
            alt = safe(f"Chart: {one['headline'] or one['title']}")
            parts.append(f'<p style="margin:0 0 10px"><img src="cid:chart{i}" alt="{alt}" style="max-width:100%"></p>')
        if pictures and one["rows"]:
            parts.append(_table(one))
        parts += [f'<p style="color:#595959;font-size:12px">{safe(note)}</p>' for note in _notes(one)]
    return "".join(parts)


def lines(sections: Sections) -> tuple[str, ...]:
    """For plain text: a line per pin."""
    return tuple(_line(str(one["title"]), str(one["headline"] or " ".join(_notes(one)))) for one in sections)


def _line(title: str, said: str) -> str:
    """ "Orders: 8,932 (last month)" and "Orders by region: 8,932 in all": what the title begins with is not named again."""
    name, colon, rest = said.partition(": ")
    if not colon or not f"{title} ".lower().startswith(f"{name} ".lower()):
        return f"{title}: {said}"
    return said if len(name) == len(title) else f"{title}: {rest}"


def _table(one: Mapping[str, Any]) -> str:
    right = set(one["right"])

    def row(values: Sequence[object], tag: str) -> str:
        cells = "".join(
            f'<{tag} style="{_CELL};text-align:{"right" if i in right else "left"}">{html.escape(str(value))}</{tag}>'
            for i, value in enumerate(values)
        )
        return f"<tr>{cells}</tr>"

    body = "".join(row(values, "td") for values in one["rows"])
    return f'<table style="border-collapse:collapse;font-size:13px"><thead>{row(one["columns"], "th")}</thead><tbody>{body}</tbody></table>'


def _notes(one: Mapping[str, Any]) -> list[str]:
    more = [f"{one['left_out']:,} more rows are on the board."] if one["left_out"] else []
    return [*more, *map(str, one["notes"])]


def _untitled(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Without the title, which stands above it as text."""
    return {name: value for name, value in spec.items() if name != "title"}
