"""Columns that hold times in disguise (text dates, epochs, date keys), and which time is a table's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.probe import ColumnStats
from semantic.catalog.infer.types import ParsedType
from semantic.catalog.model import CatalogField, FieldType

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
# Patterns in ClickHouse's parseDateTime notation (MySQL-like: %i is minutes).
_FORMATS: tuple[tuple[str, str, FieldType], ...] = (
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d", FieldType.DATE),
    (r"\d{4}/\d\d?/\d\d?", "%Y/%m/%d", FieldType.DATE),
    (r"\d{4}\.\d\d\.\d\d", "%Y.%m.%d", FieldType.DATE),
    (r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", "%Y%m%d", FieldType.DATE),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%i:%s", FieldType.DATETIME),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "%Y-%m-%d %H:%i", FieldType.DATETIME),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "%Y-%m-%dT%H:%i:%s", FieldType.DATETIME),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "%Y-%m-%dT%H:%i:%sZ", FieldType.DATETIME),
    (r"\d{8} \d\d:\d\d:\d\d", "%Y%m%d %H:%i:%s", FieldType.DATETIME),
    (r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{6}", "%Y%m%d%H%i%s", FieldType.DATETIME),
    (rf"\d\d?[- ]{_MONTH}[- ]\d{{4}}", "%d-%b-%Y", FieldType.DATE),
    (rf"{_MONTH} \d\d?, \d{{4}}", "%b %d, %Y", FieldType.DATE),
)
_SLASHED = re.compile(r"(\d\d?)([/.-])(\d\d?)\2(\d{4})(?: (\d\d?):(\d\d)(?::(\d\d))?)?\Z")
_LETTERS = (("yyyy", "%Y"), ("mm", "%m"), ("dd", "%d"), ("hh", "%H"), ("ss", "%s"))
_COMMENT_FORMAT = re.compile(
    r"\b([yY]{4}[-/.]?[mM]{2}[-/.]?[dD]{2}(?:[T ][hH]{2}:?[mM]{2}(?::?[sS]{2})?)?|[dD]{2}[-/.][mM]{2}[-/.][yY]{4}|[mM]{2}[-/.][dD]{2}[-/.][yY]{4})\b"
)
_MIN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class TimeShape:
    """How a column becomes a time: `type` once read, `time_format` for text, `epoch` for integers. `share` of the sampled values fit."""

    type: FieldType
    time_format: str | None = None
    epoch: Literal["s", "ms", "us"] | None = None
    share: float = 1.0


def time_shape(parsed: ParsedType, words: tuple[str, ...], comment: str, stats: ColumnStats | None) -> TimeShape | None:
    """The time that the column holds, or None."""
    if parsed.is_time and parsed.type is not None:
        return TimeShape(parsed.type)
    if parsed.type == FieldType.STRING:
        return _text_shape(words, comment, stats)
    if parsed.type == FieldType.INTEGER:
        return _integer_shape(words, comment, stats)
    return None


def _text_shape(words: tuple[str, ...], comment: str, stats: ColumnStats | None) -> TimeShape | None:
    best: TimeShape | None = None
    if stats and stats.top:
        values = [x for x, _ in stats.top]
        best = max((shape for shape in _fits(values)), key=lambda s: s.share, default=None)
        if best and best.share >= 0.9:
            return best
    says = set(words) & v.TIME
    stated = _COMMENT_FORMAT.search(comment)
    if stated and says:
        shape = _stated(stated[1])
        if not stats or not stats.top or any(f.time_format == shape.time_format for f in _fits(list(stats.values))):
            return shape
    return best if best and best.share >= _MIN_SHARE and says else None


def _fits(values: Sequence[str]) -> list[TimeShape]:
    found = []
    for pattern, form, kind in _FORMATS:
        share = sum(1 for x in values if re.fullmatch(pattern, x, re.IGNORECASE)) / len(values)
        if share > 0:
            found.append(TimeShape(kind, form, share=share))
    slashed = [m for m in map(_SLASHED.match, values) if m]
    if slashed:
        found.append(_slashed(slashed, len(values)))
    return found


def _slashed(matches: Sequence[re.Match[str]], total: int) -> TimeShape:
    """Day first when some first number exceeds 12; month first otherwise (and when both fit, as most exporters write it)."""
    day_first = any(int(m[1]) > 12 for m in matches) and not any(int(m[3]) > 12 for m in matches)
    separator = matches[0][2]
    day = f"%d{separator}%m{separator}%Y" if day_first else f"%m{separator}%d{separator}%Y"
    if all(m[5] for m in matches):
        seconds = ":%s" if all(m[7] for m in matches) else ""
        return TimeShape(FieldType.DATETIME, f"{day} %H:%i{seconds}", share=len(matches) / total)
    return TimeShape(FieldType.DATE, day, share=sum(1 for m in matches if not m[5]) / total)


def _stated(text: str) -> TimeShape:
    form, minutes = text.lower(), re.search(r"hh(:?)mm", text.lower())
    if minutes:
        form = form.replace(minutes[0], f"hh{minutes[1]}%i")
    for letters, code in _LETTERS:
        form = form.replace(letters, code)
    form = form.replace("t%h", "T%H")
    return TimeShape(FieldType.DATETIME if minutes else FieldType.DATE, form)


def _integer_shape(words: tuple[str, ...], comment: str, stats: ColumnStats | None) -> TimeShape | None:
    low, high = (stats.low, stats.high) if stats else (None, None)
    says = bool(set(words) & (v.TIME | {"epoch", "unix", "ts", "ms"})) or re.search(r"\b(unix|epoch)\b", comment, re.IGNORECASE) is not None
    if not says:
        return None
    if low is None or high is None:
        if re.search(r"\b(unix|epoch)\b", comment + " " + " ".join(words), re.IGNORECASE):
            millis = "ms" in words or "milli" in comment.lower()
            return TimeShape(FieldType.DATETIME, epoch="ms" if millis else "s")
        return None
    units: tuple[tuple[Literal["s", "ms", "us"], float], ...] = (("s", 1.0), ("ms", 1e3), ("us", 1e6))
    for unit, scale in units:
        if 3.1e8 * scale <= low and high <= 4.2e9 * scale:  # 1979-10 to 2103-02
            return TimeShape(FieldType.DATETIME, epoch=unit)
    if low >= 19000101 and high <= 21001231 and stats and all(re.fullmatch(_FORMATS[3][0], x) for x in stats.values):
        return TimeShape(FieldType.DATE, time_format="%Y%m%d")
    return None


# The day on which something happened last, or will happen next, is of the thing as it is now: it moves, and no row belongs to it.
_PASSING = frozenset("last latest previous next".split())
# When something should have happened is not when it did.
_FORESEEN = frozenset("planned plan expected estimated promised target".split())


def primary_time(
    fields: Sequence[CatalogField], raw_words: dict[str, tuple[str, ...]], table: tuple[str, ...], stats: dict[str, ColumnStats]
) -> str | None:
    """The time at which a row's event happened: not when it was loaded, not when it ends. None where there is no time."""
    times = [
        f for f in fields if f.role.value == "time" and not (set(raw_words[f.name]) & _PASSING and not set(raw_words[f.name]) & v.AUDIT)
    ]
    if not times:
        return None
    return max(times, key=lambda f: (_time_score(f, raw_words[f.name], table, stats.get(f.name)), -fields.index(f))).name


def _time_score(field: CatalogField, words: tuple[str, ...], table: tuple[str, ...], stats: ColumnStats | None) -> float:
    own = [x for x in words if x not in v.TIME]
    score = 0.0
    if set(words) & v.AUDIT:
        score -= 2 if set(words) & v.CREATED else 6
    if not own:
        score += 4
    elif set(own) & set(table):
        score += 3
    if set(own) & v.TIME_END:
        score -= 3
    if set(own) & v.TIME_START:
        score += 1.5
    if set(own) & v.BIRTH:
        score -= 5
    if set(own) & _FORESEEN:
        score -= 1.5
    if field.time_format or field.epoch:
        score -= 1
    if stats:
        score -= 4 * stats.missing_share
    return score
