"""A listing: rows of one dataset."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.composing.columns import build_columns, identified
from nlq.composing.draft import Draft
from nlq.composing.durations import build_duration, elapsed
from nlq.composing.row_order import order_rows
from nlq.composing.sense import doubt_distinct
from nlq.composing.shape import focus_dataset
from nlq.composing.where import build_where
from nlq.composing.windows import build_window
from nlq.frame import Mention
from nlq.predicates import Unbuildable
from semantic.expr import Comparison, Literal_, Predicate
from semantic.query import Output, SemanticQuery


def list_rows(draft: Draft) -> SemanticQuery:
    f = draft.frame
    if f.moved or f.moved_order is not None:
        raise Unbuildable("what moved is not said")
    columns: list[Mention] = [*f.outputs, *f.groups]
    if not columns:
        columns = [
            m
            for m in f.mentions
            if m.role in ("context", "related", "condition") and (t := draft.target(m)) is not None and t.kind == "dataset"
        ][:1]
        if not columns:
            raise Unbuildable("nothing to show")
        draft.guess(0.15, "shows what a condition names")
    targets = [t for m in columns if (t := draft.target(m)) is not None]
    if any(t.kind in ("metric", "segment", "term") for t in targets):
        raise Unbuildable("a metric is not a column")
    if f.groups and not f.outputs and not f.list_verb and any(c.kind == "value" for c in f.conditions):
        raise Unbuildable("counted or added up is not said")  # "expenses by vendor", where expense is only a value
    durations = [m for m in f.measures if m.kind == "duration"]
    needed = list(dict.fromkeys(t.dataset or "" for t in targets))
    for item in durations:
        needed.append(elapsed(draft, item)[1])
    rank_items = [*f.rank_by, *([f.superlative.measure] if f.superlative is not None and f.superlative.measure is not None else [])]
    for item in rank_items:
        target = draft.target(item.mention)
        if target is not None and target.dataset is not None and (target.kind == "field" or item.label == "time"):
            needed.append(target.dataset)
    focus = focus_dataset(draft)
    base, expand = _row_base(draft, list(dict.fromkeys(needed)), focus)
    outputs = build_columns(draft, targets, base)
    for item in durations:
        outputs.append(Output(expr=build_duration(draft, item), alias="duration"))
    draft.relations.move_window(base)
    where = build_where(draft, base)
    doubt_distinct(draft, base)
    if _says_back(outputs, where):
        raise Unbuildable("shows only what was asked for")
    order, limit, ties = order_rows(draft, outputs, base)
    if not outputs:
        raise Unbuildable("no columns")
    distinct = f.distinct or (focus is not None and base != focus)
    if (
        not distinct
        and not any(t.kind == "dataset" for t in targets)
        and not identified(draft, outputs, base)
        and not durations
        and not f.all_rows
    ):
        distinct = True
    time = build_window(draft, base, rows=True)
    return SemanticQuery(
        rows_of=base,
        fields=tuple(outputs),
        distinct=distinct,
        expand=expand,
        where=where,
        time=time,
        order=tuple(order),
        limit=limit,
        with_ties=ties,
        round_digits=f.round_digits,
    )


def _says_back(outputs: Sequence[Output], where: Predicate | None) -> bool:
    """Whether the only column is the one that has to be a single value: "which states border Hesse" is not answered by Hesse."""
    fixed = isinstance(where, Comparison) and where.op == "=" and isinstance(where.right, Literal_)
    return fixed and len(outputs) == 1 and isinstance(where, Comparison) and outputs[0].expr == where.left


def _row_base(draft: Draft, needed: list[str], focus: str | None) -> tuple[str, bool]:
    if focus is not None and all(draft.graph.points_to(focus, n) or n == focus for n in needed):
        return focus, False
    bases = draft.graph.bases(needed)
    if bases:
        chosen = bases[0]
        if chosen not in needed:
            draft.guess(0.04, f"rows of {chosen}")
        return chosen, False
    if focus is not None and all(draft.graph.connected(focus, n) for n in needed):
        draft.guess(0.05, "one row per related row")
        return focus, True
    raise Unbuildable("columns of unrelated datasets")


def over_rows(draft: Draft, before: SemanticQuery) -> SemanticQuery:
    """What this frame adds to a listing: conditions, time, order and limit over the same rows."""
    base = before.rows_of
    if base is None:
        raise Unbuildable("no rows")
    f = draft.frame
    outputs = list(before.fields)
    shown = [t for m in [*f.outputs, *f.groups] if (t := draft.target(m)) is not None and t.kind == "field"]
    outputs += [o for o in build_columns(draft, shown, base) if o not in outputs]
    order, limit, _ = order_rows(draft, outputs, base) if f.orders or f.rank_by or f.superlative else ([], f.limit, False)
    return before.model_copy(
        update={
            "fields": tuple(outputs),
            "where": build_where(draft, base),
            "time": build_window(draft, base, rows=True),
            "order": tuple(order),
            "limit": limit,
        }
    )
