"""Files into a real engine: types, bad rows, replace, append, hostile input."""

from __future__ import annotations

import gzip
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import chdb.session
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import Invalid
from core.ids import TenantId
from semantic.ingest import LoadOptions, LoadReport, load_files
from semantic.ingest.readers import sources
from semantic.ingest.sniff import MAX_SHEETS, sniff

ACME = TenantId("acme")


class Engine:
    """The admin client's part over an engine in this process."""

    def __init__(self) -> None:
        self._session = chdb.session.Session()
        self.failing = ""

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        if self.failing and self.failing in sql:
            raise RuntimeError(f"the engine fails at {self.failing}")
        self._session.query(_bound(sql, params))

    def query_arrow(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        body = self._session.query(_bound(sql, params), "ArrowStream").bytes()
        return pa.ipc.open_stream(body).read_all() if body else pa.table({})

    def insert_arrow(self, database: str, table: str, data: pa.Table) -> int:
        path = Path(self.folder) / "block.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, data.schema) as writer:
            writer.write_table(data)
        self._session.query(f"INSERT INTO `{database}`.`{table}` SELECT * FROM file('{path}', 'ArrowStream')")
        return data.num_rows

    def rows(self, sql: str) -> list[list[Any]]:
        return [list(row.values()) for row in self.query_arrow(sql).to_pylist()]

    folder: str = ""


def _bound(sql: str, params: Mapping[str, Any] | None) -> str:
    for name, value in (params or {}).items():
        sql = sql.replace(f"{{{name}:String}}", f"'{value}'")
    return sql


@pytest.fixture(scope="module")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine()
    engine.folder = str(tmp_path_factory.mktemp("blocks"))
    yield engine
    engine._session.close()


@pytest.fixture
def engine(shared_engine: Engine) -> Engine:
    shared_engine.failing = ""
    shared_engine.execute("DROP DATABASE IF EXISTS tenant_acme")
    return shared_engine


def write(tmp_path: Path, name: str, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def types(report: LoadReport) -> dict[str, str]:
    return {c.name: c.type for c in report.tables[0].columns}


class TestTypes:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (["1", "2", "-3"], "Int64"),
            (["1", "2.5", "3"], "Decimal(18, 1)"),
            (["1e5", "2.5", "3"], "Float64"),
            (["1,234.50", "12.25", "7"], "Decimal(18, 2)"),
            (["1.234,50", "12,25", "7"], "Decimal(18, 2)"),
            (["$1,200", "$15", "($30)"], "Decimal(18, 0)"),
            (["12%", "7.5 %", "0%"], "Float64"),
            (["00123", "04567", "99999"], "LowCardinality(String)"),
            (["yes", "no", "Yes"], "Bool"),
            (["2024-01-31", "2024-02-01", "2024-03-01"], "Date32"),
            (["31/01/2024", "01/02/2024", "15/03/2024"], "Date32"),
            (["2024-01-31 13:45:00", "2024-02-01T00:00:00Z", "2024-02-01 00:00"], "DateTime64(3, 'UTC')"),
            (["3 Jan 2024", "12 December 2023", "1 May 2024"], "Date32"),
            (["a", "b", "1"], "LowCardinality(String)"),
            (["unknown", "5", "6"], "Nullable(Int64)"),
            (["unknown", "red", "blue"], "LowCardinality(String)"),
        ],
    )
    def test_a_column_gets_the_narrowest_type_of_all_its_values(
        self, engine: Engine, tmp_path: Path, values: list[str], expected: str
    ) -> None:
        text = "k;v\n" + "".join(f'{i};"{v}"\n' for i, v in enumerate(values))
        assert types(load_files([write(tmp_path, "t.csv", text)], ACME, engine))["v"] == expected

    def test_numbers_and_dates_mean_what_was_written(self, engine: Engine, tmp_path: Path) -> None:
        text = 'amount;day;moment\n"1.234,50";31/01/2024;2024-01-31 13:45:00\n"(12,25)";01/02/2024;2024-02-01T01:00:00+02:00\n'
        load_files([write(tmp_path, "t.csv", text)], ACME, engine)
        found = engine.rows("SELECT toString(amount) AS a, toString(day) AS d, toString(moment) AS m FROM tenant_acme.t ORDER BY day")
        assert found == [["1234.5", "2024-01-31", "2024-01-31 13:45:00.000"], ["-12.25", "2024-02-01", "2024-01-31 23:00:00.000"]]

    def test_an_undecidable_date_order_is_said(self, engine: Engine, tmp_path: Path) -> None:
        report = load_files([write(tmp_path, "t.csv", "d,x\n01/02/2024,a\n03/04/2024,b\n")], ACME, engine)
        assert "month first was taken" in report.tables[0].columns[0].note


