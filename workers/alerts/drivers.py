"""The likely drivers of a new incident, in words: the odd bucket against the same one a week (or bucket) before, by the telling dimensions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import AppError
from core.store import incidents
from core.store.incidents import StoredIncident
from core.timeseries import Grain
from insights.wording import number
from semantic.catalog.model import Catalog, CatalogField, DataClass
from semantic.catalog.visible import visible_to
from semantic.expr import FieldRef
from semantic.query import ByField, ComparePeriod, MetricRef, SemanticQuery
from workers.alerts.history import stretch
from workers.alerts.rule import AnyRule
from workers.alerts.timing import BUCKET
from workers.jobs.dimensions import is_additive, telling_dimensions
from workers.jobs.querying import Asking, Ran, run_query

log = logging.getLogger(__name__)
MAX_DIMENSIONS = 4
MAX_LOOKS = 20  # of one run, 80 ms each: when everything moves at once, drivers of each do not help
MAX_SENTENCES = 3
STANDS_OUT = 0.25  # of the change beyond moving alike; below it, naming a segment would mislead
LEAST_SHARE = 0.1
LEAST_OF_MISS = 0.25
_NAMES = ("dimension", "key", "attribute")
_BACK = {Grain.MINUTE: 7 * 1440, Grain.HOUR: 168, Grain.DAY: 7, Grain.WEEK: 1, Grain.MONTH: 1}


Known = dict[tuple[object, ...], list[str]]


def add_drivers(asking: Asking, rule: AnyRule, catalog: Catalog, incident_ids: Sequence[str], known: Known) -> None:
    """Writes up to three sentences into each incident's details. What cannot be asked is left out: an alert does not wait for its reasons.

    known: what this run found out before; rules that look at the same share it.
    """
    if rule.kind in ("no_data", "goal") or rule.grain is Grain.MONTH:
        return
    for key in incident_ids:
        try:
            with asking.services.store.read() as connection:
                incident = incidents.get(connection, asking.tenant, key)
            if incident.finding.series_id != "total" or incident.finding.kind in ("missing_data", "flat_line"):
                continue
            look = (rule.metric, repr(rule.where), rule.grain, incident.finding.started_at)
            if look not in known:
                if len(known) >= MAX_LOOKS:
                    continue
                known[look] = []  # also when asking fails: not again in this run
                known[look] = drivers(asking, rule, catalog, incident)
            lines = known[look]
            with asking.services.store.write() as connection:
                incidents.add_details(connection, asking.tenant, key, {"drivers": lines}, now=asking.services.clock.now())
        except AppError as error:
            log.info("no drivers for %s: %s", key, error.code)


def drivers(asking: Asking, rule: AnyRule, catalog: Catalog, incident: StoredIncident) -> list[str]:
    """Raises: UserError for what cannot be compared; Unavailable."""
    visible = visible_to(catalog, asking.principal)
    measure = MetricRef(metric=rule.metric)
    bucket = BUCKET[Grain(rule.grain)]
    start = incident.finding.started_at
    end = start + bucket
    back = bucket * _BACK[Grain(rule.grain)]
    before = stretch(Grain(rule.grain), start - back, end - back)

    def compared(field: FieldRef | None) -> Ran:
        by = (ByField(field=field),) if field is not None else ()
        compare = ComparePeriod(to="window", window=before.window, show=("value",))
        query = SemanticQuery(metrics=(measure,), by=by, where=rule.where, time=stretch(Grain(rule.grain), start, end), compare=compare)
        return run_query(asking, catalog, visible, query)

    whole = compared(None)
    if not is_additive(catalog, measure):
        return []  # parts that do not add up account for nothing
    _, now_value, then_value = _values(whole)[0]
    expected, actual = (incident.finding.details.get(name) for name in ("expected", "actual"))
    miss = float(actual) - float(expected) if isinstance(expected, int | float) and isinstance(actual, int | float) else 0.0
    if not accounts_for(incident.finding.direction, now_value - then_value, miss):
        return []
    column = next(c for c in whole.result.columns if c.role == "measure")
    parts: dict[str, list[Moved]] = {}
    for field in telling_dimensions(_of_everybody(visible, catalog), measure, whole.guarded.datasets, MAX_DIMENSIONS):
        ran = compared(field)
        label = next(c.label for c in ran.result.columns if c.role in _NAMES)
        parts[label] = [Moved(*row) for row in _values(ran)]
    said = "a week before" if rule.grain is not Grain.WEEK else "the week before"
    return sentences(parts, now_value, then_value, said, lambda value: number(value, column.format, column.unit, compact=True))


def accounts_for(direction: str, change: float, miss: float) -> bool:
    """Whether the change against the earlier bucket can be behind the incident: it went the same way, and is a good part of the miss.

    A figure below a limit that it never reached may have risen since, or hardly moved: what moved is not behind it.
    """
    against = {"up": change < 0, "down": change > 0}.get(direction, False)
    return not against and abs(change) >= LEAST_OF_MISS * abs(miss)


def _of_everybody(visible: Catalog, catalog: Catalog) -> Catalog:
    """With the fields that no rule closes to anybody: a message goes to channels, whoever reads there."""
    ruled = {(rule.dataset, rule.field) for rule in catalog.column_rules}
    kept = (DataClass.PUBLIC, DataClass.INTERNAL)
    datasets = tuple(
        d.model_copy(
            update={"fields": tuple(f if f.data_class in kept and (d.name, f.name) not in ruled else _silent(f) for f in d.fields)}
        )
        for d in visible.datasets
    )
    return visible.model_copy(update={"datasets": datasets})


def _silent(field: CatalogField) -> CatalogField:
    return field.model_copy(update={"hidden": True})


@dataclass(frozen=True, slots=True)
class Moved:
    """A segment's value in the odd bucket and in the one it is compared with."""

    name: str
    now: float
    then: float


def sentences(parts: Mapping[str, Sequence[Moved]], now: float, then: float, said: str, write: Callable[[float], str]) -> list[str]:
    """The dimensions whose segments moved unlike each other, the most uneven first; or that all moved alike.

    A segment's own move is what it moved beyond moving as the whole did.
    """
    change = now - then
    if change == 0 or not parts:
        return []
    uneven: list[tuple[float, str]] = []
    for label, segments in parts.items():
        own = {s: (s.now - s.then) - s.then * (change / then if then else 0.0) for s in segments}
        towards = max(segments, key=lambda s: own[s] * (1 if change > 0 else -1))
        share = (towards.now - towards.then) / change
        unevenness = abs(own[towards]) / abs(change)
        if unevenness >= STANDS_OUT and share >= LEAST_SHARE:
            told = f"{towards.name} went from {write(towards.then)} to {write(towards.now)}, {share:.0%} of the change against {said}"
            uneven.append((unevenness, f"By {label}: {told}."))
    if not uneven:
        first, *others = list(parts)[:3]
        names = f"{', '.join([first, *others[:-1]])} and {others[-1]}" if others else first
        return [f"By {names} all parts moved alike against {said}."]
    return [text for _, text in sorted(uneven, reverse=True)[:MAX_SENTENCES]]


def _values(ran: Ran) -> list[tuple[str, float, float]]:
    """(segment, now, before) of each row; nothing is 0."""
    columns = ran.result.columns
    name = next((i for i, c in enumerate(columns) if c.role in _NAMES), None)
    now, then = [i for i, c in enumerate(columns) if c.role not in (*_NAMES, "time")][:2]
    return [("" if name is None else str(row[name]), float(row[now] or 0), float(row[then] or 0)) for row in ran.result.rows()]
