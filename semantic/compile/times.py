"""Times in SQL: reading stored times, truncating to a grain, cyclic parts, moving buckets."""

from __future__ import annotations

from sqlglot import exp

from semantic.catalog.model import CatalogCalendar, CatalogField, FieldType
from semantic.compile.functions import call, text, whole
from semantic.compile.params import Params
from semantic.resolve.typing import field_type
from semantic.windows import Shift

_TRUNC = {"month": "toStartOfMonth", "quarter": "toStartOfQuarter", "year": "toStartOfYear"}
_ADD = {
    "second": "addSeconds",
    "minute": "addMinutes",
    "hour": "addHours",
    "day": "addDays",
    "week": "addWeeks",
    "month": "addMonths",
    "quarter": "addQuarters",
    "year": "addYears",
}
_PARTS = {
    "hour_of_day": "toHour",
    "day_of_month": "toDayOfMonth",
    "month_of_year": "toMonth",
    "quarter_of_year": "toQuarter",
    "week_of_year": "toISOWeek",
    "year": "toYear",
}


def stored_time(column: exp.Expression, field: CatalogField, params: Params) -> exp.Expression:
    """A text or integer column as the date or instant it holds; text that does not parse is NULL."""
    if field.time_format is not None:
        pattern = params.value(field.time_format)
        if field_type(field) is FieldType.DATE:
            return call("toDate32", call("parseDateTime64OrNull", call("toString", column), pattern, text("UTC")))
        return call("parseDateTimeOrNull", call("toString", column), pattern, text(params.zone))
    if field.epoch == "s":
        return call("toDateTime", column, text(params.zone))
    if field.epoch == "ms":
        return call("fromUnixTimestamp64Milli", call("toInt64", column), text(params.zone))
    if field.epoch == "us":
        return call("fromUnixTimestamp64Micro", call("toInt64", column), text(params.zone))
    return column


def add(moment: exp.Expression, unit: str, count: int) -> exp.Expression:
    return call(_ADD[unit], moment, whole(count))


def bucket(moment: exp.Expression, grain: str, is_date: bool, calendar: CatalogCalendar, fiscal: bool = False) -> exp.Expression:
    """Start of the bucket that holds `moment`: a Date, or for hours and minutes an instant, in the calendar's zone."""
    zone = () if is_date else (text(calendar.time_zone),)
    if grain == "day":
        return moment if is_date else call("toDate32", moment, *zone)
    if grain == "hour":
        return call("toStartOfHour", moment, *zone)
    if grain == "minute":
        return call("toStartOfMinute", moment, *zone)
    if grain == "week":
        if calendar.week_start == "sunday":
            day = bucket(moment, "day", is_date, calendar)
            return add(call("toMonday", add(day, "day", 1)), "day", -1)
        return call("toMonday", moment, *zone)
    offset = calendar.fiscal_year_start_month - 1
    if fiscal and offset and grain in ("quarter", "year"):
        month = call("toStartOfMonth", moment, *zone)
        return add(call(_TRUNC[grain], add(month, "month", -offset)), "month", offset)
    return call(_TRUNC[grain], moment, *zone)


def part(moment: exp.Expression, name: str, is_date: bool, zone_name: str) -> exp.Expression:
    """A cyclic part as a number (ISO: Monday is 1); `is_weekend` as a truth value."""
    zone = () if is_date else (text(zone_name),)
    if name in ("day_of_week", "is_weekend"):
        day = call("toDayOfWeek", moment, whole(0), *zone) if zone else call("toDayOfWeek", moment)
        return day if name == "day_of_week" else exp.GTE(this=day, expression=whole(6))
    return call(_PARTS[name], moment, *zone)


def moved(bucket_start: exp.Expression, shift: Shift) -> exp.Expression:
    """A compared bucket on the main time line; NULL where no main bucket has it as its partner (29 February)."""
    unit = shift.unit.value
    there = add(bucket_start, unit, shift.count)
    if unit not in ("month", "quarter", "year"):
        return there
    back = add(there.copy(), unit, -shift.count)
    return call("if", exp.EQ(this=back, expression=bucket_start.copy()), there.copy(), exp.Null())