class TestBadRows:
    def test_are_set_aside_with_line_and_reason_and_never_lost(self, engine: Engine, tmp_path: Path) -> None:
        lines = ["id,amount"] + [f"{i},{i}.5" for i in range(200)]
        lines[51] = "50,oops"
        lines[101] = "100,1.5,extra"
        report = load_files([write(tmp_path, "t.csv", "\n".join(lines))], ACME, engine).tables[0]
        assert (report.rows_loaded, report.rows_rejected) == (198, 2)
        assert sorted((r.line, r.column) for r in report.rejected) == [(52, "amount"), (102, None)]
        kept = engine.rows("SELECT line, reason, original FROM tenant_acme.t__rejected ORDER BY line")
        assert kept[0][0] == 52
        assert "'oops' is no number" in kept[0][1]
        assert json.loads(kept[0][2]) == {"id": "50", "amount": "oops"}

    def test_lines_are_those_of_the_file_also_after_quoted_newlines(self, engine: Engine, tmp_path: Path) -> None:
        rows = ['1,"two\nlines",5'] + [f"{i},x,{i}" for i in range(2, 120)] + ["120,x,bad"]
        report = load_files([write(tmp_path, "t.csv", "id,note,n\n" + "\n".join(rows))], ACME, engine).tables[0]
        assert [r.line for r in report.rejected] == [122]

    def test_too_many_of_them_change_nothing(self, engine: Engine, tmp_path: Path) -> None:
        load_files([write(tmp_path, "t.csv", "a,b\n1,2\n")], ACME, engine)
        with pytest.raises(Invalid, match="cannot be read"):
            load_files([write(tmp_path, "t.csv", "a,b\n" + "1,2,3\n" * 5 + "1,2\n")], ACME, engine)
        assert engine.rows("SELECT count() AS n FROM tenant_acme.t") == [[1]]
        assert engine.rows("SELECT count() AS n FROM system.tables WHERE database = 'tenant_acme'") == [[1]]

    def test_bytes_of_another_encoding_are_named(self, engine: Engine, tmp_path: Path) -> None:
        good = "".join(f"{i},ok\n" for i in range(60_000))
        report = load_files([write(tmp_path, "t.csv", b"id,name\n" + good.encode() + b"9,\xff\xfe\n")], ACME, engine).tables[0]
        assert report.rows_rejected == 1
        assert "not utf-8" in report.rejected[0].reason


