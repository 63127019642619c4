"""Names bound and paths chosen: an expression or predicate in its canonical form for one base dataset."""

from __future__ import annotations

import datetime as dt
from typing import Literal, cast

from core.errors import Invalid
from semantic.catalog.model import Catalog, FieldType
from semantic.expr import (
    Absolute,
    And,
    Arithmetic,
    Between,
    Case,
    Comparison,
    DateDiff,
    DatePart,
    Expr,
    FieldRef,
    Has,
    In,
    InWindow,
    IsNull,
    Like,
    Literal_,
    MakeDate,
    Not,
    Now,
    Or,
    Predicate,
    Related,
    Text,
    VersusAggregate,
    Window,
)
from semantic.joins import JoinGraph, Path, graph_of
from semantic.resolve.coerce import coerce
from semantic.resolve.typing import expr_type
from semantic.resolve.walk import all_of, conjuncts, refs
from semantic.windows import local_now, resolve_window, zone_of

_SWAPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MAX_DEPTH = 24


class Binder:
    """Binds against one catalog at one moment. `prefix` is the path already walked to the dataset an expression is bound at."""

    def __init__(self, catalog: Catalog, as_of: dt.datetime) -> None:
        self.catalog = catalog
        self.graph: JoinGraph = graph_of(catalog)
        self.as_of = as_of
        self.now = local_now(catalog.calendar, as_of)
        self._joined: frozenset[tuple[str, ...]] = frozenset()
        self._depth = 0

    def joining(self, paths: frozenset[tuple[str, ...]]) -> Binder:
        """A binder for rows that already join these to-many paths: conditions there are about the joined row."""
        other = Binder(self.catalog, self.as_of)
        other._joined = paths
        return other

    # expressions

    def expr(self, node: Expr, base: str, prefix: tuple[str, ...] = ()) -> Expr:
        """`node` with every field a plain column with its whole path.

        Raises: NotFound for unknown names; Invalid for a path that does not exist or is ambiguous.
        """
        match node:
            case FieldRef():
                return self._field(node, base, prefix)
            case Arithmetic():
                return node.model_copy(update={"left": self.expr(node.left, base, prefix), "right": self.expr(node.right, base, prefix)})
            case DateDiff():
                return node.model_copy(
                    update={"start": self._moment(node.start, base, prefix), "end": self._moment(node.end, base, prefix)}
                )
            case DatePart():
                return node.model_copy(update={"of": self._moment(node.of, base, prefix)})
            case MakeDate():
                parts = {name: self.expr(getattr(node, name), base, prefix) for name in ("year", "month", "day")}
                return node.model_copy(update=parts)
            case Text():
                others = tuple(self.expr(other, base, prefix) for other in node.others)
                return node.model_copy(update={"of": self.expr(node.of, base, prefix), "others": others})
            case Case():
                branches = tuple((self.predicate(p, base, prefix), self.expr(e, base, prefix)) for p, e in node.branches)
                otherwise = self.expr(node.otherwise, base, prefix) if node.otherwise is not None else None
                return node.model_copy(update={"branches": branches, "otherwise": otherwise})
            case Now():
                moment = self.now.date() if node.date_only else self.now.replace(tzinfo=zone_of(self.catalog.calendar.time_zone))
                return Literal_.model_construct(value=moment)
            case Related():
                return self._related(node, base, prefix)
            case _:
                return node

    def path(self, base: str, target: str, via: tuple[str, ...] = ()) -> Path:
        self.catalog.dataset(base), self.catalog.dataset(target)
        return self.graph.path(base, target, via)

    def condition_path(self, base: str, target: str, via: tuple[str, ...] = ()) -> Path:
        """As `path`, also across a shared dimension: a condition there keeps rows, it never multiplies them."""
        self.catalog.dataset(base), self.catalog.dataset(target)
        try:
            return self.graph.path(base, target, via)
        except Invalid as error:
            if error.code != "no_join_path":
                raise
        return self.graph.path(base, target, via, crossing=True)

    def type_of(self, node: Expr) -> FieldType | None:
        return expr_type(node, self.catalog)

    def _field(self, ref: FieldRef, base: str, prefix: tuple[str, ...]) -> Expr:
        field = self.catalog.field(ref)
        via = prefix + tuple(step.name for step in self.path(base, ref.dataset, ref.via))
        if field.expression is None:
            return FieldRef.model_construct(dataset=ref.dataset, field=ref.field, via=via)
        if self._depth >= _MAX_DEPTH:
            raise Invalid(f"Field {ref.dataset}.{ref.field} is defined in terms of itself.", code="bad_catalog")
        self._depth += 1
        try:
            return self.expr(field.expression, ref.dataset, via)
        finally:
            self._depth -= 1

    def _related(self, node: Related, base: str, prefix: tuple[str, ...]) -> Related:
        via = prefix + self._children_path(base, node.dataset, node.via)
        order_by = node.order_by
        if node.aggregate in ("first", "last") and order_by is None:
            time = self.catalog.dataset(node.dataset).time
            if time is None:
                raise Invalid(f"{node.aggregate} of {node.dataset!r} needs order_by: the dataset has no time field.", code="no_time_field")
            order_by = FieldRef(dataset=node.dataset, field=time)
        if node.of is None and node.aggregate != "count":
            raise Invalid(f"{node.aggregate} of related {node.dataset!r} needs `of`.", code="bad_query")
        update = {
            "via": via,
            "of": self._to_one(node.of, node.dataset) if node.of is not None else None,
            "order_by": self._to_one(order_by, node.dataset) if order_by is not None else None,
            "where": self.predicate(node.where, node.dataset) if node.where is not None else None,
        }
        return node.model_copy(update=update)

    def _to_one(self, node: Expr, base: str) -> Expr:
        bound = self.expr(node, base)
        self.require_to_one(bound, base)
        return bound

    def require_to_one(self, bound: Expr | Predicate, base: str) -> None:
        """Raises: Invalid `fan_out` when `bound` reads rows of a to-many dataset."""
        for ref in refs(bound):
            if not self.graph.is_to_one(ref.via):
                raise Invalid(
                    f"{ref.dataset}.{ref.field} has many values for one row of {base!r}; aggregate it (a related value) or list its own rows.",
                    code="fan_out",
                    suggestions=(f"aggregate {ref.dataset}.{ref.field}",),
                )

    def _children_path(self, base: str, target: str, via: tuple[str, ...]) -> tuple[str, ...]:
        if not via and base == target:
            own = [r.name for r in self.catalog.relationships if r.from_dataset == r.to_dataset == base]
            if len(own) != 1:
                raise Invalid(
                    f"{base!r} is related to itself by {len(own)} relationships; name one with `via`.",
                    code="ambiguous_join",
                    suggestions=own,
                )
            via = (own[0],)
        self.catalog.dataset(target)
        return tuple(step.name for step in self.graph.path(base, target, via, to_children=True, crossing=True))

    def _moment(self, node: Expr, base: str, prefix: tuple[str, ...]) -> Expr:
        """A bound expression that is a time; text literals are read as dates."""
        bound = self.expr(node, base, prefix)
        if isinstance(bound, Literal_) and isinstance(bound.value, str):
            return Literal_.model_construct(value=coerce(bound.value, FieldType.DATETIME, "a time"))
        kind = self.type_of(bound)
        if kind not in (FieldType.DATE, FieldType.DATETIME, None):
            raise Invalid(
                f"A date or time was expected; found {describe(bound)} of type {kind.value if kind else 'null'}.", code="bad_type"
            )
        return bound

    # predicates

    def predicate(self, node: Predicate, base: str, prefix: tuple[str, ...] = ()) -> Predicate:
        """`node` in canonical form; conditions on rows of a to-many dataset become `Has`, those of one conjunction about the same row together."""
        match node:
            case And():
                return self._conjunction(node, base, prefix)
            case Or():
                return Or.model_construct(items=tuple(self.predicate(item, base, prefix) for item in node.items))
            case Not():
                return Not.model_construct(item=self.predicate(node.item, base, prefix))
            case Has():
                return self._has(node, base, prefix)
            case _:
                far = self._far_side(node, base)
                return self._leaf(node, base, prefix) if far is None else self._exists(node, base, prefix, far)

    def _conjunction(self, node: And, base: str, prefix: tuple[str, ...]) -> Predicate:
        plain: list[Predicate] = []
        far: dict[tuple[str, tuple[str, ...]], list[Predicate]] = {}
        for item in conjuncts(node):
            side = None if isinstance(item, (Or, Not, Has)) else self._far_side(item, base)
            if side is None or _says_none(item):
                plain.append(self.predicate(item, base, prefix))
            else:
                far.setdefault(side, []).append(item)
        for side, items in far.items():
            whole: Predicate = items[0] if len(items) == 1 else And.model_construct(items=tuple(items))
            plain.append(self._exists(whole, base, prefix, side))
        return cast(Predicate, all_of(*plain))

    def _far_side(self, node: Predicate, base: str) -> tuple[str, tuple[str, ...]] | None:
        """The to-many dataset (and the path to it) whose rows `node` is about; None when it is about the base row itself."""
        found = [(ref, self.condition_path(base, ref.dataset, ref.via)) for ref in refs(node)]
        far = [(ref, path) for ref, path in found if self._is_far(path)]
        if not far:
            return None
        for _, path in far:
            last = max(i for i, step in enumerate(path) if not step.to_one)
            anchor = path[last].target
            names = tuple(step.name for step in path[: last + 1])
            if all(self.graph.reaches_to_one(anchor, other.dataset) for other, _ in found):
                return anchor, names
        datasets = sorted({ref.dataset for ref, _ in found})
        raise Invalid(
            f"One condition compares fields of {', '.join(datasets)}, which no single row of {base!r} or of one of them holds. "
            "Use a related value (an aggregate) for one side.",
            code="fan_out",
        )

    def _is_far(self, path: Path) -> bool:
        many = [i for i, step in enumerate(path) if not step.to_one]
        return bool(many) and tuple(step.name for step in path[: many[-1] + 1]) not in self._joined

    def _exists(self, node: Predicate, base: str, prefix: tuple[str, ...], far: tuple[str, tuple[str, ...]]) -> Predicate:
        anchor, names = far
        if _says_none(node):
            positive: Predicate = (
                node.model_copy(update={"negate": False})
                if isinstance(node, (In, IsNull, InWindow))
                else cast(Comparison, node).model_copy(update={"op": "="})
            )
            return Not.model_construct(item=self._exists(positive, base, prefix, far))
        inner = _strip(node, base, names, self)
        return Has.model_construct(
            dataset=anchor, via=prefix + names, where=self.predicate(inner, anchor), negate=False, count_op=None, count=None
        )

    def _has(self, node: Has, base: str, prefix: tuple[str, ...]) -> Has:
        if (node.count_op is None) != (node.count is None):
            raise Invalid("A bound on how many needs both count_op and count.", code="bad_query")
        via = prefix + self._children_path(base, node.dataset, node.via)
        where = self.predicate(node.where, node.dataset) if node.where is not None else None
        return node.model_copy(update={"via": via, "where": where})

    def _leaf(self, node: Predicate, base: str, prefix: tuple[str, ...]) -> Predicate:
        match node:
            case Comparison():
                return self._comparison(node, base, prefix)
            case In():
                return self._in(node, base, prefix)
            case Between():
                return self._between(node, base, prefix)
            case InWindow():
                field = self._moment(node.field, base, prefix)
                return node.model_copy(update={"field": field, "window": self.absolute(node.window)})
            case VersusAggregate():
                per = tuple(self.expr(ref, base, prefix) for ref in node.per)
                return node.model_copy(update={"left": self.expr(node.left, base, prefix), "per": per})
            case Like() | IsNull():
                return node.model_copy(update={"field": self.expr(node.field, base, prefix)})
            case _:
                raise Invalid(f"Unknown predicate {node.kind!r}.", code="bad_query")

    def absolute(self, window: Window) -> Absolute:
        """The window with both ends as instants."""
        bounds = resolve_window(window, self.catalog.calendar, self.as_of)
        return Absolute.model_construct(start=bounds.start, end=bounds.end)

    def _comparison(self, node: Comparison, base: str, prefix: tuple[str, ...]) -> Predicate:
        left, right, op = self.expr(node.left, base, prefix), self.expr(node.right, base, prefix), node.op
        if isinstance(left, Literal_) and not isinstance(right, Literal_):
            left, right, op = right, left, _SWAPPED[op]  # type: ignore[assignment]
        kind = self.type_of(left)
        if isinstance(right, Literal_) and right.value is not None:
            value = coerce(right.value, kind, describe(left))
            if kind is FieldType.DATETIME and type(value) is dt.date:
                return _on_day(left, op, value)
            right = Literal_.model_construct(value=value)
        else:
            _comparable(left, kind, right, self.type_of(right))
        return node.model_copy(update={"left": left, "right": right, "op": op})

    def _in(self, node: In, base: str, prefix: tuple[str, ...]) -> Predicate:
        field = self.expr(node.field, base, prefix)
        kind = self.type_of(field)
        values = tuple(dict.fromkeys(coerce(value, kind, describe(field)) for value in node.values))
        if kind is FieldType.DATETIME and any(type(value) is dt.date for value in values):
            days = tuple(_on_day(field, "=", value) for value in values if isinstance(value, dt.date))
            whole: Predicate = Or.model_construct(items=days)
            return Not.model_construct(item=whole) if node.negate else whole
        return node.model_copy(update={"field": field, "values": values})

    def _between(self, node: Between, base: str, prefix: tuple[str, ...]) -> Predicate:
        low_op: Literal[">=", ">"] = ">=" if node.low_inclusive else ">"
        high_op: Literal["<=", "<"] = "<=" if node.high_inclusive else "<"
        low = Comparison.model_construct(op=low_op, left=node.field, right=node.low, ignore_case=False)
        high = Comparison.model_construct(op=high_op, left=node.field, right=node.high, ignore_case=False)
        return cast(Predicate, all_of(self._comparison(low, base, prefix), self._comparison(high, base, prefix)))


