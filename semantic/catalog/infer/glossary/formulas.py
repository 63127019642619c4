"""Formulas of a glossary as metrics: ratios where they are ratios, arithmetic over metrics otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from core.errors import Invalid
from semantic.catalog.infer.glossary.conditions import split_conditions
from semantic.catalog.infer.glossary.draft import SOURCE, Draft, aggregate_of
from semantic.catalog.infer.glossary.formula import Node, Number, Op, Operation, Phrase, parse_formula, phrases_of
from semantic.catalog.infer.glossary.sqlexpr import Resolve, to_expr, to_predicate
from semantic.catalog.infer.glossary.terms import find_metric
from semantic.catalog.model import Dataset, DatasetKind, DerivedMetric, Metric, RatioMetric, SimpleMetric
from semantic.expr import DateDiff, FieldRef, Predicate
from semantic.query import AggregateKind

_FUNCTION = re.compile(r"\b(sum|avg|count|min|max|median|average)\s*\(", re.IGNORECASE)
_FROM = re.compile(r"^(?P<expr>.*?)\s+from\s+(?:the\s+)?(?P<table>[`\"\w.]+)(?:\s+table)?(?P<rest>.*)$", re.IGNORECASE | re.DOTALL)
_BARE_WHERE = re.compile(r"^(?P<expr>.*?\))\s+(?P<rest>where\s.*)$", re.IGNORECASE | re.DOTALL)
_WHERE = re.compile(r"\bwhere\s+(?P<condition>.+?)(?:\s+for\s+(?:a|that|each|the)\b.*|\s*\(.*\))?$", re.IGNORECASE | re.DOTALL)


def metric_of(draft: Draft, label: str, text: str, description: str) -> Metric | None:
    """The metric that a formula or SQL aggregate defines, named by `label`; None where a part of it is not known."""
    if _FUNCTION.search(text):
        return _from_sql(draft, label, text, description)
    whole = find_metric(draft, text) if split_conditions(text) is not None else None
    if whole is not None:
        return whole
    try:
        tree = parse_formula(text)
    except Invalid:
        return None
    leaves = phrases_of(tree)
    if not leaves:
        return None
    found: dict[str, Metric] = {}
    for _ in range(2):
        context = {m.dataset for m in found.values() if isinstance(m, SimpleMetric)}
        for phrase in leaves:
            metric = find_metric(draft, phrase, context)
            if metric is not None:
                found[phrase] = metric
    if any(p not in found for p in leaves):
        return None
    if len(leaves) > 1:
        found = _same_rows(draft, _shared_filter(draft, found))
    return _build(draft, label, tree, {p: m.name for p, m in found.items()}, description)


def _shared_filter(draft: Draft, found: dict[str, Metric]) -> dict[str, Metric]:
    """Bare terms beside a filtered one ("total amount from sells - (tax + commission)") speak of the same rows."""
    simple = {p: m for p, m in found.items() if isinstance(m, SimpleMetric)}
    filters = {m.where.model_dump_json(): m for m in simple.values() if m.where is not None}
    if len(simple) < len(found) or len(filters) != 1:
        return found
    model = next(iter(filters.values()))
    out = dict(found)
    for phrase, metric in simple.items():
        if (
            metric.where is None
            and metric.dataset == model.dataset
            and len(phrase.split()) <= 2
            and aggregate_of(phrase.split()[0]) is None
        ):
            out[phrase] = _variant(draft, metric, f"{phrase.lower()} where {model.label}", where=model.where)
    return out


def _same_rows(draft: Draft, found: dict[str, Metric]) -> dict[str, Metric]:
    """A measure of a dimension beside one of a fact that points to it is taken at the fact's rows: the cost of what was sold."""
    simple = {p: m for p, m in found.items() if isinstance(m, SimpleMetric)}
    facts = {m.dataset for m in simple.values() if draft.datasets[m.dataset].kind == DatasetKind.FACT}
    if len(simple) < len(found) or len(facts) != 1:
        return found
    fact = next(iter(facts))
    out = dict(found)
    for phrase, metric in simple.items():
        home = draft.datasets[metric.dataset]
        reached = any(r.from_dataset == fact and r.to_dataset == home.name and r.cardinality != "many_to_many" for r in draft.relationships)
        if home.kind == DatasetKind.DIMENSION and reached and metric.of is not None:
            out[phrase] = _variant(draft, metric, f"{metric.label} of {draft.datasets[fact].synonyms[0]}", dataset=fact)
    return out


