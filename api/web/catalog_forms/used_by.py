"""What stands on an object of the catalog, so that nobody changes it unawares."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from api import goals
from api.boards import service as boards
from api.services import Services
from core.principal import Principal
from core.store import alert_rules
from semantic.catalog.model import Catalog
from semantic.catalog.references import references

MOST = 30


@dataclass(frozen=True, slots=True)
class Use:
    what: str
    label: str
    href: str


def used_by(services: Services, caller: Principal, catalog: Catalog, kind: str, key: str) -> list[Use]:
    """Of a metric or a field; other parts are used by nothing that names them. Boards and goals only as the caller sees them. Blocks."""
    if kind not in ("metric", "field"):
        return []
    return (_in_catalog(catalog, kind, key) + (_outside(services, caller, key) if kind == "metric" else []))[:MOST]


def _in_catalog(catalog: Catalog, kind: str, key: str) -> list[Use]:
    dataset, _, field = key.partition(".")

    def stands_on(part: object) -> bool:
        found = references(part)
        return key in found.metrics if kind == "metric" else (dataset, field) in found.fields

    found = [Use("Metric", m.label, f"/catalog/forms/metric/{quote(m.name)}") for m in catalog.metrics if m.name != key and stands_on(m)]
    found += [Use("Segment", s.label, "/catalog/edit") for s in catalog.segments if stands_on(s)]
    found += [Use("Verified question", q.question, _form("verified", q.question)) for q in catalog.verified if stands_on(q)]
    found += [Use("Word", t.term, _form("term", t.term)) for t in catalog.glossary if t.means == f"{kind}:{key}"]
    if kind == "field":
        found += [Use("Hierarchy", h.label, "/catalog/edit") for h in catalog.hierarchies if stands_on(h)]
        found += [
            Use("Join", r.name.replace("_", " "), "/catalog/edit")
            for r in catalog.relationships
            if (r.from_dataset == dataset and field in r.from_fields) or (r.to_dataset == dataset and field in r.to_fields)
        ]
        found += [
            Use("Row policy", p.name.replace("_", " "), _form("policy", p.name))
            for p in catalog.row_policies
            if (p.dataset == dataset and p.field == field) or (p.where is not None and stands_on(p))
        ]
        found += [
            Use("Column rule", f"{r.action} for {', '.join(r.roles).replace('_', ' ')}", "/catalog/policies")
            for r in catalog.column_rules
            if (r.dataset, r.field) == (dataset, field)
        ]
    return found


def _outside(services: Services, caller: Principal, metric: str) -> list[Use]:
    with services.store.read() as connection:
        rules = [r for r in alert_rules.list_all(connection, caller.tenant, limit=1000) if r.metric == metric]
    found = [Use("Alert rule", r.name, f"/rules/{r.id}") for r in rules]
    found += [Use("Goal", g.name, f"/goals/{g.id}") for g in goals.list_goals(services, caller, metric=metric, limit=100)]
    for board in boards.visible(services, caller):
        if any(metric in references(pin.query).metrics for pin in boards.content_of(board).pins):
            found.append(Use("Board", board.title, f"/boards/{board.id}"))
    return found


def _form(kind: str, key: str) -> str:
    return f"/catalog/forms/{kind}/{quote(key, safe='')}"
