"""The type of a text column, from all of its values: counted per block, decided at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Kind = Literal["boolean", "integer", "number", "date", "datetime", "text"]
TEXT_NULLS = ("", "na", "n/a", "null", "none", "nan", "\\n")
NULLS = (*TEXT_NULLS, "nil", "#n/a", "-", "--", "?", "missing", "undefined", "unknown", "nat")
TRUE, FALSE = ("true", "yes", "y", "t"), ("false", "no", "n", "f")
MIN_SHARE = 0.98
MAX_SCALE = 4
_CURRENCY = r"[$€£¥₹]"
PATTERNS: dict[str, str] = {
    "boolean": r"(?i)^(true|false|yes|no|y|n|t|f)$",
    "integer": r"^[+-]?(0|[1-9]\d{0,17})$",
    "number": r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$",
    "number_comma": rf"^\(?[+-]?\s?{_CURRENCY}?\s?[+-]?(\d{{1,3}}(,\d{{3}})+|\d+)(\.\d+)?\s?{_CURRENCY}?\)?$",
    "number_dot": rf"^\(?[+-]?\s?{_CURRENCY}?\s?[+-]?(\d{{1,3}}(\.\d{{3}})+|\d+)(,\d+)?\s?{_CURRENCY}?\)?$",
    "percent": r"^[+-]?\d+([.,]\d+)?\s?%$",
    "leading_zero": r"^[+-]?0\d",
}
_CLOCK = r"[T ]\s?(\d{1,2}:\d{2}(:\d{2})?([.,]\d{1,9})?)\s?(?i:(am|pm))?\s?(Z|UTC|[+-]\d{2}:?\d{2})?$"
_DATES: dict[str, str] = {
    "ymd": r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
    "compact": r"^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$",
    "numeric": r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}",
    "numeric_short": r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2}",
    "day_name": r"^\d{1,2}[- ](?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?[- ]\d{4}",
    "name_day": r"^(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2},? \d{4}",
}


@dataclass(slots=True)
class ColumnCounts:
    """What one column's values look like, over all blocks so far."""

    seen: int = 0
    nulls: int = 0
    text_nulls: int = 0
    matches: dict[str, int] = field(default_factory=dict)
    first_over_12: bool = False
    second_over_12: bool = False
    slashes: bool = False
    scales: dict[str, int] = field(default_factory=dict)
    exponents: bool = False
    distinct: set[str] = field(default_factory=set)

    def add(self, values: pa.Array, text_nulls: int) -> None:
        """values: trimmed strings, null where missing; text_nulls: how many would be missing in a text column."""
        self.text_nulls += text_nulls
        self.seen += len(values)
        self.nulls += values.null_count
        counts = pc.value_counts(values.drop_null())
        texts, times = counts.field("values"), counts.field("counts")
        if len(self.distinct) <= 20_000:
            self.distinct.update(texts.to_pylist())
        for name, pattern in PATTERNS.items():
            self._count(name, _matching(texts, pattern), times)
        for name, pattern in _DATES.items():
            self._count(name, _matching(texts, pattern + "$"), times)
            self._count(name + "+time", _matching(texts, pattern + _CLOCK), times)
        self._details(texts)

    def _count(self, name: str, mask: pa.Array, times: pa.Array) -> None:
        total = pc.sum(pc.filter(times, mask)).as_py()
        if total:
            self.matches[name] = self.matches.get(name, 0) + int(total)

    def _details(self, texts: pa.Array) -> None:
        numeric = pc.filter(texts, _matching(texts, r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ].*)?$"))
        if len(numeric):
            parts = pc.extract_regex(numeric, r"^(?P<a>\d{1,2})(?P<s>[-/.])(?P<b>\d{1,2})")
            self.first_over_12 |= bool(pc.any(pc.greater(pc.cast(parts.field("a"), pa.int32()), 12)).as_py())
            self.second_over_12 |= bool(pc.any(pc.greater(pc.cast(parts.field("b"), pa.int32()), 12)).as_py())
            self.slashes |= bool(pc.any(pc.equal(parts.field("s"), "/")).as_py())
        for mark in ".,":
            numbers = pc.filter(texts, _matching(texts, rf"[{mark}]\d+\D{{0,2}}$"))
            if len(numbers):
                digits = pc.binary_length(pc.replace_substring_regex(numbers, rf"^.*[{mark}](\d+).*$", r"\1"))
                self.scales[mark] = max(self.scales.get(mark, 0), int(pc.max(digits).as_py() or 0))
        self.exponents |= bool(pc.any(_matching(texts, r"^[+-]?[\d.]+[eE]")).as_py())


