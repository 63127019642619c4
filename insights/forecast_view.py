"""How the result of a forecast reads: headline, sentences, charts, table. Says only what the result holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from insights.forecast_charts import forecast_chart, part_charts, running_chart
from insights.retold import retold_lines
from insights.studies import View
from insights.wording import bucket, during, number, percent, says_many, with_percent

LISTED = 5
_NEEDS_NO_IN = {"next", "this", "last", "today", "tomorrow", "in", "on", "from", "until", "by", "over", "since", "between"}
_CHANCES = ((0.8, "On track"), (0.5, "Likely, but not safe"), (0.2, "At risk"), (0.0, "Off track"))


def forecast_view(result: Mapping[str, Any]) -> View:
    """What was asked comes first: the scenario, the goal, the period's figure, else the last step."""
    series = [s for s in result.get("series", ()) if s.get("forecast")]
    label = str(result.get("label", "the metric"))
    if not series:
        return View(f"There is nothing to forecast for {label}.", tuple(map(str, result.get("notes", ()))))
    say = _Say(result)
    goal, period, scenario = result.get("goal"), result.get("period"), result.get("scenario")
    if scenario:
        head = _scenario_head(result, say)
    elif goal:
        head = _goal_head(result, goal, say)
    elif period:
        head = _period_head(result, say)
    else:
        head = _last_head(result, series, say)
    sentences = _first(result, series, say) + _judged(result, series[0], say) + _remarks(result, series[0])
    table = _period_table(period, say) if period and not scenario else _table(result, series, say)
    if goal and goal.get("line"):
        chart = running_chart(goal, head, result.get("format"))
    else:
        chart = forecast_chart(series, head, goal=goal["target"] if goal else None, scenario=scenario, format_=result.get("format"))
    return View(head, tuple(s for s in sentences if s), chart, table)