def describe(node: Expr) -> str:
    """A short name of an expression for messages."""
    return f"{node.dataset}.{node.field}" if isinstance(node, FieldRef) else f"the {node.kind} expression"


def _says_none(node: Predicate) -> bool:
    """Whether a person who says this about many rows means that no row is so ("status is not paid")."""
    if isinstance(node, Comparison):
        return node.op == "!=" and isinstance(node.right, Literal_)
    return isinstance(node, (In, IsNull, InWindow)) and node.negate and not isinstance(node, IsNull)


def _on_day(left: Expr, op: str, day: dt.date) -> Predicate:
    """A comparison of an instant with a whole day."""
    following = day + dt.timedelta(days=1)

    def within(start: dt.date | None, end: dt.date | None) -> InWindow:
        return InWindow.model_construct(field=left, window=Absolute.model_construct(start=start, end=end), negate=False)

    match op:
        case "=":
            return within(day, following)
        case "!=":
            return Or.model_construct(items=(within(None, day), within(following, None)))
        case "<":
            return within(None, day)
        case "<=":
            return within(None, following)
        case ">":
            return within(following, None)
        case _:
            return within(day, None)


_FAMILY = {
    FieldType.INTEGER: "number",
    FieldType.DECIMAL: "number",
    FieldType.FLOAT: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.STRING: "text",
    FieldType.DATE: "time",
    FieldType.DATETIME: "time",
}


