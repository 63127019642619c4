"""Colours that can be read on the page's own backgrounds.

Source: WCAG 2.2, success criterion 1.4.3 and the definitions of relative luminance and contrast ratio.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import Invalid

MIN_RATIO = 4.5
_HEX = re.compile(r"#[0-9a-f]{6}")
Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Scheme:
    """grounds: what accent-coloured text stands on. on: the text on accent-coloured buttons. card: what the soft accent is mixed with."""

    name: str
    grounds: tuple[str, ...]
    on: str
    card: str
    share: float
    darker: bool


# The colours of web/src/app.css; a test compares them.
LIGHT = Scheme("light", ("#f7f7f5", "#f1f1ee", "#ffffff"), "#ffffff", "#ffffff", 0.1, darker=True)
DARK = Scheme("dark", ("#111317", "#15181d", "#1b1e24"), "#10131a", "#1b1e24", 0.16, darker=False)


def colour(text: str, what: str) -> str:
    """As #rrggbb in small letters; empty stays empty. Raises: Invalid."""
    found = text.strip().lower()
    if found and not found.startswith("#"):
        found = f"#{found}"
    if found and not _HEX.fullmatch(found):
        raise Invalid(f"{what} is written as #2450c8; found {text[:20]!r}.", code="bad_colour")
    return found


def checked(accent: str, scheme: Scheme) -> str:
    """The colour when it can be read everywhere in the scheme. Raises: Invalid that names the nearest one that can."""
    worst = _worst(accent, scheme)
    if worst < MIN_RATIO:
        raise Invalid(
            f"{accent} has a contrast of {worst:.1f} to 1 in the {scheme.name} pages; text needs {MIN_RATIO}. "
            f"Take {nearest(accent, scheme)}, the nearest {'darker' if scheme.darker else 'lighter'} shade of it that can be read.",
            code="low_contrast",
        )
    return accent


def nearest(accent: str, scheme: Scheme) -> str:
    """The accent itself, or the first darker (lighter) shade of it that can be read in the scheme."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_rgb(accent))
    found = accent
    for percent in range(1, 101):
        if _worst(found, scheme) >= MIN_RATIO:
            break
        moved = lightness - percent / 100 if scheme.darker else lightness + percent / 100
        found = _hex(colorsys.hls_to_rgb(hue, min(max(moved, 0.0), 1.0), saturation))
    return found


def soft(accent: str, scheme: Scheme) -> str:
    """The accent as a tint of the cards."""
    return _hex(tuple(a * scheme.share + c * (1 - scheme.share) for a, c in zip(_rgb(accent), _rgb(scheme.card), strict=True)))


def ratio(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white).

    >>> round(ratio("#000000", "#ffffff"), 1)
    21.0
    """
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _worst(accent: str, scheme: Scheme) -> float:
    return min(ratio(accent, ground) for ground in (*scheme.grounds, scheme.on, soft(accent, scheme)))


def _luminance(colour_: str) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _rgb(colour_))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour_: str) -> Rgb:
    return int(colour_[1:3], 16) / 255, int(colour_[3:5], 16) / 255, int(colour_[5:7], 16) / 255


def _hex(rgb: Iterable[float]) -> str:
    return "#" + "".join(f"{round(c * 255):02x}" for c in rgb)