def _variant(draft: Draft, metric: SimpleMetric, label: str, *, where: Predicate | None = None, dataset: str | None = None) -> SimpleMetric:
    made = metric.model_copy(
        update={
            "name": draft.metric_name(label),
            "label": label,
            "synonyms": (),
            "where": where if where is not None else metric.where,
            "dataset": dataset or metric.dataset,
            "source": SOURCE,
        }
    )
    same = draft.same_metric(made)
    if isinstance(same, SimpleMetric):
        return same
    draft.add_metric(made)
    return made


def _build(draft: Draft, label: str, tree: Node, names: dict[str, str], description: str) -> Metric:
    if isinstance(tree, Phrase):
        return draft.metrics[names[tree.text]]
    scale, core = _scaled(tree)
    percent = scale == 100
    common = {
        "name": draft.metric_name(label),
        "label": label.lower(),
        "description": description,
        "unit": "percent" if percent else _unit(draft, core, names),
        "format": "percent_points" if percent else None,
        "source": SOURCE,
    }
    if isinstance(core, Operation) and core.op == "/" and isinstance(core.left, Phrase) and isinstance(core.right, Phrase):
        top, bottom = names[core.left.text], names[core.right.text]
        return draft.add_metric(RatioMetric.model_validate({**common, "numerator": top, "denominator": bottom, "scale": scale}))
    return draft.add_metric(DerivedMetric.model_validate({**common, "expression": _text(tree, names)}))


def _scaled(tree: Node) -> tuple[float, Node]:
    if isinstance(tree, Operation) and tree.op == "*":
        if isinstance(tree.right, Number):
            return tree.right.value, tree.left
        if isinstance(tree.left, Number):
            return tree.left.value, tree.right
    return 1.0, tree


def _unit(draft: Draft, tree: Node, names: dict[str, str]) -> str | None:
    if isinstance(tree, Operation) and tree.op in ("+", "-"):
        units = {draft.metrics[names[p]].unit for p in phrases_of(tree)}
        return units.pop() if len(units) == 1 else None
    return None


_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}


