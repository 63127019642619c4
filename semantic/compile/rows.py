"""Conditions and related rows in SQL: semi-joins, comparisons with aggregates, pre-aggregated joins."""

from __future__ import annotations

import datetime as dt
from typing import cast

from sqlglot import exp

from semantic.catalog.model import FieldType
from semantic.compile.aggregates import related_aggregate
from semantic.compile.expressions import Expressions
from semantic.compile.functions import both, call, either, operation, parametric, paren, text, whole
from semantic.compile.idents import aliased, column
from semantic.compile.params import Params
from semantic.compile.scope import Scope, compared_as_text, raw
from semantic.expr import (
    Absolute,
    And,
    Comparison,
    Expr,
    FieldRef,
    Has,
    In,
    InWindow,
    IsNull,
    Like,
    Literal_,
    Not,
    Or,
    Predicate,
    Related,
    VersusAggregate,
)
from semantic.joins import Path
from semantic.resolve.binder import map_refs
from semantic.resolve.walk import all_of, children, conjuncts, refs, related
from semantic.windows import zone_of

_PATTERN = {"contains": "%{}%", "starts_with": "{}%", "ends_with": "%{}"}


class Row(Expressions):
    """The rows of one Scope. `where` is the whole filter in force, which some comparisons with an aggregate share."""

    def __init__(self, scope: Scope, params: Params, where: Predicate | None = None) -> None:
        super().__init__(scope, params)
        self.where = where
        self.extra: exp.Expression | None = None

    def over(self, dataset: str, where: Predicate | None = None) -> Row:
        """Rows of another dataset in a sub-select of the same query."""
        return Row(Scope(self.catalog, dataset), self.params, where)

    def condition(self, predicate: Predicate) -> exp.Expression:
        match predicate:
            case And():
                return exp.Paren(this=both(*(self.condition(item) for item in predicate.items)))
            case Or():
                return exp.Paren(this=either([self.condition(item) for item in predicate.items]))
            case Not():
                return exp.Not(this=self._sure(self.condition(predicate.item)))
            case Comparison():
                return self._comparison(predicate)
            case In():
                return self._in(predicate)
            case Like():
                return self._like(predicate)
            case IsNull():
                return self._missing(predicate)
            case InWindow():
                return self._in_window(predicate)
            case Has():
                return self._has(predicate)
            case VersusAggregate():
                return self._versus(predicate)
            case _:
                raise TypeError(f"{predicate.kind} is rewritten while resolving")

    def filtered(self) -> exp.Expression | None:
        """The filter in force, with what was added to it here."""
        return both(self.filter(self.where), self.extra)

    def filter(self, predicate: Predicate | None) -> exp.Expression | None:
        """The whole filter as one condition without outer parentheses."""
        return both(*(self._part(item) for item in conjuncts(predicate)))

    def _part(self, item: Predicate) -> exp.Expression:
        """One part of a conjunction. About a dimension that nothing else reads, it is a semi-join: a set to look up instead of columns to join."""
        via = _far_only(item)
        if via is None or self.scope.joins_already(via) or not self.scope.graph.is_to_one(via):
            return self.condition(item)
        return self._semi(self.scope.table(())[0], self.scope.graph.steps(via), cast(Predicate, _without_prefix(item, via)), None)

    def _sure(self, condition: exp.Expression) -> exp.Expression:
        """NULL as not matching."""
        return call("ifNull", condition.this if isinstance(condition, exp.Paren) else condition, whole(0))

    def _comparison(self, node: Comparison) -> exp.Expression:
        if isinstance(node.right, Literal_) and node.right.value is None:
            return exp.Is(this=self.expr(node.left), expression=exp.Null())
        left, right = self.expr(node.left), self.expr(node.right)
        if node.ignore_case and self.type_of(node.left) is FieldType.STRING:
            left, right = call("lowerUTF8", call("toString", left)), call("lowerUTF8", right)
        return operation(node.op, left, right)

    def _in(self, node: In) -> exp.Expression:
        field = self.expr(node.field)
        values = [self.params.value(value) for value in node.values]
        if node.ignore_case and self.type_of(node.field) is FieldType.STRING:
            field = call("lowerUTF8", call("toString", field))
            values = [call("lowerUTF8", value) for value in values]
        test: exp.Expression = exp.In(this=paren(field), expressions=values)
        return exp.Not(this=self._sure(test)) if node.negate else test

    def _like(self, node: Like) -> exp.Expression:
        escaped = node.value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = self.params.value(_PATTERN[node.match].format(escaped))
        kind = exp.ILike if node.ignore_case else exp.Like
        return kind(this=self.as_text(node.field), expression=pattern)

    def _missing(self, node: IsNull) -> exp.Expression:
        field = self.expr(node.field)
        if self.type_of(node.field) is FieldType.STRING:
            test: exp.Expression = exp.EQ(this=call("ifNull", call("toString", field), text("")), expression=text(""))
        else:
            test = exp.Is(this=paren(field), expression=exp.Null())
        return exp.Not(this=exp.Paren(this=test)) if node.negate else test

    def _in_window(self, node: InWindow) -> exp.Expression:
        window = node.window
        if not isinstance(window, Absolute):
            raise TypeError("windows are absolute after resolving")
        field, ends = self._bounded(node.field)
        parts: list[exp.Expression] = []
        if window.start is not None:
            parts.append(exp.GTE(this=paren(field), expression=ends(window.start)))
        if window.end is not None:
            parts.append(exp.LT(this=paren(field.copy()), expression=ends(window.end)))
        test = both(*parts) or exp.true()
        if node.negate:
            return exp.Not(this=self._sure(test))
        return exp.Paren(this=test) if len(parts) > 1 else test

    def _bounded(self, node: Expr):  # type: ignore[no-untyped-def]
        """The stored column and how a bound is written for it, so that the primary index still serves the comparison."""
        if isinstance(node, FieldRef):
            alias, dataset = self.scope.table(node.via)
            field = dataset.field(node.field)
            if field.epoch is not None:
                scale = {"s": 1, "ms": 1_000, "us": 1_000_000}[field.epoch]
                return raw(alias, field), lambda end: self.params.value(int(self._instant(end).timestamp() * scale))
        if self.type_of(node) is FieldType.DATE:
            return self.expr(node), lambda end: self.params.date(self._day(end))
        return self.expr(node), lambda end: self.params.instant(self._instant(end))

    def _instant(self, end: dt.date) -> dt.datetime:
        zone = zone_of(self.calendar.time_zone)
        if not isinstance(end, dt.datetime):
            return dt.datetime.combine(end, dt.time(), tzinfo=zone)
        return end if end.tzinfo else end.replace(tzinfo=zone)

    def _day(self, end: dt.date) -> dt.date:
        """The first whole day at or after a bound."""
        if not isinstance(end, dt.datetime):
            return end
        local = end.astimezone(zone_of(self.calendar.time_zone)) if end.tzinfo else end
        return local.date() if local.time() == dt.time() else local.date() + dt.timedelta(days=1)

    # related rows

    def _has(self, node: Has) -> exp.Expression:
        path = self.scope.graph.steps(node.via)
        alias, _ = self.scope.table(())
        negate, having = node.negate, None
        if node.count_op is not None and node.count is not None:
            with_none = _holds(0, node.count_op, node.count)
            having = (node.count_op, node.count, with_none)
            negate = node.negate != with_none
        test = self._semi(alias, path, node.where, having)
        return exp.Not(this=call("ifNull", test, whole(0))) if negate else test

    def _semi(self, alias: str, path: Path, where: Predicate | None, having: tuple[str, int, bool] | None) -> exp.Expression:
        """`key IN (SELECT key FROM next WHERE ...)`, one level per step (a bound on how many joins the rest of the path instead)."""
        first = path[0]
        source, target = self.catalog.dataset(first.source), self.catalog.dataset(first.target)
        inner = self.over(first.target, where)
        inner_alias, _ = inner.scope.table(())
        pairs = zip(first.source_fields, first.target_fields, strict=True)
        textual = [compared_as_text(source.field(a), target.field(b)) for a, b in pairs]
        outer_keys = [raw(alias, source.field(name)) for name in first.source_fields]
        inner_keys = [raw(inner_alias, target.field(name)) for name in first.target_fields]
        outer_keys = [call("toString", k) if t else k for k, t in zip(outer_keys, textual, strict=True)]
        inner_keys = [call("toString", k) if t else k for k, t in zip(inner_keys, textual, strict=True)]
        select = exp.Select(expressions=inner_keys)
        if having is None:
            rest = inner._semi(inner_alias, path[1:], where, None) if len(path) > 1 else inner.filter(where)
            select = inner.scope.attach(select)
        else:
            rest = self._counted(select, inner, path, where, having, inner_keys)
        if rest is not None:
            select.set("where", exp.Where(this=rest))
        left = outer_keys[0] if len(outer_keys) == 1 else call("tuple", *outer_keys)
        return exp.In(this=left, query=exp.Subquery(this=select))

    def _counted(
        self, select: exp.Select, inner: Row, path: Path, where: Predicate | None, having: tuple[str, int, bool], keys: list[exp.Expression]
    ) -> exp.Expression | None:
        op, count, with_none = having
        rest_names = tuple(step.name for step in path[1:])
        alias, target = inner.scope.table(rest_names)
        last = path[-1]
        if len(path) == 1 or all(not step.to_one for step in path):
            number = call("count")
        else:
            identity = target.primary_key or last.target_fields
            number = call("uniqExact", *(raw(alias, target.field(name)) for name in identity))
        condition: exp.Expression | None = None
        if where is not None:
            deeper = Row(_Prefixed(inner.scope, rest_names), self.params, where)
            condition = deeper.filter(where)
        test = operation(op, number, self.params.value(count))
        if with_none:
            test = exp.Not(this=test)
        inner.scope.attach(select)
        select.set("group", exp.Group(expressions=[key.copy() for key in keys]))
        select.set("having", exp.Having(this=test))
        return condition

    def related(self, node: Related) -> exp.Expression:
        path = self.scope.graph.steps(node.via)
        first_many = next((i for i, step in enumerate(path) if not step.to_one), len(path) - 1)
        source_alias, source = self.scope.table(node.via[:first_many])
        first = path[first_many]
        inner = self.over(first.target)
        rest_names = tuple(step.name for step in path[first_many + 1 :])
        inner_alias, target = inner.scope.table(())
        deep = Row(_Prefixed(inner.scope, rest_names), self.params)
        inner.scope.table(rest_names)
        keys = [raw(inner_alias, target.field(name)) for name in first.target_fields]
        pairs = zip(first.source_fields, first.target_fields, strict=True)
        textual = [compared_as_text(source.field(a), target.field(b)) for a, b in pairs]
        keys = [call("toString", key) if t else key for key, t in zip(keys, textual, strict=True)]
        value = related_aggregate(node, deep)
        condition = deep.filter(node.where)
        columns = [aliased(key, f"k{i}") for i, key in enumerate(keys)]
        select = exp.Select(expressions=[*columns, aliased(value, "v")])
        inner.scope.attach(select)
        if condition is not None:
            select.set("where", exp.Where(this=condition))
        select.set("group", exp.Group(expressions=[key.copy() for key in keys]))
        here = [raw(source_alias, source.field(name)) for name in first.source_fields]
        here = [call("toString", key) if t else key for key, t in zip(here, textual, strict=True)]
        alias = self.scope.join_derived(select, f"{node.dataset}_{node.aggregate}", [(h, f"k{i}") for i, h in enumerate(here)])
        found = column(alias, "v")
        return call("ifNull", found, whole(0)) if node.aggregate in ("count", "count_distinct") else found

    def _versus(self, node: VersusAggregate) -> exp.Expression:
        """Comparison with a scalar sub-select, or with a value per group joined beside the row."""
        paths = {ref.via for ref in refs(node.left)}
        home = next(iter(paths)) if len(paths) == 1 and node.scope == "all" and not node.per else ()
        dataset = self.scope.table(home)[1].name
        left = cast(Expr, _without_prefix(node.left, home))
        where = None
        if node.scope == "filtered":
            where = all_of(*(part for part in conjuncts(self.where) if not _has_versus(part)))
        inner = self.over(dataset, where)
        value = inner.expr(left)
        if self.type_of(node.left) is not FieldType.DATE and self.type_of(node.left) is not FieldType.DATETIME:
            value = call("toFloat64", value)
        aggregate = parametric("quantileExactInclusive", 0.5, value) if node.aggregate == "median" else call(node.aggregate, value)
        if node.factor != 1.0:
            aggregate = exp.Mul(this=aggregate, expression=self.params.value(float(node.factor)))
        keys = [inner.expr(ref) for ref in node.per]
        condition = inner.filter(where)
        select = exp.Select(expressions=[*(aliased(key, f"k{i}") for i, key in enumerate(keys)), aliased(aggregate, "v")])
        inner.scope.attach(select)
        if condition is not None:
            select.set("where", exp.Where(this=condition))
        mine = self.expr(node.left)
        if not keys:
            return operation(node.op, mine, exp.Subquery(this=select))
        select.set("group", exp.Group(expressions=[key.copy() for key in keys]))
        here = [(self.expr(ref), f"k{i}") for i, ref in enumerate(node.per)]
        alias = self.scope.join_derived(select, f"{dataset}_{node.aggregate}", here)
        return operation(node.op, mine, column(alias, "v"))