class TestFormats:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_encodings(self, engine: Engine, tmp_path: Path, encoding: str) -> None:
        load_files([write(tmp_path, "t.csv", "stadt;n\nKöln;1\nMünchen;2\n", encoding)], ACME, engine)
        assert engine.rows("SELECT stadt FROM tenant_acme.t ORDER BY n") == [["Köln"], ["München"]]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters(self, engine: Engine, tmp_path: Path, delimiter: str) -> None:
        text = "\n".join(delimiter.join(row) for row in (["a", "b", "c"], ["1", "x y", "2.5"], ["2", "z", "3.5"]))
        assert set(types(load_files([write(tmp_path, "t.csv", text)], ACME, engine))) == {"a", "b", "c"}

    def test_a_file_without_header(self, engine: Engine, tmp_path: Path) -> None:
        report = load_files([write(tmp_path, "t.csv", "1,x,2024\n2,y,2023\n3,z,2022\n")], ACME, engine).tables[0]
        assert report.rows_loaded == 3
        assert [c.name for c in report.columns] == ["column_1", "column_2", "column_3"]

    def test_gzip_json_lines_with_nested_objects(self, engine: Engine, tmp_path: Path) -> None:
        lines = [json.dumps({"id": i, "user": {"name": "ann", "age": i}, "tags": ["a"]}) for i in range(60)] + ["{broken", "[1]"]
        path = write(tmp_path, "t.jsonl.gz", gzip.compress("\n".join(lines).encode()))
        report = load_files([path], ACME, engine).tables[0]
        assert (report.rows_loaded, report.rows_rejected) == (60, 2)
        assert [r.line for r in report.rejected] == [61, 62]
        assert {c.name for c in report.columns} == {"id", "user_name", "user_age", "tags"}

    def test_a_json_list(self, engine: Engine, tmp_path: Path) -> None:
        report = load_files([write(tmp_path, "t.json", json.dumps([{"a": 1, "b": None}, {"a": 2.5, "c": True}]))], ACME, engine)
        assert types(report) == {"a": "Decimal(18, 1)", "b": "LowCardinality(Nullable(String))", "c": "Nullable(Bool)"}

    def test_parquet_keeps_its_types_and_reads_dates_in_text(self, engine: Engine, tmp_path: Path) -> None:
        path = tmp_path / "t.parquet"
        pq.write_table(
            pa.table({"n": pa.array([1.0, None, 3.0]), "x": [0.5, 1.5, 2.5], "d": ["2024-01-01", "2024-01-02", "2024-01-03"]}), path
        )
        report = load_files([path], ACME, engine)
        assert types(report) == {"n": "Nullable(Int64)", "x": "Float64", "d": "Date32"}

    def test_each_filled_sheet_becomes_a_table(self, engine: Engine, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.title = "Jan"
        for sheet in (book.active, book.create_sheet("Feb"), book.create_sheet("Empty")):
            if sheet.title != "Empty":
                sheet.append(["Day", "Sales (EUR)"])
                sheet.append(["2024-01-01", 10.5])
        book.save(tmp_path / "book.xlsx")
        report = load_files([tmp_path / "book.xlsx"], ACME, engine)
        assert [t.table for t in report.tables] == ["book_jan", "book_feb"]
        assert [c.name for c in report.tables[0].columns] == ["day", "sales_eur"]

    def test_a_title_above_the_names_is_left_out_and_told(self, engine: Engine, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        for row in (
            ["Sales report 2024"], [], ["As of:", "3 Jan 2024"], ["Day", "Region", "Sales", "Units"],
            ["2024-01-01", "north", 10.5, 1], ["2024-01-02", None, 11.5, 2], ["2024-01-03", "south", 12, 3],
        ):  # fmt: skip
            book.active.append(row)
        book.save(tmp_path / "report.xlsx")
        (report,) = load_files([tmp_path / "report.xlsx"], ACME, engine).tables
        assert [c.name for c in report.columns] == ["day", "region", "sales", "units"]
        assert (report.rows_loaded, report.rows_rejected) == (3, 0)
        assert "in row 4" in report.notes[0]
        assert "Sales report 2024; As of:; 3 Jan 2024" in report.notes[0]


class TestReplaceAndAppend:
    def test_replace_swaps_the_whole_table(self, engine: Engine, tmp_path: Path) -> None:
        for text in ("a,b\n1,2\n3,4\n", "a,c\nx,y\n"):
            load_files([write(tmp_path, "t.csv", text)], ACME, engine)
        assert engine.rows("SELECT a, c FROM tenant_acme.t") == [["x", "y"]]

    def test_append_adds(self, engine: Engine, tmp_path: Path) -> None:
        load_files([write(tmp_path, "t.csv", "a,b\n1,2\n")], ACME, engine)
        load_files([write(tmp_path, "t.csv", "a,b\n3,4\n")], ACME, engine, LoadOptions(mode="append"))
        assert engine.rows("SELECT a FROM tenant_acme.t ORDER BY a") == [[1], [3]]

    def test_append_of_a_file_where_nothing_is_missing_and_numbers_are_whole(self, engine: Engine, tmp_path: Path) -> None:
        load_files([write(tmp_path, "t.csv", "day,gap,price\n2024-01-01,,1.5\n2024-01-02,7,2.5\n")], ACME, engine)
        load_files([write(tmp_path, "t.csv", "day,gap,price\n2024-01-03,8,3\n")], ACME, engine, LoadOptions(mode="append"))
        assert engine.rows("SELECT gap, toFloat64(price) FROM tenant_acme.t ORDER BY day") == [[None, 1.5], [7, 2.5], [8, 3.0]]
        huge = "day,gap,price\n2024-01-04,8,900000000000000000\n"
        with pytest.raises(Invalid, match="price is too large"):
            load_files([write(tmp_path, "t.csv", huge)], ACME, engine, LoadOptions(mode="append"))
        assert engine.rows("SELECT count() FROM tenant_acme.t") == [[3]]
        with pytest.raises(Invalid, match=r"day is Nullable\(Date"):
            load_files([write(tmp_path, "t.csv", "day,gap,price\n,8,3\n2024-01-04,8,3\n")], ACME, engine, LoadOptions(mode="append"))

    def test_append_of_other_columns_is_refused_and_changes_nothing(self, engine: Engine, tmp_path: Path) -> None:
        load_files([write(tmp_path, "t.csv", "a,b\n1,2\n")], ACME, engine)
        with pytest.raises(Invalid, match=r"missing \['b'\], extra \['c'\]"):
            load_files([write(tmp_path, "t.csv", "a,c\n3,4\n")], ACME, engine, LoadOptions(mode="append"))
        assert engine.rows("SELECT a FROM tenant_acme.t") == [[1]]

    def test_a_failure_in_the_second_file_changes_nothing(self, engine: Engine, tmp_path: Path) -> None:
        load_files([write(tmp_path, "one.csv", "a,b\n1,2\n")], ACME, engine)
        with pytest.raises(Invalid):
            load_files([write(tmp_path, "one.csv", "a,b\n9,9\n"), write(tmp_path, "two.csv", "a,b\n")], ACME, engine)
        assert engine.rows("SELECT a FROM tenant_acme.one") == [[1]]
        assert engine.rows("SELECT name FROM system.tables WHERE database = 'tenant_acme'") == [["one"]]


class TestNamelessColumns:
    def test_without_a_value_are_left_out_as_separators_at_the_ends_of_lines_make_them(self, engine: Engine, tmp_path: Path) -> None:
        report = load_files([write(tmp_path, "ends.csv", "day;kept;\n2024-01-01;1;\n2024-01-02;;\n")], ACME, engine).tables[0]
        assert [c.name for c in report.columns] == ["day", "kept"]
        assert report.notes == ("Column 3 has no name and no value; it is left out.",)
        load_files([write(tmp_path, "ends.csv", "day;kept;\n2024-01-03;2;\n")], ACME, engine, LoadOptions(mode="append"))

    def test_with_a_value_or_a_name_are_kept(self, engine: Engine, tmp_path: Path) -> None:
        report = load_files([write(tmp_path, "some.csv", "a;named;\n1;;\n2;;x\n")], ACME, engine).tables[0]
        assert [c.name for c in report.columns] == ["a", "named", "column_3"]


class TestHostileInput:
    def test_file_and_header_names_cannot_break_out(self, engine: Engine, tmp_path: Path) -> None:
        text = 'id`; DROP TABLE x; --,a\'b,"c""d"\n1,2,3\n'
        report = load_files([write(tmp_path, "we`ird'; DROP.csv", text)], ACME, engine).tables[0]
        assert report.table == "we_ird_drop"
        assert [c.name for c in report.columns] == ["id_drop_table_x", "a_b", "c_d"]

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("a.csv", b"", "is empty"),
            ("a.csv", b"   \n \n", "nothing but blanks"),
            ("a.csv", b"a,b\n", "no rows"),
            ("a.csv", bytes(range(256)) * 20, "binary data"),
            ("a.csv", b'a,b\n1,"open\n' + b"x" * 9_000_000, "quote"),
            ("a.json", b"hello", "named JSON"),
            ("a.json", b"[1, 2", "not valid JSON"),
            ("a.xlsx", b"PK\x03\x04broken", "damaged"),
            ("a.parquet", b"PAR1broken", "not a Parquet file"),
            ("a.csv.gz", b"\x1f\x8bbroken", "gzip"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_a_reason(
        self, engine: Engine, tmp_path: Path, name: str, content: bytes, said: str
    ) -> None:
        with pytest.raises(Invalid, match=said):
            load_files([write(tmp_path, name, content)], ACME, engine)

    def test_bombs_are_refused(self, tmp_path: Path) -> None:
        bomb = tmp_path / "b.csv.gz"
        bomb.write_bytes(gzip.compress(b"a,b\n" + b"0" * 300_000_000))
        with pytest.raises(Invalid, match="bomb"):
            sniff(bomb)
        workbook = tmp_path / "b.xlsx"
        with zipfile.ZipFile(workbook, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/workbook.xml", b"0" * 200_000_000)
        with pytest.raises(Invalid, match="bomb"):
            sniff(workbook)

    @pytest.mark.parametrize(
        ("size", "more", "said"),
        [
            ("A1:XFD1048576", '<row r="400000"><c r="A400000"><v>3</v></c><c r="B400000"><v>4</v></c></row>', None),
            ("A1:B2", '<row r="1048577"><c r="A1048577"><v>3</v></c></row>', "beyond 1,048,576"),
            ("A1:B2", '<row r="3"><c r="A3"><v>3</v></c><c r="XFD3"><v>3</v></c></row>', "beyond column 2,000"),
        ],
    )
    def test_a_small_sheet_that_says_it_is_huge_costs_what_it_holds(self, tmp_path: Path, size: str, more: str, said: str | None) -> None:
        book = openpyxl.Workbook()
        for row in (["a", "b"], [1, 2]):
            book.active.append(row)
        book.save(tmp_path / "plain.xlsx")
        with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(tmp_path / "huge.xlsx", "w") as huge:
            for name in plain.namelist():
                text = plain.read(name).decode()
                if name == "xl/worksheets/sheet1.xml":
                    assert 'ref="A1:B2"' in text
                    text = text.replace('ref="A1:B2"', f'ref="{size}"').replace("</sheetData>", f"{more}</sheetData>")
                huge.writestr(name, text)
        (found,) = sources(sniff(tmp_path / "huge.xlsx"))
        started = time.process_time()
        try:
            blocks = list(found.blocks())
            told = "; ".join(r.reason for block in blocks for r in block.broken)
            rows = [line for block in blocks for line in block.lines]
        except Invalid as error:
            told, rows = error.message, []
        assert time.process_time() - started < 10  # 16,384 cells in each row that it says it has would take minutes
        assert said in told if said else (told, rows) == ("", [2, 400_000])

    def test_a_workbook_of_too_many_sheets_is_refused_before_it_is_opened(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "many.xlsx", "w") as archive:
            archive.writestr("xl/workbook.xml", "".join(f'<sheet name="s{n}" sheetId="{n}"/>' for n in range(MAX_SHEETS + 1)))
        with pytest.raises(Invalid, match=r"201 sheets.*at most 200") as refused:
            sniff(tmp_path / "many.xlsx")
        assert refused.value.code == "too_large"

    @pytest.mark.parametrize(
        "rows",
        [
            '<row r="1"><c r="A1" t="s"><v>99999</v></c></row>',  # text number 99,999 of none
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r=',
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2" t="d"><v>not a date</v></c></row>',
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="q!9"><v>1</v></c></row>',
        ],
    )
    def test_a_damaged_sheet_is_said_to_be_damaged(self, tmp_path: Path, rows: str) -> None:
        openpyxl.Workbook().save(tmp_path / "plain.xlsx")
        with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as bad:
            for name in plain.namelist():
                text = plain.read(name).decode()
                if name == "xl/worksheets/sheet1.xml":
                    text = text.replace("<sheetData />", f"<sheetData>{rows}</sheetData>").replace(
                        "<sheetData></sheetData>", f"<sheetData>{rows}</sheetData>"
                    )
                    assert rows in text
                bad.writestr(name, text)
        with pytest.raises(Invalid, match="not a workbook that can be read") as refused:
            [list(source.blocks()) for source in sources(sniff(tmp_path / "bad.xlsx"))]
        assert refused.value.code == "bad_workbook"

    def test_formulas_in_files_are_text(self, tmp_path: Path) -> None:
        formulas = ["=cmd|'/C calc'!A0", "@SUM(1)", "+1+1", "-2-3", "\t=1"]
        path = write(tmp_path, "f.csv", "name,n\n" + "".join(f'"{text}",1\n' for text in formulas))
        (found,) = sources(sniff(path))
        assert [text for block in found.blocks() for text in block.columns[0].to_pylist()] == formulas

    def test_parquet_that_keeps_a_text_once_for_many_rows_is_refused_before_it_fills_memory(self, tmp_path: Path) -> None:
        once = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 100_000]))
        pq.write_table(pa.table({"note": once}), tmp_path / "small.parquet", store_schema=False)
        assert (tmp_path / "small.parquet").stat().st_size < 100_000
        (found,) = sources(sniff(tmp_path / "small.parquet"))
        with pytest.raises(Invalid, match="looks like a bomb"):
            list(found.blocks())

    def test_a_plain_zip_is_not_a_workbook(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
            archive.writestr("a.txt", "hello")
        with pytest.raises(Invalid, match="not an Excel workbook"):
            sniff(tmp_path / "x.xlsx")

    def test_doubled_and_missing_headers_get_names(self, engine: Engine, tmp_path: Path) -> None:
        report = load_files([write(tmp_path, "t.csv", "a,a,\n1,2,3\n")], ACME, engine).tables[0]
        assert [c.name for c in report.columns] == ["a", "a_2", "column_3"]
        assert len(report.notes) == 2
