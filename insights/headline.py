"""The one sentence over an answer. Says only what the rows say."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from insights.asked import UNASKED, Asked
from insights.periods import period_of
from insights.phrasing import said_points
from insights.wording import begun, bucket, count, during, number
from semantic.expr import Unit
from semantic.states import OutputColumn, WindowUsed
from semantic.windows import add_units

Rows = Sequence[Sequence[Any]]
_ISO_SPAN = re.compile(r"^(\d{4}-\d\d-\d\d)(?: to (\d{4}-\d\d-\d\d))?(?:, including today)?$")
_ISO_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_RELATIVE = frozenset(
    "last this past previous next coming current today yesterday date ago since until before ytd mtd qtd wtd around week".split()
)
_TOLD = {"running_total", "moving_average", "moving_sum", "growth", "difference"}  # what was asked for, rather than what it is made of
_PERIODS = {"minute", "hour", "day", "week", "month", "quarter", "year"}


def headline(
    columns: Sequence[OutputColumn],
    rows: Rows,
    windows: Sequence[WindowUsed] = (),
    *,
    truncated: bool = False,
    asked: Asked = UNASKED,
) -> str:
    """A sentence of at most about 150 characters, begun with a capital; an empty result says so."""
    return begun(_said(columns, rows, windows, truncated, asked))


def _said(columns: Sequence[OutputColumn], rows: Rows, windows: Sequence[WindowUsed], truncated: bool, asked: Asked) -> str:
    measures = [i for i, c in enumerate(columns) if c.role == "measure"]
    if not rows:
        return f"Nothing matches{_when(windows)}."
    if not measures:
        return f"{'More than ' if truncated else ''}{count(len(rows))} {asked.thing if len(rows) == 1 else asked.things}{_when(windows)}."
    if len(rows) == 1 and not [c for c in columns if c.role in {"dimension", "time", "key", "attribute"}]:
        return _single(columns, rows[0], measures, windows, asked.scope)
    ranking = [i for i in measures if columns[i].measure_index == asked.by] if asked.ranked and asked.by is not None else []
    told = next((i for i in ranking or measures if columns[i].transform in _TOLD), (ranking or measures)[0])
    return _Grouped(columns, rows, told, windows, replace(asked, ranked=asked.ranked or truncated)).said()


def _single(columns: Sequence[OutputColumn], row: Sequence[Any], measures: list[int], windows: Sequence[WindowUsed], scope: str) -> str:
    first = measures[0]
    said = _value(row[first], columns[first]) if row[first] is not None else "no data"
    text = f"{_sentence_case(columns[first].label)}{scope}: {said}{_when(windows)}"
    change = _change(columns, row, columns[first].measure_index)
    if change:
        return f"{text}, {change}."
    others = [f"{columns[i].label}: {_value(row[i], columns[i])}" for i in measures[1:3]]
    return "; ".join([text, *others]) + "."


def _change(columns: Sequence[OutputColumn], row: Sequence[Any], measure_index: int | None, *, against: bool = True) -> str:
    """ "up 12.3% on the previous week", from a change column in percent of the same measure."""
    for index, column in enumerate(columns):
        if column.role == "change" and column.measure_index == measure_index and column.format in {"percent", "percent_points"}:
            share = _float(row[index])
            if share is None:
                return ""
            of_rate = any(
                c.role == "measure" and c.measure_index == measure_index and c.format == column.format == "percent" for c in columns
            )
            size = said_points(abs(share) * 100) if of_rate else number(abs(share), column.format)
            said = f"{'up' if share > 0 else 'down'} {size}" if share else "unchanged"
            return f"{said}{_against(column)}" if against and share else said
    return ""


def _against(column: OutputColumn) -> str:
    words = _ISO_SPAN.sub(_dated, column.beside or "compared period")
    return f" on {'the ' if words.startswith(('previous', 'same', 'compared')) else ''}{words}"


def _dated(span: re.Match[str]) -> str:
    start, last = (dt.datetime.fromisoformat(text) for text in (span[1], span[2] or span[1]))
    return period_of(start, last + dt.timedelta(days=1), "").label


@dataclass(frozen=True, slots=True)
class _Grouped:
    """Rows of a measure by time, by things, or by both."""

    columns: Sequence[OutputColumn]
    rows: Rows
    measure: int
    windows: Sequence[WindowUsed]
    asked: Asked

    @property
    def column(self) -> OutputColumn:
        return self.columns[self.measure]

    @property
    def figure(self) -> str:
        """The measure's name with what it is of."""
        return f"{self.column.label}{self.asked.scope}"

    def said(self) -> str:
        keys = [i for i, c in enumerate(self.columns) if c.role in {"dimension", "time"}] or [
            i for i, c in enumerate(self.columns) if c.role in {"attribute", "key"}
        ][:1]
        known = [row for row in self.rows if _float(row[self.measure]) is not None]
        if not known:
            return self._uncounted()
        time = next((i for i in keys if self.columns[i].role == "time"), None)
        picked = self.asked.ranked and (self.asked.by is not None or self.asked.lowest)
        if time is not None and len(keys) == 1 and self.asked.some and self.columns[time].grain in _PERIODS:
            return self._chosen(known, time)
        if time is not None and len(keys) == 1 and len(known) >= 2 and self.columns[time].grain in _PERIODS and not picked:
            return self._series(sorted(known, key=lambda row: _start(row[time]) or dt.datetime.min), time)
        share = next(
            (i for i, c in enumerate(self.columns) if c.transform == "share" and c.measure_index == self.column.measure_index), None
        )
        if time is not None and len(keys) == 2 and share is not None and not self.asked.ranked:
            return self._shares_over_time([row for row in known if _start(row[time]) is not None], keys, time, share)
        if time is not None and len(keys) == 2 and self.column.additive and not self.asked.ranked:
            return self._over_time(known, next(i for i in keys if i != time))
        if self.asked.by_change and time is None:
            return self._moved(known[0], keys)
        return self._shares(known, keys, share) if share is not None and len(known) > 1 else self._things(known, keys, time)

    def _uncounted(self) -> str:
        """A measure that is no number: the span of its dates, or how many rows there are."""
        column, rows = self.column, f"{count(len(self.rows))} row{'s' if len(self.rows) > 1 else ''}"
        values = [row[self.measure] for row in self.rows if row[self.measure] is not None]
        if not values:
            return f"{rows}, none with a value for {column.label}{_when(self.windows)}."
        if not all(isinstance(value, dt.date) for value in values):
            return f"{rows}{_when(self.windows)}."
        first, last = _value(min(values), column), _value(max(values), column)
        span = first if first == last else f"from {first} to {last}"
        return f"{_sentence_case(column.label)}: {span}, {rows}{_when(self.windows)}."

    def _series(self, known: Rows, time: int) -> str:
        """First and last; a running period is not held against whole ones."""
        grain = self.columns[time].grain or "day"
        first, last = known[1 if self._cut_short(known[0][time]) and len(known) > 2 else 0], known[-1]
        so_far = ""
        if self._runs(last[time], grain):
            so_far = f"; {_value(last[self.measure], self.column)} so far {during(last[time], grain)}"
            last = known[-2]
        opening = f"{_sentence_case(self.figure)}: {_value(last[self.measure], self.column)} {during(last[time], grain)}"
        whole, change = self._whole(), _change(self.columns, last, self.column.measure_index)
        if whole:
            return f"{whole}{_when(self.windows)}; {_value(last[self.measure], self.column)} {during(last[time], grain)}{so_far}."
        if last is first or change:
            return f"{opening}{', ' if change else ''}{change}{so_far}."
        if self.windows and self.windows[0].start is not None:
            return f"{opening}, from {_value(first[self.measure], self.column)} {during(first[time], grain)}{so_far}."
        return f"{opening}{self._before(known, last, time, grain)}{so_far}."

    def _before(self, known: Rows, last: Sequence[Any], time: int, grain: str) -> str:
        """Where nobody named a start, the first period may be cut short: against the one before, and that of a year ago."""
        here, now = _start(last[time]), _float(last[self.measure])
        if here is None or now is None or self.column.format == "percent_points":
            return ""
        by_start = {_start(row[time]): _float(row[self.measure]) for row in known}
        steps = [(Unit(grain), "the one before"), *([(Unit.YEAR, "a year before")] if grain in ("month", "quarter") else [])]
        said = []
        for unit, words in steps:
            before = by_start.get(add_units(here, unit, -1)) or 0.0
            if before > 0:
                share = (now / before - 1) * 100
                moved = f"{'up' if share > 0 else 'down'} {number(abs(share), 'percent_points')}" if share else "unchanged"
                said.append(f"{moved} on {words}")
        return f", {' and '.join(said)}" if said else ""

    def _runs(self, start: Any, grain: str) -> bool:
        begun = _start(start)
        return self.asked.now is not None and begun is not None and begun <= self.asked.now < add_units(begun, Unit(grain), 1)

    def _chosen(self, known: Rows, time: int) -> str:
        """Periods that a condition chose ("days with more than 400 orders"): how many, and which had most."""
        grain, numbered = self.columns[time].grain or "day", self.column.label.startswith("number of")
        most = "most" if _counts(self.column) and not numbered else "highest"
        top = max(known, key=lambda row: _float(row[self.measure]) or 0.0)
        lead = f"{len(known)} {grain}{'s' if len(known) != 1 else ''}{_when(self.windows)}"
        return f"{lead}; the {most} {self.figure}: {_value(top[self.measure], self.column)} {during(top[time], grain)}."

    def _cut_short(self, start: Any) -> bool:
        """Whether the question's period begins inside the first bucket (a quarter that begins on a Thursday, by week)."""
        begun, asked = _start(start), self.windows[0].start if self.windows else None
        return begun is not None and asked is not None and begun < asked.replace(tzinfo=None)

    def _of_all(self, shown: int) -> str:
        return f" of the {shown} shown" if self.asked.ranked or self.asked.some else " of the total"

    def _over_time(self, known: Rows, dimension: int) -> str:
        """Which group has most over the whole time."""
        totals: dict[str, float] = {}
        for row in known:
            name = self._name(row, [dimension])
            totals[name] = totals.get(name, 0.0) + (_float(row[self.measure]) or 0.0)
        top, whole = max(totals, key=lambda key: totals[key]), sum(totals.values())
        shown = whole > 0 and min(totals.values()) >= 0
        share = f", {number(round(totals[top] / whole, 3), 'percent')}{self._of_all(len(totals))}" if shown else ""
        most = "most" if _counts(self.column) else "highest"
        return f"{top} has the {most} {self.figure} in all: {_value(totals[top], self.column)}{share}{_when(self.windows)}."

    def _shares(self, known: Rows, keys: list[int], share: int) -> str:
        end, most = (min, "smallest") if self.asked.lowest else (max, "largest")
        top = end(known, key=lambda row: _float(row[share]) or 0.0)
        column = self.columns[share]
        value = f" ({_value(top[self.measure], self.column)})" if share != self.measure else ""
        change = _change(self.columns, top, self.column.measure_index)
        said = f"{self._name(top, keys)} has the {most} share of {self._plain()}{self.asked.scope}: {_value(top[share], column)}{value}{_when(self.windows)}"
        together = [_float(row[share]) or 0.0 for row in known]
        if self.asked.ranked and len(known) > 1 and self.column.additive and min(together) >= 0:
            return f"{said}; the {len(known)} shown hold {_value(sum(together), column)} together."
        return f"{said}; {self._plain()} {change}." if change else f"{said}."

    def _shares_over_time(self, known: Rows, keys: list[int], time: int, share: int) -> str:
        """Who has the largest share in the last whole period, and what share that one had at first."""
        grain, dimension = self.columns[time].grain or "day", [i for i in keys if i != time]
        starts = sorted({row[time] for row in known if not self._runs(row[time], grain)}) or sorted({row[time] for row in known})
        top = max((row for row in known if row[time] == starts[-1]), key=lambda row: _float(row[share]) or 0.0)
        name, column = self._name(top, dimension), self.columns[share]
        before = next((row for row in known if row[time] == starts[0] and self._name(row, dimension) == name), None)
        since = f", from {_value(before[share], column)} {during(starts[0], grain)}" if before is not None and len(starts) > 1 else ""
        return f"{name} has the largest share of {self._plain()}{self.asked.scope} {during(starts[-1], grain)}: {_value(top[share], column)}{since}."

    def _moved(self, first: Sequence[Any], keys: list[int]) -> str:
        """Rows ranked by their change: the first one's."""
        change = _change(self.columns, first, self.column.measure_index)
        moved = f", {change}" if change else ""
        return f"{self._name(first, keys)}: {self.figure} {_value(first[self.measure], self.column)}{_when(self.windows)}{moved}."

    def _plain(self) -> str:
        return self.column.label.removesuffix(", share")

    def _things(self, known: Rows, keys: list[int], time: int | None) -> str:
        column, ends = self.column, (min, max) if self.asked.lowest else (max, min)
        top, bottom = (end(known, key=lambda row: _float(row[self.measure]) or 0.0) for end in ends)
        least, most = ("fewest", "most") if _counts(column) else ("lowest", "highest")
        if self.asked.lowest:
            most, least = least, most
        name, value = self._name(top, keys), _value(top[self.measure], column)
        alike = sum(_float(row[self.measure]) == _float(top[self.measure]) for row in known)
        have = f"{name} has" if alike == 1 else f"{name} and {count(alike - 1)} more have"
        whole = self._whole() if time is None and not self.asked.ranked else ""
        if whole and len(self.rows) > 1:
            change = _change(self.columns, top, column.measure_index, against=False)
            return f"{whole}{_when(self.windows)}; {have} the {most}: {value}{', ' if change else ''}{change}."
        if len(self.rows) == 1 and self.asked.place > 1:
            return f"{name} is number {self.asked.place} by {self.figure}{', lowest first' if self.asked.lowest else ''}: {value}{_when(self.windows)}."
        if self.asked.place > 1 and self.asked.ranked:
            span = f"Numbers {self.asked.place} to {self.asked.place + len(self.rows) - 1} by {self.figure}{', lowest first' if self.asked.lowest else ''}"
            return f"{span}: from {value} ({name}) to {_value(bottom[self.measure], column)} ({self._name(bottom, keys)}){_when(self.windows)}."
        if len(self.rows) == 1:
            ranked = f"{name} has the {most} {self.figure}: {value}"
            return f"{ranked if self.asked.ranked else f'{name}: {self.figure} {value}'}{_when(self.windows)}."
        lead = f"{have} the {most} {self.figure}: {value}{_when(self.windows)}" if len(known) > 1 else f"{name}: {self.figure} {value}"
        moved = [_change(self.columns, row, column.measure_index, against=row is top) for row in (top, bottom)]
        if len(known) > 1 and all(moved) and not column.additive and alike < len(known) and not self.asked.ranked:
            lowest = f"{self._name(bottom, keys)} the {least}: {_value(bottom[self.measure], column)}, {moved[1]}"
            return f"{have} the {most} {self.figure}{_when(self.windows)}: {value}, {moved[0]}; {lowest}."
        values = [_float(row[self.measure]) or 0.0 for row in known]
        if len(known) > 1 and column.additive and sum(values) > 0 and min(values) >= 0 and not self.asked.lowest:
            share = (_float(top[self.measure]) or 0.0) / sum(values)
            return f"{lead}, {number(round(share, 3), 'percent')}{' each' if alike > 1 else ''}{self._of_all(len(known))}."
        if alike < len(known) and not self.asked.ranked:
            return f"{lead}; {self._name(bottom, keys)} the {least}: {_value(bottom[self.measure], column)}."
        return f"{lead}; {count(len(known))} shown."

    def _name(self, row: Sequence[Any], keys: list[int]) -> str:
        return ", ".join(self._key(row[i], self.columns[i]) for i in keys) or "the first row"

    def _key(self, value: Any, column: OutputColumn) -> str:
        if value is None:
            return f"(no {column.label})"
        if column.grain:
            return bucket(value, column.grain)
        return f"{column.label} {value}" if str(value).isdigit() else str(value)  # a bare number names nothing

    def _whole(self) -> str:
        """ "Revenue: €18.6M in all, up 15.5% on last year", where groups add up and are shown beside those of another period."""
        column = self.column
        other = next(
            (
                i
                for i, c in enumerate(self.columns)
                if i != self.measure and c.role == "measure" and c.measure_index == column.measure_index and c.transform is None
            ),
            None,
        )
        if other is None or not column.additive:
            return ""
        now, before = (sum(_float(row[i]) or 0.0 for row in self.rows) for i in (self.measure, other))
        if before <= 0:
            return ""
        share = (now / before - 1) * 100
        moved = f"{'up' if share > 0 else 'down'} {number(abs(share), 'percent_points')}" if share else "unchanged"
        said = f"{moved}{_against(self.columns[other])}"
        return f"{_sentence_case(self.figure)}: {_value(now, column)} in all, {said}"


