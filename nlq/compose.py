"""Frame + assignment -> SemanticQuery: rows or aggregates, what groups, what is shown, in which order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.timeseries import Grain
from nlq.adjectives import ADJECTIVES
from nlq.assign import Assignment
from nlq.buckets import count_buckets, is_counted, settle_buckets
from nlq.changes import moved_having, runs_past, settle_changes
from nlq.frame import Condition, Frame, MeasureItem, Mention, OrderItem
from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.lexicon import Target, is_main_entity
from nlq.predicates import Predicates, Unbuildable, conjunction, contradicts
from nlq.relations import Relations
from nlq.text import keys_of, lemma
from semantic.catalog.model import Catalog, DatasetKind, Entity, FieldRole, FieldType, SimpleMetric
from semantic.expr import Arithmetic, DateDiff, Expr, FieldRef, Has, IsNull, Now, Predicate, Related, VersusAggregate
from semantic.query import (
    Aggregate,
    AggregateKind,
    ByCycle,
    ByEntity,
    ByField,
    ByTime,
    Calculation,
    ComparePeriod,
    Constant,
    Cycle,
    GroupBy,
    Having,
    LimitBy,
    Measure,
    MetricRef,
    Order,
    Output,
    SemanticQuery,
    TimeWindow,
    Transform,
)

# So many things fit a table or a chart; of more of them, "per" asks for one number over their count.
_FEW_THINGS = 50
_MONEY_NOUNS = frozenset(lemma(w) for w in ("sale", "sales", "revenue", "payment", "spend", "cost", "income", "expense", "turnover"))
_FLIP = {"asc": False, "earliest": False, "desc": True, "latest": True}


@dataclass(slots=True)
class Composed:
    """A query and how well the frame supports it. `penalty` grows with every guess that had to be made; `notes` name the guesses."""

    query: SemanticQuery
    penalty: float
    notes: list[str] = field(default_factory=list)
    unexplained: list[Mention] = field(default_factory=list)


class Composer:
    """Composes one frame under one assignment. Raises Unbuildable when the parts do not fit together."""

    def __init__(self, catalog: Catalog, kinds: Kinds, graph: JoinGraph, frame: Frame, assignment: Assignment, as_of: dt.datetime) -> None:
        self.catalog = catalog
        self.kinds = kinds
        self.graph = graph
        self.frame = frame
        self.a = assignment
        self.as_of = as_of
        self.relations = Relations(catalog, graph, frame, assignment)
        self.predicates = Predicates(catalog, kinds, graph, assignment, as_of)
        self.penalty = 0.0
        self.notes: list[str] = []
        self._parts: list[Mention] = []
        self._window_done = False
        self._split_group: tuple[str | None, str | None] | None = None
        self._explained: set[int] = set()
        self._twins: dict[int, MeasureItem] = {}
        self._entities: dict[str, Entity] = {e.dataset: e for e in catalog.entities if is_main_entity(e, catalog)}

    # ---------------------------------------------------------------- entry

    def compose(self) -> Composed:
        f = self.frame
        f.outputs = self._expand_display(f.outputs)
        f.groups = self._expand_display(f.groups)
        if not f.times and f.term_times:
            f.times = f.term_times[:1]
        settle_changes(f, self.as_of, self.catalog.calendar)
        self.relations.split_both()
        measures = [m for m in f.measures if m.shown]
        self._settle_adjective()
        self._settle_outputs(measures)
        aggregated = self._aggregated(measures)
        query = self._aggregates(measures) if aggregated else self._rows()
        unexplained = self._unexplained(query)
        return Composed(query, self.penalty, self.notes, unexplained)

    def _expand_display(self, mentions: list[Mention]) -> list[Mention]:
        """A "name" that is made of several columns becomes one mention per column."""
        out: list[Mention] = []
        for mention in mentions:
            target = self.a.target(mention)
            entity = self._entities.get(target.dataset or "") if target is not None and target.kind == "display" else None
            if entity is None:
                out.append(mention)
                continue
            for name in entity.display:
                part = Mention(mention.unit, mention.role, mention.links, mention.sentence)
                self.a.targets[id(part)] = Target("field", f"{entity.dataset}.{name}", entity.dataset, name)
                self._parts.append(part)
                out.append(part)
        return out

    def over_rows(self, before: SemanticQuery) -> SemanticQuery:
        """What this frame adds to a listing: conditions, time, order and limit over the same rows."""
        base = before.rows_of
        if base is None:
            raise Unbuildable("no rows")
        f = self.frame
        outputs = list(before.fields)
        shown = [t for m in [*f.outputs, *f.groups] if (t := self.a.target(m)) is not None and t.kind == "field"]
        outputs += [o for o in self._columns(shown, base) if o not in outputs]
        order, limit, _ = self._row_order(outputs, base) if f.orders or f.rank_by or f.superlative else ([], f.limit, False)
        return before.model_copy(
            update={
                "fields": tuple(outputs),
                "where": self._where(base),
                "time": self._time(base, rows=True),
                "order": tuple(order),
                "limit": limit,
            }
        )

    def _guess(self, cost: float, note: str) -> None:
        self.penalty += cost
        self.notes.append(note)

    def _settle_outputs(self, measures: list[MeasureItem]) -> None:
        """Named numbers become measures where the question aggregates; the rest stay columns."""
        f = self.frame
        groups = bool(f.groups or f.grain or f.cycle)
        ranked = [*f.rank_by, *([f.superlative.measure] if f.superlative is not None and f.superlative.measure is not None else [])]
        aggregates = bool(measures) or any(not self._plain_rank(m) for m in ranked)
        for mention in list(f.outputs):
            target = self.a.target(mention)
            if target is None:
                continue
            subtype = (
                target.kind == "dataset"
                and (groups or aggregates)
                and self._subtype_metric(target.dataset or "", None) is not None
                and self._amount_beside(mention)
            )
            if subtype or target.kind == "metric" or (target.kind == "field" and self._is_amount(target) and (groups or aggregates)):
                item = MeasureItem("aggregate", None, mention, units=[])
                if not any(self._same(item, m) for m in measures):
                    measures.append(item)
                f.outputs.remove(mention)
            elif ((groups or aggregates) and self._is_event(mention, target)) or (mention.beside and target.kind == "dataset"):
                item = MeasureItem("count", None, mention)
                if not any(self._same(item, m) for m in measures):
                    measures.append(item)
                f.outputs.remove(mention)
        self._merge_compared()
        for mention in list(f.groups):
            target = self.a.target(mention)
            if mention.per and target is not None and target.kind == "metric" and len(measures) == 1 and measures[0].aggregate is None:
                f.groups.remove(mention)
                measures[0] = MeasureItem("ratio", left=measures[0], right=MeasureItem("aggregate", None, mention))
                continue
            if (
                target is not None
                and (
                    target.kind == "metric"
                    or (target.kind == "field" and self._is_amount(target))
                    or (target.kind == "dataset" and self._subtype_metric(target.dataset or "", None) is not None)
                )
                and (len(f.groups) > 1 or measures or f.compare_values)
            ):
                f.groups.remove(mention)
                measures.append(MeasureItem("aggregate", None, mention))
        listed = f.question_word in ("who",) or f.distinct
        amounts = [(m, t) for m in f.outputs if (t := self.a.target(m)) is not None and t.kind == "field" and self._is_amount(t)]
        if amounts and len(amounts) == len(f.outputs) and not measures and not groups and not ranked and not f.orders and not listed:
            measures.extend(MeasureItem("aggregate", None, m) for m, _ in amounts)
            f.outputs = []
        f.measures = measures

    def _merge_compared(self) -> None:
        """ "revenue from mobile orders vs desktop": two values of one field, held against each other."""
        f = self.frame
        values = [c for c in f.conditions if c.kind == "value" and not c.negate and not c.both and self.a.value(c) is not None]
        if f.compare != "vs" or f.compare_values or len(f.times) > 1 or len(values) != 2:
            return
        one, two = (self.a.value(c) for c in values)
        if one is not None and two is not None and (one.dataset, one.field) == (two.dataset, two.field):
            values[0].more_values = [*values[0].more_values, values[1].values]
            f.conditions = [c for c in f.conditions if c is not values[1]]
            f.compare_values = [values[0]]

    def _is_amount(self, target: Target) -> bool:
        catalog_field = self.kinds.field(target)
        return catalog_field is not None and catalog_field.role is FieldRole.MEASURE

    def _amount_beside(self, mention: Mention) -> bool:
        """Whether an amount is named in the same list ("loss payment, loss reserve and expense amount")."""
        for other in self.frame.mentions:
            if other is mention or other.sentence != mention.sentence:
                continue
            target = self.a.target(other)
            if target is not None and (target.kind == "metric" or (target.kind == "field" and self._is_amount(target))):
                return True
        return False

    def _is_event(self, mention: Mention, target: Target) -> bool:
        """A time field named by its event, not as a date ("signups", "hires"): each row is one such event."""
        words = {w.lower() for w in mention.unit.text.split()}
        return self.kinds.is_time(target) and mention.plural and not words & {"date", "dates", "time", "times", "timestamp", "day", "days"}

    def _aggregated(self, measures: Sequence[MeasureItem]) -> bool:
        f = self.frame
        if self._grouped_rows(measures) or self._counted_rows(measures) or self._grouped_having():
            return True
        if f.rank_by and all(self._plain_rank(m) for m in f.rank_by) and not measures:
            return False
        superlative = f.superlative
        if superlative is not None and superlative.measure is not None and not self._row_superlative(superlative.measure) and not measures:
            return True
        durations = [m for m in measures if m.kind == "duration"]
        if durations and len(durations) == len(measures) and durations[0].aggregate is None and (f.outputs or superlative is not None):
            return False
        if not measures and not f.rank_by and (f.groups and f.outputs) and not f.having:
            return False
        if not measures and not f.rank_by and f.groups and not f.grain and not f.having and not f.count_word_alone:
            return False
        if not measures and f.grain and not f.rank_by:
            return True
        return bool(measures or f.rank_by or f.count_word_alone)

    def _counted_rows(self, measures: Sequence[MeasureItem]) -> bool:
        """ "orders last week", "cancelled orders": events that nobody asked to list are counted."""
        f = self.frame
        if measures or not f.names_one_thing() or f.groups:
            return False
        target = self.a.target(f.outputs[0])
        return target is not None and target.kind == "dataset" and self.catalog.dataset(target.dataset or "").kind is DatasetKind.FACT

    def _grouped_having(self) -> bool:
        """ "statuses with more than 3 orders": labels of the very rows that are counted."""
        shown = [t for m in self.frame.outputs if (t := self.a.target(m)) is not None]
        counted = [t for c in self.frame.having if c.measure is not None and (t := self.a.target(c.mention)) is not None]
        if not shown or not counted or any(t.kind != "field" for t in shown):
            return False
        labels = all((cf := self.kinds.field(t)) is not None and cf.role in (FieldRole.CATEGORY, FieldRole.FLAG) for t in shown)
        return labels and all(t.kind == "metric" or t.dataset == shown[0].dataset for t in counted)

    def _grouped_rows(self, measures: Sequence[MeasureItem]) -> bool:
        """ "orders by status": a thing by a label is counted; a thing by its own number or name is listed."""
        f = self.frame
        if measures or f.rank_by or f.superlative is not None or len(f.outputs) != 1:
            return False
        target = self.a.target(f.outputs[0])
        if target is None or target.kind != "dataset":
            return False
        if f.cycle or f.grain:
            return True
        groups = [t for m in f.groups if (t := self.a.target(m)) is not None]
        if not groups or any(t.kind != "field" for t in groups) or f.question_word == "who":
            return False
        fields = [cf for t in groups if (cf := self.kinds.field(t)) is not None]
        labels = all(
            cf.role in (FieldRole.CATEGORY, FieldRole.FLAG) or (cf.role is FieldRole.NAME and t.dataset != target.dataset)
            for cf, t in zip(fields, groups, strict=True)
        )
        return labels and not any(
            cf.cardinality is not None and self.catalog.dataset(t.dataset or "").row_count == cf.cardinality and t.dataset == target.dataset
            for cf, t in zip(fields, groups, strict=True)
        )

    def _plain_rank(self, item: MeasureItem) -> bool:
        """Ranking by a stored number of the very rows that are listed ("cities by population")."""
        return item.kind == "aggregate" and item.aggregate is None and self._row_superlative(item)

    def _adjective_field(self, word: str, dataset: str) -> Target | None:
        """The number that an adjective measures ("tallest": height), or the dataset's only number."""
        found = self.catalog.dataset(dataset)
        numbers = [f for f in found.fields if f.role is FieldRole.MEASURE and not f.hidden]
        wanted = ADJECTIVES.get(word.split()[-1] if word.split()[0] not in ("most", "least") else " ".join(word.split()[1:2]), ())
        for key in wanted:
            for candidate in numbers:
                if key in candidate.label.lower().split() or any(key in s.lower().split() for s in candidate.synonyms):
                    return Target("field", f"{dataset}.{candidate.name}", dataset, candidate.name)
        if len(numbers) == 1:
            return Target("field", f"{dataset}.{numbers[0].name}", dataset, numbers[0].name)
        return None

    def _settle_adjective(self) -> None:
        """ "highest mountains": find the number that makes one higher."""
        superlative = self.frame.superlative
        if (
            superlative is None
            or superlative.measure is None
            or superlative.measure.kind != "aggregate"
            or superlative.measure.mention is not None
            or superlative.measure.label == "time"
        ):
            return
        focus = self._focus_dataset()
        if focus is None:
            raise Unbuildable("nothing to rank")
        target = next(
            (
                t
                for o in self.frame.orders
                if (t := self.a.target(o.mention)) is not None and t.kind == "field" and t.dataset == focus and self.kinds.is_number(t)
            ),
            None,
        )
        target = target or self._adjective_field(superlative.measure.label or "", focus)
        if target is None:
            raise Unbuildable("which number ranks is unclear")
        mention = Mention(self.frame.outputs[0].unit, "aggregate", ())
        self.a.targets[id(mention)] = target
        self._parts.append(mention)
        superlative.measure = MeasureItem("aggregate", None, mention, units=superlative.measure.units)

    def _row_superlative(self, item: MeasureItem) -> bool:
        if item.kind == "duration":
            return item.aggregate is None
        if item.label == "time":
            return True
        if item.kind != "aggregate" or item.mention is None:
            return False
        target = self.a.target(item.mention)
        if target is None or target.kind != "field":
            return False
        focus = self._focus_dataset()
        if focus is None:
            return False
        columns = [self.a.target(m) for m in self.frame.outputs]
        if any(t is not None and t.kind == "dataset" and t.dataset == focus for t in columns) or any(
            m.role == "context" and (t := self.a.target(m)) is not None and t.dataset == focus for m in self.frame.mentions
        ):
            return target.dataset == focus or (self.graph.points_to(focus, target.dataset or "") and focus != target.dataset)
        names = [t for t in columns if t is not None and t.kind == "field" and t.dataset == target.dataset]
        return (
            any((cf := self.kinds.field(t)) is not None and cf.role in (FieldRole.NAME, FieldRole.KEY) for t in names)
            and target.dataset == focus
        )

    def _focus_dataset(self) -> str | None:
        """The dataset of the thing asked for."""
        for mention in self.frame.outputs:
            target = self.a.target(mention)
            if target is not None and target.kind == "dataset":
                return target.dataset
        for mention in self.frame.mentions:
            target = self.a.target(mention)
            owned = target is not None and any(
                (t := self.a.target(m)) is not None and t.dataset == target.dataset for m in self.frame.outputs
            )
            if mention.role == "context" and target is not None and target.kind == "dataset" and owned:
                return target.dataset
        for mention in self.frame.outputs:
            target = self.a.target(mention)
            if target is not None and target.dataset is not None:
                return target.dataset
        return None

    # ---------------------------------------------------------------- rows

    def _rows(self) -> SemanticQuery:
        f = self.frame
        columns: list[Mention] = [*f.outputs, *f.groups]
        if not columns:
            columns = [
                m
                for m in f.mentions
                if m.role in ("context", "related", "condition") and (t := self.a.target(m)) is not None and t.kind == "dataset"
            ][:1]
            if not columns:
                raise Unbuildable("nothing to show")
            self._guess(0.15, "shows what a condition names")
        targets = [t for m in columns if (t := self.a.target(m)) is not None]
        if any(t.kind in ("metric", "segment", "term") for t in targets):
            raise Unbuildable("a metric is not a column")
        durations = [m for m in f.measures if m.kind == "duration"]
        needed = list(dict.fromkeys(t.dataset or "" for t in targets))
        for item in durations:
            needed.append(self._elapsed(item)[1])
        rank_items = [*f.rank_by, *([f.superlative.measure] if f.superlative is not None and f.superlative.measure is not None else [])]
        for item in rank_items:
            target = self.a.target(item.mention)
            if target is not None and target.dataset is not None and (target.kind == "field" or item.label == "time"):
                needed.append(target.dataset)
        focus = self._focus_dataset()
        base, expand = self._row_base(list(dict.fromkeys(needed)), focus)
        outputs = self._columns(targets, base)
        for item in durations:
            outputs.append(Output(expr=self._duration(item), alias="duration"))
        self.relations.move_window(base)
        where = self._where(base)
        order, limit, ties = self._row_order(outputs, base)
        if not outputs:
            raise Unbuildable("no columns")
        distinct = f.distinct or (focus is not None and base != focus)
        if not distinct and not any(t.kind == "dataset" for t in targets) and not self._identified(outputs, base) and not durations:
            distinct = True
        time = self._time(base, rows=True)
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

    def _identified(self, outputs: Sequence[Output], base: str) -> bool:
        dataset = self.catalog.dataset(base)
        shown = {o.expr.field for o in outputs if isinstance(o.expr, FieldRef) and o.expr.dataset == base}
        names = {f.name for f in dataset.fields if f.role is FieldRole.NAME}
        return bool(set(dataset.primary_key) & shown or names & shown) or len(shown) >= 3

    def _row_base(self, needed: list[str], focus: str | None) -> tuple[str, bool]:
        if focus is not None and all(self.graph.points_to(focus, n) or n == focus for n in needed):
            return focus, False
        bases = self.graph.bases(needed)
        if bases:
            chosen = bases[0]
            if chosen not in needed:
                self._guess(0.04, f"rows of {chosen}")
            return chosen, False
        if focus is not None and all(self.graph.connected(focus, n) for n in needed):
            self._guess(0.05, "one row per related row")
            return focus, True
        raise Unbuildable("columns of unrelated datasets")

    def _columns(self, targets: Sequence[Target], base: str) -> list[Output]:
        outputs: list[Output] = []
        explicit = set()
        for dataset in {t.dataset for t in targets if t.kind == "field"}:
            own = [t for t in targets if t.kind == "field" and t.dataset == dataset]
            roles = {cf.role for t in own if (cf := self.kinds.field(t)) is not None}
            entity = self._entities.get(dataset or "")
            shown = {t.field for t in own}
            if (
                len(own) > 1
                or roles & {FieldRole.NAME}
                or (entity is not None and shown & set(entity.display))
                or (FieldRole.KEY in roles and not (entity is not None and entity.display))
            ):
                explicit.add(dataset)
        seen: set[str] = set()

        def add(ref: FieldRef) -> None:
            if str(ref) not in seen:
                seen.add(str(ref))
                outputs.append(Output(expr=ref))

        for target in targets:
            if target.kind == "field":
                add(FieldRef(dataset=target.dataset or "", field=target.field or ""))
            elif target.kind == "dataset" and target.dataset not in explicit:
                for name in self._identity(target.dataset or ""):
                    add(FieldRef(dataset=target.dataset or "", field=name))
                for ref in self._subtype_amounts(target.dataset or ""):
                    add(ref)
        return outputs

    def _subtype_amounts(self, dataset: str) -> list[FieldRef]:
        """The numbers that a subtype's rows carry in the table they extend."""
        metric = self._subtype_metric(dataset, None)
        found = self.catalog.metric(metric) if metric is not None else None
        return [found.of] if isinstance(found, SimpleMetric) and isinstance(found.of, FieldRef) else []

    def _natural_key(self, dataset: str) -> tuple[str, ...]:
        """A number or code that people know a thing by, where it has no name ("claim number")."""
        found = self.catalog.dataset(dataset)
        for candidate in found.fields:
            said = candidate.label.lower().split()[-1] in ("number", "code", "no", "reference")
            unique = (
                candidate.cardinality is not None and found.row_count is not None and candidate.cardinality >= 0.98 * found.row_count > 0
            )
            if said and unique and candidate.type is FieldType.STRING and not candidate.hidden and candidate.name not in found.primary_key:
                return (candidate.name,)
        return ()

    def _identity(self, dataset: str) -> tuple[str, ...]:
        """The columns that show which one it is: key and display fields."""
        entity = self._entities.get(dataset)
        found = self.catalog.dataset(dataset)
        if entity is not None:
            names = (*(k for k in entity.key if len(entity.key) == 1), *(entity.display or self._natural_key(dataset)))
            if names and (entity.display or found.kind is not DatasetKind.FACT):
                return tuple(dict.fromkeys(names))
        names = tuple(f.name for f in found.fields if f.role is FieldRole.NAME) or found.primary_key
        if found.kind is DatasetKind.FACT:
            names = (*names, *self._natural_key(dataset), *(f.name for f in found.fields if f.role is FieldRole.MEASURE and not f.hidden))
        return tuple(dict.fromkeys(names)) or tuple(f.name for f in found.fields if not f.hidden)[:3]

    def _row_order(self, outputs: list[Output], base: str) -> tuple[list[Order], int | None, bool]:
        f = self.frame
        order: list[Order] = []
        ties = False

        def index_of(expr: Expr, *, show: bool) -> int:
            for n, output in enumerate(outputs):
                if output.expr == expr:
                    return n
            outputs.append(Output(expr=expr))
            return len(outputs) - 1

        for item in f.rank_by:
            order.append(Order(target="field", index=index_of(self._row_expr(item), show=True), descending=not f.ascending_top))
        if f.superlative is not None and f.superlative.measure is not None:
            item = f.superlative.measure
            if item.label == "time":
                target = self.a.target(item.mention)
                ref = self.predicates.time_field(target.dataset or "") if target is not None else None
                if ref is None:
                    raise Unbuildable("no time to rank by")
                expr: Expr = ref
            else:
                expr = self._row_expr(item)
            order.append(Order(target="field", index=index_of(expr, show=True), descending=bool(f.superlative.descending)))
            ties = f.limit is None
        for wanted in f.orders:
            if wanted.alphabetical and wanted.mention is None:
                order.append(Order(target="field", index=0, descending=bool(wanted.descending)))
                continue
            if wanted.mention is None and wanted.measure is None:
                if order:
                    continue
                index = next((n for n, o in enumerate(outputs) if isinstance(o.expr, FieldRef) and self._is_amount(_target_of(o.expr))), 0)
                order.append(Order(target="field", index=index, descending=bool(wanted.descending)))
                continue
            if wanted.measure is not None and wanted.measure.kind == "duration":
                order.append(
                    Order(target="field", index=index_of(self._duration(wanted.measure), show=True), descending=bool(wanted.descending))
                )
                continue
            mention = wanted.mention or (wanted.measure.mention if wanted.measure else None)
            target = self.a.target(mention)
            if target is None:
                raise Unbuildable("order by nothing known")
            if target.kind == "dataset":
                names = self._identity(target.dataset or "")
                target = Target("field", "", target.dataset, names[-1])
            if target.kind != "field":
                raise Unbuildable("order by a metric needs groups")
            ref_order = FieldRef(dataset=target.dataset or "", field=target.field or "")
            if not any(o.expr == ref_order for o in outputs) and order and order[0].target == "field":
                continue
            new = Order(target="field", index=index_of(ref_order, show=False), descending=bool(wanted.descending))
            order = [o for o in order if o.index != new.index] + [new] if not order or order[0].index != new.index else order
        limit = f.limit
        if (limit is None and f.superlative is not None and not f.orders) or (limit is None and f.superlative is not None and f.singular):
            limit = 1
        else:
            ties = ties and limit == 1
        if limit is not None and not order:
            self._guess(0.12, "a limit without an order")
        return order, limit, ties

    def _row_expr(self, item: MeasureItem) -> Expr:
        if item.kind == "duration":
            return self._duration(item)
        target = self.a.target(item.mention)
        if target is None or target.kind != "field":
            raise Unbuildable("ranks rows by no field")
        return FieldRef(dataset=target.dataset or "", field=target.field or "")

    # ---------------------------------------------------------------- aggregates

    def _aggregates(self, measures: list[MeasureItem]) -> SemanticQuery:
        f = self.frame
        counted = self._counted_rows(measures)
        if counted or self._grouped_rows(measures):
            measures = [MeasureItem("count", None, f.outputs[0])]
            f.outputs = []
        settle_buckets(f, measures, self.a, self.kinds)
        if "difference" in f.notes and f.compare == "vs" and len(measures) == 2 and len(f.times) < 2 and not f.compare_values:
            measures[:] = [MeasureItem("expression", left=measures[0], right=measures[1], op="-")]
        self.relations.count_things(measures)
        things = self.a.target(measures[0].mention) if len(measures) == 1 and measures[0].kind == "count" else None
        if things is not None and things.kind == "dataset" and not counted:
            self.relations.move_window(things.dataset or "")
        self._average_per(measures)
        by, group_datasets = self._by(measures)
        f_measures = measures
        built: list[tuple[MeasureItem, Measure]] = []
        rank = [*f.rank_by]
        if f.superlative is not None and f.superlative.measure is None and f_measures:
            f.superlative.measure = f_measures[0]
        if f.superlative is not None and f.superlative.measure is not None:
            rank.append(f.superlative.measure)
        items: list[MeasureItem] = []
        for item in f_measures:
            if not any(self._same(item, m) for m in items):
                items.append(item)
        for item in rank:
            if not any(self._same(item, m) for m in items):
                items.append(item)
        for wanted in f.orders:
            if wanted.measure is not None and not any(self._same(wanted.measure, m) for m in items):
                items.append(wanted.measure)
        if not items and self._grouped_having():
            items.extend(c.measure for c in f.having if c.measure is not None)
        if not items:
            items.append(self._implied_count())
        for item in items:
            measure = self._measure(item, group_datasets)
            twin = next((m for m, other in built if other == measure), None)
            if twin is not None:
                self._twins[id(item)] = twin
            else:
                built.append((item, measure))
        base = self._base_of(built[0][1]) or next(iter(group_datasets), None)
        by = self._add_compared(by)
        by = self._add_time_groups(by, base)
        where = self._where(base) if base is not None else None
        bases = {x for _, m in built for x in self._bases_of(m)}
        for other in sorted(bases - {base}) if where is not None else ():
            self._where(other)  # each measure's rows must be able to tell who is meant
        if where is not None and len(bases) > 1 and '"kind":"has"' in where.model_dump_json():
            built = [(item, self._narrowed(m)) for item, m in built]
            where = None
        having = () if counted or not by else tuple(self._having(c, group_datasets) for c in f.having)
        if len(built) == 1 and built[0][0].kind == "duration" and by and base is not None:
            where = conjunction([p for p in (where, *self._ended(built[0][0])) if p is not None])
        if f.having and not by and not counted and base is not None:
            where = conjunction([p for p in (where, *(self._row_having(c, base) for c in f.having)) if p is not None])
        having = (*having, *(moved_having(m, built[0][1]) for m in f.moved))
        if having and not by:
            raise Unbuildable("a condition on a total that is not grouped")
        transforms = self._transforms(built, by)
        order, limit, limit_by = self._order(built, by, rank)
        singular = f.superlative is not None and f.limit is None and not f.orders and (f.singular or not f.asks_period)
        ties = singular
        if singular and limit is None:
            limit = 1
        time = self._time(base, rows=False)
        compare = self._compare()
        return SemanticQuery(
            metrics=tuple(m for _, m in built),
            by=tuple(by),
            where=where,
            having=having,
            time=time,
            compare=compare,
            order=tuple(order),
            limit=limit if limit_by is None else None,
            limit_by=limit_by,
            with_ties=ties and limit is not None,
            zero_sums=f.keep_empty or f.all_rows or any(t.kind in ("rank", "growth", "difference") for t in f.transforms),
            keep_empty=(
                f.keep_empty
                or (f.all_rows and any(isinstance(b, ByEntity) for b in by))
                or bool(f.groups and any(t.kind == "rank" for t in f.transforms))
            )
            and not any(isinstance(b, ByTime) for b in by),
            transform=transforms,
            round_digits=f.round_digits,
        )

    def _bases_of(self, measure: Measure) -> list[str]:
        if isinstance(measure, Calculation):
            return [*self._bases_of(measure.left), *self._bases_of(measure.right)]
        base = self._base_of(measure)
        return [base] if base is not None else []

    def _narrowed(self, measure: Measure) -> Measure:
        """The measure with the question's conditions as seen from its own rows."""
        if isinstance(measure, Calculation):
            return measure.model_copy(update={"left": self._narrowed(measure.left), "right": self._narrowed(measure.right)})
        base = self._base_of(measure)
        if base is None or isinstance(measure, Constant):
            return measure
        where = self._where(base)
        parts = [p for p in (measure.where, where) if p is not None]
        return measure.model_copy(update={"where": conjunction(parts) if parts else None})

    def _average_per(self, measures: list[MeasureItem]) -> None:
        """ "average revenue per customer": the total over the number of customers that have any."""
        f = self.frame
        facts = [
            m
            for m in f.groups
            if not m.plural
            and (t := self.a.target(m)) is not None
            and t.kind == "dataset"
            and self.catalog.dataset(t.dataset or "").kind is DatasetKind.FACT
        ]
        if len(measures) == 1 and len(f.groups) > 1 and len(facts) == 1 and facts[0] is f.groups[0] and facts[0].per:
            target = self.a.target(measures[0].mention)
            if target is not None and target.kind == "metric":
                measures[0] = MeasureItem(
                    "ratio", None, left=measures[0], right=MeasureItem("count", None, facts[0], units=[facts[0].unit])
                )
                f.groups = f.groups[1:]
                return
        if self._per_thing(measures):
            return
        if len(measures) != 1 or len(f.groups) != 1 or f.outputs or f.grain or f.cycle or f.rank_by:
            return
        item, group = measures[0], f.groups[0]
        target, entity = self.a.target(item.mention), self.a.target(group)
        if item.aggregate != "avg" or target is None or entity is None or entity.kind != "dataset" or group.plural:
            return
        base = self.kinds.metric_dataset(target) if target.kind == "metric" else None
        if item.kind == "count" and target.kind == "dataset":
            base = target.dataset
        if (
            base is None
            or not self.graph.points_to(base, entity.dataset or "")
            or (target.kind == "metric" and not isinstance(self.catalog.metric(target.name), SimpleMetric))
        ):
            return
        total = MeasureItem(item.kind, None, item.mention, conditions=item.conditions, units=item.units)
        whole = MeasureItem("distinct_of", None, group, label=base)
        measures[0] = MeasureItem("ratio", None, left=total, right=whole)
        f.groups = []

    def _per_thing(self, measures: list[MeasureItem]) -> bool:
        """ "revenue per customer by segment": a metric over how many customers have any, when the things are many or something else groups."""
        f = self.frame
        if (
            len(measures) != 1
            or not f.groups
            or not f.groups[0].per
            or f.groups[0].plural
            or f.list_verb
            or f.question_word
            or f.limit_asked
            or f.superlative is not None
        ):
            return False
        item, target, thing = measures[0], self.a.target(measures[0].mention), self.a.target(f.groups[0])
        counted = next((k.target for k in f.groups[0].links if k.target.kind == "metric" and k.exact and k.score >= 0.98), None)
        base = self.kinds.metric_dataset(target) if target is not None and target.kind == "metric" else None
        apart = base is not None and thing is not None and not self.graph.points_to(base, thing.dataset or "")
        if counted is not None and apart and item.aggregate is None:
            # "revenue per visit": the thing is a measure of its own.
            measures[0] = MeasureItem("ratio", left=item, right=MeasureItem("given", given=MetricRef(metric=counted.name)))
            f.groups = f.groups[1:]
            return True
        own = (
            target is not None
            and target.kind == "field"
            and self._is_amount(target)
            and thing is not None
            and target.dataset == thing.dataset
        )
        if own and len(f.groups) > 1 and item.aggregate is None and not item.units:
            # Its own amount per thing is the average over the things.
            measures[0] = MeasureItem("aggregate", "avg", item.mention, conditions=item.conditions)
            f.groups = f.groups[1:]
            return True
        if (
            item.aggregate is not None
            or item.units
            or target is None
            or target.kind != "metric"
            or thing is None
            or thing.kind != "dataset"
            or f.orders
        ):
            return False
        metric, dataset = self.catalog.metric(target.name), thing.dataset or ""
        if (
            not isinstance(metric, SimpleMetric)
            or metric.aggregate not in (AggregateKind.SUM, AggregateKind.COUNT)
            or dataset not in self._entities
        ):
            return False
        if not self.graph.points_to(metric.dataset, dataset) or metric.dataset == dataset:
            return False
        rows = self.catalog.dataset(dataset).row_count or len(self.catalog.dataset(dataset).fields[0].values) or 10 * _FEW_THINGS
        if len(f.groups) == 1 and not (f.grain or f.cycle) and rows <= _FEW_THINGS:
            return False
        measures[0] = MeasureItem("ratio", None, left=item, right=MeasureItem("distinct_of", None, f.groups[0], label=metric.dataset))
        f.groups = f.groups[1:]
        return True

    def _implied_count(self) -> MeasureItem:
        """Nothing was said to be computed: count the rows of what is talked about."""
        mention = next(
            (m for m in self.frame.mentions if (t := self.a.target(m)) is not None and t.kind == "dataset" and m not in self.frame.groups),
            None,
        )
        if mention is None:
            raise Unbuildable("nothing to compute")
        self._guess(0.1, "counts rows")
        return MeasureItem("count", None, mention)

    def _by(self, measures: Sequence[MeasureItem]) -> tuple[list[GroupBy], list[str]]:
        f = self.frame
        by: list[GroupBy] = []
        datasets: list[str] = []
        wanted: list[tuple[Mention, Target]] = []
        for mention in [*f.groups, *f.outputs]:
            target = self.a.target(mention)
            if target is None or target.kind in ("metric", "term", "segment"):
                raise Unbuildable("groups by what is no dimension")
            wanted.append((mention, target))
        entities = list(dict.fromkeys(t.dataset or "" for _, t in wanted if t.kind == "dataset"))
        someone = {t.dataset for m, t in wanted if m.indefinite}
        if someone & {t.dataset for m, t in wanted if not m.indefinite} and any(
            m.role == "group" and t.dataset not in someone for m, t in wanted
        ):
            self._guess(0.45, "whether each, or only what it is split by, makes the groups")
        entities += [d for d in self._display_entities(wanted) if d not in entities]
        if f.limit_per_group and f.groups:
            group = self.a.target(f.groups[-1])
            parent = group.dataset if group is not None and group.kind == "field" else None
            self._split_group = (parent, group.field if group is not None else None) if parent in entities else None
        counted = {
            t.dataset for m in measures if m.kind == "count" and m.mention is not None and (t := self.a.target(m.mention)) is not None
        }
        if len(entities) > 0 and not f.groups:
            only_outputs = [d for d in entities if d in counted and not any(t.kind == "field" and t.dataset == d for _, t in wanted)]
            if only_outputs and len(measures) == len(counted):
                entities = [d for d in entities if d not in only_outputs]
                wanted = [(m, t) for m, t in wanted if not (t.kind == "dataset" and t.dataset in only_outputs)]
        for dataset in entities:
            entity = self._entities.get(dataset)
            shown = [
                t.field or ""
                for _, t in wanted
                if t.kind == "field" and t.dataset == dataset and not self._is_time_grain(t) and (t.dataset, t.field) != self._split_group
            ]
            if entity is None or self._repeats(entity, shown):
                names = shown or (list(entity.display) if entity is not None else list(self._identity(dataset)))
                by.extend(ByField(field=FieldRef(dataset=dataset, field=n)) for n in names)
            else:
                show = tuple(n for n in dict.fromkeys(shown) if n not in entity.key)
                key_named = any(n in entity.key for n in shown) or not (show or entity.display)
                explicit = bool(shown)
                by.append(ByEntity(entity=entity.name, show=show if explicit else entity.display, show_key=key_named or not explicit))
            datasets.append(dataset)
        seen = {str(b.field) for b in by if isinstance(b, ByField)}
        for _, target in wanted:
            if target.kind != "field" or (target.dataset in entities and (target.dataset, target.field) != self._split_group):
                continue
            ref = FieldRef(dataset=target.dataset or "", field=target.field or "")
            if str(ref) in seen:
                continue
            if self._is_time_grain(target):
                grain = f.grain if f.grain and f.grain != "auto" else "day"
                by.append(ByTime(grain=Grain(grain), field=ref))
                f.grain = None
            else:
                by.append(ByField(field=ref))
            seen.add(str(ref))
            datasets.append(target.dataset or "")
        return by, list(dict.fromkeys(datasets))

    def _repeats(self, entity: Entity, shown: Sequence[str]) -> bool:
        """Whether the entity's name is a label that many of its rows share, so that people mean the label."""
        dataset = self.catalog.dataset(entity.dataset)
        names = list(shown or entity.display)
        if len(names) != 1 or names[0] in entity.key or dataset.row_count is None:
            return False
        named = dataset.field(names[0])
        return (
            not named.pii and named.role is FieldRole.NAME and named.cardinality is not None and named.cardinality < 0.8 * dataset.row_count
        )

    def _display_entities(self, wanted: Sequence[tuple[Mention, Target]]) -> list[str]:
        """Datasets whose name or key was asked for beside other columns: their rows are the groups."""
        found: list[str] = []
        for _, target in wanted:
            if target.kind != "field" or target.dataset not in self._entities:
                continue
            entity = self._entities[target.dataset]
            catalog_field = self.kinds.field(target)
            same = [t for _, t in wanted if t.dataset == target.dataset and t.kind == "field"]
            identifies = target.field in entity.key and len(entity.key) == 1
            person = target.field in entity.display and (len(same) > 1 or (catalog_field is not None and catalog_field.pii))
            if identifies or person:
                found.append(target.dataset)
        return list(dict.fromkeys(found))

    def _is_time_grain(self, target: Target) -> bool:
        return self.kinds.is_time(target)

    def _add_time_groups(self, by: list[GroupBy], base: str | None) -> list[GroupBy]:
        f = self.frame
        if f.cycle and base is not None and not self._has_time(base):
            column = next(
                (
                    FieldRef(dataset=base, field=c.name)
                    for c in self.catalog.dataset(base).fields
                    if c.label.lower().split()[-1] in ("day", "weekday") and c.type is FieldType.STRING
                ),
                None,
            )
            if column is None:
                raise Unbuildable("no time to group by")
            by = [*by, ByField(field=column)]
        elif f.cycle:
            moment = self._datetime_field(base) if f.cycle == "hour_of_day" else None
            stored = self._hour_column(base) if f.cycle == "hour_of_day" and moment is None else None
            by = [*by, ByField(field=stored) if stored is not None else ByCycle(cycle=Cycle(f.cycle), field=moment)]
        if not f.grain:
            return by
        grain = f.grain
        if grain == "auto":
            grain = self._auto_grain()
        if any(isinstance(b, ByTime) for b in by):
            return by
        stored = self._hour_column(base) if grain == "hour" and self._datetime_field(base) is None else None
        if stored is not None:
            return [*by, ByField(field=stored)]
        if base is not None and not self._has_time(base):
            ref = self._period_field(base, grain)
            foreign = self._foreign_time(base) if ref is None else None
            if foreign is not None:
                return [*by, ByTime(grain=Grain(grain), field=foreign)]
            if ref is None:
                raise Unbuildable("no time to group by")
            if any(isinstance(b, ByField) and b.field == ref for b in by):
                return by
            return [*by, ByField(field=ref)]
        fill = f.keep_empty or (
            any(t.kind in ("growth", "difference") for t in f.transforms) and not runs_past(f, self.as_of, self.catalog.calendar)
        )
        return [*by, ByTime(grain=Grain(grain), fill=fill)]

    def _add_compared(self, by: list[GroupBy]) -> list[GroupBy]:
        """ "Germany vs France": one row for each."""
        for condition in self.frame.compare_values:
            value = self.a.value(condition)
            if value is not None:
                ref = FieldRef(dataset=value.dataset, field=value.field)
                if not any(isinstance(b, ByField) and b.field == ref for b in by):
                    by = [*by, ByField(field=ref)]
        return by

    def _datetime_field(self, base: str | None) -> FieldRef | None:
        """A field with hours, when the primary time is a plain date."""
        if base is None:
            return None
        dataset = self.catalog.dataset(base)
        if dataset.time is not None and dataset.field(dataset.time).type is FieldType.DATETIME:
            return None
        found = next((c for c in dataset.fields if c.type is FieldType.DATETIME and c.role is FieldRole.TIME and not c.hidden), None)
        return FieldRef(dataset=base, field=found.name) if found is not None else None

    def _hour_column(self, base: str | None) -> FieldRef | None:
        """A column of plain hours, where the dates have none."""
        dataset = self.catalog.dataset(base) if base is not None else None
        if dataset is None or dataset.time is None or dataset.field(dataset.time).type is FieldType.DATETIME:
            return None
        found = next(
            (c for c in dataset.fields if c.label.lower().split()[-1:] == ["hour"] and c.type is FieldType.INTEGER and not c.hidden), None
        )
        return FieldRef(dataset=dataset.name, field=found.name) if found is not None else None

    def _auto_grain(self) -> str:
        for phrase in self.frame.times:
            unit = getattr(phrase.window, "unit", None)
            count = getattr(phrase.window, "count", 1) or 1
            if unit is not None:
                days = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}.get(unit.value, 1) * count
                return "day" if days <= 45 else "week" if days <= 190 else "month"
        return "month"

    def _has_time(self, dataset: str) -> bool:
        found = self.catalog.dataset(dataset)
        return found.time is not None

    def _period_field(self, base: str, grain: str) -> FieldRef | None:
        """A stored column of plain periods ("year", "month") that stands in for a missing time field."""
        for dataset in sorted(self.catalog.datasets, key=lambda d: self.graph.distance(base, d.name)):
            if dataset.name != base and not self.graph.points_to(base, dataset.name):
                continue
            for candidate in dataset.fields:
                if (
                    candidate.label.lower().split()[-1] == grain
                    and candidate.type in (FieldType.INTEGER, FieldType.STRING)
                    and not candidate.hidden
                ):
                    return FieldRef(dataset=dataset.name, field=candidate.name)
            if dataset.time is not None and dataset.name != base:
                return None
        return None

    # ---------------------------------------------------------------- measures

    def _same(self, a: MeasureItem, b: MeasureItem) -> bool:
        if a is b:
            return True
        if a.kind != b.kind or a.kind not in ("count", "aggregate"):
            return False
        ta, tb = self.a.target(a.mention), self.a.target(b.mention)
        if ta is None or tb is None or ta != tb or [id(c) for c in a.conditions] != [id(c) for c in b.conditions]:
            return False
        return (a.aggregate or "default") == (b.aggregate or "default") or (
            self._default(ta) in (a.aggregate or self._default(ta), b.aggregate or self._default(ta)) and None in (a.aggregate, b.aggregate)
        )

    def _default(self, target: Target) -> str:
        catalog_field = self.kinds.field(target)
        if catalog_field is None:
            return "sum"
        return catalog_field.aggregate.value if catalog_field.aggregate is not None else "sum"

    def _measure(self, item: MeasureItem, groups: Sequence[str]) -> Measure:
        if item.given is not None:
            return item.given
        if item.constant is not None:
            return Constant(value=item.constant)
        if item.kind == "duration":
            return self._duration_measure(item)
        if item.kind == "distinct_of":
            entity_target = self.a.target(item.mention)
            entity = self._entities.get(entity_target.dataset or "") if entity_target is not None else None
            if entity is None or len(entity.key) != 1 or item.label is None:
                raise Unbuildable("no key to count")
            return Aggregate(
                aggregate=AggregateKind.COUNT_DISTINCT, dataset=item.label, of=FieldRef(dataset=entity.dataset, field=entity.key[0])
            )
        if item.kind == "buckets" and item.left is not None:
            whole = self._base_of(self._measure(item.left, groups))
            return count_buckets(item.unit, whole or "", self.catalog)
        if item.kind in ("ratio", "percent", "expression"):
            return self._calculation(item, groups)
        if item.kind == "rate":
            return self._rate(item, groups)
        target = self.a.target(item.mention)
        if target is None:
            if item.kind == "count" and item.mention is None:
                return self._frequency(item, groups)
            raise Unbuildable("a measure of nothing")
        if (
            target.kind == "metric"
            and item.aggregate in ("avg", "median", "min", "max", "stddev")
            and isinstance(self.catalog.metric(target.name), SimpleMetric)
        ):
            self._guess(0.45, f"{item.aggregate} of a metric that is already an aggregate")
        elif target.kind == "metric" and item.aggregate in ("median", "min", "max", "stddev"):
            raise Unbuildable(f"the {item.aggregate} of a rate")
        if target.kind == "metric":
            where = self._local(item.conditions, self._metric_dataset(target))
            return MetricRef(metric=target.name, where=where)
        if target.kind in ("segment", "term"):
            raise Unbuildable("not a measure")
        dataset = target.dataset or ""
        if target.kind == "dataset":
            if item.aggregate not in (None, "sum") and item.kind == "count":
                raise Unbuildable("an aggregate of counts")
            amount = None if item.units or item.distinct else self._subtype_metric(dataset, None)
            if item.label == "when":
                ref = self.predicates.time_field(dataset)
                if ref is None:
                    raise Unbuildable("no date")
                return Aggregate(aggregate=AggregateKind(item.aggregate or "max"), dataset=dataset, of=ref)
            if item.kind == "aggregate" or amount is not None:
                return self._dataset_amount(item, target, groups)
            return self._count(item, dataset, groups)
        return self._field_measure(item, target, groups)

    def _metric_dataset(self, target: Target) -> str:
        metric = self.catalog.metric(target.name)
        return metric.dataset if isinstance(metric, SimpleMetric) else ""

    def _local(self, conditions: Sequence[Condition], dataset: str) -> Predicate | None:
        if not conditions:
            return None
        counts = [c for c in conditions if c.measure is not None and c.kind == "number"]
        rest = [c for c in conditions if c not in counts]
        parts: list[Predicate] = []
        if rest:
            built = self.predicates.build(rest, dataset)
            if built is not None:
                parts.append(built)
        for condition in counts:
            parts.append(self._count_condition(condition, dataset))
        return conjunction(parts) if parts else None

    def _count_condition(self, condition: Condition, base: str) -> Predicate:
        """ "authors with 3 or more papers": related rows, counted per row of the base."""
        target = self.a.target(condition.mention)
        if target is None or condition.number is None:
            raise Unbuildable("counts nothing")
        if target.kind == "field" and self.kinds.is_number(target):
            ref = FieldRef(dataset=target.dataset or "", field=target.field or "")
            return self.predicates._field_predicate(condition, ref)
        dataset = target.dataset or ""
        if dataset == base or not self.graph.connected(base, dataset):
            raise Unbuildable("counts its own rows")
        counted = self._bridge_to(base, dataset)
        self._explained.add(id(condition.mention))
        op, count = condition.op, int(condition.number)
        time = self.predicates.time_field(counted) if condition.time is not None else None
        where = self.predicates.in_time(time, condition.time.window) if condition.time is not None and time is not None else None
        if condition.op == "between":
            raise Unbuildable("between on counts")
        zero = {"<": count > 0, "<=": count >= 0, "=": count == 0, "!=": count != 0, ">": count < 0, ">=": count <= 0}[op]
        if zero and op in ("<", "<="):
            flipped = {"<": ">=", "<=": ">"}[op]
            return Has(dataset=counted, where=where, negate=True, count_op=flipped, count=count)
        return Has(dataset=counted, where=where, count_op=op, count=count)

    def _bridge_to(self, base: str, dataset: str) -> str:
        """The dataset whose rows are counted: a bridge between the two where there is one."""
        path = self.graph.path(base, dataset)
        if len(path) == 2 and not path[0].up and path[1].up:
            return path[0].target
        return dataset

    def _frequency(self, item: MeasureItem, groups: Sequence[str]) -> Measure:
        """ "most common X": count rows of the fact that X describes."""
        facts = [
            t.dataset
            for m in self.frame.mentions
            if (t := self.a.target(m)) is not None and t.kind == "dataset" and t.dataset not in groups
        ]
        valued = [v.dataset for c in self.frame.conditions if (v := self.a.value(c)) is not None]
        group = groups[0] if groups else None
        for dataset in [*facts, *valued]:
            if dataset is not None and (group is None or self.graph.points_to(dataset, group)):
                return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset)
        if group is None:
            raise Unbuildable("how often what")
        children = [
            d.name
            for d in self.catalog.datasets
            if d.name != group and self.graph.points_to(d.name, group) and d.kind in (DatasetKind.FACT, DatasetKind.BRIDGE)
        ]
        own = self.catalog.dataset(group)
        if own.kind is DatasetKind.FACT or not children:
            return Aggregate(aggregate=AggregateKind.COUNT, dataset=group)
        self._guess(0.1 if len(children) == 1 else 0.3, "counts related rows")
        nearest = sorted(children, key=lambda c: (self.graph.distance(c, group), c))[0]
        return Aggregate(aggregate=AggregateKind.COUNT, dataset=nearest)

    def _count(self, item: MeasureItem, dataset: str, groups: Sequence[str]) -> Measure:
        stored = next(
            (
                c
                for c in self.catalog.dataset(dataset).fields
                if c.role is FieldRole.MEASURE and c.label.lower().split()[-1] in ("count",) and len(c.label.split()) <= 3
            ),
            None,
        )
        if stored is not None and not item.distinct:
            self._guess(0.05, f"{stored.label} is summed")
            return Aggregate(
                aggregate=AggregateKind.SUM,
                dataset=dataset,
                of=FieldRef(dataset=dataset, field=stored.name),
                where=self._local(item.conditions, dataset),
            )
        base = self._count_base(dataset, groups, item)
        where = self._local(item.conditions, base)
        if base == dataset:
            return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=where)
        found = self.catalog.dataset(dataset)
        key = self._entities[dataset].key if dataset in self._entities else found.primary_key
        if len(key) != 1:
            return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=where)
        return Aggregate(aggregate=AggregateKind.COUNT_DISTINCT, dataset=base, of=FieldRef(dataset=dataset, field=key[0]), where=where)

    def _count_base(self, dataset: str, groups: Sequence[str], item: MeasureItem) -> str:
        others = [g for g in groups if g != dataset and not self.graph.points_to(dataset, g)]
        if not others and item.distinct:
            facts = [
                t.dataset
                for m in self.frame.measures
                if m is not item and (t := self.a.target(m.mention)) is not None and t.dataset not in (None, dataset)
            ]
            facts += [
                b
                for m in self.frame.measures
                if (t := self.a.target(m.mention)) is not None and t.kind == "metric" and (b := self._metric_base(t.name)) is not None
            ]
            for fact in facts:
                if (
                    fact is not None
                    and self.graph.points_to(fact, dataset)
                    and fact != dataset
                    and all(self.graph.points_to(fact, g) for g in groups)
                ):
                    return fact
        if not others:
            return dataset
        context = [
            t.dataset
            for m in self.frame.mentions
            if m.role in ("related", "context", "count", "aggregate") and (t := self.a.target(m)) is not None and t.dataset is not None
        ]
        bases = self.graph.bases([dataset, *others])
        if not bases:
            raise Unbuildable(f"{dataset} cannot be grouped by {others}")
        named = [b for b in bases if b in context or b in groups]
        if not named and len(bases) > 1 and bases[0] not in groups:
            hops = [sum(len(self.graph.path_up(b, n) or ()) for n in [dataset, *others]) for b in bases[:2]]
            if hops[0] == hops[1]:
                self._guess(0.15, "several ways to relate")
        return named[0] if named else bases[0]

    def _field_measure(self, item: MeasureItem, target: Target, groups: Sequence[str]) -> Measure:
        catalog_field = self.kinds.field(target)
        if catalog_field is None:
            raise Unbuildable("no field")
        dataset = target.dataset or ""
        ref = FieldRef(dataset=dataset, field=target.field or "")
        base = dataset
        others = [g for g in groups if g != dataset and not self.graph.points_to(dataset, g)]
        if item.kind == "count" and catalog_field.role is not FieldRole.MEASURE:
            kind = AggregateKind.COUNT_DISTINCT
            if self.kinds.is_time(target):
                return Aggregate(
                    aggregate=AggregateKind.COUNT, dataset=dataset, where=self._local(item.conditions, dataset), time_field=ref
                )
            if catalog_field.role is FieldRole.FLAG:
                return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=self.predicates.flag(ref, catalog_field, value=True))
            if (
                catalog_field.role is not FieldRole.KEY
                and catalog_field.values
                and all(v.strip().replace(".", "", 1).isdigit() for v in catalog_field.values)
            ):
                raise Unbuildable("numbers kept as text")
            if others:
                base = self._count_base(dataset, groups, item)
            return Aggregate(aggregate=kind, dataset=base, of=ref, where=self._local(item.conditions, base))
        kind = self._aggregate_kind(item, target)
        if kind in (AggregateKind.SUM, AggregateKind.AVG, AggregateKind.MEDIAN) and catalog_field.type not in (
            FieldType.INTEGER,
            FieldType.DECIMAL,
            FieldType.FLOAT,
        ):
            if self.kinds.is_time(target) and item.aggregate in ("sum", None):
                return Aggregate(
                    aggregate=AggregateKind.COUNT, dataset=dataset, where=self._local(item.conditions, dataset), time_field=ref
                )
            if item.aggregate == "sum" or item.aggregate is None:
                return Aggregate(
                    aggregate=AggregateKind.COUNT_DISTINCT if catalog_field.role is FieldRole.KEY else AggregateKind.COUNT,
                    dataset=dataset,
                    of=ref,
                )
            raise Unbuildable(f"{kind} of text")
        if item.distinct and kind is AggregateKind.COUNT:
            kind = AggregateKind.COUNT_DISTINCT
        quantile = {"p25": 0.25, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}.get(item.aggregate or "")
        if others and not all(self.graph.connected(dataset, o) for o in others):
            raise Unbuildable("groups are unrelated to the number")
        return Aggregate(aggregate=kind, dataset=dataset, of=ref, quantile=quantile, where=self._local(item.conditions, dataset))

    def _aggregate_kind(self, item: MeasureItem, target: Target) -> AggregateKind:
        said = item.aggregate
        if said is None:
            if item.superlative is not None and item.superlative in ("latest", "earliest"):
                return AggregateKind.MAX if item.superlative == "latest" else AggregateKind.MIN
            catalog_field = self.kinds.field(target)
            if catalog_field is not None and self.kinds.is_time(target):
                return AggregateKind.MAX
            return AggregateKind(self._default(target))
        if said.startswith("p") and said[1:].isdigit():
            return AggregateKind.QUANTILE
        return AggregateKind(said)

    def _dataset_amount(self, item: MeasureItem, target: Target, groups: Sequence[str]) -> Measure:
        """ "total payments", "average sale": the dataset's one additive amount, else its rows."""
        dataset = self.catalog.dataset(target.dataset or "")
        if item.aggregate not in (None, "sum") and is_counted(item, self.a, self.catalog):
            raise Unbuildable(f"the {item.aggregate} of what is not said")
        own = self._subtype_metric(dataset.name, item.aggregate)
        if own is not None:
            return MetricRef(metric=own, where=self._local(item.conditions, dataset.name))
        amounts = [f for f in dataset.fields if f.role is FieldRole.MEASURE and not f.hidden]
        additive = [f for f in amounts if f.aggregate is AggregateKind.SUM] or amounts
        said = set(item.mention.unit.keys) if item.mention is not None else set()
        sharing = [f for f in additive if said & set(keys_of(f.label))]
        additive = sharing if len(sharing) == 1 and len(additive) > 1 else additive
        if item.aggregate in (None, "sum") and not additive:
            return self._count(item, dataset.name, groups)
        if len(additive) == 1 or (item.aggregate != "sum" and len(amounts) == 1):
            self._guess(0.08, f"{dataset.label} means {additive[0].label}")
            kind = AggregateKind(item.aggregate or additive[0].aggregate or "sum")
            return Aggregate(
                aggregate=kind,
                dataset=dataset.name,
                of=FieldRef(dataset=dataset.name, field=additive[0].name),
                where=self._local(item.conditions, dataset.name),
            )
        if item.aggregate == "sum":
            self._guess(0.45 if said & _MONEY_NOUNS else 0.1, f"counts {dataset.label}")
            return self._count(item, dataset.name, groups)
        raise Unbuildable("which number is unclear")

    def _subtype_metric(self, dataset: str, aggregate: str | None) -> str | None:
        """The metric over the amounts that a subtype table stands for ("premiums", "loss reserves")."""
        if self.catalog.dataset(dataset).kind is not DatasetKind.SUBTYPE:
            return None
        wanted = aggregate or "sum"
        for metric in self.catalog.metrics:
            if (
                isinstance(metric, SimpleMetric)
                and metric.dataset == dataset
                and metric.aggregate.value == wanted
                and metric.of is not None
            ):
                return metric.name
        return None

    def _calculation(self, item: MeasureItem, groups: Sequence[str]) -> Measure:
        if item.left is None or item.right is None:
            raise Unbuildable("half a ratio")
        if item.kind == "expression" and item.aggregate is not None:
            raise Unbuildable("an aggregate of a formula over several tables")
        if item.kind == "ratio" and item.aggregate == "avg":
            row = self._row_ratio(item)
            if row is not None:
                return row
        left = self._measure(item.left, groups)
        right = self._measure(item.right, groups)
        result: Measure = Calculation(op=item.op, left=left, right=right)
        if item.scale != 1.0:
            result = Calculation(op="*", left=result, right=Constant(value=item.scale))
        return result

    def _row_ratio(self, item: MeasureItem) -> Measure | None:
        """The average over rows of one field over another."""
        if item.left is None or item.right is None:
            return None
        left, right = self.a.target(item.left.mention), self.a.target(item.right.mention)
        if left is None or right is None or left.kind != "field" or right.kind != "field" or left.dataset != right.dataset:
            return None
        expr = Arithmetic(
            op="/",
            left=FieldRef(dataset=left.dataset or "", field=left.field or ""),
            right=FieldRef(dataset=right.dataset or "", field=right.field or ""),
        )
        return Aggregate(aggregate=AggregateKind.AVG, dataset=left.dataset or "", of=expr)

    def _rate(self, item: MeasureItem, groups: Sequence[str]) -> Measure:
        condition = item.conditions[0]
        value = self.a.value(condition)
        target = self.a.target(condition.mention) if condition.mention is not None else None
        dataset = value.dataset if value is not None else target.dataset if target is not None else None
        if dataset is None and condition.mention is not None and condition.mention.links:
            dataset = condition.mention.links[0].target.dataset
        if dataset is None:
            raise Unbuildable("rate of nothing")
        part = Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, where=self.predicates.build([condition], dataset))
        whole = Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset)
        return Calculation(op="*", left=Calculation(op="/", left=part, right=whole), right=Constant(value=item.scale))

    def _duration(self, item: MeasureItem) -> Expr:
        return self._elapsed(item)[0]

    def _elapsed(self, item: MeasureItem) -> tuple[Expr, str]:
        """The time from one moment to the other, and the dataset whose rows have both."""
        first, second = self._place(item.start), self._place(item.end)
        if item.start is None and second is not None:
            earlier = self._first_date(item.end)
            return DateDiff(unit=item.unit, start=earlier, end=second[0], exact=item.exact), second[0].dataset
        if first is None:
            raise Unbuildable("duration without a date")
        if second is None:
            return DateDiff(unit=item.unit, start=first[0], end=Now(), exact=item.exact), first[0].dataset
        start, end = self._event(first, second[0].dataset), self._event(second, first[0].dataset)
        homes = [e.dataset for e in (start, end) if isinstance(e, FieldRef)]
        bases = [x for x in self.graph.bases(homes) if x in homes] or self.graph.bases(homes)
        if not bases:
            raise Unbuildable("dates of unrelated things")
        return DateDiff(unit=item.unit, start=start, end=end, exact=item.exact), bases[0]

    def _place(self, mention: Mention | None) -> tuple[FieldRef, str | None] | None:
        """The date that a mention means, and whether the first or last of several is meant."""
        if mention is None:
            return None
        target = self.a.target(mention)
        if target is None:
            raise Unbuildable("duration without a date")
        which = "min" if mention.first else "max" if mention.last else None
        if target.kind == "dataset":
            ref = self.predicates.time_field(target.dataset or "")
            if ref is None:
                raise Unbuildable("an event without a date")
            return ref, which
        if not self.kinds.is_time(target):
            raise Unbuildable("duration of no date")
        return FieldRef(dataset=target.dataset or "", field=target.field or ""), which

    def _event(self, place: tuple[FieldRef, str | None], other: str) -> Expr:
        """A date of one row, or the first or last among rows that point to `other`."""
        ref, which = place
        if which is not None and ref.dataset != other and self.graph.points_to(ref.dataset, other):
            return Related(aggregate=which, dataset=ref.dataset, of=ref)
        return ref

    def _first_date(self, end: Mention | None) -> FieldRef:
        """The primary date of the thing whose later date `end` names."""
        target = self.a.target(end)
        ref = self.predicates.time_field(target.dataset or "") if target is not None else None
        if target is None or ref is None or ref.field == target.field:
            raise Unbuildable("no earlier date")
        self._guess(0.06, f"from {ref.field}")
        return ref

    def _ended(self, item: MeasureItem) -> list[Predicate]:
        """Groups of a duration are those where it has ended at least once."""
        end = self._place(item.end)
        if end is None or not self.catalog.field(end[0]).nullable or end[1] is not None:
            return []
        return [IsNull(field=end[0], negate=True)]

    def _duration_measure(self, item: MeasureItem) -> Measure:
        expr, base = self._elapsed(item)
        kind = AggregateKind(item.aggregate) if item.aggregate in ("avg", "sum", "min", "max", "median") else AggregateKind.AVG
        if item.aggregate is None:
            if item.superlative is not None:
                kind = AggregateKind.MAX if _FLIP[item.superlative] else AggregateKind.MIN
            else:
                self._guess(0.08, "average duration")
        return Aggregate(aggregate=kind, dataset=base, of=expr, where=self._local(item.conditions, base))

    def _base_of(self, measure: Measure) -> str | None:
        if isinstance(measure, Aggregate):
            return measure.dataset
        if isinstance(measure, MetricRef):
            return self._metric_base(measure.metric)
        if isinstance(measure, Calculation):
            return self._base_of(measure.left) or self._base_of(measure.right)
        return None

    def _metric_base(self, name: str, depth: int = 0) -> str | None:
        metric = self.catalog.metric(name)
        if isinstance(metric, SimpleMetric):
            return metric.dataset
        if depth > 5:
            return None
        if metric.type == "ratio":
            return self._metric_base(metric.numerator, depth + 1)
        if metric.type == "cumulative":
            return self._metric_base(metric.metric, depth + 1)
        for other in self.catalog.metrics:
            if other.name != name and other.name in metric.expression:
                return self._metric_base(other.name, depth + 1)
        return None

    # ---------------------------------------------------------------- where, having, order

    def _bare_related(self, condition: Condition) -> bool:
        """A relation that the shown columns or groups already say."""
        if condition.kind != "related" or condition.negate or condition.inner or condition.both:
            return False
        target = self.a.target(condition.mention)
        shown = [self.a.target(m) for m in [*self.frame.outputs, *self.frame.groups]]
        measured = [self.a.target(m.mention) for m in self.frame.measures]
        measured += [
            Target("dataset", v.dataset, v.dataset)
            for c in self.frame.conditions
            if c is not condition and not c.negate and (v := self.a.value(c)) is not None
        ]
        measured += [
            t
            for c in self.frame.conditions
            if c is not condition
            and not c.negate
            and c.kind in ("time", "number", "flag", "text")
            and (t := self.a.target(c.mention)) is not None
        ]
        return target is not None and any(t is not None and t.dataset == target.dataset for t in [*shown, *measured])

    def _where(self, base: str) -> Predicate | None:
        conditions = [c for c in self.frame.conditions if not self._bare_related(c)]
        conditions.extend(self._year_conditions(base))
        parts: list[Predicate] = []
        built = self.predicates.build(conditions, base) if conditions else None
        if built is not None:
            parts.append(built)
        if not self._is_aggregate_now():
            for condition in self.frame.having:
                parts.append(self._row_having(condition, base))
        if contradicts(parts):
            raise Unbuildable("one field cannot have two values at once")
        return conjunction(parts) if parts else None

    def _year_conditions(self, base: str) -> list[Condition]:
        """A window on rows that have no date but a column of plain years."""
        f = self.frame
        if not f.times or self._has_time(base):
            return []
        ref = self.predicates.time_field(base)
        if ref is None or self.kinds.is_time(Target("field", "", ref.dataset, ref.field)):
            return []
        mention = Mention(f.mentions[0].unit if f.mentions else None, "condition", ())  # type: ignore[arg-type]
        self.a.targets[id(mention)] = Target("field", str(ref), ref.dataset, ref.field)
        self._parts.append(mention)
        self._window_done = True
        return [Condition("time", mention, time=f.times[0])]

    def _is_aggregate_now(self) -> bool:
        return bool(
            self.frame.measures
            or self.frame.rank_by
            or (
                self.frame.superlative is not None
                and self.frame.superlative.measure is not None
                and not self._row_superlative(self.frame.superlative.measure)
            )
            or self.frame.grain
            or self.frame.count_word_alone
            or self._grouped_having()
        )

    def _row_having(self, condition: Condition, base: str) -> Predicate:
        item = condition.measure
        if condition.kind == "number" and item is not None and item.kind == "count":
            return self._count_condition(condition, base)
        target = self.a.target(condition.mention)
        if target is None or target.kind != "field":
            raise Unbuildable("condition on no field")
        ref = FieldRef(dataset=target.dataset or "", field=target.field or "")
        if condition.kind == "average":
            return VersusAggregate(op=condition.op, left=ref, aggregate="avg")
        predicate = self.predicates._field_predicate(condition, ref)
        if ref.dataset != base and not self.graph.points_to(base, ref.dataset):
            return Has(dataset=ref.dataset, where=predicate)
        return predicate

    def _having(self, condition: Condition, groups: Sequence[str]) -> Having:
        item = condition.measure
        if item is None:
            if condition.mention is None:
                raise Unbuildable("having nothing")
            item = MeasureItem("aggregate", None, condition.mention)
        measure = self._measure(item, groups)
        if condition.kind == "average":
            return Having(measure=measure, op=condition.op, versus="avg")
        if condition.number is None or condition.op == "between":
            raise Unbuildable("having between")
        return Having(measure=measure, op=condition.op, value=condition.number)

    def _order(
        self, built: Sequence[tuple[MeasureItem, Measure]], by: Sequence[GroupBy], rank: Sequence[MeasureItem]
    ) -> tuple[list[Order], int | None, LimitBy | None]:
        f = self.frame
        order: list[Order] = []
        descending = not f.ascending_top
        for item in f.rank_by:
            order.append(Order(target="metric", index=self._index(item, built), descending=descending))
        if f.superlative is not None and f.superlative.measure is not None:
            order.append(Order(target="metric", index=self._index(f.superlative.measure, built), descending=bool(f.superlative.descending)))
        if f.moved_order is not None and built:
            order.append(Order(target="change", index=0, descending=f.moved_order))
        ranked = bool(order)
        for wanted in f.orders:
            found = self._order_of(wanted, built, by)
            if found is None:
                continue
            if ranked and f.limit is not None:
                continue
            if found.target == "metric" and any(o.target == "metric" and o.index == found.index for o in order):
                order = [found if o.target == "metric" and o.index == found.index else o for o in order]
            else:
                order.append(found)
        if f.limit is not None and not order and built:
            order.append(Order(target="metric", index=0, descending=descending))
            if f.limit_asked and not f.rank_by:
                self._guess(0.03, "ranked by the first measure")
        if f.limit_per_group and f.limit is not None and f.groups:
            group = self.a.target(f.groups[-1])
            for n, b in enumerate(by):
                same = (
                    isinstance(b, ByField)
                    and group is not None
                    and group.kind == "field"
                    and b.field == FieldRef(dataset=group.dataset or "", field=group.field or "")
                )
                entity = (
                    isinstance(b, ByEntity)
                    and group is not None
                    and group.kind == "dataset"
                    and self.catalog.entity(b.entity).dataset == group.dataset
                )
                if (same or entity) and len(by) > 1:
                    return order, f.limit, LimitBy(limit=f.limit, index=n)
        if not order:
            times = [n for n, b in enumerate(by) if isinstance(b, ByTime | ByCycle)]
            order.extend(Order(target="by", index=n, descending=False) for n in times)
        return order, f.limit, None

    def _index(self, item: MeasureItem, built: Sequence[tuple[MeasureItem, Measure]]) -> int:
        item = self._twins.get(id(item), item)
        for n, (other, _) in enumerate(built):
            if self._same(item, other):
                return n
        raise Unbuildable("ranked by what is not computed")

    def _order_of(self, wanted: OrderItem, built: Sequence[tuple[MeasureItem, Measure]], by: Sequence[GroupBy]) -> Order | None:
        descending = bool(wanted.descending)
        if wanted.grain:
            index = next((n for n, b in enumerate(by) if isinstance(b, ByTime | ByCycle)), None)
            if index is None:
                index = next((n for n, b in enumerate(by) if isinstance(b, ByField)), None)
            return Order(target="by", index=index, descending=descending) if index is not None else None
        if wanted.measure is not None:
            return Order(target="metric", index=self._index(wanted.measure, built), descending=descending)
        if wanted.mention is None:
            times = [n for n, b in enumerate(by) if isinstance(b, ByTime)]
            if wanted.alphabetical and by:
                return Order(target="by", index=0, descending=descending)
            if times and not wanted.descending:
                return Order(target="by", index=times[0], descending=descending)
            return Order(target="metric", index=0, descending=descending)
        target = self.a.target(wanted.mention)
        if target is None:
            return None
        for n, (item, _) in enumerate(built):
            item_target = self.a.target(item.mention)
            if item_target == target and not (target.kind == "dataset" and item.kind != "count"):
                return Order(target="metric", index=n, descending=descending)
        for n, b in enumerate(by):
            if (
                isinstance(b, ByField)
                and target.kind == "field"
                and b.field == FieldRef(dataset=target.dataset or "", field=target.field or "")
            ):
                return Order(target="by", index=n, descending=descending)
            if isinstance(b, ByEntity) and target.dataset is not None and self.catalog.entity(b.entity).dataset == target.dataset:
                return Order(target="by", index=n, descending=descending)
            if isinstance(b, ByTime) and self.kinds.is_time(target):
                return Order(target="by", index=n, descending=descending)
        if target.kind in ("field", "metric"):
            for n, (item, _) in enumerate(built):
                it = self.a.target(item.mention)
                if it is not None and it.dataset == target.dataset:
                    self._guess(0.05, "order taken from the same dataset")
                    return Order(target="metric", index=n, descending=descending)
        raise Unbuildable("ordered by what is not shown")

    def _transforms(self, built: Sequence[tuple[MeasureItem, Measure]], by: list[GroupBy]) -> tuple[Transform, ...]:
        out: list[Transform] = []
        for item in self.frame.transforms:
            index = 0
            if item.measure is not None:
                index = next((n for n, (m, _) in enumerate(built) if self._same(m, item.measure)), 0)
            kind = item.kind
            timed = any(isinstance(b, ByTime) for b in by)
            if kind in ("growth", "difference", "running_total", "moving_average") and not timed:
                grain = item.grain or "month"
                by.append(
                    ByTime(
                        grain=Grain(grain),
                        fill=kind in ("growth", "difference") and not runs_past(self.frame, self.as_of, self.catalog.calendar),
                    )
                )
            if kind == "moving_average" and item.size is None:
                item.size = 3
            new = Transform(kind=kind, metric=index, size=item.size)
            if new not in out:
                out.append(new)
        return tuple(out)

    # ---------------------------------------------------------------- time

    def _time(self, base: str | None, *, rows: bool) -> TimeWindow | None:
        f = self.frame
        if not f.times or self._window_done:
            return None
        phrase = f.times[0]
        field_ref: FieldRef | None = None
        if base is not None:
            dataset = self.catalog.dataset(base)
            if dataset.time is None:
                field_ref = self._foreign_time(base)
                if field_ref is None:
                    raise Unbuildable("a time window without a time field")
        return TimeWindow(window=phrase.window, field=field_ref, label=phrase.label)

    def _foreign_time(self, base: str) -> FieldRef | None:
        for dataset in sorted(self.catalog.datasets, key=lambda d: self.graph.distance(base, d.name)):
            if dataset.time is not None and self.graph.points_to(base, dataset.name):
                return FieldRef(dataset=dataset.name, field=dataset.time)
        return None

    def _compare(self) -> ComparePeriod | None:
        f = self.frame
        if f.compare == "same_period_last_year":
            return ComparePeriod(to="same_period_last_year")
        if f.compare == "previous_period":
            return ComparePeriod(to="previous_period")
        if f.compare == "vs" and len(f.times) >= 2:
            return ComparePeriod(to="window", window=f.times[1].window)
        return None

    # ---------------------------------------------------------------- coverage

    def _unexplained(self, query: SemanticQuery) -> list[Mention]:
        """Mentions of datasets or fields that the query does not use."""
        text = query.model_dump_json()
        left: list[Mention] = []
        for mention in self.frame.mentions:
            target = self.a.target(mention)
            if target is None:
                left.append(mention)
                continue
            if id(mention) in self._explained:
                continue
            if target.kind == "dataset" and target.dataset is not None:
                used = (
                    f'"dataset":"{target.dataset}"' in text
                    or f'"rows_of":"{target.dataset}"' in text
                    or self._entity_used(target.dataset, text)
                    or self._on_path(target.dataset, query)
                    or self._described(mention, text)
                )
                if not used:
                    left.append(mention)
            elif target.kind == "field" and f'"{target.field}"' not in text and mention.role not in ("context", "start", "end"):
                timed = self.kinds.is_time(target) and (query.time is not None or any(isinstance(b, ByTime | ByCycle) for b in query.by))
                if not timed and not self._key_shown(target, query):
                    left.append(mention)
            elif target.kind == "metric" and f'"metric":"{target.name}"' not in text:
                left.append(mention)
        return left

    def _key_shown(self, target: Target, query: SemanticQuery) -> bool:
        """Whether a key is there through the entity it identifies."""
        entity = self._entities.get(target.dataset or "")
        return (
            entity is not None
            and target.field in (*entity.key, *entity.display)
            and any(isinstance(b, ByEntity) and b.entity == entity.name for b in query.by)
        )

    def _entity_used(self, dataset: str, text: str) -> bool:
        entity = self._entities.get(dataset)
        return entity is not None and f'"entity":"{entity.name}"' in text

    def _on_path(self, dataset: str, query: SemanticQuery) -> bool:
        bases = {query.rows_of} if query.rows_of else {b for m in query.metrics for b in self._all_bases(m)}
        return any(base is not None and (dataset == base or self.graph.points_to(base, dataset)) for base in bases)

    def _all_bases(self, measure: Measure) -> set[str]:
        if isinstance(measure, MetricRef):
            return set(self.kinds.metric_datasets(measure.metric))
        if isinstance(measure, Calculation):
            return self._all_bases(measure.left) | self._all_bases(measure.right)
        return {measure.dataset} if isinstance(measure, Aggregate) else set()

    def _described(self, mention: Mention, text: str) -> bool:
        """Whether the words are part of the description of a field that is used ("students" for a count of students)."""
        for dataset in self.catalog.datasets:
            for described in dataset.fields:
                if (
                    described.description
                    and f'"field":"{described.name}"' in text
                    and f'"dataset":"{dataset.name}"' in text
                    and set(mention.unit.keys) <= set(keys_of(described.description))
                ):
                    return True
        return False


def _target_of(ref: FieldRef) -> Target:
    return Target("field", str(ref), ref.dataset, ref.field)