def _text(tree: Node, names: dict[str, str]) -> str:
    """With the fewest parentheses."""
    if isinstance(tree, Phrase):
        return names[tree.text]
    if isinstance(tree, Number):
        return f"{tree.value:g}"
    left, right = _text(tree.left, names), _text(tree.right, names)
    if isinstance(tree.left, Operation) and _STRENGTH[tree.left.op] < _STRENGTH[tree.op]:
        left = f"({left})"
    if isinstance(tree.right, Operation) and (_STRENGTH[tree.right.op] < _STRENGTH[tree.op] or tree.op in ("-", "/")):
        right = f"({right})"
    return f"{left} {tree.op} {right}"


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where the columns of an SQL fragment live, and what its result is called."""

    draft: Draft
    resolve: Resolve
    table: Dataset | None
    where: Predicate | None
    label: str


def _from_sql(draft: Draft, label: str, text: str, description: str) -> Metric | None:
    """ "SUM(a) / SUM(b) from t where c = 'x'": aggregates of one table, with arithmetic between them."""
    match = _FROM.match(text)
    bare = None if match else _BARE_WHERE.match(text)
    source = match["expr"] if match else bare["expr"] if bare else text
    table = draft.table(match["table"]) if match else None
    if match and table is None:
        return None
    condition = _WHERE.search(match["rest"]) if match else _WHERE.search(bare["rest"]) if bare else None
    try:
        tree = sqlglot.parse_one(source.strip(" .;"))
        where_tree = sqlglot.parse_one(condition["condition"].strip(" .;")) if condition else None
    except SqlglotError:
        return None

    def resolve(qualifier: str, column: str) -> FieldRef | None:
        home = draft.table(qualifier) if qualifier else table
        if home is None:
            place = draft.column_anywhere(column)
            return FieldRef(dataset=place[0].name, field=place[1].name) if place else None
        field = draft.column(home, column)
        return FieldRef(dataset=home.name, field=field.name) if field else None

    where = to_predicate(where_tree, resolve) if where_tree is not None else None
    if where_tree is not None and where is None:
        return None
    scope = _Scope(draft, resolve, table, where, label)
    alone = _sql_aggregate(scope, tree.unnest(), alone=True)
    if alone is not None:
        return alone
    names: dict[str, str] = {}
    node = _sql_node(scope, tree, names)
    return None if node is None else _build(draft, label, node, names, description)


def _sql_node(scope: _Scope, tree: exp.Expr, names: dict[str, str]) -> Node | None:
    if isinstance(tree, exp.Paren):
        return _sql_node(scope, tree.this, names)
    if isinstance(tree, exp.Literal) and not tree.is_string:
        return Number(float(tree.this))
    for kind, op in _OPERATIONS:
        if isinstance(tree, kind):
            left, right = _sql_node(scope, tree.args["this"], names), _sql_node(scope, tree.args["expression"], names)
            return Operation(op, left, right) if left is not None and right is not None else None
    metric = _sql_aggregate(scope, tree, alone=False)
    if metric is None:
        return None
    names[metric.name] = metric.name
    return Phrase(metric.name)


_OPERATIONS: tuple[tuple[type[exp.Expr], Op], ...] = ((exp.Add, "+"), (exp.Sub, "-"), (exp.Mul, "*"), (exp.Div, "/"))
_KINDS: dict[type[exp.Expr], str] = {
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Count: "count",
    exp.Min: "min",
    exp.Max: "max",
    exp.Median: "median",
}


def _sql_aggregate(scope: _Scope, tree: exp.Expr, *, alone: bool) -> SimpleMetric | None:
    """`alone`: it is the whole definition, so a new metric takes the definition's name."""
    draft, table, where = scope.draft, scope.table, scope.where
    name = next((n for k, n in _KINDS.items() if isinstance(tree, k)), None)
    if name is None:
        return None
    aggregate = aggregate_of(name)
    inner, of = tree.this, None
    if isinstance(inner, exp.Distinct):
        aggregate, inner = AggregateKind.COUNT_DISTINCT, inner.expressions[0]
    if not isinstance(inner, exp.Star):
        of = to_expr(inner, scope.resolve)
        if of is None:
            return None
    first = of.end if isinstance(of, DateDiff) else of
    home = table or (draft.datasets[first.dataset] if isinstance(first, FieldRef) else None)
    if home is None or aggregate is None:
        return None
    field = home.field(of.field) if isinstance(of, FieldRef) and of.dataset == home.name else None
    made = SimpleMetric(
        name=draft.metric_name(f"{_SPOKEN[name]} {field.label}" if field and not alone else scope.label),
        label=f"{_SPOKEN[name]} {field.label}" if field and not alone else scope.label.lower(),
        dataset=home.name,
        aggregate=aggregate,
        of=of,
        where=where,
        unit=field.unit if field else None,
        format=field.format if field else None,
        source=SOURCE,
    )
    same = draft.same_metric(made)
    if isinstance(same, SimpleMetric):
        return same
    draft.add_metric(made)
    return made


_SPOKEN = {"sum": "total", "avg": "average", "count": "number of", "min": "minimum", "max": "maximum", "median": "median"}
