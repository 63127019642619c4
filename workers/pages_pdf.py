"""A few pages as PDF: a title, texts, charts as pictures, small tables. For boards and digests that go out by e-mail.

A4, DejaVu Sans (comes with matplotlib; Latin, Greek, Cyrillic and more; what it lacks is taken from the machine's fonts), charts as pictures
with a text alternative. The same content at the same time gives the same bytes on the same machine.
"""

from __future__ import annotations

import datetime as dt
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.alerts.chart import png
from workers.pdf_fonts import beyond, fonts_for

if TYPE_CHECKING:
    from fpdf import FPDF

MAX_TABLE_ROWS = 200
WIDE_CHART = 720  # pixels; a chart that gives no width of its own
ACCENT = "#2450c8"
_FONT = "page"
_MARGIN_MM, _LINE_MM = 18.0, 5.4
_MAX_CHARS = 4_000  # of one text


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """soft: smaller and grey, for notes."""

    text: str
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """spec: Vega-Lite with its data in it. alt: what it shows, in words."""

    spec: Mapping[str, Any]
    alt: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: the first MAX_TABLE_ROWS rows are shown, and a line says when there are more. right: columns of figures."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()


Block = Heading | Text | Chart | Rows


@dataclass(frozen=True, slots=True)
class Document:
    """link: where the same can be read in Querent. accent: of the lines, as #rrggbb. logo: PNG."""

    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    made_at: dt.datetime
    link: str = ""
    company: str = "Querent"
    accent: str = ACCENT
    logo: bytes | None = None


def pdf(document: Document) -> bytes:
    """The document as PDF. Reads nothing from the network. Takes about 0.2 s, and 0.1 s per chart."""
    page = _page(document)
    with _quiet():
        _head(page, document)
        for block in document.blocks:
            _put(page, block, document.accent)
        if document.link:
            page.ln(4)
            page.set_font(_FONT, size=9)
            page.set_text_color(*_rgb(document.accent))
            page.cell(text=f"Open in {_clean(document.company, 80)}", link=document.link)
        return bytes(page.output())


def _page(document: Document) -> FPDF:
    import matplotlib  # only for the place of its fonts
    from fpdf import FPDF

    class Page(FPDF):
        def footer(self) -> None:
            self.set_y(-14)
            self.set_font(_FONT, size=8)
            self.set_text_color(90)
            self.cell(0, 5, f"{_clean(document.company, 80)}, page {self.page_no()} of {{nb}}", align="R")

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    made = Page(format="A4")
    made.set_margin(_MARGIN_MM)
    made.set_auto_page_break(True, margin=18)
    made.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
    made.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
    others = {f"{_FONT}{place}": file for place, file in enumerate(fonts_for(beyond(fonts / "DejaVuSans.ttf", _texts(document))))}
    for name, file in others.items():
        made.add_font(name, "", file)
    made.set_fallback_fonts(list(others), exact_match=False)
    made.set_title(_clean(document.title, 300))
    made.set_lang("en")
    made.set_creator("Querent")
    made.set_creation_date(document.made_at)
    made.add_page()
    return made


def _texts(document: Document) -> Iterator[str]:
    yield from (_clean(document.title), _clean(document.subtitle), _clean(document.company))
    for block in document.blocks:
        match block:
            case Heading(text) | Text(text):
                yield _clean(text)
            case Rows():
                yield from (_clean(cell) for row in (block.columns, *block.rows[:MAX_TABLE_ROWS]) for cell in row)


def _head(page: FPDF, document: Document) -> None:
    if document.logo is not None:
        page.image(io.BytesIO(document.logo), x=_MARGIN_MM, y=page.get_y(), h=10, w=46, keep_aspect_ratio=True, alt_text=document.company)
        page.ln(13)
    page.set_font(_FONT, "B", 18)
    page.set_text_color(25)
    page.multi_cell(0, 8, _clean(document.title, 300), new_x="LMARGIN", new_y="NEXT")
    page.set_font(_FONT, size=9.5)
    page.set_text_color(90)
    page.multi_cell(0, _LINE_MM, _clean(document.subtitle), new_x="LMARGIN", new_y="NEXT")
    page.set_draw_color(*_rgb(document.accent))
    page.set_line_width(0.6)
    page.line(_MARGIN_MM, page.get_y() + 2, page.w - _MARGIN_MM, page.get_y() + 2)
    page.ln(6)


