"""Row-level expressions in SQL, over one Scope."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sqlglot import exp

from semantic.catalog.model import FieldRole, FieldType
from semantic.compile.functions import call, operation, text
from semantic.compile.params import Params
from semantic.compile.scope import Scope, raw
from semantic.compile.times import bucket, part, stored_time
from semantic.expr import (
    Arithmetic,
    Case,
    DateDiff,
    DatePart,
    Expr,
    FieldRef,
    Literal_,
    MakeDate,
    Now,
    Predicate,
    Related,
    Text,
)
from semantic.resolve.typing import expr_type

_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_629_746,
    "quarter": 7_889_238,
    "year": 31_556_952,
}
"""Mean Gregorian lengths: a year is 365.2425 days."""


class Expressions(ABC):
    """Compiles canonical expressions; conditions and related rows are added by `Row`."""

    def __init__(self, scope: Scope, params: Params) -> None:
        self.scope = scope
        self.params = params
        self.catalog = scope.catalog
        self.calendar = scope.catalog.calendar

    @abstractmethod
    def condition(self, predicate: Predicate) -> exp.Expression:
        """The predicate as a condition that may be NULL."""

    @abstractmethod
    def related(self, node: Related) -> exp.Expression:
        """The value of a pre-aggregated join."""

    def type_of(self, node: Expr) -> FieldType | None:
        return expr_type(node, self.catalog)

    def expr(self, node: Expr) -> exp.Expression:
        match node:
            case FieldRef():
                alias, dataset = self.scope.table(node.via)
                field = dataset.field(node.field)
                return stored_time(raw(alias, field), field, self.params)
            case Literal_():
                return self.params.value(node.value)
            case Arithmetic():
                return self._arithmetic(node)
            case DateDiff():
                return self._date_diff(node)
            case DatePart():
                return self._date_part(node)
            case MakeDate():
                return self._make_date(node)
            case Text():
                return self._text(node)
            case Case():
                branches = [part_ for when, then in node.branches for part_ in (self.condition(when), self.expr(then))]
                otherwise = self.expr(node.otherwise) if node.otherwise is not None else exp.Null()
                return call("multiIf", *branches, otherwise)
            case Related():
                return self.related(node)
            case Now():
                raise TypeError("Now is a literal after resolving")

    def _arithmetic(self, node: Arithmetic) -> exp.Expression:
        left, right = self.expr(node.left), self.expr(node.right)
        if node.op == "/":
            return divided(left, right)
        if node.op == "-" and self.type_of(node.left) in _TIMES and self.type_of(node.right) in _TIMES:
            return call("dateDiff", text("day"), right, left)
        return operation(node.op, left, right)

    def _date_diff(self, node: DateDiff) -> exp.Expression:
        start, end = self.expr(node.start), self.expr(node.end)
        instants = FieldType.DATETIME in (self.type_of(node.start), self.type_of(node.end))
        zone = [text(self.calendar.time_zone)] if instants else []
        if not node.exact:
            return call("dateDiff", text(node.unit), start, end, *zone)
        seconds = call("dateDiff", text("second"), start, end, *zone)
        return exp.Div(this=seconds, expression=exp.Literal.number(_SECONDS[node.unit]))

    def _date_part(self, node: DatePart) -> exp.Expression:
        moment, is_date = self.expr(node.of), self.type_of(node.of) is FieldType.DATE
        if node.part.startswith("trunc_"):
            return bucket(moment, node.part.removeprefix("trunc_"), is_date, self.calendar)
        return part(moment, node.part, is_date, self.calendar.time_zone)

    def _make_date(self, node: MakeDate) -> exp.Expression:
        pattern = {"number": "%Y %c %e", "name": "%Y %M %e", "short_name": "%Y %b %e"}[node.month_as]
        space = text(" ")
        year, month, day = (self.as_text(p) for p in (node.year, node.month, node.day))
        joined = call("concat", year, space, call("trimBoth", month), space, day)
        return call("toDate32", call("parseDateTime64OrNull", joined, text(pattern), text("UTC")))

    def as_text(self, node: Expr) -> exp.Expression:
        """The value as String; keys and categories may be stored as UUID, Enum or FixedString, which text functions refuse."""
        compiled = self.expr(node)
        plain = self.type_of(node) is FieldType.STRING
        if plain and isinstance(node, FieldRef):
            plain = self.catalog.field(node).role in (FieldRole.NAME, FieldRole.TEXT, FieldRole.ATTRIBUTE)
        return compiled if plain else call("toString", compiled)

    def _text(self, node: Text) -> exp.Expression:
        of = self.as_text(node.of)
        match node.function:
            case "lower":
                return call("lowerUTF8", of)
            case "upper":
                return call("upperUTF8", of)
            case "trim":
                return call("trimBoth", of)
            case "length":
                return call("lengthUTF8", of)
            case "concat":
                pieces: list[exp.Expression] = []
                for piece in (of, *(self.as_text(other) for other in node.others)):
                    pieces += [text(" "), call("ifNull", piece, text(""))] if pieces else [call("ifNull", piece, text(""))]
                return call("trimBoth", call("concat", *pieces))


_TIMES = (FieldType.DATE, FieldType.DATETIME)


def divided(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """Float division, NULL when the divisor is 0 (a Decimal would keep only its own scale)."""
    return exp.Div(this=call("toFloat64", left), expression=call("nullIf", call("toFloat64", right), exp.Literal.number(0)))
