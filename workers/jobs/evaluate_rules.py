"""Evaluates due alert rules of one author: one fetch for all rules that look at the same, incidents and messages in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from core.errors import NotFound, UserError
from core.store import alert_rules, incident_events
from core.store.alert_rules import AlertRule
from core.timeseries import Grain
from semantic.catalog.model import Catalog
from workers.alerts.apply import Applied, Ground, apply
from workers.alerts.drivers import Known, add_drivers
from workers.alerts.evaluate import Judge
from workers.alerts.events import Event
from workers.alerts.feedback import Tuning, tuning
from workers.alerts.figures import details
from workers.alerts.history import Look, fetch_history
from workers.alerts.repeats import repeats
from workers.alerts.rule import AnomalyRule, AnyRule, parse_rule
from workers.alerts.timing import next_run
from workers.context import JobContext
from workers.judges import CustomDetector, detector_for, judging
from workers.kinds import EvaluateRulesParams
from workers.queue import wake_sender

Parsed = tuple[AlertRule, AnyRule]
TRY_AGAIN = dt.timedelta(hours=1)


def run(context: JobContext) -> dict[str, Any]:
    """{"rules", "opened", "updated", "resolved", "deliveries", "errors"}.

    A rule that cannot be asked keeps its error; the others go on. Raises: Unavailable (the job then waits and goes on).
    """
    params = EvaluateRulesParams.model_validate(context.job.params)
    context.progress("evaluate", 0, len(params.rules))
    total = {"rules": 0, "opened": 0, "updated": 0, "resolved": 0, "deliveries": 0, "errors": 0}
    catalog = context.services.catalog(context.tenant)
    groups: dict[Look, list[Parsed]] = {}
    for row in _rows(context, params.rules):
        try:
            rule = parse_rule({**row.definition, "metric": row.metric})
        except UserError as error:
            _failed(context, [row], params.owner, error)
            total["errors"] += 1
            continue
        groups.setdefault(Look.of(rule), []).append((row, rule))
    seen, known = 0, Known()
    for group in groups.values():
        try:
            applied = _evaluate(context, params.owner, group, catalog, known)
        except UserError as error:
            _failed(context, [row for row, _ in group], params.owner, error)
            total["errors"] += len(group)
        else:
            for done in applied:
                for name in ("opened", "updated", "resolved", "deliveries"):
                    total[name] += len(getattr(done, name))
        seen += len(group)
        context.progress("evaluate", seen, len(params.rules))
    total["rules"] = seen
    if total["deliveries"]:
        wake_sender(context.services)
    return total


def _rows(context: JobContext, ids: Sequence[str]) -> list[AlertRule]:
    rows: list[AlertRule] = []
    with context.services.store.read() as connection:
        for key in ids:
            try:
                row = alert_rules.get(connection, context.tenant, key)
            except NotFound:
                continue  # removed since
            if row.enabled and row.created_by == context.job.user:
                rows.append(row)
    return rows


def _evaluate(context: JobContext, owner: str, group: Sequence[Parsed], catalog: Catalog, known: Known) -> list[Applied]:
    counted = any(rule.completeness.min_rows_share > 0 for _, rule in group)
    widest = next(rule for _, rule in group if rule.completeness.min_rows_share > 0 or not counted)
    custom = _custom(context, group)
    history = fetch_history(context, widest, counted=counted)
    judge = Judge(history, context.as_of, judging(custom) if custom is not None else None)
    with context.services.store.read() as connection:
        votes = incident_events.votes(connection, context.tenant, [row.id for row, _ in group])
    done: list[tuple[AnyRule, Applied]] = []
    judged = []
    for row, rule in group:
        tuned = tuning(votes[row.id])
        found = judge.events(rule, sensitivity=tuned.sensitivity(rule), made_at=row.created_at)
        judge.repeated |= repeats(context, rule, history, [event for event in found if event.end not in judge.repeated])
        judged.append((row, rule, tuned, found))
    judge.model = custom.speaker if custom is not None else ""
    with context.services.store.write() as connection:
        for row, rule, tuned, found in judged:
            now_row = alert_rules.lock(connection, context.tenant, row.id)
            if now_row is None or (now_row.last_run_at is not None and now_row.last_run_at > context.as_of):
                continue  # a later look was taken already
            if now_row.updated_at != row.updated_at:
                continue  # changed while we looked; its next run is due at once
            ground = Ground(now_row, rule, catalog, context.as_of, context.job_id)
            applied = apply(connection, ground, found, _details(judge, rule, tuned))
            at = next_run(rule, row.id, now=context.services.clock.now(), zone=catalog.calendar.time_zone)
            alert_rules.record_run(connection, context.tenant, row.id, owner, next_run_at=at, now=context.as_of)
            done.append((rule, applied))
    for rule, applied in done:
        add_drivers(context, rule, catalog, applied.opened, known)
    return [applied for _, applied in done]


def _custom(context: JobContext, group: Sequence[Parsed]) -> CustomDetector | None:
    """The promoted custom detector of the group's metric. Raises: BelongsElsewhere, which sends the job to where it may run."""
    anomaly = next((rule for _, rule in group if isinstance(rule, AnomalyRule)), None)
    return detector_for(context, anomaly.metric, Grain(anomaly.grain)) if anomaly is not None else None


def _details(judge: Judge, rule: AnyRule, tuned: Tuning) -> Any:
    def made(event: Event) -> dict[str, Any]:
        return details(judge, rule, event, sensitivity=tuned.sensitivity(rule))

    return made


def _failed(context: JobContext, rows: Sequence[AlertRule], owner: str, error: UserError) -> None:
    now = context.services.clock.now()
    with context.services.store.write() as connection:
        for row in rows:
            alert_rules.record_run(
                connection, context.tenant, row.id, owner, next_run_at=now + TRY_AGAIN, now=context.as_of, error=error.message[:500]
            )
