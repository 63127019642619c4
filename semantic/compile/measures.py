"""Measures from atoms: formulas, comparisons, presentation."""

from __future__ import annotations

import zlib

from sqlglot import exp

from semantic.compile.expressions import divided
from semantic.compile.functions import call, operation, paren
from semantic.compile.layer import Layer
from semantic.compile.params import Params
from semantic.resolve.types import Accumulated, AtomValue, Formula, Number, Operation


def value_of(formula: Formula, layer: Layer, params: Params, side: str = "a") -> exp.Expression:
    """The formula over the layer's atom columns. Accumulated parts must have become columns before."""
    match formula:
        case AtomValue():
            return layer.read(f"{side}{formula.slot}")
        case Number():
            number = formula.value
            return params.value(int(number)) if number == int(number) and abs(number) < 2**53 else params.value(number)
        case Operation():
            left, right = value_of(formula.left, layer, params, side), value_of(formula.right, layer, params, side)
            if formula.op == "/":
                return divided(left, right)
            return operation(formula.op, left, right)
        case Accumulated():
            return layer.read(accumulated_name(formula, side))


def accumulated_name(formula: Accumulated, side: str) -> str:
    return f"w{side}_{abs(hash_of(formula))}"


def hash_of(formula: Formula) -> int:
    """A stable number for a formula (Python's own hash of strings is not)."""
    return zlib.crc32(repr(formula).encode())


def accumulated_parts(formula: Formula) -> tuple[Accumulated, ...]:
    match formula:
        case Accumulated():
            return (formula,)
        case Operation():
            return accumulated_parts(formula.left) + accumulated_parts(formula.right)
        case _:
            return ()


def changed(form: str, main: exp.Expression, other: exp.Expression) -> exp.Expression:
    """difference; percent change (of the absolute compared value, so that its sign is the direction); index (compared = 100)."""
    if form == "value":
        return other
    if form == "difference":
        return exp.Sub(this=paren(main), expression=paren(other))
    if form == "index":
        return exp.Mul(this=divided(main, other), expression=exp.Literal.number(100))
    change = exp.Sub(this=paren(main), expression=paren(other))
    return exp.Mul(this=divided(change, call("abs", other.copy())), expression=exp.Literal.number(100))