def _counts(column: OutputColumn) -> bool:
    """Whether the column numbers things ("orders", "units sold"): of them one has the most and the fewest, not the highest and the lowest.

    >>> _counts(OutputColumn("o", "units sold", "measure", additive=True)), _counts(OutputColumn("r", "revenue", "measure", additive=True))
    (True, False)
    >>> _counts(OutputColumn("o", "number of orders", "measure", additive=True))
    False
    """
    plural = not column.label.startswith("number of ") and any(
        word.endswith("s") and not word.endswith("ss") for word in column.label.split()
    )
    return plural and column.additive and not column.format and not column.unit


def _start(value: Any) -> dt.datetime | None:
    """The wall-clock start of a bucket."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    return dt.datetime.combine(value, dt.time()) if isinstance(value, dt.date) else None


def _when(windows: Sequence[WindowUsed]) -> str:
    """ " (last month, Oct 2026)", " (Mar 2026)", " (this year, 2026 so far)": the words of the question where they are relative, and the dates."""
    if not windows or not windows[0].label:
        return ""
    window, words = windows[0], windows[0].label.split(":")[0]
    period = period_of(window.start, window.end, "").label
    if not period:
        return f" ({_ISO_DAY.sub(_day_said, words)})"
    so_far = " so far" if window.current_is_partial else ""
    return f" ({words}, {period}{so_far})" if _RELATIVE & set(words.lower().split()) else f" ({period}{so_far})"


def _day_said(found: re.Match[str]) -> str:
    try:
        return bucket(dt.date.fromisoformat(found[0]), "day")
    except ValueError:  # 2026-02-31 is a word like another
        return found[0]


def _value(value: Any, column: OutputColumn) -> str:
    if isinstance(value, dt.date):
        return bucket(value, "day")
    return number(value, column.format, column.unit, compact=True) if not isinstance(value, str) else value


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
