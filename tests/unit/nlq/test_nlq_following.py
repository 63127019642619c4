"""Follow-ups: tried once for readings that differ only in dates and words."""

from __future__ import annotations

import datetime as dt

from nlq.following import FollowUps
from nlq.types import DialogueState, Intent, Reading, Understanding
from semantic.expr import Absolute, Calendar_, Unit, Window
from semantic.query import MetricRef, SemanticQuery, TimeWindow


def reading(window: Window, metric: str = "revenue") -> Reading:
    query = SemanticQuery(metrics=(MetricRef(metric=metric),), time=TimeWindow(window=window, label=str(window)))
    return Reading(Intent.ASK, query, (), 0.9, f"{metric} {window}")


def days(first: int, last: int) -> Absolute:
    return Absolute(start=dt.date(2025, 1, first), end=dt.date(2025, 1, last))


class TestFollowUps:
    def test_dates_alone_are_not_tried_again_and_anything_else_is(self) -> None:
        tried: list[str] = []

        def understood(question: str, state: DialogueState) -> Understanding:
            tried.append(question)
            return Understanding(question, "refuse" if question == "why?" else "answer", state.readings)

        follow_ups = FollowUps(lambda _: ["monthly", "why?", "by region", "a", "b", "c", "d", "e"], understood)
        six = ["monthly", "by region", "a", "b", "c", "d"]
        assert follow_ups.of(reading(days(1, 8))) == six
        assert follow_ups.of(reading(days(3, 20))) == six
        assert len(tried) == 7  # as many as it takes to find six
        for other in (reading(days(1, 8), "orders"), reading(Calendar_(unit=Unit.MONTH)), reading(Absolute(start=dt.date(2025, 1, 1)))):
            before = len(tried)
            assert follow_ups.of(other) == six
            assert len(tried) == before + 7
