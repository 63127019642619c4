"""Explain job: how a metric changed between two periods, and which segments account for it.

Few queries: the whole (with the metric's parts), a year before, the history of the same grain, and one over all dimensions together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from core.errors import NotEnoughData, UserError
from core.store import findings
from core.store.findings import InsightEntry
from core.timeseries import Grain
from insights.drivers.parts import parts_of_change
from insights.explaining import explain_change
from insights.narrative import TEMPLATES_VERSION, narrate
from insights.next_steps import next_steps
from insights.periods import grain_of
from insights.study import Cube, Study
from insights.types import Fact, Period, Quantity
from semantic.catalog.model import Catalog
from semantic.catalog.visible import visible_to
from semantic.compile import compile_query
from semantic.expr import Absolute, FieldRef, Rolling, Unit
from semantic.query import ByField, ByTime, ComparePeriod, Measure, Order, SemanticQuery, TimeWindow
from semantic.resolve.resolve import resolve
from semantic.states import WindowUsed
from semantic.windows import add_units, floor_to, local_now
from workers.context import JobContext
from workers.explainers import explained_by, explainer_for
from workers.jobs.budget import BudgetSpent, Run, insight_settings, refuse_if_off, spent_note
from workers.jobs.calendar_like import is_cut, without_calendar
from workers.jobs.change_cube import cube_of, fitting, telling, with_past
from workers.jobs.change_history import History, history_of, moment_of
from workers.jobs.change_values import history_values, known_year_ago, pairs_of, period_used, windows_of
from workers.jobs.composition import Composition, composition
from workers.jobs.dimensions import base_dataset, telling_dimensions
from workers.jobs.explained import result_of
from workers.jobs.explained_events import event_facts
from workers.jobs.known_insights import fingerprint, known_result
from workers.jobs.other_words import in_other_words
from workers.jobs.querying import Ran, receipt_of
from workers.jobs.scoping import scoped
from workers.jobs.words import words_of
from workers.kinds import ExplainParams

MAX_DIMENSIONS = 8
FEW_LEAVES = 60
PAST_PERIODS = 9
MAX_PAST_DAYS = 3700
_T = TypeVar("_T")
_NO_FIELDS: tuple[FieldRef, ...] = ()
_NO_NOTES: tuple[str, ...] = ()


def run(context: JobContext) -> dict[str, Any]:
    """{"headline", "narrative", "facts", "change", "causes", "dimensions", "periods", "receipts", ...}.

    Raises: NotEnoughData when one of the periods has no value; UserError for what cannot be asked; Unavailable.
    """
    params = ExplainParams.model_validate(context.job.params)
    catalog = context.services.catalog(context.tenant)
    visible = visible_to(catalog, context.principal)
    settings = insight_settings(context.services.store, context.tenant)
    refuse_if_off(settings, [params.metric] if params.metric else [])
    custom = explainer_for(context, params.metric)
    print_ = fingerprint(context, params, catalog, speaker=custom.label if custom else "")
    known = known_result(context, print_)
    if known is not None:
        return known
    asked = _Asked(context, params, catalog, visible, composition(visible, params.asked), Run(context, catalog, visible, settings))
    context.progress("fetch", 0, 4)
    windows = asked.windows()
    study, notes = _study(asked, windows)
    context.progress("explain", 0, 1)
    explained, spoke, note = explained_by(custom, study, explain_change(study), params.grain)
    events = _events(asked, study)
    told = (*explained.told, *events)
    own = narrate(told)  # proven against their facts, or the job fails
    said = in_other_words(context, settings, own, told)
    sentences, notes = said.sentences, [*notes, *said.notes]
    receipt = receipt_of(context, catalog, asked.runs)
    result = result_of(study, replace(explained, told=told, facts=(*explained.facts, *events)), sentences, [*notes, *note]) | {
        "metric": params.metric,
        "asked_way": params.asked_way,
        "model": spoke,
        "model_version": spoke,
        "sentences": sentences,
        "own_sentences": own,
        "rephrased": said.mark,
        "next": next_steps(told, visible),
        "templates_version": TEMPLATES_VERSION,
        "words": words_of(context.services, context.tenant),
        "receipts": [{"sql": ran.guarded.sql, "rows_read": ran.result.stats.rows_read} for ran in asked.runs],
        "receipt": receipt.as_json(),
    }
    return result | {"insight_id": _index(context, params, result, print_)}


def _events(asked: _Asked, study: Study) -> tuple[Fact, ...]:
    try:
        return event_facts(asked.budget, asked.params, study)
    except BudgetSpent:
        return ()


@dataclass(frozen=True, slots=True)
class _Windows:
    """What is compared with what; `like_with_like` when the running period was cut and the other to the same length."""

    after: TimeWindow
    compare: ComparePeriod
    like_with_like: bool = False


@dataclass(slots=True)
class _Asked:
    """The queries of one explanation, kept in the order in which they ran."""

    context: JobContext
    params: ExplainParams
    catalog: Catalog
    visible: Catalog
    made_of: Composition
    budget: Run

    @property
    def runs(self) -> list[Ran]:
        return self.budget.ran

    def run(self, query: SemanticQuery) -> Ran:
        return self.budget.ask(query)

    def query(self, metrics: Sequence[Measure], windows: _Windows, fields: Sequence[FieldRef] = ()) -> SemanticQuery:
        return SemanticQuery(
            metrics=tuple(metrics), by=tuple(ByField(field=ref) for ref in fields), where=self.params.where, time=windows.after,
            compare=windows.compare,
        )  # fmt: skip

    def windows(self) -> _Windows:
        """The asked time, or the latest complete period with a value, and what it is compared with."""
        time = self.params.time or self._last_period()
        previous = (self.params.compare or ComparePeriod(to="previous_period")).changed(show=("value",))
        found = _Windows(time, previous)
        resolved = resolve(self.query([self.params.asked], found), self.visible, as_of=self.context.as_of)
        after, before = windows_of(compile_query(resolved).windows)
        if self.params.compare is None and grain_of(period_used(after)) is Grain.DAY:
            # A Monday is like other Mondays, not like the Sunday before.
            return _Windows(time, ComparePeriod(to="offset", count=1, unit=Unit.WEEK, show=("value",)))
        return self._like_with_like(found, after, before)

    def _like_with_like(self, windows: _Windows, after: WindowUsed, before: WindowUsed) -> _Windows:
        """A running period is cut after yesterday, and the other to as many days."""
        if not after.current_is_partial or after.start is None or after.end is None or before.start is None:
            return windows
        now = self.context.as_of.astimezone(after.start.tzinfo)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if today <= after.start:
            return windows
        days = (today.date() - after.start.date()).days
        ends = before.start.replace(tzinfo=None) + dt.timedelta(days=days)
        limit = after.start.replace(tzinfo=None)
        compare = Absolute(start=before.start.replace(tzinfo=None), end=min(ends, limit) if before.start < after.start else ends)
        cut = Absolute(start=after.start.replace(tzinfo=None), end=today.replace(tzinfo=None))
        time = windows.after.changed(window=cut, label=None)
        return _Windows(time, ComparePeriod(to="window", window=compare, show=("value",)), like_with_like=True)

    def _last_period(self) -> TimeWindow:
        """The latest complete period of the asked grain that has a value: data may end long before today.

        The last three are asked first: on a large table looking at all time costs as much as everything else together.
        """
        grain = self.params.grain
        recent = TimeWindow(window=Rolling(count=3, unit=Unit(grain.value), anchor="period"))
        starts = self._starts(grain, recent) or self._starts(grain, None)
        if not starts:
            raise NotEnoughData(f"There is no complete {grain.value} with a value of this measure.", code="no_rows")
        start = moment_of(max(starts))
        end = add_units(start, grain, 1)
        now = floor_to(local_now(self.catalog.calendar, self.context.as_of), grain, self.catalog.calendar)
        if end < now and grain not in (Grain.HOUR, Grain.DAY) and is_cut(self.budget, self.params.asked, self.params.where, start, end):
            start, end = add_units(start, grain, -1), start
        return TimeWindow(window=Absolute(start=start, end=end))

    def _starts(self, grain: Grain, time: TimeWindow | None) -> list[Any]:
        query = SemanticQuery(
            metrics=(self.params.asked,), by=(ByTime(grain=grain),), where=self.params.where, time=time,
            order=(Order(target="by", index=0, descending=True),), limit=3, complete_periods_only=True,
        )  # fmt: skip
        result = self.run(query).result
        at = next(i for i, column in enumerate(result.columns) if column.role == "time")
        value = next(i for i, column in enumerate(result.columns) if column.role == "measure")
        return [row[at] for row in result.rows() if row[value] is not None and row[at] is not None]

    def fields(self) -> tuple[FieldRef, ...]:
        """The dimensions to look at: those asked for, else what the catalog offers and every base can be split by."""
        if self.params.dimensions:
            return self.params.dimensions
        measures = [m for m in (self.made_of.top, self.made_of.base) if m is not None]
        datasets = self.runs[-1].guarded.datasets
        fields = telling_dimensions(self.visible, self.made_of.top, datasets, 3 * MAX_DIMENSIONS)
        able = [ref for ref in fields if self._can_split(measures, ref)]
        base = base_dataset(self.visible, self.made_of.top, datasets)
        after, _ = windows_of(self.runs[-1].guarded.windows)
        if base is not None and after.end is not None:
            field = self.params.time.field if self.params.time else None
            able = list(without_calendar(self.budget, able, base, after.end.replace(tzinfo=None), self.params.where, field))
        return fitting(self.visible, able[:MAX_DIMENSIONS])

    def _can_split(self, measures: Sequence[Measure], ref: FieldRef) -> bool:
        query = SemanticQuery(metrics=tuple(measures), by=(ByField(field=ref),), where=self.params.where, time=self.params.time)
        try:
            resolve(query, self.visible, as_of=self.context.as_of)
        except UserError:
            return False
        return True


def _study(asked: _Asked, windows: _Windows) -> tuple[Study, list[str]]:
    made_of, context = asked.made_of, asked.context
    whole = asked.run(asked.query([asked.params.asked, *(measure for _, measure in made_of.parts)], windows))
    after_used, before_used = windows_of(whole.guarded.windows)
    pairs = pairs_of(whole)
    after, before = pairs[0]
    if before is None or after is None:
        raise NotEnoughData(
            f"There is no value to compare in {(before_used if before is None else after_used).label}; choose other periods.",
            code="no_rows",
        )
    measure = next(column for column in whole.result.columns if column.role == "measure")
    receipts = {"whole": len(asked.runs) - 1}
    period, baseline = period_used(after_used), period_used(before_used)
    context.progress("fetch", 1, 4)
    left = _Left()
    fields = left.within("segments", asked.fields, _NO_FIELDS)  # from the windows of the query just made
    past = left.within(
        "what came before", lambda: history_of(asked.budget, asked.params, made_of, (baseline, period), (before, after)), History()
    )
    history = past.known
    if past.receipt is not None:
        receipts["history"] = past.receipt
    context.progress("fetch", 2, 4)
    year_ago = known_year_ago(period, history, receipts) or left.within("a year before", lambda: _year_ago(asked, windows, receipts), None)
    context.progress("fetch", 3, 4)
    cube = left.within("segments", lambda: _cube(asked, windows, fields, receipts), None)
    study = Study(
        quantity=Quantity(
            scoped(measure.label, asked.params.where), measure.format, measure.unit, measure.good_direction, asked.params.metric or ""
        ),
        kind=made_of.kind,
        period=period,
        baseline=baseline,
        before=before,
        after=after,
        year_ago=year_ago,
        history=history_values(history, period),
        cube=cube,
        scale=made_of.scale,
        parts=_parts(made_of, pairs[1:]),
        receipts=receipts,
        days=past.days,
    )
    began_before = any(baseline.start is not None and start < baseline.start.replace(tzinfo=None) for start in history)
    late = () if began_before else left.within("where the data begin", lambda: _starts_late(asked, baseline), _NO_NOTES)
    return study, [*late, *_notes(windows, study), *left.notes]


@dataclass(slots=True)
class _Left:
    """What the budget of the run left no room for; what was found until then stands."""

    names: list[str] = field(default_factory=list)

    def within(self, name: str, look: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return look()
        except BudgetSpent:
            self.names.append(name)
            return otherwise

    @property
    def notes(self) -> list[str]:
        return [spent_note(dict.fromkeys(self.names))] if self.names else []


def _starts_late(asked: _Asked, baseline: Period) -> tuple[str, ...]:
    """A note when the data begin inside the period that is compared with: the rest of it is not low, only missing."""
    if baseline.start is None or baseline.end is None or baseline.end - baseline.start < dt.timedelta(days=2):
        return ()
    first = SemanticQuery(
        metrics=(asked.params.asked,), by=(ByTime(grain=Grain.DAY),), where=asked.params.where,
        order=(Order(target="by", index=0, descending=False),), limit=2,
        time=TimeWindow(window=Absolute(end=baseline.end.replace(tzinfo=None)), field=asked.params.time.field if asked.params.time else None),
    )  # fmt: skip
    result = asked.run(first).result
    place = next(i for i, column in enumerate(result.columns) if column.role == "time")
    days = [moment_of(row[place]) for row in result.rows() if row[place] is not None]
    slack = (baseline.end - baseline.start) / 10
    if not days or min(days) <= baseline.start.replace(tzinfo=None) + slack:
        return ()
    return ("The data begin inside the period that is compared with, so the change is not like with like.",)


def _notes(windows: _Windows, study: Study) -> list[str]:
    notes = []
    if windows.like_with_like:
        notes.append("The period is still running: its complete days are compared with as many days of the other.")
    if study.kind == "other":
        notes.append("Its segments do not add up to the whole, so none of them can account for a share of the change.")
    return notes


def _parts(made_of: Composition, pairs: Sequence[tuple[float | None, float | None]]) -> tuple[Any, ...]:
    labels = [label for label, _ in made_of.parts]
    if made_of.formula is None or len(pairs) < len(labels) or any(value is None for pair in pairs for value in pair):
        return ()
    after = {label: float(pair[0] or 0.0) for label, pair in zip(labels, pairs, strict=False)}
    before = {label: float(pair[1] or 0.0) for label, pair in zip(labels, pairs, strict=False)}
    return parts_of_change(made_of.formula, labels, before, after)


def _year_ago(asked: _Asked, windows: _Windows, receipts: dict[str, int]) -> tuple[Period, float] | None:
    """The same period a year before, where there is data."""
    compare = ComparePeriod(to="same_period_last_year", show=("value",))
    ran = asked.run(asked.query([asked.params.asked], _Windows(windows.after, compare)))
    receipts["year_ago"] = len(asked.runs) - 1
    value = pairs_of(ran)[0][1]
    _, used = windows_of(ran.guarded.windows)
    return (period_used(used), value) if value is not None and value != 0 else None


def _cube(asked: _Asked, windows: _Windows, fields: Sequence[FieldRef], receipts: dict[str, int]) -> Cube | None:
    if not fields or asked.made_of.kind == "other":
        return None
    measures = [m for m in (asked.made_of.top, asked.made_of.base) if m is not None]
    ran = asked.run(asked.query(measures, windows, fields))
    receipts["cube"] = len(asked.runs) - 1
    cube = telling(cube_of(ran.result, _labels(asked.visible, fields), asked.made_of.base_label))
    if len(cube.leaves.dimensions) < len(fields):
        return cube  # its past is asked by all fields; what is left has dozens of leaves or no story
    return _with_past(asked, cube, measures, fields, ran)


def _with_past(asked: _Asked, cube: Cube, measures: Sequence[Measure], fields: Sequence[FieldRef], ran: Ran) -> Cube:
    """Few leaves cannot tell their own noise, so their past is asked: equally long periods before the change, from one query by day."""
    after, _ = windows_of(ran.guarded.windows)
    if not 1 < cube.leaves.count < FEW_LEAVES or after.start is None or after.end is None:
        return cube
    days = (after.end.date() - after.start.date()).days
    if days < 1 or days > MAX_PAST_DAYS // PAST_PERIODS:
        return cube
    end = after.start.replace(tzinfo=None)
    first = end - dt.timedelta(days=days * PAST_PERIODS)
    time = TimeWindow(window=Absolute(start=first, end=end), field=asked.params.time.field if asked.params.time else None)
    by = (ByTime(grain=Grain.DAY), *(ByField(field=ref) for ref in fields))
    past = asked.run(SemanticQuery(metrics=tuple(measures), by=by, where=asked.params.where, time=time))
    return with_past(cube, past.result, first, days)


def _labels(catalog: Catalog, fields: Sequence[FieldRef]) -> list[str]:
    """Each dimension's label; with its dataset's where two are alike."""
    labels = [catalog.field(ref).label for ref in fields]
    return [
        label if labels.count(label) == 1 else f"{catalog.dataset(ref.dataset).label} {label}"
        for label, ref in zip(labels, fields, strict=True)
    ]


def _index(context: JobContext, params: ExplainParams, result: dict[str, Any], print_: str) -> str:
    facts = {
        name: result[name]
        for name in ("change", "periods", "facts", "told", "sentences", "own_sentences", "narrative", "templates_version")
    }
    metric = params.metric or result["label"]
    entry = InsightEntry(context.job_id, metric, "period_change", result["headline"], facts, context.job.user, result["words"], print_)
    with context.services.store.write() as connection:
        return findings.put(connection, context.tenant, entry, now=context.services.clock.now())
