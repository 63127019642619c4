"""Fonts of the machine for characters that the font of our pages does not have (Chinese, Japanese, Korean, Thai ...), found with fontconfig.

Without fontconfig, or without a font that has them, such characters are drawn as boxes.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from pathlib import Path

MOST = 3
MOST_ASKED = 20  # characters that the tool is asked about, 10 ms each: a text may hold thousands that no font has
_TYPES = (".ttf", ".otf", ".ttc")
_TIMEOUT_S = 10


def beyond(font: Path, texts: Iterable[str]) -> frozenset[str]:
    """The letters and signs of the texts that the font does not have."""
    return frozenset(c for c in set().union(*texts) if not c.isspace() and ord(c) not in _characters(font))


def fonts_for(missing: Collection[str]) -> tuple[Path, ...]:
    """At most three font files that together have most of these characters, the widest first; the same for the same machine and characters."""
    left = {ord(c) for c in missing}
    found: list[Path] = []
    for _ in range(MOST_ASKED):
        if not left or len(found) == MOST:
            break
        first = min(left)
        having = [font for font in _with(first) if font not in found and first in _characters(font)]
        if not having:
            left.discard(first)
            continue
        best = max(having, key=lambda font: (len(left & _characters(font)), _is_plain(font), -len(font.name), str(font)))
        found.append(best)
        left -= _characters(best) | {first}
    return tuple(found)


def _is_plain(font: Path) -> bool:
    """Upright, of normal weight, without serifs: as the rest of the page."""
    return not any(
        style in font.name.lower() for style in ("bold", "black", "light", "thin", "italic", "oblique", "mono", "serif", "medium")
    )


@lru_cache(1_000)
def _with(character: int) -> tuple[Path, ...]:
    tool = shutil.which("fc-list")
    if tool is None:
        return ()
    try:
        asked = [tool, f":charset={character:x}", "--format", "%{file}\\n"]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    files = {Path(line.strip()) for line in answer.stdout.splitlines() if line.strip().lower().endswith(_TYPES)}
    return tuple(sorted(file for file in files if file.is_file()))


@cache
def _characters(font: Path) -> frozenset[int]:
    """None of a file that is no font: one that is broken on the machine does not keep a page from being made."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(font, lazy=True, fontNumber=0) as opened:  # of a collection the first, as the page takes it
            return frozenset(opened.getBestCmap() or ())
    except (OSError, TTLibError):
        return frozenset()
