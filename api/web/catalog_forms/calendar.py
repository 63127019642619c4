"""The business's calendar as forms: where its days begin, its weeks and years, its holidays, and the days that matter to it."""

from __future__ import annotations

import calendar as months
import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import holidays
from babel import Locale
from pydantic import BaseModel

from api.web.catalog_forms.kind import Choices, Input, Kind, changed, chosen, lines
from api.web.catalog_forms.structure import BACK
from api.web.dates_said import window_said
from api.web.forms import Fields, body
from core.errors import Invalid
from semantic.catalog.model import CalendarEvent, Catalog, CatalogCalendar
from semantic.expr import Absolute, Unit
from semantic.windows import floor_to, local_now, zone_of
from workers.forecasts.events import event_days

_MONTHS: Choices = tuple((str(n), months.month_name[n]) for n in range(1, 13))
_WEEKDAYS = tuple((name.casefold(), name) for name in months.day_name)
_NTH: Choices = (("1", "first"), ("2", "second"), ("3", "third"), ("4", "fourth"), ("5", "fifth"))
_RULES = (
    ("dates", "on the dates that I list"),
    ("day", "every year on the same day"),
    ("weekday", "every year on a weekday of a month"),
)
_DAY = dt.timedelta(days=1)
_SHOWN = 4