def _put(page: FPDF, block: Block, accent: str) -> None:
    page.set_text_color(25)
    match block:
        case Heading(text):
            if page.will_page_break(60):  # with what follows, not alone at the foot of a page
                page.add_page()
            page.ln(2)
            page.start_section(_clean(text, 200))
            page.set_font(_FONT, "B", 12)
            page.multi_cell(0, 6.4, _clean(text, 300), new_x="LMARGIN", new_y="NEXT")
        case Text(text, soft):
            page.set_font(_FONT, size=8.5 if soft else 10)
            page.set_text_color(90 if soft else 25)
            page.multi_cell(0, _LINE_MM, _clean(text), new_x="LMARGIN", new_y="NEXT")
            page.ln(1)
        case Chart(spec, alt):
            page.image(io.BytesIO(png(sized(spec, accent=accent))), w=page.epw, alt_text=_clean(alt, 500))
            page.ln(3)
        case Rows():
            _table(page, block, accent)


def _table(page: FPDF, block: Rows, accent: str) -> None:
    from fpdf.fonts import FontFace

    page.set_font(_FONT, size=8.5)
    page.set_draw_color(200)
    page.set_line_width(0.2)
    aligned = tuple("RIGHT" if i in block.right else "LEFT" for i in range(len(block.columns)))
    style = FontFace(emphasis="BOLD", fill_color=(240, 242, 246))
    with page.table(text_align=aligned, borders_layout="HORIZONTAL_LINES", headings_style=style, line_height=5) as table:
        table.row([_clean(name, 80) for name in block.columns])
        for row in block.rows[:MAX_TABLE_ROWS]:
            table.row([_clean(value, 120) for value in row])
    left = len(block.rows) - MAX_TABLE_ROWS
    if left > 0:
        _put(page, Text(f"{left:,} more rows are in Querent.", soft=True), accent)
    page.ln(3)


def sized(spec: Mapping[str, Any], width: int = WIDE_CHART, *, accent: str = ACCENT) -> dict[str, Any]:
    """A chart of the page, which takes the width of its place there, as a picture: plain, and bars as high as they are many."""
    made = {**spec, "background": "white"}
    if not isinstance(made.get("width"), int | float):
        made["width"] = width
    encoding = made.get("encoding") or {}
    if (encoding.get("y") or {}).get("type") == "nominal" and "yOffset" not in encoding:
        made["height"] = {"step": 26}
    grey = {
        "labelColor": "#444",
        "titleColor": "#444",
        "titleFontWeight": "normal",
        "domain": False,
        "ticks": False,
        "gridColor": "#e4e6ea",
    }
    config = {"mark": {"color": accent}, "view": {"stroke": None}, "axis": grey, "axisX": {"tickCount": 6}, "axisY": {"tickCount": 5}}
    return {**made, "config": {**config, **(made.get("config") or {})}}


def _clean(text: str, most: int = _MAX_CHARS) -> str:
    """Without control characters and characters beyond Unicode's first plane, which the font does not have; cut when long."""
    kept = "".join(c if c.isprintable() and ord(c) < 0x10000 else " " if c.isspace() else "\ufffd" for c in str(text))
    return kept if len(kept) <= most else f"{kept[: most - 1]}…"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@contextmanager
def _quiet() -> Iterator[None]:
    """Glyphs that the font lacks are drawn as boxes; a line in the log per text, and per table of the font, would tell nobody anything."""
    heard = {logging.getLogger(name): logging.getLogger(name).level for name in ("fpdf", "fontTools")}
    for one in heard:
        one.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for one, before in heard.items():
            one.setLevel(before)
