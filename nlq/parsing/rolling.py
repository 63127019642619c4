""" "Rolling 7 day revenue", "trailing 3-month average of orders": so many steps back from each one, added up or averaged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nlq.phrases import Func
from nlq.segment import Unit

GRAINS = ("day", "week", "month", "quarter", "year", "hour")
_ROLLING = frozenset(("rolling", "moving", "trailing"))
_TRAILING = re.compile(r"(?:trailing|rolling|moving) (?P<size>\d+)[ -](?P<grain>day|week|month|quarter|year)s?")


def with_rolling(units: Sequence[Unit]) -> Sequence[Unit]:
    """The units with each such phrase as one, whose number is how many steps."""
    out: list[Unit] = []
    i = 0
    while i < len(units):
        found = _phrase(units, i)
        if found is None:
            out.append(units[i])
            i += 1
        else:
            out.append(found[0])
            i = found[1]
    return out


def _phrase(units: Sequence[Unit], i: int) -> tuple[Unit, int] | None:
    """The phrase that begins at position i as one unit, and the position behind it."""
    first = units[i]
    text = first.text.lower()
    timed = _TRAILING.fullmatch(text) if first.time is not None else None
    if timed is not None:
        summed, k = _computed(units, i + 1)
        return _unit(units, i, k, int(timed["size"]), timed["grain"], "moving") if k > i + 1 and not summed else None
    start = i + 1 if text in _ROLLING else i
    k = _skip(units, start)
    number = units[k] if k < len(units) else None
    if number is None or number.number is None or number.number < 2 or number.number != int(number.number):
        return None
    k = _skip(units, k + 1)
    grain = units[k].text.lower().rstrip("s") if k < len(units) else ""
    if grain not in GRAINS:
        return None
    k = _skip(units, k + 1)
    if start == i and (k >= len(units) or not (units[k].text.lower() in _ROLLING or units[k].is_func("transform"))):
        return None
    if k < len(units) and units[k].is_func("transform") and units[k].func == Func("transform", "moving"):
        return _unit(units, i, k + 1, int(number.number), grain, "moving")
    if start == i:
        if units[k].text.lower() not in _ROLLING:
            return None
        k += 1
    summed, k = _computed(units, k)
    return _unit(units, i, k, int(number.number), grain, "moving_sum" if summed else "moving")


def _computed(units: Sequence[Unit], k: int) -> tuple[bool, int]:
    """Whether the steps are added up, which is what no word says otherwise, and the position behind the words."""
    said = units[k] if k < len(units) else None
    if said is None or not said.is_func("agg") or said.func is None or said.func.value not in ("avg", "sum"):
        return True, k
    end = k + 2 if k + 1 < len(units) and units[k + 1].is_func("of") else k + 1
    return said.func.value == "sum", end


def _skip(units: Sequence[Unit], k: int) -> int:
    return k + 1 if k < len(units) and units[k].text == "-" else k


def _unit(units: Sequence[Unit], i: int, k: int, size: int, grain: str, kind: str) -> tuple[Unit, int]:
    text = " ".join(u.text for u in units[i:k])
    base = replace(units[i], end=units[k - 1].end, text=text, links=(), values=(), time=None, unknown=False, soft=False)
    return replace(base, func=Func("transform", f"{kind} {grain}"), number=float(size)), k


__all__ = ["GRAINS", "with_rolling"]
