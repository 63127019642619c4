"""Questions without the picture that they ask for, and numbers asked for by their adjective."""

from __future__ import annotations

import pytest

from nlq.pictures import without_picture
from nlq.spoken import by_name
from nlq.text import lemma, tokenise


def nothing(_: str) -> bool:
    return False


def words(text: str) -> str:
    return " ".join(text.split())


class TestPictures:
    @pytest.mark.parametrize(
        ("asked", "left"),
        [
            ("show me profit by category as a bar chart", "show me profit by category"),
            ("create a pie chart of sales by segment", "show sales by segment"),
            ("I'd like to see a heatmap of profit by region and mode", "show profit by region and mode"),
            ("show profit across states on a map", "show profit across states"),
            ("line chart of sales over time", "show sales over time"),
            ("scatter plot of sales and profit", "xy sales and profit"),
            ("plot sales vs discount", "xy sales , discount"),
            ("total sales by region", "total sales by region"),
        ],
    )
    def test_the_picture_is_taken_out_and_the_rest_keeps_its_place(self, asked: str, left: str) -> None:
        found = without_picture(asked, nothing)
        assert words(found) == left
        assert len(found) == len(asked)

    def test_what_the_catalog_has_stays(self) -> None:
        known = {lemma("map"), lemma("plot")}
        for asked in ("revenue by road on the map", "plot sizes by village", "chart of accounts"):
            assert without_picture(asked, known.__contains__) == asked


class TestSpoken:
    @pytest.mark.parametrize(
        ("asked", "names", "read"),
        [
            ("how high is the Eiger", ["height"], "what is height of the Eiger"),
            ("how old are the teachers", ["age"], "what are age of the teachers"),
            ("how many people live in Munich", ["population"], "what population live in Munich"),
            ("how high is the Eiger", ["length"], "how high is the Eiger"),
            ("how many people live in Munich", ["population", "people"], "how many people live in Munich"),
        ],
    )
    def test_the_number_is_named_where_the_catalog_has_it(self, asked: str, names: list[str], read: str) -> None:
        known = {lemma(n) for n in names}
        assert " ".join(t.text for t in by_name(tokenise(asked), known.__contains__)) == read
