"""How the result of an explanation reads: headline and proven sentences as they were made, a chart of what moved, a table of segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insights.chart import chart
from insights.claims import amount
from insights.phrasing import capital, said
from insights.retold import retold
from insights.studies import View
from insights.types import Quantity
from insights.wording import number, percent, says_many
from semantic.states import OutputColumn

MAX_ROWS = 20
MAX_BARS = 8
REST = "everything else"


def explain_view(result: Mapping[str, Any]) -> View:
    """From the result of an explain job."""
    quantity = Quantity(str(result.get("label", "the metric")), result.get("format"), result.get("unit"))
    causes = list(result.get("causes", ()))
    return View(  # headline and sentences are kept, and come here retold
        headline=_headline(result, quantity),
        sentences=tuple(map(str, result.get("narrative", ()))),
        chart=_chart(result, quantity, causes),
        table=_table(result, quantity, causes),
    )


def _headline(result: Mapping[str, Any], quantity: Quantity) -> str:
    """A question for the reason of a fall is told first that there was none where the measure rose, and the other way round."""
    headline = str(result.get("headline", ""))
    moved = float((result.get("change") or {}).get("difference") or 0.0)
    asked = result.get("asked_way")
    if not moved or asked not in ("up", "down") or (moved > 0) == (asked == "up"):
        return headline
    label = capital(quantity.label)
    not_so = f"{label} did not {'rise' if asked == 'up' else 'fall'}"
    if not headline.startswith(f"{label} "):
        return f"{not_so}. {headline}"
    return f"{not_so}: {'they' if says_many(label) else 'it'} {headline.removeprefix(f'{label} ')}"


def _chart(result: Mapping[str, Any], quantity: Quantity, causes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Bars of what each cause added or took away, with the rest; without causes, the segments of the most uneven dimension or the mix."""
    change = result.get("change") or {}
    mix = [split for split in result.get("mix", ()) if split.get("segments")]
    dimensions = result.get("dimensions") or []
    if causes and result.get("kind") == "amount":
        rows = [[cause["segment"], cause["difference"]] for cause in causes]
        # Causes may overlap; the rest is only right when they do not.
        rest = float(change.get("difference") or 0.0) - sum(float(row[1]) for row in rows)
        dimension, rows = "segment", ([*rows, [REST, rest]] if len(rows) == 1 else rows)
    elif mix and (mix[0]["reversal"] or not causes):
        dimension = mix[0]["dimension"]
        rows = [[f"{s['segment']}, {what}", s[f"{what}_effect"]] for s in mix[0]["segments"][: MAX_BARS // 2] for what in ("rate", "mix")]
    elif causes:
        dimension, rows = "segment", [[cause["segment"], cause["difference"]] for cause in causes]
    elif dimensions:
        dimension = dimensions[0]["dimension"]
        rows = [[d["segment"], d["difference"]] for d in (*dimensions[0]["drivers"], *dimensions[0]["detractors"])]
    else:
        return None
    columns = (
        OutputColumn(dimension, dimension, "dimension"),
        OutputColumn("difference", f"{quantity.label}, difference", "measure", format=quantity.format, unit=quantity.unit),
    )
    return chart(columns, rows[:MAX_BARS], title=str(result.get("headline", ""))) if rows else None


def _table(result: Mapping[str, Any], quantity: Quantity, causes: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    periods = result.get("periods") or {}
    before, after = (retold(str((periods.get(name) or {}).get("label", name))) for name in ("before", "after"))
    if result.get("kind") == "rate":
        return _rate_table(result, quantity, before, after)
    rows = [["on its own", cause["segment"], *_amounts(quantity, cause)] for cause in causes]
    rows += [
        [item["dimension"], driver["segment"], *_amounts(quantity, driver)]
        for item in result.get("dimensions", ())
        for driver in (*item["drivers"], *item["detractors"])
    ]
    columns = ["dimension", "segment", before, after, "difference", "share of the change"]
    return {"columns": columns, "rows": rows[:MAX_ROWS]} if rows else {}


def _amounts(quantity: Quantity, item: Mapping[str, Any]) -> list[str]:
    return [
        said(amount(quantity, float(item["before"]))),
        said(amount(quantity, float(item["after"]))),
        said(amount(quantity, float(item["difference"]), signed=True)),
        "–" if item.get("share") is None else percent(float(item["share"]), 1),
    ]


def _rate_table(result: Mapping[str, Any], quantity: Quantity, before: str, after: str) -> dict[str, list[Any]]:
    """Each segment's own rate and share, and what either did to the whole."""
    rows = [
        [
            split["dimension"],
            segment["segment"],
            *(number(segment[name], quantity.format, quantity.unit, compact=True) for name in ("rate_before", "rate_after")),
            *(number(segment[name], "percent") for name in ("share_before", "share_after")),
            *(said(amount(quantity, float(segment[name]), signed=True)) for name in ("rate_effect", "mix_effect")),
        ]
        for split in result.get("mix", ())
        for segment in split["segments"]
    ]
    columns = ["dimension", "segment", before, after, f"share, {before}", f"share, {after}", "by its rate", "by the mix"]
    return {"columns": columns, "rows": rows[:MAX_ROWS]} if rows else {}
