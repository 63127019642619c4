"""Preview of a rule as a job: with the promoted custom detector, which needs the walls of queue `sandbox`."""

from __future__ import annotations

from typing import Any

from core.store import alert_rules, incident_events
from core.timeseries import Grain
from workers.alerts.feedback import Tuning, tuning
from workers.alerts.preview import preview
from workers.alerts.rule import AnomalyRule, parse_rule
from workers.context import JobContext
from workers.judges import detector_for, judging
from workers.kinds import PreviewRuleParams


def run(context: JobContext) -> dict[str, Any]:
    """What `preview` gives, and {"model", "judged"}: the custom detector that judged (empty: Querent's own), and who did as a sentence.

    Raises: UserError for what cannot be asked; NotFound for another's rule; NotEnoughData without any row; Unavailable.
    """
    params = PreviewRuleParams.model_validate(context.job.params)
    rule = parse_rule(params.definition)
    context.progress("evaluate", 0, 1)
    custom = detector_for(context, rule.metric, Grain(rule.grain)) if isinstance(rule, AnomalyRule) else None
    tuned = _tuned(context, params.rule_id)
    judge = judging(custom) if custom is not None else None
    found = preview(context.services, context.principal, rule, now=context.as_of, tuned=tuned, custom=judge)
    said = custom.said if custom is not None else "Judged by Querent's own detector."
    return found | {"model": custom.speaker if custom is not None else "", "judged": said}


def _tuned(context: JobContext, rule_id: str | None) -> Tuning | None:
    if rule_id is None:
        return None
    with context.services.store.read() as connection:
        row = alert_rules.get(connection, context.tenant, rule_id)
        return tuning(incident_events.votes(connection, context.tenant, [row.id])[row.id])