def _comparable(left: Expr, left_type: FieldType | None, right: Expr, right_type: FieldType | None) -> None:
    if left_type and right_type and _FAMILY[left_type] != _FAMILY[right_type]:
        raise Invalid(
            f"{describe(left)} ({left_type.value}) cannot be compared with {describe(right)} ({right_type.value}).", code="bad_type"
        )


def _strip(node: Predicate, base: str, names: tuple[str, ...], binder: Binder) -> Predicate:
    """`node` as said from the far side: references whose path runs through `names` keep only what follows."""

    def rebase(ref: FieldRef) -> FieldRef:
        via = tuple(step.name for step in binder.condition_path(base, ref.dataset, ref.via))
        if via[: len(names)] == names:
            return ref.model_copy(update={"via": via[len(names) :]})
        return ref.model_copy(update={"via": ()})

    return cast(Predicate, map_refs(node, rebase))


def map_refs(node: object, change: object) -> object:
    """A copy of a pydantic expression tree with every FieldRef replaced; `Has` and `Related` are left as they are."""
    if isinstance(node, FieldRef):
        return change(node)  # type: ignore[operator]
    if isinstance(node, (Has, Related)) or not hasattr(node, "model_fields_set"):
        return tuple(map_refs(item, change) for item in node) if isinstance(node, tuple) else node
    fields = type(node).model_fields  # type: ignore[attr-defined]
    update = {name: map_refs(getattr(node, name), change) for name in fields}
    return node.model_copy(update=update)  # type: ignore[attr-defined]