def explaining_charts(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Small charts of what the forecast of the total is made of."""
    series = result.get("series") or ()
    if not result.get("parts") or not series or not series[0].get("forecast"):
        return []
    return part_charts(result["parts"], str(series[0]["forecast"][0]["t"]), result.get("format"))


class _Say:
    """Numbers in the metric's unit and format; without decimals where history has none."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self._format, self._unit = result.get("format"), result.get("unit")
        seen = [p["v"] for s in result.get("series", ()) for p in s.get("history", ()) if p.get("v") is not None]
        self._counted = bool(seen) and all(float(v).is_integer() for v in seen)

    def __call__(self, value: float | None) -> str:
        return number(value, self._format, self._unit, compact=True, counted=self._counted)

    def range(self, found: Mapping[str, Any], level: int = 80) -> str:
        return f"{percent(level / 100)} between {self(found[f'lower_{level}'])} and {self(found[f'upper_{level}'])}"


def _last_head(result: Mapping[str, Any], series: Sequence[Mapping[str, Any]], say: _Say) -> str:
    first, grain = series[0], str(result.get("grain", "day"))
    last = first["forecast"][-1]
    of = f" of {first['label']}" if len(series) > 1 and first["label"] != "Total" else ""
    return f"{_cap(str(result['label']))}{of} {_be(result)} expected at {say(last['mean'])} {during(_moment(last['t']), grain)} ({say.range(last)})."


def _period_head(result: Mapping[str, Any], say: _Say) -> str:
    period = result["period"]
    total = period["series"][0]
    head = f"{_cap(str(result['label']))} {_be(result)} expected at {say(total['expected'])} {_period_words(period)}"
    if "lower_80" not in total:
        return f"{head}."
    return f"{head}; {say.range(total)}." if head.endswith(")") else f"{head} ({say.range(total)})."


def _period_words(period: Mapping[str, Any]) -> str:
    """ "next quarter (1 Jan to 31 Mar 2027)"."""
    words = str(period["label"]).partition(":")[0].strip()
    if period.get("running_total"):
        last_day = dt.datetime.fromisoformat(str(period["end"])) - dt.timedelta(days=1)
        return f"in all by {bucket(last_day.date(), 'day')}"
    start, last = _moment(period["start"]), dt.datetime.fromisoformat(str(period["end"])) - dt.timedelta(days=1)
    if words in ("", "from the given dates"):
        return f"from {bucket(start, 'day')} to {bucket(last.date(), 'day')}"
    named = words if words.partition(" ")[0].lower() in _NEEDS_NO_IN else f"{'on' if start == last.date() else 'in'} {words}"
    return f"{named} ({bucket(start, 'day')} to {bucket(last.date(), 'day')})"


def _goal_head(result: Mapping[str, Any], goal: Mapping[str, Any], say: _Say) -> str:
    label, target = str(result["label"]), say(goal["target"])
    unit = f" a {result['grain']}" if goal["basis"] == "level" else ""
    if goal["already"]:
        return f"The goal of {target} is reached: {label} {'stand' if _be(result) == 'are' else 'stands'} at {say(goal['now'])}{unit}{_for(result)}."
    share = float(goal["probability"])
    chance = percent(share) if 0.01 <= share <= 0.99 else f"above {percent(0.99)}" if share > 0.5 else f"below {percent(0.01)}"
    if goal["direction"] == "at_most":
        return f"{_word(share)}: {label} {_be(result)} expected at {say(goal['expected'])}{_for(result)}, and the chance to stay at or below {target} is {chance}."
    if result.get("period"):
        when = f"; most likely on {bucket(_moment(goal['reached_at']), 'day')}" if goal.get("reached_at") and share >= 0.5 else ""
        return (
            f"{_word(share)}: {label} {_be(result)} expected at {say(goal['expected'])}{_for(result)} ({say.range(goal)}), "
            f"and the chance to reach {target} is {chance}{when}."
        )
    if goal.get("reached_at"):
        grain = str(result["grain"])
        head = f"{_cap(label)} will probably reach {target}{unit} {during(_moment(goal['reached_at']), grain)}"
        early = bucket(_moment(goal["earliest"]), grain) if goal.get("earliest") else None
        late = bucket(_moment(goal["latest"]), grain) if goal.get("latest") else f"after {bucket(_moment(goal['until']), grain)}"
        return f"{head} ({percent(0.8)} between {early} and {late})."
    return (
        f"{_cap(label)} {_be(result)} not expected to reach {target}{unit} by {bucket(_moment(goal['until']), str(result['grain']))}: "
        f"it would then be at {say(goal['expected'])}; the chance is {chance}."
    )


def _for(result: Mapping[str, Any]) -> str:
    return f" {_period_words(result['period'])}" if result.get("period") else ""


def _word(share: float) -> str:
    return next(word for limit, word in _CHANCES if share >= limit)


def _scenario_head(result: Mapping[str, Any], say: _Say) -> str:
    asked = result["scenario"]
    change, effect = float(asked["change_percent"]), asked.get("percent")
    way = "higher" if change >= 0 else "lower"
    moved = f"{percent(abs(effect) / 100, 1)} {'more' if effect >= 0 else 'less'}" if effect is not None else "different"
    points = result["series"][0]["forecast"]
    span = f"from {bucket(_moment(points[0]['t']), result['grain'])} to {bucket(_moment(points[-1]['t']), result['grain'])}"
    return f"With {asked['label']} {with_percent(f'{abs(change):g}')} {way}, {result['label']} would be {moved} {span} ({say(asked['difference'])})."


def _first(result: Mapping[str, Any], series: Sequence[Mapping[str, Any]], say: _Say) -> list[str]:
    """What belongs right below the headline."""
    grain, period = str(result.get("grain", "day")), result.get("period")
    points, partial = series[0]["forecast"], series[0].get("partial")
    found = []
    if period:
        total = period["series"][0]
        is_reached = bool((result.get("goal") or {}).get("already"))
        if total.get("expected") is not None:
            found += _beside_last_year(result, total, say, is_reached)
        if total.get("known") is not None and period.get("is_sum") and not is_reached:
            found.append(f"{say(total['known'])} of it has come already, until {bucket(_moment(period['known_until']), grain)}.")
        parts = period["series"][1:]
        if parts:
            listed = ", ".join(f"{p['label']} {say(p['expected'])}" for p in parts[:LISTED])
            more = f" and {len(parts) - LISTED} more" if len(parts) > LISTED else ""
            found.append(f"{listed}{more}{'; together the whole' if result.get('adds_up') and period.get('is_sum') else ''}.")
    else:
        in_all = f"; {say(sum(point['mean'] for point in points))} in all" if result.get("is_sum") and not result.get("goal") else ""
        found.append(f"{_cap(_span(points, partial, grain))}{in_all}.")
    if partial:
        until = f" until {bucket(dt.date.fromisoformat(partial['until']), 'day')}" if partial.get("until") else ""
        found.append(
            f"{_cap(bucket(_moment(partial['t']), grain))} is not over ({say(partial['v'])}{until}); the forecast is of the whole {grain}."
        )
    if result.get("made_from"):
        found.append(f"Forecast from its parts: {' and '.join(map(str, result['made_from']))}.")
    scenario = result.get("scenario")
    return found + ([str(n) for n in scenario["notes"]] if scenario else [])


def _span(points: Sequence[Mapping[str, Any]], partial: Mapping[str, Any] | None, grain: str) -> str:
    """Which buckets are forecast; one that is running is told apart, as nobody counts it among the next six."""
    first, last = (bucket(_moment(points[at]["t"]), grain) for at in (0, -1))
    ahead = len(points) - 1
    if partial and partial["t"] == points[0]["t"] and ahead:
        return f"{first} and the {f'{ahead} {grain}s' if ahead > 1 else grain} after it, to {last}"
    return f"{len(points)} {grain}s, from {first} to {last}" if ahead else first


def _beside_last_year(result: Mapping[str, Any], total: Mapping[str, Any], say: _Say, is_reached: bool) -> list[str]:
    """The whole period against that of a year before. is_reached: the headline tells what has come, not what is expected."""
    if not total.get("before"):
        return [f"{say(total['expected'])} {_be(result)} expected by the end of it."] if is_reached else []
    change = (total["expected"] / total["before"] - 1) * 100
    beside = f"{percent(abs(change) / 100, 1)} {'more' if change >= 0 else 'less'} than a year before ({say(total['before'])})."
    return [f"{say(total['expected'])} {_be(result)} expected by the end of it, {beside}" if is_reached else f"That is {beside}"]


def _judged(result: Mapping[str, Any], first: Mapping[str, Any], say: _Say) -> list[str]:
    """How good it is: on past data, and how earlier forecasts turned out."""
    live = result.get("live")
    found = [_backtest(first)]
    if live:
        many = f"the last {live['forecasts']} forecasts of this were" if live["forecasts"] > 1 else "the last forecast of this was"
        held = f"; the {percent(0.8)} band held {percent(live['coverage_80'])} of the time" if live.get("coverage_80") is not None else ""
        found.append(f"Live, {many} off by {percent(live['error'], 1)} on average{held}.")
    days = [d for d in (result.get("parts") or {}).get("days", ()) if d.get("ahead") and result.get("is_sum", True)]
    for day in days[:2]:
        found.append(f"Without {day['name']} it would be {say(abs(day['ahead']))} {'lower' if day['ahead'] > 0 else 'higher'} in all.")
    return found


def _remarks(result: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    assumed = [str(a) for a in result.get("assumes", ())]
    found = [f"Assumes that trend and seasons go on{'; known ahead: ' + ', '.join(assumed) if assumed else ''}."]
    if " + " in str(first.get("model")):  # their names are for the details
        found.append("It is the average of several methods, weighted by how well each did on the past.")
    if first.get("fallback"):
        found.append(f"A simple method serves: {first['fallback']}.")
    return found + retold_lines(
        dict.fromkeys((*result.get("notes", ()), *first.get("notes", ()))),
        (str(result["label"]), *(str(s["label"]) for s in result["series"])),
    )


def _backtest(series: Mapping[str, Any]) -> str:
    found = series.get("backtest") or {}
    ours, naive = found.get("mase"), found.get("naive_mase")
    if not ours or not naive:
        return "History is too short to test the forecast on itself."
    change = (1 - ours / naive) * 100
    return (
        f"On past data its error was {percent(abs(change) / 100)} {'smaller' if change >= 0 else 'larger'} than repeating the last season."
    )


def _period_table(period: Mapping[str, Any], say: _Say) -> dict[str, list[Any]]:
    rows = [
        [
            p["label"], say(p["expected"]), *(say(p.get(name)) for name in ("lower_80", "upper_80", "lower_95", "upper_95")),
            say(p.get("before")),
        ]
        for p in period["series"]
    ]  # fmt: skip
    return {"columns": ["series", "expected", "80% low", "80% high", "95% low", "95% high", "a year before"], "rows": rows}


def _table(result: Mapping[str, Any], series: Sequence[Mapping[str, Any]], say: _Say) -> dict[str, list[Any]]:
    grain = str(result.get("grain", "day"))
    scenario = {p["t"]: p["v"] for p in (result.get("scenario") or {}).get("forecast", ())}
    rows = [
        [
            s["label"], bucket(_moment(p["t"]), grain) + (" (running)" if (s.get("partial") or {}).get("t") == p["t"] else ""),
            say(p["mean"]), say(p["lower_80"]), say(p["upper_80"]), say(p["lower_95"]), say(p["upper_95"]),
            *([say(scenario.get(p["t"]))] if scenario else []),
        ]
        for s in (series[:1] if scenario else series)
        for p in s["forecast"]
    ]  # fmt: skip
    columns = ["series", grain, "expected", "80% low", "80% high", "95% low", "95% high", *(["scenario"] if scenario else [])]
    return {"columns": columns, "rows": rows}


def _moment(text: str) -> dt.datetime | dt.date:
    found = dt.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return found.date() if found.time() == dt.time() else found


def _be(result: Mapping[str, Any]) -> str:
    return "are" if says_many(str(result["label"])) else "is"


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]
