"""Who may see an incident: its figures were made with the rights of the rule's author, which may be more than the reader has."""

from __future__ import annotations

from core.errors import UserError
from core.principal import Principal
from core.store.alert_rules import AlertRule
from semantic.catalog.model import Catalog
from semantic.catalog.visible import applies, closed_fields, visible_to
from semantic.query import MetricRef
from workers.alerts.rule import parse_rule
from workers.forecasts.visibility import fields_behind


def may_see(reader: Principal, metric: str, row: AlertRule | None, catalog: Catalog) -> bool:
    """The author always; others when the metric is theirs to see, no row policy narrows what they see, and no field that the rule looks at is
    closed to them, by a column rule or their clearance; reasons name no field that is closed to anybody. row: None for a rule that is gone,
    which may have looked at what a column rule closes.
    """
    if row is not None and reader.user == row.created_by:
        return True
    if any(applies(reader, p) for p in catalog.row_policies) or (row is None and any(applies(reader, r) for r in catalog.column_rules)):
        return False
    closed = closed_fields(catalog, reader).keys()
    if closed:
        looks_at = _looks_at(row)
        if looks_at is None or closed & fields_behind(catalog, MetricRef(metric=metric), *looks_at):
            return False
    return metric in {m.name for m in visible_to(catalog, reader).metrics}


def _looks_at(row: AlertRule | None) -> tuple[object, ...] | None:
    """None when the rule that is kept cannot be read, so that nobody knows."""
    if row is None:
        return ()
    try:
        rule = parse_rule({**row.definition, "metric": row.metric})
    except UserError:
        return None
    return (rule.where, rule.segments, *(MetricRef(metric=name) for name in getattr(rule, "together", ())))
