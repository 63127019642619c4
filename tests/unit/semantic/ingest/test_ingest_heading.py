"""Which row of a sheet names its columns."""

from __future__ import annotations

import pytest

from semantic.ingest.heading import header_index

ROWS = [("2024-01-01", "north", 5.0, 2), ("2024-01-02", "south", None, 3), ("2024-01-03", None, 7.5, 1)]
NAMES = ("day", "region", "sales", "units")


@pytest.mark.parametrize(
    ("above", "index"),
    [
        ([], 0),
        ([("Sales",)], 1),
        ([("Sales", None, None, None), ("from", "2024")], 2),
        ([(None, None, "Sales")], 1),
        ([("As of:", None, "3 Jan 2024")], 1),
    ],
)
def test_it_is_found_below_what_is_narrow(above: list[tuple[object, ...]], index: int) -> None:
    assert header_index([*above, NAMES, *ROWS]) == index


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("only",)],
        [("Sales",), *ROWS],  # what follows is data: the first row stays, and the load says what is wrong
        [("Sales",), ("q1", "q2", "q1", "q2"), *ROWS],  # names twice
        [("name",), ("Ann",), ("Bo",)],
        [("name", "note"), ("Ann", None), ("Bo", None)],
        [("a", "b", "c", None), *ROWS],  # a name is missing
        [
            ("who", None, "where", None, None),
            *(("Ann", f"Lee {n}", f"{n} High St", f"N{n}", "York") for n in range(3)),
        ],  # merged names over texts
    ],
)
def test_without_one_below_the_first_row_stays(rows: list[tuple[object, ...]]) -> None:
    assert header_index(rows) == 0