class _Prefixed(Scope):
    """A scope seen from the end of a path: expressions bound there join into the same select."""

    def __init__(self, scope: Scope, prefix: tuple[str, ...]) -> None:
        self._scope, self._prefix = scope, prefix
        self.catalog, self.graph, self.base, self.joins = scope.catalog, scope.graph, scope.base, scope.joins

    def table(self, via: tuple[str, ...]):  # type: ignore[no-untyped-def]
        return self._scope.table(self._prefix + via)

    def take(self, wanted: str) -> str:
        return self._scope.take(wanted)

    def joins_already(self, via: tuple[str, ...]) -> bool:
        return True


def _far_only(item: Predicate) -> tuple[str, ...] | None:
    """The path whose end alone the condition is about, if it never holds where that row is missing; else None."""
    plain = isinstance(item, Like) or (isinstance(item, Comparison) and isinstance(item.right, Literal_) and item.right.value is not None)
    plain = plain or (isinstance(item, (In, InWindow)) and not item.negate)
    if not plain or any(True for _ in related(item)):
        return None
    paths = {ref.via for ref in refs(item)}
    return next(iter(paths)) or None if len(paths) == 1 else None


def _without_prefix(node: Expr | Predicate, prefix: tuple[str, ...]) -> Expr | Predicate:
    if not prefix:
        return node
    return map_refs(node, lambda ref: ref.model_copy(update={"via": ref.via[len(prefix) :]}))  # type: ignore[return-value]


def _has_versus(predicate: Expr | Predicate) -> bool:
    """Whether a condition compares with an aggregate of filtered rows; such conditions do not filter each other."""
    return isinstance(predicate, VersusAggregate) or any(_has_versus(child) for child in children(predicate))


def _holds(value: int, op: str, other: int) -> bool:
    return {"=": value == other, "!=": value != other, "<": value < other, "<=": value <= other, ">": value > other, ">=": value >= other}[
        op
    ]
