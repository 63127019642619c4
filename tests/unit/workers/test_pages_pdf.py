"""Pages for mails: every letter that some font of the machine has can be read in them."""

from __future__ import annotations

import datetime as dt

from tests.conftest import needs
from workers.pages_pdf import Document, Heading, Rows, Text, pdf
from workers.pdf_fonts import fonts_for

NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
NOBODY_HAS = "\U0010fff0"


def page(region: str) -> bytes:
    blocks = (Heading("Revenue"), Text(f"{region} rose."), Rows(("region", "revenue"), ((region, "12"),), frozenset({1})))
    return pdf(Document("Weekly digest", "1 to 7 Jan", blocks, NOW))


def fonts_in(made: bytes) -> int:
    return made.count(b"/FontFile")


class TestLettersBeyondTheFont:
    def test_are_taken_from_a_font_of_the_machine(self) -> None:
        if not fonts_for("関"):
            needs("cjk-font", "fontconfig knows no font with Chinese or Japanese letters")
        assert fonts_in(page("関東")) == fonts_in(page("Kantō")) + 1

    def test_that_no_font_has_are_boxes(self) -> None:
        assert fonts_for(NOBODY_HAS) == ()
        assert fonts_in(page(NOBODY_HAS)) == fonts_in(page("EMEA"))

    def test_the_same_content_gives_the_same_bytes(self) -> None:
        assert page("関東") == page("関東")
