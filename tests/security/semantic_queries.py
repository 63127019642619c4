"""Random SemanticQuery over a random world: aggregates and rows, joins over the declared relationship, predicates of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from core.timeseries import Grain
from semantic.catalog.model import FieldType
from semantic.expr import And, Between, Comparison, Expr, FieldRef, Has, In, IsNull, Like, Literal_, Not, Or, Predicate, VersusAggregate
from semantic.query import Aggregate, AggregateKind, ByCycle, ByField, ByTime, Cycle, Having, Order, Output, SemanticQuery, Transform
from tests.security.worlds import Table, World

_NUMBERS = (FieldType.INTEGER, FieldType.FLOAT, FieldType.DECIMAL)
_HOSTILE = [
    'x" FROM system.users --',
    "a`b",
    "a'b",
    "a\\",
    "{x:Identifier}",
    "tenant_id",
    "_scope",
    "a /* b",
    "größe\n",
    "“q”",
    "",
    "x" * 300,
]


@st.composite
def semantic_queries(draw: st.DrawFn, world: World) -> SemanticQuery:
    table = draw(st.sampled_from(world.tables))
    where = draw(st.none() | _predicate(world, table))
    if draw(st.integers(0, 3)) == 0:
        names = draw(st.lists(st.sampled_from([n for n, _ in table.columns]), min_size=1, max_size=3, unique=True))
        outputs = [Output(expr=FieldRef(dataset=table.name, field=n)) for n in names]
        if table.name == "t0" and draw(st.booleans()):
            outputs.append(Output(expr=FieldRef(dataset="t1", field="category")))
        return SemanticQuery(rows_of=table.name, fields=tuple(outputs), where=where, distinct=draw(st.booleans()), limit=1_000)
    metrics = tuple(draw(st.lists(_measure(table), min_size=1, max_size=2)))
    by = tuple(draw(st.lists(_group(table), max_size=2, unique_by=lambda g: g.kind)))
    having = (Having(measure=metrics[0], op=">", value=0),) if by and draw(st.integers(0, 5)) == 0 else ()
    transform = (Transform(kind="share"),) if by and draw(st.integers(0, 5)) == 0 else ()
    return SemanticQuery(
        metrics=metrics, by=by, where=where, having=having, transform=transform, order=(Order(target="by"),) if by else (), limit=1_000
    )


@st.composite
def _measure(draw: st.DrawFn, table: Table) -> Aggregate:
    kind = draw(st.sampled_from(list(AggregateKind)))
    alias = draw(st.none() | st.sampled_from(_HOSTILE))
    if kind is AggregateKind.COUNT:
        return Aggregate(aggregate=kind, dataset=table.name, alias=alias)
    names = [n for n, _ in table.columns] if kind is AggregateKind.COUNT_DISTINCT else table.of(*_NUMBERS)
    field = FieldRef(dataset=table.name, field=draw(st.sampled_from(names)))
    return Aggregate(aggregate=kind, dataset=table.name, of=field, quantile=0.9 if kind is AggregateKind.QUANTILE else None, alias=alias)


@st.composite
def _group(draw: st.DrawFn, table: Table) -> ByField | ByTime | ByCycle:
    kind = draw(st.sampled_from(["field", "field", "parent", "time", "cycle"]))
    if kind == "time":
        return ByTime(grain=draw(st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR])))
    if kind == "cycle":
        return ByCycle(cycle=draw(st.sampled_from([Cycle.DAY_OF_WEEK, Cycle.MONTH_OF_YEAR])))
    if kind == "parent" and table.name == "t0":
        return ByField(field=FieldRef(dataset="t1", field="category"))
    return ByField(field=FieldRef(dataset=table.name, field=draw(st.sampled_from(table.of(FieldType.STRING, FieldType.INTEGER)))))


@st.composite
def _predicate(draw: st.DrawFn, world: World, table: Table, depth: int = 0) -> Predicate:
    number = FieldRef(dataset=table.name, field=draw(st.sampled_from(table.of(*_NUMBERS))))
    text = FieldRef(dataset=table.name, field=draw(st.sampled_from(table.of(FieldType.STRING))))
    day = FieldRef(dataset=table.name, field="on_day")
    words = st.sampled_from(["web", "7", "o'brien", "x' OR 1=1 --", "secret", "größe", "\\", "%", "{tenant:String}", ""])
    value: Expr = Literal_(value=draw(st.sampled_from([1, 2, 3, 900_001])))
    options: list[st.SearchStrategy[Predicate]] = [
        st.sampled_from(["=", "!=", "<", ">", ">="]).map(lambda op: Comparison(op=op, left=number, right=value)),
        st.lists(words, min_size=1, max_size=3).flatmap(lambda v: st.booleans().map(lambda n: In(field=text, values=tuple(v), negate=n))),
        words.filter(bool).map(lambda w: Like(field=text, match="contains", value=w)),
        words.map(lambda w: Comparison(op="=", left=text, right=Literal_(value=w), ignore_case=True)),
        st.booleans().map(lambda n: IsNull(field=text, negate=n)),
        st.just(Between(field=number, low=Literal_(value=1), high=Literal_(value=50))),
        st.just(VersusAggregate(op=">", left=number, aggregate="avg")),
        st.just(Comparison(op=">", left=day, right=Literal_(value="2022-01-01"))),
    ]
    if table.name == "t1":
        options.append(st.booleans().map(lambda n: Has(dataset="t0", negate=n)))
    if depth < 2:
        inner = _predicate(world, table, depth + 1)
        options += [
            st.lists(inner, min_size=1, max_size=2).map(lambda items: And(items=tuple(items))),
            st.lists(inner, min_size=1, max_size=2).map(lambda items: Or(items=tuple(items))),
            inner.map(lambda item: Not(item=item)),
        ]
    return draw(st.one_of(options))