class CalendarKind(Kind):
    name, part, title, back, makes = "calendar", "calendar", "calendar", BACK, False
    about = "When days, weeks and fiscal years begin, and which public holidays there are: what “today”, “last week” and “this fiscal year” mean."

    def all(self, catalog: Catalog) -> Iterable[Any]:
        return (catalog.calendar,)

    def with_all(self, catalog: Catalog, items: Sequence[Any]) -> Catalog:
        return catalog.model_copy(update={"calendar": items[0]})

    def key_of(self, item: Any, place: int) -> str:
        return self.name

    def label_of(self, item: Any) -> str:
        return self.name

    def removable(self, item: Any) -> bool:
        return False

    def drop(self, catalog: Catalog, key: str) -> Catalog:
        raise Invalid("There is always a calendar; change it instead.", code="not_removed")

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        zones = [
            (zone, zone.replace("_", " ")) for zone in sorted(zoneinfo.available_timezones()) if "/" in zone and not zone.startswith("Etc/")
        ]
        return (
            Input("time_zone", "Time zone", "choice", choices=[("UTC", "UTC"), *zones]),
            Input("week_start", "The week starts on", "choice", choices=_WEEKDAYS[:1] + _WEEKDAYS[6:]),
            Input("fiscal_year_start_month", "The fiscal year starts in", "choice", choices=_MONTHS),
            Input("country", "Public holidays of", "choice", choices=(("", "no country"), *_countries()), note="Forecasts and alerts know them."),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        names = ("time_zone", "week_start", "fiscal_year_start_month", "country")
        return {key: str(getattr(item, key) or "") for key in names}

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        country = chosen(form, "country")
        if country is not None and country != (item or catalog.calendar).country and not _is_known(country):
            raise Invalid(
                f"The public holidays of {country[:40]!r} are not known; choose a country of the list, or none.",
                code="bad_form",
                path="country",
            )
        said = {
            "time_zone": zone_of(form("time_zone", "UTC")).key,
            "week_start": form("week_start"),
            "fiscal_year_start_month": form.whole("fiscal_year_start_month", "The fiscal year starts in", 1),
            "country": country,
        }
        return body(CatalogCalendar, changed(item or catalog.calendar, said))

    def says(self, item: Any, now: dt.datetime) -> list[str]:
        here = local_now(item, now)
        week = floor_to(here, Unit.WEEK, item)
        year = floor_to(here, Unit.YEAR, item, fiscal=True)
        after = floor_to(year + dt.timedelta(days=380), Unit.YEAR, item, fiscal=True)
        found = [f"This week is {_words(week, week + 7 * _DAY)}.", f"This fiscal year is {_words(year, after)}."]
        if item.country and not _is_known(item.country):
            found.append(f"The public holidays of {item.country} are not known.")
        elif item.country:
            known = holidays.country_holidays(item.country.upper(), years=(here.year, here.year + 1))
            ahead = sorted((day, name) for day, name in known.items() if day >= here.date())[:_SHOWN]
            found += [f"Next holidays: {', '.join(f'{name} ({_day(day)})' for day, name in ahead)}."] if ahead else []
        return found


class EventKind(Kind):
    name, part, title, back = "event", "events", "event", BACK
    about = "Days that matter to the business and are no public holidays, such as Black Friday or a yearly fair. Forecasts and alerts know them."

    def all(self, catalog: Catalog) -> Iterable[Any]:
        return catalog.calendar.events

    def with_all(self, catalog: Catalog, items: Sequence[Any]) -> Catalog:
        return catalog.model_copy(update={"calendar": catalog.calendar.model_copy(update={"events": tuple(items)})})

    def label_of(self, item: Any) -> str:
        return str(item.name)

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        yearly = ("day", "weekday")
        return (
            Input("name", "What it is called", like="Black Friday", required=True),
            Input("rule", "It comes", "choice", choices=_RULES, wide=True),
            Input("dates", "First days, one a line", "lines", like="2026-05-12", when=("dates",)),
            Input("nth", "The", "choice", choices=_NTH, when=("weekday",)),
            Input("weekday", "Weekday", "choice", choices=_WEEKDAYS, when=("weekday",)),
            Input("day", "Day", like="24", when=("day",)),
            Input("month", "Of", "choice", choices=_MONTHS, when=yearly),
            Input("offset_days", "Days later", like="0", note="1 is the day after; -1 the day before."),
            Input("length_days", "Lasts days", like="1"),
        )

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return {"rule": "dates", "offset_days": "0", "length_days": "1", **given}
        numbers = ("nth", "weekday", "day", "month", "offset_days", "length_days")
        return {key: "" if getattr(item, key) is None else str(getattr(item, key)) for key in numbers} | {
            "name": item.name, "dates": "\n".join(day.isoformat() for day in item.dates),
            "rule": "dates" if item.dates else "day" if item.day is not None else "weekday",
        }  # fmt: skip

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        if not form.has("name"):
            raise Invalid("Say what it is called.", code="bad_form", path="name")
        if any(e.name.casefold() == form("name").casefold() and e is not item for e in catalog.calendar.events):
            raise Invalid(f"{form('name')[:60]!r} is in the calendar already; change that one.", code="event_exists", path="name")
        rule = form("rule", "dates")
        said: dict[str, Any] = dict.fromkeys(("nth", "weekday", "day", "month")) | {
            "name": form("name"), "dates": (), "offset_days": form.whole("offset_days", "Days later", 0), "length_days": form.whole("length_days", "Lasts days", 1),
        }  # fmt: skip
        if rule == "dates":
            said["dates"] = tuple(map(_date, lines(form, "dates")))
            if not said["dates"]:
                raise Invalid("List at least one date.", code="bad_form", path="dates")
        else:
            said["month"] = form.whole("month", "Of", 1)
            if rule == "day":
                said["day"] = form.whole("day", "Day", 0) or None
            else:
                said |= {"nth": form.whole("nth", "The", 1), "weekday": form("weekday", "monday")}
        return body(CalendarEvent, changed(item, said))

    def says(self, item: Any, now: dt.datetime) -> list[str]:
        days = [day for day in event_days(item, now.year, now.year + 3) if day >= now.date()]
        starts = [day for day in days if day - _DAY not in days][:_SHOWN]
        if not starts:
            return ["It does not come again within three years."]
        return [f"It comes next on {', '.join(map(_day, starts))}{f', for {item.length_days} days each' if item.length_days > 1 else ''}."]


def _is_known(country: str) -> bool:
    return country.upper() in holidays.list_supported_countries(include_aliases=True)


def _countries() -> Choices:
    named = cast(Mapping[str, str], Locale("en").territories)
    return sorted(
        ((code, named.get(code, code)) for code in holidays.list_supported_countries(include_aliases=False)), key=lambda pair: pair[1]
    )


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"Dates are written like 2026-05-12; found {text[:40]!r}.", code="bad_date", path="dates") from error


def _words(start: dt.datetime, end: dt.datetime) -> str:
    return window_said(Absolute(start=start.date(), end=end.date()))


def _day(day: dt.date) -> str:
    return window_said(Absolute(start=day, end=day + _DAY))
