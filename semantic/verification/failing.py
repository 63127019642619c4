"""Whether some value could make the query fail, which a caller could notice.

ClickHouse may evaluate a caller's condition on a row before the tenant's condition has removed it. A function that fails on that row's value
then tells about another tenant: measured on 26.9, `WHERE toUInt8(email) = 1` over a narrowed table ordered by tenant named the other tenant's
e-mail address in the error. Such queries run with PREWHERE off, which took 570 such errors in 3,528 queries to none.

What is computed from a sum, a count or an average is computed after the tenant's condition, so it tells nothing. That is not so for extremes: of a
group key ClickHouse replaces them by the key itself (optimize_aggregators_of_group_by_keys), and moves a condition on it down to the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from sqlglot import exp

from semantic import functions
from semantic.catalog.model import FieldType
from semantic.policies import TableAccess

_WHOLE = frozenset((FieldType.INTEGER, FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME))
_NUMBERS = _WHOLE | {FieldType.FLOAT, FieldType.DECIMAL}
_FROM_NUMBERS = frozenset(("tofloat32", "tofloat64"))
_FROM_WHOLE = frozenset(
    "toint8 toint16 toint32 toint64 touint8 touint16 touint32 touint64 todate todate32 todatetime toint128 toint256".split()
)
_HARMLESS = (exp.Identifier, exp.Column, exp.Literal, exp.Placeholder, exp.DataType, exp.Select, exp.Subquery, exp.Table, exp.TableAlias)
_OF_MANY_ROWS = frozenset("sum count avg uniqexact stddevsamp quantileexactinclusive".split())
_COMBINATORS = ("if", "ornull", "ordefault")
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg)
_ARITHMETIC_CALLS = frozenset(("plus", "minus", "multiply", "divide", "negate"))


@dataclass(frozen=True, slots=True)
class Hazards:
    """What in a query may fail on a value. Names are those an expression is computed from.

    always: something that may fail whatever its types. of_text: conversions that fail on text only; of_fractions: on text, floats and decimals;
    of_decimals: arithmetic. aliases: what each alias is computed from.
    """

    always: bool
    of_text: frozenset[str]
    of_fractions: frozenset[str]
    of_decimals: frozenset[str]
    aliases: dict[str, frozenset[str]] = field(default_factory=dict)


def hazards(nodes: Iterable[exp.Expr], calls: tuple[type[exp.Expr], ...]) -> Hazards:
    """The hazards of a query, given all its nodes; `calls` are the node types of function calls."""
    always = False
    of_text: set[str] = set()
    of_fractions: set[str] = set()
    of_decimals: set[str] = set()
    aliases: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, _HARMLESS):
            continue
        name = node.name.lower() if isinstance(node, calls) else ""
        if isinstance(node, _ARITHMETIC) or name in _ARITHMETIC_CALLS:
            of_decimals |= _names(node, calls, _FROM_NUMBERS)
        elif name in _FROM_NUMBERS:
            of_text |= _names(node, calls)
        elif name in _FROM_WHOLE:
            of_fractions |= _names(node, calls)
        elif isinstance(node, exp.Alias | exp.CTE):
            aliases.setdefault(node.alias, set()).update(_names(node.this, calls))
        elif isinstance(node, exp.Like | exp.ILike):
            always = always or bool(_names(node.expression, calls))
        elif name in functions.PATTERNED:
            always = always or sum(bool(_names(argument, calls)) for argument in node.expressions) > 1
        elif isinstance(node, exp.Mod | exp.Bracket | exp.Cast) or (name and not functions.is_total(node.name)):
            always = True
    declared = {name: frozenset(names) for name, names in aliases.items()}
    return Hazards(always, frozenset(of_text), frozenset(of_fractions), frozenset(of_decimals), declared)


def may_fail(found: Hazards, tables: Iterable[TableAccess]) -> bool:
    """Whether the hazards are real, given the types of the columns of these tables. An unknown name counts as text."""
    if found.always:
        return True
    types: dict[str, set[FieldType]] = {}
    for table in tables:
        for column in table.columns:
            types.setdefault(column.column, set()).add(column.type)
    return (
        not _types(found.of_text, found, types) <= _NUMBERS
        or not _types(found.of_fractions, found, types) <= _WHOLE
        or FieldType.DECIMAL in _types(found.of_decimals, found, types)
    )


def _names(node: exp.Expr, calls: tuple[type[exp.Expr], ...], apart: frozenset[str] = frozenset()) -> set[str]:
    """The names of the columns it is computed from, row by row: not those within an aggregate of many rows, nor within a call named in `apart`."""
    names: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.Column):
            names.add(part.name)
        elif isinstance(part, calls) and (part.name.lower() in apart or _is_of_many_rows(part.name)):
            continue
        for value in part.args.values():
            if isinstance(value, exp.Expr):
                waiting.append(value)
            elif isinstance(value, list):
                waiting.extend(inner for inner in value if isinstance(inner, exp.Expr))
    return names


@lru_cache(maxsize=4096)
def _is_of_many_rows(function: str) -> bool:
    name = function.lower()
    while name not in _OF_MANY_ROWS:
        suffix = next((c for c in _COMBINATORS if name.endswith(c)), None)
        if suffix is None:
            return False
        name = name.removesuffix(suffix)
    return True


def _types(names: frozenset[str], found: Hazards, types: dict[str, set[FieldType]]) -> set[FieldType]:
    """The types of all columns that these names lead to, through aliases."""
    result: set[FieldType] = set()
    waiting, seen = list(names), set(names)
    while waiting:
        name = waiting.pop()
        if name not in types and name not in found.aliases:
            result.add(FieldType.STRING)
        result |= types.get(name, set())
        for source in found.aliases.get(name, frozenset()) - seen:
            seen.add(source)
            waiting.append(source)
    return result
