"""Logos: PNG and SVG that are pictures and nothing else."""

from __future__ import annotations

import io
import re
import warnings
from xml.etree import ElementTree

from core.errors import Invalid, TooLarge
from core.store.brandings import Logo

MAX_BYTES = 200_000
MAX_SIDE = 4_000  # pixels of an uploaded PNG
KEPT_WIDTH, KEPT_HEIGHT = 640, 200
MAX_ELEMENTS = 2_000
MAX_DEPTH = 100  # groups within groups
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_ELEMENTS = {
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "defs", "linearGradient", "radialGradient",
    "stop", "clipPath", "mask", "title", "desc",
}  # fmt: skip
"""Without `use`: a few of them that repeat each other draw for hours."""
_LEFT_OUT = {"metadata"}  # what drawing programs add; pictures do not need it
_ATTRIBUTES = {
    "id", "d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "dx", "dy", "width", "height", "viewBox", "points",
    "transform", "fill", "fill-opacity", "fill-rule", "clip-rule", "clip-path", "mask", "stroke", "stroke-width", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "stroke-opacity", "opacity", "offset", "stop-color",
    "stop-opacity", "gradientUnits", "gradientTransform", "spreadMethod", "clipPathUnits", "maskUnits", "maskContentUnits", "font-family",
    "font-size", "font-weight", "font-style", "text-anchor", "letter-spacing", "dominant-baseline", "preserveAspectRatio", "version", "color",
}  # fmt: skip
_INNER_URL = re.compile(r"url\(\s*['\"]?#[\w.-]+['\"]?\s*\)")


def logo(body: bytes) -> Logo:
    """What was uploaded, made safe: a PNG is drawn anew, an SVG written anew from what is known to be harmless.

    Raises: TooLarge; Invalid for anything else than a PNG or an SVG, and for an SVG that holds more than shapes and words.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge(f"A logo has at most {MAX_BYTES // 1000} kB; this one has {len(body) // 1000} kB.", code="logo_too_large")
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        png = _drawn(body)
        return Logo("image/png", png, png)
    svg = _clean_svg(body)
    return Logo("image/svg+xml", svg, _drawn(_as_png(svg)))


def _drawn(body: bytes) -> bytes:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(action="error"), Image.open(io.BytesIO(body), formats=["PNG"]) as found:
            if max(found.size) > MAX_SIDE:
                raise Invalid(
                    f"A logo is at most {MAX_SIDE:,} pixels wide and high; found {found.width} by {found.height}.", code="bad_logo"
                )
            small = found.convert("RGBA")
            small.thumbnail((KEPT_WIDTH, KEPT_HEIGHT))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        raise Invalid("This PNG cannot be read; export it once more.", code="bad_logo") from error
    sink = io.BytesIO()
    small.save(sink, "PNG", optimize=True)
    return sink.getvalue()


def _clean_svg(body: bytes) -> bytes:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: ElementTree.Element = fromstring(body, forbid_dtd=False)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Invalid("A logo is a PNG or an SVG; this file is neither.", code="bad_logo") from error
    if root.tag != f"{{{_SVG}}}svg":
        raise Invalid("A logo is a PNG or an SVG; this file is neither.", code="bad_logo")
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise TooLarge(f"A logo has at most {MAX_ELEMENTS:,} shapes; take a simpler one or a PNG.", code="logo_too_large")
    made = _clean(root)
    left, top, width, height = _box(root)
    scale = min(KEPT_WIDTH / width, KEPT_HEIGHT / height)
    made.set("viewBox", f"{left:g} {top:g} {width:g} {height:g}")
    made.set("width", f"{width * scale:.2f}")
    made.set("height", f"{height * scale:.2f}")
    ElementTree.register_namespace("", _SVG)
    written: bytes = ElementTree.tostring(made, encoding="utf-8")
    return written


def _box(root: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, top, width and height of what is shown. Raises: Invalid when it has none that a logo can have."""
    texts = root.get("viewBox", "").replace(",", " ").split() or ["0", "0", root.get("width", ""), root.get("height", "")]
    try:
        left, top, width, height = (float(text.removesuffix("px")) for text in texts)
    except ValueError as error:
        raise Invalid("The SVG says neither its viewBox nor its width and height; export it once more.", code="bad_logo") from error
    if not all(abs(v) < 1e6 for v in (left, top, width, height)) or min(width, height) <= 0 or not 1 / 5 <= width / height <= 20:
        raise Invalid(f"A logo is up to 20 times as wide as high; this one is {width:g} by {height:g}.", code="bad_logo")
    return left, top, width, height


def _clean(element: ElementTree.Element, depth: int = 0) -> ElementTree.Element:
    """Raises: Invalid for an element or a reference that a picture does not need: better no logo than a changed one; TooLarge."""
    if depth > MAX_DEPTH:
        raise TooLarge(f"A logo's shapes are grouped at most {MAX_DEPTH} deep; take a simpler one or a PNG.", code="logo_too_large")
    name = _known(element)
    made = ElementTree.Element(f"{{{_SVG}}}{name}")
    for key, value in element.attrib.items():
        plain = key.removeprefix(f"{{{_XLINK}}}")
        if plain == "href":
            if not value.startswith("#"):
                raise Invalid("The SVG points to something outside of it; a logo holds all it shows.", code="bad_logo")
            made.set("href", value)
        elif plain == "style" and key == plain:
            for style, text in _declarations(value):
                made.set(style, text)
        elif key in _ATTRIBUTES:
            made.set(key, _harmless(value))
    made.text, made.tail = (element.text, element.tail) if name in ("text", "tspan", "title", "desc") else (None, None)
    for child in element:
        if isinstance(child.tag, str) and child.tag.startswith(f"{{{_SVG}}}") and child.tag.partition("}")[2] not in _LEFT_OUT:
            made.append(_clean(child, depth + 1))
    return made


def _known(element: ElementTree.Element) -> str:
    name = str(element.tag).partition("}")[2]
    if name not in _ELEMENTS:
        hint = "export it with presentation attributes instead" if name == "style" else "a logo holds shapes and words only"
        raise Invalid(f"The SVG holds <{name[:30]}>; {hint}.", code="bad_logo")
    return name


def _declarations(style: str) -> list[tuple[str, str]]:
    pairs = [part.partition(":") for part in style.split(";") if ":" in part]
    return [(name.strip(), _harmless(value.strip())) for name, _, value in pairs if name.strip() in _ATTRIBUTES]


def _harmless(value: str) -> str:
    """Raises: Invalid for a reference to anything outside."""
    left = _INNER_URL.sub("", value).lower()
    if "url(" in left or "javascript:" in left or "\\" in left or "expression(" in left:
        raise Invalid("The SVG points to something outside of it; a logo holds all it shows.", code="bad_logo")
    return value


def _as_png(svg: bytes) -> bytes:
    import vl_convert  # loads a JavaScript engine: only when a logo is uploaded

    try:
        return bytes(vl_convert.svg_to_png(svg.decode(), scale=1))
    except (ValueError, RuntimeError) as error:
        raise Invalid("This SVG cannot be drawn; export it once more, or take a PNG.", code="bad_logo") from error
