"""Values bound as server-side parameters; equal values share one, numbered in order of use."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache

from sqlglot import exp

from core.errors import Invalid
from semantic.expr import Scalar
from semantic.states import Param
from semantic.windows import zone_of

_DATE_YEARS = range(1971, 2149)
_DATETIME_YEARS = range(1971, 2105)


@lru_cache(maxsize=256)
def _type_node(type_name: str) -> exp.DataType:
    return exp.DataType.build(type_name, dialect="clickhouse")


class Params:
    """The parameters of one query. `zone` is the calendar's time zone, in which naive times are read."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.bound: dict[str, Param] = {}
        self._names: dict[Param, str] = {}

    def add(self, type_name: str, value: str | int | float | bool | dt.date) -> exp.Expression:
        """A placeholder `{pN: type}`."""
        param = Param(type_name, value)
        key = Param(type_name, repr(value))
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"p{len(self._names)}"
            self.bound[name] = param
        return exp.Placeholder(this=exp.Var(this=name), kind=_type_node(type_name).copy())

    def saved(self) -> tuple[dict[str, Param], dict[Param, str]]:
        """What is bound so far, for `restore`."""
        return dict(self.bound), dict(self._names)

    def restore(self, saved: tuple[dict[str, Param], dict[Param, str]]) -> None:
        """Forgets what was bound since `saved`."""
        self.bound, self._names = saved

    def value(self, value: Scalar | None) -> exp.Expression:
        """The placeholder of any scalar, typed by its Python type; NULL for None."""
        if value is None:
            return exp.Null()
        if isinstance(value, bool):
            return self.add("Bool", value)
        if isinstance(value, int):
            return self._integer(value)
        if isinstance(value, Decimal):
            return self._decimal(value)
        if isinstance(value, float):
            return self.add("Float64", value)
        if isinstance(value, dt.datetime):
            return self.instant(value)
        if isinstance(value, dt.date):
            return self.date(value)
        return self.add("String", value)

    def date(self, day: dt.date) -> exp.Expression:
        return self.add("Date" if day.year in _DATE_YEARS else "Date32", day)

    def instant(self, moment: dt.datetime) -> exp.Expression:
        """An instant, written in UTC, where no hour occurs twice. Naive is the calendar's zone."""
        local = moment.replace(tzinfo=zone_of(self.zone)) if moment.tzinfo is None else moment
        utc = local.astimezone(dt.UTC).replace(tzinfo=None)
        digits = 6 if utc.microsecond else 0
        wide = utc.year not in _DATETIME_YEARS or digits
        type_name = f"DateTime64({digits}, 'UTC')" if wide else "DateTime('UTC')"
        return self.add(type_name, utc.isoformat(sep=" ", timespec="microseconds" if digits else "seconds"))

    def _integer(self, value: int) -> exp.Expression:
        if -(2**63) <= value < 2**63:
            return self.add("Int64", value)
        if -(2**255) <= value < 2**255:
            return self.add("Int256", value)
        raise Invalid(f"A number with {len(str(value))} digits is too large.", code="bad_literal")

    def _decimal(self, value: Decimal) -> exp.Expression:
        exponent = value.as_tuple().exponent
        scale = max(0, -exponent) if isinstance(exponent, int) else 0
        digits = len(value.as_tuple().digits)
        if scale > 30 or max(digits, scale) > 38:
            return self.add("Float64", float(value))
        return self.add(f"Decimal(38, {scale})", format(value, "f"))
