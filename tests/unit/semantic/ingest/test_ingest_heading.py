"""Which row of a sheet or CSV file names its columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantic.ingest import readers
from semantic.ingest.heading import header_index
from semantic.ingest.readers import sources
from semantic.ingest.sniff import sniff

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
        ([("Sales report", "Europe", "2024")], 1),
        ([("Sales report", "Europe", "2024"), ("made by", "Ann", "today")], 2),
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


@pytest.mark.parametrize(
    ("text", "delimiter", "names", "line", "rows"),
    [
        ("Sales 2024\n\nAs of:,3 Jan\nDay,Region,Sales,Units\n2024-01-01,n,1,5\n2024-01-02,,2,6\n", ",", "Day,Region,Sales,Units", 4, 2),
        ("Sales 2024,,\n,,\nDay,Region,Sales\n2024-01-01,n,1\n", ",", "Day,Region,Sales", 3, 1),
        ("Umsatz, Stand 3.1.\nvon: Ada, Nord\nTag;Ort;Umsatz\n1.1.;N;1,5\n2.1.;S;2,5\n3.1.;S;2,5\n", ";", "Tag,Ort,Umsatz", 3, 3),
        ("My report\nDay\tRegion\tSales\n2024-01-01\tn\t1\n", "\t", "Day,Region,Sales", 2, 1),
        ("By region\nregion,2022,2023,2024\nEMEA,1,2,3\n", ",", "region,2022,2023,2024", 2, 1),
        ("Umsatz;Europa;2026;Q1\nTag;Ort;Betrag;Zahl;Kunde\n1.1.;N;5,5;1;A\n2.1.;S;6,5;2;B\n", ";", "Tag,Ort,Betrag,Zahl,Kunde", 2, 2),
        ("city,region,owner\nBonn,N,Ann,A\nUlm,S,Cy,C\nKiel,N,Bo,D\n", ",", "city,region,owner", 1, 0),
        (",price,note\nAnn,n/a,ok\nBob,5,ok\nCy,6,no\nDi,7,no\n", ",", ",price,note", 1, 4),
        ("sep=;\nday;amount\n2024-01-01;5\n", ";", "day,amount", 2, 1),
        ("id,comment\nx,hello\na,well, yes, no, maybe\nb,fine\n", ",", "id,comment", 1, 2),
        ("name\nAda\nBob\n", ",", "name", 1, 2),
        ("1,2,3\n4,5,6\n", ",", "column_1,column_2,column_3", 0, 2),
    ],
)
def test_csv_says_them_below_titles_too(tmp_path: Path, text: str, delimiter: str, names: str, line: int, rows: int) -> None:
    (tmp_path / "report.csv").write_text(text, encoding="utf-8")
    (source,) = sources(sniff(tmp_path / "report.csv"))
    assert (source.sniffed.delimiter, ",".join(source.headers), source.header_row) == (delimiter, names, line)
    assert sum(len(block.lines) for block in source.blocks()) == rows


def test_blocks_of_long_or_broken_rows_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_BLOCK_CHARS", 1_000)
    monkeypatch.setattr(readers, "BLOCK_ROWS", 5)
    (tmp_path / "long.csv").write_text("a,b\n" + f"x,{'y' * 600}\n" * 4 + "short\n" * 12, encoding="utf-8")
    (source,) = sources(sniff(tmp_path / "long.csv"))
    assert [(len(block.lines), len(block.broken)) for block in source.blocks()] == [(2, 0), (2, 0), (0, 5), (0, 5), (0, 2)]
