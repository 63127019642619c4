"""Colours that can be read, and logos that are nothing but pictures."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api.branding.contrast import DARK, LIGHT, MIN_RATIO, checked, colour, nearest, ratio, soft
from api.branding.logos import MAX_BYTES, logo
from api.branding.sheet import sheet
from core.errors import Invalid, TooLarge

CSS = (Path(__file__).parents[3] / "web/src/app.css").read_text(encoding="utf-8")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 10">{}</svg>'


def png(width: int, height: int) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(sink, "PNG")
    return sink.getvalue()


class TestColours:
    def test_are_measured_as_the_standard_says(self) -> None:
        assert ratio("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)
        assert ratio("#777777", "#777777") == 1

    def test_of_the_check_are_those_of_the_page(self) -> None:
        light, dark = (re.search(rf"--page: ({p}); --side: (#\w+); --card: (#\w+)", CSS) for p in ("#f7f7f5", "#111317"))
        assert light is not None
        assert dark is not None
        assert (LIGHT.grounds, DARK.grounds) == (light.groups(), dark.groups())

    @pytest.mark.parametrize("scheme", [LIGHT, DARK])
    @given(st.integers(0, 0xFFFFFF))
    def test_the_nearest_shade_can_be_read_everywhere(self, scheme: object, number: int) -> None:
        found = nearest(f"#{number:06x}", scheme)  # type: ignore[arg-type]
        assert checked(found, scheme) == found  # type: ignore[arg-type]
        assert all(ratio(found, g) >= MIN_RATIO for g in (*scheme.grounds, scheme.on, soft(found, scheme)))  # type: ignore[attr-defined]

    def test_that_cannot_be_read_are_refused_with_one_that_can(self) -> None:
        with pytest.raises(Invalid, match=r"contrast of .* to 1 in the light pages.*Take #"):
            checked("#ff6600", LIGHT)

    @pytest.mark.parametrize("text", ["red", "#12345", "#gggggg", "#fff}body{display:none", "url(x)"])
    def test_are_nothing_but_colours(self, text: str) -> None:
        with pytest.raises(Invalid, match="is written as"):
            colour(text, "The accent colour")

    def test_become_a_sheet_of_variables(self) -> None:
        assert sheet("", "") == ""
        assert sheet("#b84900", "#ff6600").count("--accent:#ff6600") == 2


class TestLogos:
    def test_are_drawn_anew_and_made_smaller(self) -> None:
        found = logo(png(1200, 300) + b"<script>alert(1)</script>")
        assert found.type == "image/png"
        assert b"script" not in found.body
        assert Image.open(io.BytesIO(found.png)).size == (640, 160)

    def test_as_svg_are_written_anew(self) -> None:
        shape = '<metadata>x</metadata><g onload="alert(1)" style="fill:#f60;behavior:none"><path d="M0 0h9"/></g><text>A &lt;b&gt;</text>'
        found = logo(SVG.format(shape).encode())
        assert found.type == "image/svg+xml"
        assert b"onload" not in found.body
        assert b"behavior" not in found.body
        assert b'fill="#f60"' in found.body
        assert b"A &lt;b&gt;" in found.body
        assert found.png.startswith(b"\x89PNG")

    @pytest.mark.parametrize(
        "inside",
        [
            "<script>alert(1)</script>",
            "<style>@import url(http://x)</style>",
            "<foreignObject><b xmlns='http://www.w3.org/1999/xhtml'>x</b></foreignObject>",
            "<image href='http://x/y.png'/>",
            "<g><use xlink:href='#a'/></g>",
            "<a href='javascript:alert(1)'><path d='M0 0'/></a>",
            "<linearGradient id='a' xlink:href='http://x/#a'/>",
            "<rect fill='url(http://x/#a)'/>",
            "<rect style='fill:u\\72l(http://x)'/>",
            "<animate attributeName='x'/>",
        ],
    )
    def test_that_hold_more_than_shapes_are_refused(self, inside: str) -> None:
        with pytest.raises(Invalid, match="The SVG "):
            logo(SVG.format(inside).encode())

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"GIF89a", b"\x89PNG\r\n\x1a\nbroken", b"<svg/>", b"<html/>", png(5000, 10)[:80],
            b"<!DOCTYPE s [<!ENTITY a 'x'>]><svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><title>&a;</title></svg>",
            b"<svg xmlns='http://www.w3.org/2000/svg' width='1e9' height='nan'/>",
        ],
    )  # fmt: skip
    def test_that_are_no_pictures_are_refused(self, body: bytes) -> None:
        with pytest.raises(Invalid):
            logo(body)

    def test_that_are_too_large_are_refused(self) -> None:
        with pytest.raises(TooLarge, match="at most 200 kB"):
            logo(b"\x89PNG\r\n\x1a\n" + b"x" * MAX_BYTES)
        with pytest.raises(TooLarge, match="100 deep"):
            logo(SVG.format("<g>" * 1500 + "</g>" * 1500).encode())
