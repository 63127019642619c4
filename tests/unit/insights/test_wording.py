from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from insights.asked import Asked
from insights.headline import headline
from insights.wording import bucket, number
from semantic.states import OutputColumn, WindowUsed

REVENUE = OutputColumn("revenue", "revenue", "measure", unit="EUR", format="currency:EUR", measure_index=0, additive=True)
CHANGE = OutputColumn("revenue_percent", "revenue change", "change", format="percent", measure_index=0)
REGION = OutputColumn("region", "region", "dimension")
MONTH = OutputColumn("month", "month", "time", grain="month")


class TestNumber:
    @pytest.mark.parametrize(
        ("value", "format_", "compact", "expected"),
        [
            (0.1234, "percent", False, "12.34%"),
            (1_234_567, None, False, "1,234,567"),
            (1_234_567, None, True, "1.23M"),
            (Decimal("12.50"), "currency:EUR", False, "€12.50"),
            (-2_500_000.0, "currency:EUR", True, "-€2.5M"),
            (None, None, False, "–"),
            (float("nan"), "percent", False, "–"),
            (0, None, False, "0"),
        ],
    )
    def test_writes_a_value_for_people(self, value: float | None, format_: str | None, compact: bool, expected: str) -> None:
        assert number(value, format_, compact=compact) == expected

    def test_a_unit_follows_the_number(self) -> None:
        assert number(12, None, "days") == "12 days"


class TestBucket:
    @pytest.mark.parametrize(
        ("grain", "expected"),
        [("year", "2024"), ("quarter", "Q2 2024"), ("month", "May 2024"), ("week", "week of 6 May 2024"), ("day", "6 May 2024")],
    )
    def test_names_a_bucket_by_its_grain(self, grain: str, expected: str) -> None:
        assert bucket(dt.date(2024, 5, 6), grain) == expected

    def test_names_a_weekday(self) -> None:
        assert bucket(1, "day_of_week") == "Monday"


