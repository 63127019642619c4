"""Tables, files and cards of answers."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from api.web.cards import card, sparkline
from api.web.exports import as_csv, as_excel, as_image, as_json
from api.web.rendering import ago
from api.web.rendering import as_json as json_block
from api.web.tables import PAGE_ROWS, table_view
from core.formats import writing
from core.locales import formats_of
from core.timeseries import Grain
from insights.chart import chart
from semantic.expr import FieldRef
from semantic.query import ByEntity, ByField, ByTime, MetricRef, SemanticQuery
from semantic.states import OutputColumn

REGION = OutputColumn("region", "region", "dimension")
REVENUE = OutputColumn("revenue", "revenue", "measure", format="currency:EUR", good_direction="up")
MONTH = OutputColumn("month", "Month", "time", grain="month")
BY_REGION = SemanticQuery(metrics=(MetricRef(metric="revenue"),), by=(ByField(field=FieldRef(dataset="c", field="region")),))


class TestTableView:
    def test_pages(self) -> None:
        rows = [[f"r{i}", i] for i in range(PAGE_ROWS * 2 + 1)]
        last = table_view((REGION, REVENUE), rows, page=99)
        assert (last.page, last.pages, last.first, len(last.rows)) == (3, 3, 101, 1)

    def test_sorts_and_keeps_missing_values_last(self) -> None:
        rows = [["a", Decimal(2)], ["b", None], ["c", Decimal(10)]]
        for sort, wanted in (("1", ["a", "c", "b"]), ("-1", ["c", "a", "b"])):
            view = table_view((REGION, REVENUE), rows, sort=sort)
            assert [row[0].text for row in view.rows] == wanted
        assert table_view((REGION, REVENUE), rows, sort="-1").headers[1].sorted == "descending"
        assert table_view((REGION, REVENUE), rows, sort="-1").headers[1].next_sort == "1"

    @pytest.mark.parametrize("sort", ["9", "x", "--1", "", "-"])
    def test_a_sort_that_is_none_keeps_the_order(self, sort: str) -> None:
        assert [r[0].text for r in table_view((REGION, REVENUE), [["b", 1], ["a", 2]], sort=sort).rows] == ["b", "a"]

    def test_dimensions_can_be_drilled_into(self) -> None:
        view = table_view((REGION, REVENUE), [["EMEA", 1], [None, 2]], BY_REGION)
        assert [row[0].drill for row in view.rows] == ["0:EMEA", "0:\u2013"]
        assert view.rows[0][1].drill == ""

    def test_times_drill_by_their_start(self) -> None:
        monthly = SemanticQuery(metrics=(MetricRef(metric="revenue"),), by=(ByTime(grain=Grain.MONTH),))
        for value in (dt.date(2026, 3, 1), "2026-03-01"):
            cell = table_view((MONTH, REVENUE), [[value, 1]], monthly).rows[0][0]
            assert (cell.text, cell.drill) == ("Mar 2026", "0:2026-03-01")

    @pytest.mark.parametrize(
        ("question", "names", "headers"),
        [
            ("top products by revenue", ["Lamp", "Desk"], ["product", "revenue"]),
            ("top product ids by revenue", ["Lamp", "Desk"], ["product", "product id", "revenue"]),
            ("top products by revenue", ["Lamp", "Lamp"], ["product", "product id", "revenue"]),
        ],
    )
    def test_an_id_is_left_out_beside_a_name_that_tells_rows_apart(self, question: str, names: list[str], headers: list[str]) -> None:
        columns = (
            OutputColumn("product", "product", "dimension", source="entity:product"),
            OutputColumn("product_id", "product id", "key", source="field:products.product_id"),
            REVENUE,
        )
        query = SemanticQuery(metrics=(MetricRef(metric="revenue"),), by=(ByEntity(entity="product", show_key=True),))
        view = table_view(columns, [[names[0], 1, 10], [names[1], 2, 5]], query, question=question)
        assert [h.text for h in view.headers] == headers
        assert [len(row) for row in view.rows] == [len(headers)] * 2

    def test_a_falling_cost_is_good(self) -> None:
        cost = OutputColumn("c", "cost change", "change", good_direction="down")
        assert table_view((cost,), [[-3.0]]).rows[0][0].css == "number down good"
        unknown = OutputColumn("c", "visits change", "change")
        assert table_view((unknown,), [[-3.0]]).rows[0][0].css == "number down"


class TestFiles:
    ROWS = [["=HYPERLINK(1)", Decimal("1.50")], ["-x", None], ["plain", 3]]

    def test_csv_never_starts_a_formula(self) -> None:
        assert as_csv((REGION, REVENUE), self.ROWS).decode("utf-8-sig").splitlines() == [
            "region,revenue", "'=HYPERLINK(1),1.50", "'-x,", "plain,3",
        ]  # fmt: skip
        for start in ("+", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"):
            (row,) = list(csv.reader(io.StringIO(as_csv((REGION,), [[f"{start}1"]]).decode("utf-8-sig"), newline="")))[1:]
            assert row == [f"'{start}1"]

    def test_excel_opens_with_figures_and_their_origin(self) -> None:
        book = load_workbook(io.BytesIO(as_excel((REGION, REVENUE), [*self.ROWS, ["bell\x07", 1]], title="q", notes=[("Rows", "4")])))
        assert [c.value for c in book["Answer"][2]] == ["'=HYPERLINK(1)", 1.5]
        assert [c.number_format for c in book["Answer"][2]] == ["General", '"€"#,##0.00']
        assert book["Answer"]["A5"].value == "bell\ufffd"
        assert book["How this was computed"]["B1"].value == "q"

    def test_excel_has_figures_and_days_that_each_spreadsheet_writes_its_own_way(self) -> None:
        share = OutputColumn("share", "share", "measure", format="percent")
        row = [dt.date(2026, 3, 4), 0.125, Decimal("1234.5"), 7]
        with writing(formats_of("de-DE")):
            made = as_excel((MONTH, share, REVENUE, OutputColumn("n", "n", "measure")), [row], title="q", notes=[])
            assert b"2026-03-04,0.125,1234.5,7" in as_csv((MONTH, share, REVENUE, share), [row])
        cells = load_workbook(io.BytesIO(made))["Answer"][2]
        assert [c.value for c in cells] == [dt.datetime(2026, 3, 4), 0.125, 1234.5, 7]
        assert [c.number_format for c in cells] == ["mm-dd-yy", "0.0%", '#,##0.00\xa0"€"', "#,##0"]

    def test_json(self) -> None:
        assert json.loads(as_json((REGION, REVENUE), [["a", Decimal("1.5")]])) == {"columns": ["region", "revenue"], "rows": [["a", 1.5]]}

    def test_the_chart_becomes_a_picture(self) -> None:
        spec = chart((REGION, REVENUE), [["a", 1], ["b", 2]], title="t")
        assert spec is not None
        assert as_image(spec, "svg").startswith(b"<svg")
        assert as_image(spec, "png").startswith(b"\x89PNG")


class TestCard:
    def test_says_value_change_and_place_in_the_year(self) -> None:
        rows = [[dt.date(2026, m, 1), float(m * 100)] for m in range(1, 6)]
        made = card("revenue", "revenue", (MONTH, REVENUE), rows, certified=True)
        assert made is not None
        assert (made.value, made.period, made.before) == ("\u20ac500.00", "May 2026", "Apr")
        assert (made.change, made.direction, made.good) == ("25.0%", "up", True)
        assert made.sentence == "Highest of the last 5 months."

    def test_rates_change_in_points(self) -> None:
        rate = OutputColumn("m", "margin", "measure", format="percent")
        made = card("m", "margin", (MONTH, rate), [[dt.date(2026, 1, 1), 0.25], [dt.date(2026, 2, 1), 0.24]], certified=False)
        assert made is not None
        assert (made.change, made.direction, made.good) == ("1.0 pp", "down", None)

    def test_nothing_to_say_without_values(self) -> None:
        assert card("m", "m", (MONTH, REVENUE), [[dt.date(2026, 1, 1), None]], certified=False) is None

    def test_a_flat_line_has_no_division_by_zero(self) -> None:
        line, area, last = sparkline([5.0, 5.0, 5.0])
        assert line.startswith("M3.0 37.0L")
        assert area.endswith("Z")
        assert last == (157.0, 37.0)
        assert sparkline([1.0]) == ("", "", None)


class TestRendering:
    def test_no_value_can_end_a_data_block(self) -> None:
        assert "<" not in json_block({"x": "</script><!--"})
        assert json.loads(str(json_block({"x": "</script>&"}))) == {"x": "</script>&"}

    def test_ago(self) -> None:
        now = dt.datetime(2026, 5, 21, 12, tzinfo=dt.UTC)
        said = [
            ago(now - dt.timedelta(**{unit: n}), now)
            for unit, n in (("seconds", 5), ("minutes", 5), ("hours", 3), ("days", 1), ("days", 40))
        ]
        assert said == ["just now", "5 min ago", "3 h ago", "1 day ago", "11 Apr 2026"]