@dataclass(frozen=True, slots=True)
class ColumnType:
    """kind with how to read it. thousands / decimal: separators of numbers. day_first: of numeric dates. scale: digits of an exact
    decimal, None for a float. note says what was decided where another reading was possible."""

    kind: Kind
    thousands: str = ""
    decimal: str = "."
    percent: bool = False
    scale: int | None = None
    day_first: bool = False
    few_values: bool = False
    note: str = ""


def decide(counts: ColumnCounts) -> ColumnType:
    """The narrowest type that at least 98 % of the values have; the rest are rows to set aside. Everything else stays text."""
    total = counts.seen - counts.nulls
    few = len(counts.distinct) <= min(5_000, max(50, total // 4))
    if total == 0:
        return ColumnType("text", few_values=True, note="Empty in every row.")
    share = {name: number / total for name, number in counts.matches.items()}
    if share.get("boolean", 0) >= MIN_SHARE and _is_yes_no(counts.distinct):
        return ColumnType("boolean")
    dated = _dated(counts, share)
    if dated is not None:
        return dated
    if counts.matches.get("leading_zero", 0) and _has_codes(counts):
        return ColumnType("text", few_values=few, note="Kept as text: some values start with a zero, as codes do.")
    return _numeric(counts, share) or ColumnType("text", few_values=few)


def _is_yes_no(distinct: set[str]) -> bool:
    """Words, or both letters of a pair: a lone y may be anything."""
    known = {value.lower() for value in distinct}
    return bool(known & {"true", "false", "yes", "no"}) or {"y", "n"} <= known or {"t", "f"} <= known


def _has_codes(counts: ColumnCounts) -> bool:
    """Leading zeros that are not the 0 of 0.5."""
    return any(v.lstrip("+-")[:1] == "0" and len(v.lstrip("+-")) > 1 and v.lstrip("+-")[1].isdigit() for v in counts.distinct)


def _numeric(counts: ColumnCounts, share: dict[str, float]) -> ColumnType | None:
    if share.get("integer", 0) >= MIN_SHARE and counts.matches.get("number", 0) <= counts.matches.get("integer", 0):
        return ColumnType("integer")
    scale, comma_scale = _scale(counts, "."), _scale(counts, ",")
    if share.get("number", 0) >= MIN_SHARE:
        return ColumnType("number", scale=scale)
    if share.get("percent", 0) >= MIN_SHARE:
        return ColumnType("number", percent=True, decimal=",", note="Read as percent: 12.5 % is 12.5.")
    comma, dot = share.get("number_comma", 0), share.get("number_dot", 0)
    if max(comma, dot) < MIN_SHARE:
        return None
    if comma >= MIN_SHARE and dot >= MIN_SHARE:
        return ColumnType("number", thousands=",", scale=scale, note="1,234 is read as one thousand two hundred thirty-four.")
    if comma >= dot:
        return ColumnType("number", thousands=",", scale=scale)
    return ColumnType("number", thousands=".", decimal=",", scale=comma_scale, note="1.234,5 is read with a decimal comma.")


def _scale(counts: ColumnCounts, mark: str) -> int | None:
    """Digits behind the decimal mark, for an exact decimal; None where a float must do."""
    digits = counts.scales.get(mark, 0)
    return digits if digits <= MAX_SCALE and not counts.exponents else None


def _dated(counts: ColumnCounts, share: dict[str, float]) -> ColumnType | None:
    dates = sum(share.get(name, 0) for name in _DATES)
    times = sum(share.get(name + "+time", 0) for name in _DATES)
    if dates + times < MIN_SHARE:
        return None
    if share.get("compact", 0) > 0.5 and share.get("integer", 0) >= MIN_SHARE and len(counts.distinct) < 3:
        return None
    numeric = sum(share.get(n + t, 0) for n in ("numeric", "numeric_short") for t in ("", "+time"))
    day_first, note = False, ""
    if numeric:
        if counts.first_over_12 and counts.second_over_12:
            return None
        if counts.first_over_12:
            day_first, note = True, "Dates are day first."
        elif counts.second_over_12:
            note = "Dates are month first."
        else:
            day_first = not counts.slashes
            note = f"Every date could be day or month first; {'day' if day_first else 'month'} first was taken. Check it."
    return ColumnType("datetime" if times else "date", day_first=day_first, note=note)


def _matching(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(texts, pattern)