class TestHeadline:
    def test_shares_are_not_taken_for_another_period(self) -> None:
        share = OutputColumn("revenue_share", "revenue, share", "measure", format="percent_points", measure_index=0, transform="share")
        said = headline([REGION, REVENUE, share], [["EMEA", 30.0, 75.0], ["AMER", 10.0, 25.0]])
        assert said == "EMEA has the largest share of revenue: 75.0% (€30.00)."

    def test_a_running_period_is_not_held_against_whole_ones(self) -> None:
        rows = [[dt.date(2024, month, 1), value] for month, value in ((1, 10.0), (2, 20.0), (3, 5.0))]
        said = headline([MONTH, REVENUE], rows, asked=Asked(now=dt.datetime(2024, 3, 9)))
        assert said == "Revenue: €20.00 in Feb 2024, up 100.0% on the one before; €5.00 so far in Mar 2024."

    def test_without_a_start_the_last_period_is_held_against_the_one_before_and_a_year_ago(self) -> None:
        rows = [[dt.date(2023 + m // 12, m % 12 + 1, 1), 10.0 + m] for m in range(14)]
        assert headline([MONTH, REVENUE], rows) == "Revenue: €23.00 in Feb 2024, up 4.5% on the one before and up 109.1% on a year before."

    def test_what_moved_most_is_told_by_its_change(self) -> None:
        percent = OutputColumn(
            "revenue_change_percent", "change", "change", format="percent_points", measure_index=0, beside="previous month"
        )
        rows = [["APAC", 10.0, -50.0], ["EMEA", 30.0, 20.0]]
        said = headline([REGION, REVENUE, percent], rows, asked=Asked(by_change=True))
        assert said == "APAC: revenue €10.00, down 50.0% on the previous month."

    def test_the_lowest_where_that_was_asked(self) -> None:
        assert (
            headline([REGION, REVENUE], [["EMEA", 30.0]], asked=Asked(lowest=True, ranked=True)) == "EMEA has the lowest revenue: €30.00."
        )

    def test_a_row_further_down_a_ranking_says_its_place(self) -> None:
        said = headline([REGION, REVENUE], [["EMEA", 30.0]], asked=Asked(ranked=True, place=2))
        assert said == "EMEA is number 2 by revenue: €30.00."

    def test_further_rows_of_a_ranking_are_not_called_the_highest(self) -> None:
        rows = [["EMEA", 30.0], ["APAC", 10.0]]
        said = headline([REGION, REVENUE], rows, asked=Asked(ranked=True, place=11))
        assert said == "Numbers 11 to 12 by revenue: from €30.00 (EMEA) to €10.00 (APAC)."

    def test_what_filters_leave_is_said_after_the_figure(self) -> None:
        assert headline([REVENUE], [[30.0]], asked=Asked(scope=" for Germany")) == "Revenue for Germany: €30.00."
        said = headline([REGION, REVENUE], [["EMEA", 30.0]], asked=Asked(scope=" for Germany"))
        assert said == "EMEA: revenue for Germany €30.00."

    def test_rows_are_named(self) -> None:
        name = OutputColumn("name", "name", "attribute")
        assert headline([name], [["A"], ["B"]], truncated=True, asked=Asked("customer", "customers")) == "More than 2 customers."

    @pytest.mark.parametrize(
        ("words", "month", "partial", "expected"),
        [
            ("last month", 2, False, "last month, Feb 2024"),
            ("in march", 3, False, "Mar 2024"),
            ("this month", 3, True, "this month, Mar 2024 so far"),
        ],
    )
    def test_the_window_is_dated(self, words: str, month: int, partial: bool, expected: str) -> None:
        window = WindowUsed(words, dt.datetime(2024, month, 1), dt.datetime(2024, month + 1, 1), "day", partial, partial)
        assert headline([REVENUE], [[5.0]], [window]) == f"Revenue: €5.00 ({expected})."

    def test_a_single_number_says_its_change(self) -> None:
        assert headline([REVENUE, CHANGE], [[1_200_000.0, 0.123]]) == "Revenue: €1.2M, up 12.3% on the compared period."

    @pytest.mark.parametrize(
        ("name", "begins"), [("organic search", "Organic search has"), ("iPhone 15", "iPhone 15 has"), ("sku_7", "sku_7 has")]
    )
    def test_a_sentence_begins_with_a_capital_unless_a_name_is_spelt_its_own_way(self, name: str, begins: str) -> None:
        assert headline([REGION, REVENUE], [[name, 30.0], ["paid search", 10.0]]).startswith(begins)

    def test_a_series_beside_that_of_another_period_says_what_changed(self) -> None:
        month = OutputColumn("month", "Month", "time", grain="month")
        sales = OutputColumn("revenue", "revenue", "measure", format="currency:EUR", measure_index=0, additive=True)
        before = OutputColumn(
            "before", "revenue, last year", "measure", format="currency:EUR", measure_index=0, beside="same period last year"
        )
        rows = [[dt.date(2026, 7, 1), 60.0, 50.0], [dt.date(2026, 8, 1), 50.0, 50.0]]
        assert (
            headline([month, sales, before], rows) == "Revenue: €110.00 in all, up 10.0% on the same period last year; €50.00 in Aug 2026."
        )

    def test_rates_of_things_are_told_with_what_changed_in_them(self) -> None:
        rate = OutputColumn("rate", "conversion rate", "measure", format="percent", measure_index=0)
        change = OutputColumn("change", "change", "change", format="percent", measure_index=0, beside="previous day")
        said = headline(
            [OutputColumn("device", "device", "dimension"), rate, change], [["desktop", 0.0425, 0.0075], ["mobile", 0.0243, -0.002]]
        )
        assert (
            said
            == "Desktop has the highest conversion rate: 4.25%, up 0.75 points on the previous day; mobile the lowest: 2.43%, down 0.2 points."
        )

    def test_the_first_few_hold_a_share_together(self) -> None:
        share = OutputColumn("share", "revenue, share", "measure", format="percent_points", measure_index=0, transform="share")
        sales = OutputColumn("revenue", "revenue", "measure", format="currency:EUR", measure_index=0, additive=True)
        rows = [["Ann", 30.0, 15.0], ["Bo", 20.0, 10.0]]
        said = headline([OutputColumn("who", "customer", "dimension"), sales, share], rows, asked=Asked(ranked=True, by=0))
        assert said == "Ann has the largest share of revenue: 15.0% (€30.00); the 2 shown hold 25.0% together."

    def test_the_change_of_a_rate_is_said_in_points(self) -> None:
        rate = OutputColumn("rate", "conversion rate", "measure", format="percent", measure_index=0)
        change = OutputColumn("change", "change", "change", format="percent", measure_index=0, beside="previous day")
        assert headline([rate, change], [[0.029, 0.0064]]) == "Conversion rate: 2.9%, up 0.64 points on the previous day."

    def test_groups_name_the_highest_whatever_the_order_of_rows(self) -> None:
        rows = [["AMER", 10.0], ["EMEA", 30.0]]
        assert headline([REGION, REVENUE], rows) == "EMEA has the highest revenue: €30.00, 75% of the total."

    def test_a_single_group_is_compared_with_nothing(self) -> None:
        assert headline([REGION, REVENUE], [["EMEA", 30.0]]) == "EMEA: revenue €30.00."

    def test_shares_have_one_decimal(self) -> None:
        rows = [["EMEA", 20.0], ["AMER", 10.0]]
        assert headline([REGION, REVENUE], rows) == "EMEA has the highest revenue: €20.00, 66.7% of the total."

    def test_a_series_says_first_and_last(self) -> None:
        rows = [[dt.date(2024, 1, 1), 10.0], [dt.date(2024, 2, 1), 20.0]]
        window = WindowUsed("this year", dt.datetime(2024, 1, 1), None, "day", True)
        assert headline([MONTH, REVENUE], rows, [window]) == "Revenue: €20.00 in Feb 2024, from €10.00 in Jan 2024."

    def test_a_series_per_group_says_who_has_most_in_all(self) -> None:
        rows = [[dt.date(2024, m, 1), region, value] for m in (1, 2) for region, value in (("EMEA", 30.0), ("APAC", 10.0))]
        assert headline([MONTH, REGION, REVENUE], rows) == "EMEA has the highest revenue in all: €60.00, 75% of the total."

    def test_groups_beside_another_period_say_the_change_of_the_whole(self) -> None:
        before = OutputColumn("revenue_compared", "revenue, last year", "measure", format="currency:EUR", measure_index=0)
        percent = OutputColumn("revenue_change_percent", "change", "change", format="percent_points", measure_index=0)
        rows = [["EMEA", 30.0, 20.0, 50.0], ["APAC", 10.0, 12.0, -16.7]]
        said = headline([REGION, REVENUE, before, percent], rows)
        assert said == "Revenue: €40.00 in all, up 25.0% on the compared period; EMEA has the highest: €30.00, up 50.0%."

    def test_nothing_is_said_to_be_nothing(self) -> None:
        assert headline([REGION, REVENUE], []) == "Nothing matches."

    @pytest.mark.parametrize(
        ("columns", "rows", "asked", "expected"),
        [
            (  # ranked periods are no series
                [MONTH, REVENUE],
                [[dt.date(2026, 2, 1), 90], [dt.date(2026, 5, 1), 80]],
                Asked(ranked=True, by=0),
                "Feb 2026 has the highest revenue: €90.00, 52.9% of the 2 shown.",
            ),
            (  # the running period is not held against the one before
                [MONTH, REVENUE],
                [[dt.date(2026, 10, 1), 900], [dt.date(2026, 11, 1), 2]],
                Asked(now=dt.datetime(2026, 11, 3)),
                "Revenue: €900.00 in Oct 2026; €2.00 so far in Nov 2026.",
            ),
            (  # another measure ranks
                [REGION, REVENUE, OutputColumn("orders", "orders", "measure", measure_index=1)],
                [["EMEA", 10, 99], ["APAC", 90, 98]],
                Asked(ranked=True, by=1),
                "EMEA has the highest orders: 99; 2 shown.",
            ),
            (
                [REGION, OutputColumn("share", "revenue, share", "measure", format="percent", measure_index=0, transform="share")],
                [["EMEA", 0.01], ["APAC", 0.02]],
                Asked(ranked=True, lowest=True),
                "EMEA has the smallest share of revenue: 1%.",
            ),
            (  # what the lost group had counts, and the shown few are not all
                [REGION, REVENUE, OutputColumn("before", "revenue, last year", "measure", measure_index=0, beside="last year")],
                [["EMEA", 100, 50], ["APAC", None, 100]],
                Asked(),
                "Revenue: €100.00 in all, down 33.3% on last year; EMEA has the highest: €100.00.",
            ),
            (
                [REGION, REVENUE, OutputColumn("before", "revenue, last year", "measure", measure_index=0, beside="last year")],
                [["EMEA", 100, 50], ["APAC", 60, 10]],
                Asked(ranked=True, by=0),
                "EMEA has the highest revenue: €100.00, 62.5% of the 2 shown.",
            ),
            (  # the first few of each month tell nothing of the whole time
                [MONTH, REGION, REVENUE],
                [[dt.date(2026, 1, 1), "EMEA", 100], [dt.date(2026, 2, 1), "APAC", 60]],
                Asked(ranked=True),
                "Jan 2026, EMEA has the highest revenue: €100.00, 62.5% of the 2 shown.",
            ),
            ([REGION, REVENUE], [["EMEA", 0], ["APAC", 0]], Asked(), "EMEA and 1 more have the highest revenue: €0.00; 2 shown."),
            ([REGION, REVENUE], [[None, 9], ["APAC", 1]], Asked(), "(no region) has the highest revenue: €9.00, 90% of the total."),
            (
                [REGION, OutputColumn("last", "last order", "measure", measure_index=0)],
                [["EMEA", dt.date(2026, 5, 1)], ["APAC", dt.date(2026, 6, 1)]],
                Asked(),
                "Last order: from 1 May 2026 to 1 Jun 2026, 2 rows.",
            ),
        ],
    )
    def test_claims_no_more_than_the_rows_tell(
        self, columns: list[OutputColumn], rows: list[list[object]], asked: Asked, expected: str
    ) -> None:
        assert headline(columns, rows, asked=asked) == expected

    def test_groups_without_values_say_so(self) -> None:
        assert headline([REGION, REVENUE], [["EMEA", None]]) == "1 row, none with a value for revenue."
