"""What beat does for alerts: due rules become jobs, due messages are sent. Ticks that come late, twice or never change nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby

from core.errors import Forbidden, UserError
from core.store import alert_rules
from core.store.alert_rules import AlertRule
from workers.alerts.history import Look
from workers.alerts.rule import parse_rule
from workers.bootstrap import Services
from workers.holder import holder_name
from workers.principals import load_principal
from workers.queue import enqueue

LEASE = dt.timedelta(minutes=30)  # a job that waits longer than this finds its rules leased again, and looks at them as well
RULES_PER_JOB = 100
LEASED_AT_ONCE = 500
MOST_AT_ONCE = 20_000  # gathered before they are shared out, so that rules that look at the same come into one job
TRY_AGAIN = dt.timedelta(hours=6)  # a rule whose author may no longer ask


def start_due_rules(services: Services) -> int:
    """Leases all due rules and accepts jobs for them; how many rules. A rule missed many times runs once.

    Raises: Unavailable when the state store does not answer.
    """
    owner = holder_name()
    now = services.clock.now()
    rules: list[AlertRule] = []
    while len(rules) < MOST_AT_ONCE:
        with services.store.write() as connection:
            some = alert_rules.lease_due(connection, owner, now=now, lease_for=LEASE, limit=LEASED_AT_ONCE)
        if not some:
            break
        known = {rule.id for rule in rules}
        rules += [rule for rule in some if rule.id not in known]
    for _, group in groupby(sorted(rules, key=_whose), key=_whose):
        _start(services, owner, sorted(group, key=_look))
    return len(rules)


def _start(services: Services, owner: str, rules: Sequence[AlertRule]) -> None:
    """Jobs for rules of one author; those that look at the same stand together."""
    try:
        principal = load_principal(services.store, rules[0].tenant, rules[0].created_by)
    except Forbidden as error:
        later = services.clock.now() + TRY_AGAIN
        with services.store.write() as connection:
            for rule in rules:
                alert_rules.record_run(
                    connection, rule.tenant, rule.id, owner, next_run_at=later, now=services.clock.now(), error=error.message
                )
        return
    for start in range(0, len(rules), RULES_PER_JOB):
        ids = [rule.id for rule in rules[start : start + RULES_PER_JOB]]
        enqueue(services, "evaluate_rules", {"rules": ids, "owner": owner}, principal)


def _whose(rule: AlertRule) -> tuple[str, str]:
    return rule.tenant, rule.created_by


def _look(rule: AlertRule) -> str:
    try:
        return repr(Look.of(parse_rule({"metric": rule.metric, **rule.definition})))
    except UserError:
        return ""
