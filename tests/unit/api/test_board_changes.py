"""Changes of a board as pure functions, and how two people's changes come together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.boards import changes
from api.boards.annotate import Note, annotated, points_of
from core.errors import Conflict, Invalid
from semantic.query import MetricRef, SemanticQuery
from workers.boards.content import MAX_PINS, Content, Filter, Filters, Pin

QUERY = SemanticQuery(metrics=(MetricRef(metric="revenue"),))


def pin(key: str, title: str = "") -> Pin:
    return Pin(id=key, title=title or key, query=QUERY)


def board(*keys: str) -> Content:
    return Content(title="Board", pins=tuple(pin(key) for key in keys))


def keys(content: Content) -> list[str]:
    return [p.id for p in content.pins]


class TestApplied:
    def test_moves_a_pin_and_never_past_the_end(self) -> None:
        assert keys(changes.applied(board("a", "b", "c"), changes.MovePin(pin_id="a", to=1))) == ["b", "a", "c"]
        assert keys(changes.applied(board("a", "b", "c"), changes.MovePin(pin_id="a", to=30))) == ["b", "c", "a"]

    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=20))
    def test_moving_keeps_every_pin_once(self, moves: list[tuple[int, int]]) -> None:
        content = board("a", "b", "c", "d", "e")
        for which, to in moves:
            content = changes.applied(content, changes.MovePin(pin_id="abcde"[which], to=to))
        assert sorted(keys(content)) == ["a", "b", "c", "d", "e"]

    def test_a_pin_added_twice_is_there_once(self) -> None:
        once = changes.applied(board(), changes.AddPin(pin=pin("a")))
        assert changes.applied(once, changes.AddPin(pin=pin("a"))) == once

    def test_a_full_board_takes_no_more(self) -> None:
        with pytest.raises(Invalid, match="holds 40 pins"):
            changes.applied(board(*(f"p{n}" for n in range(MAX_PINS))), changes.AddPin(pin=pin("one more")))

    def test_a_pin_that_is_gone_cannot_be_changed(self) -> None:
        for change in (changes.MovePin(pin_id="x", to=0), changes.RemovePin(pin_id="x"), changes.ChangePin(pin_id="x", width="full")):
            with pytest.raises(Conflict) as caught:
                changes.applied(board("a"), change)
            assert caught.value.code == "pin_gone"

    def test_what_is_not_said_stays(self) -> None:
        made = changes.applied(board("a"), changes.ChangePin(pin_id="a", width="full"))
        assert (made.pins[0].title, made.pins[0].width) == ("a", "full")


class TestMerged:
    def test_different_parts_come_together(self) -> None:
        base = board("a", "b")
        theirs = changes.applied(base, changes.Rename(title="Theirs"))
        made = changes.merged(base, theirs, changes.MovePin(pin_id="b", to=0))
        assert made.title == "Theirs"
        assert keys(made) == ["b", "a"]

    def test_the_same_part_is_a_conflict_that_names_theirs(self) -> None:
        base = board("a")
        theirs = changes.applied(base, changes.Rename(title="Theirs"))
        with pytest.raises(Conflict, match="Theirs") as caught:
            changes.merged(base, theirs, changes.Rename(title="Mine"))
        assert caught.value.code == "board_changed"

    def test_the_same_change_twice_is_none(self) -> None:
        base = board("a")
        theirs = changes.applied(base, changes.Rename(title="Same"))
        assert changes.merged(base, theirs, changes.Rename(title="Same")) == theirs

    def test_filters_and_looks_conflict_too(self) -> None:
        base = board("a")
        one = changes.SetFilters(filters=Filters(period="last month"))
        two = changes.SetFilters(filters=Filters(where=(Filter(field="a.b", value="x"),)))
        with pytest.raises(Conflict):
            changes.merged(base, changes.applied(base, one), two)
        with pytest.raises(Conflict):
            changes.merged(
                base, changes.applied(base, changes.ChangePin(pin_id="a", width="full")), changes.ChangePin(pin_id="a", width="third")
            )

    def test_a_change_of_a_pin_that_the_other_took_away(self) -> None:
        base = board("a")
        with pytest.raises(Conflict):
            changes.merged(base, changes.applied(base, changes.RemovePin(pin_id="a")), changes.ChangePin(pin_id="a", width="full"))


class TestParsed:
    def test_says_what_is_wrong(self) -> None:
        for raw in (
            {},
            {"op": "explode"},
            {"op": "rename", "title": ""},
            {"op": "move_pin", "pin_id": "a", "to": -1},
            {"op": "rename", "title": "x", "extra": 1},
        ):
            with pytest.raises(Invalid):
                changes.parsed(raw)

    def test_says_what_was_done(self) -> None:
        content = board("a")
        assert changes.said(changes.MovePin(pin_id="a", to=2), content) == "moved a to place 3"
        assert changes.said(changes.Rename(title="New"), content) == "renamed the board to New"


LINES = {
    "data": {"values": [{"time": "2026-01-01T00:00:00", "value": 1}, {"time": "2026-02-01T00:00:00", "value": 2}]},
    "mark": {"type": "line"},
    "encoding": {"x": {"field": "time", "type": "temporal"}, "y": {"field": "value", "type": "quantitative"}},
}
BARS = {
    "data": {"values": [{"name": "EMEA", "value": 1}, {"name": "AMER", "value": 2}]},
    "mark": {"type": "bar"},
    "encoding": {"y": {"field": "name", "type": "nominal", "sort": "-x"}, "x": {"field": "value", "type": "quantitative"}},
}


class TestAnnotated:
    @pytest.mark.parametrize(("spec", "point"), [(LINES, "2026-02-01T00:00:00"), (BARS, "AMER")])
    def test_marks_the_point_and_leaves_the_chart_as_it_was(self, spec: dict[str, object], point: str) -> None:
        before = repr(spec)
        made = annotated(spec, [Note(point, 1, "look"), Note("nowhere", 2, "lost")])
        assert repr(spec) == before
        assert made["layer"][0] == {"mark": spec["mark"], "encoding": spec["encoding"]}
        assert next(layer["data"]["values"] for layer in made["layer"][1:]) == [{"point": point, "number": "1", "text": "look"}]

    def test_without_notes_nothing_changes(self) -> None:
        assert annotated(LINES, []) == LINES
        assert annotated(BARS, [Note("nowhere", 1, "x")]) == BARS

    def test_points_are_in_the_order_of_the_chart(self) -> None:
        assert points_of(LINES) == ["2026-01-01T00:00:00", "2026-02-01T00:00:00"]
        assert points_of({"data": {"values": []}}) == []
        assert points_of(None) == []
