"""Numbers as people write them: 1,200; $1k; 60M; 4.5%; twenty-five; first; a dozen."""

from __future__ import annotations

import math
import re

_SCALE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9}
_NAMES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
ONES = {w: i for i, w in enumerate(_NAMES)}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
WORD_NUMBERS: dict[str, int] = ONES | TENS | {"hundred": 100, "dozen": 12, "couple": 2, "single": 1, "once": 1, "twice": 2}
ORDINALS: dict[str, int] = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12,
    "1st": 1, "2nd": 2, "3rd": 3,
} | {f"{n}th": n for n in range(4, 32)} | {"21st": 21, "22nd": 22, "23rd": 23, "31st": 31}  # fmt: skip
_PATTERN = re.compile(
    r"(?P<currency>[$€£¥])?\s*(?P<digits>\d[\d,]*(?:\.\d+)?|\.\d+)\s*(?P<scale>%|k|mm|mn|mio|m|bn|b|thousand|million|billion)?\Z",
    re.IGNORECASE,
)


def number_of(text: str) -> float | None:
    """The value of a number in digits or in one word; None when it is none. A percent sign is dropped ("5%" is 5).

    >>> number_of("$1.5k"), number_of("60M"), number_of("twenty"), number_of("apple")
    (1500.0, 60000000.0, 20.0, None)
    """
    cleaned = text.strip().lower()
    match = _PATTERN.match(cleaned)
    if match:
        digits = match["digits"].replace(",", "")
        scale = match["scale"]
        value = float(digits) * _SCALE.get(scale or "", 1.0)
        return value if math.isfinite(value) else None
    if cleaned in WORD_NUMBERS:
        return float(WORD_NUMBERS[cleaned])
    if "-" in cleaned:
        tens, _, ones = cleaned.partition("-")
        if tens in TENS and ones in WORD_NUMBERS:
            return float(TENS[tens] + WORD_NUMBERS[ones])
    return None


def as_stored(value: float, format_: str | None, text: str) -> float:
    """A number of a question as the catalog keeps it: of what is stored as a fraction, 30% and 30 are 0.3.

    >>> as_stored(30, "percent", "30%"), as_stored(0.5, "percent", "0.5%"), as_stored(0.5, "percent", "0.5"), as_stored(30, None, "30%")
    (0.3, 0.005, 0.5, 30)
    """
    if format_ != "percent" or not ("%" in text or "percent" in text or abs(value) > 1):
        return value
    return value / 100


def as_scalar(value: float) -> int | float:
    """An int where the value is whole."""
    return int(value) if value == int(value) and abs(value) < 2**53 else value
