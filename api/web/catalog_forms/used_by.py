"""What stands on an object of the catalog, so that nobody changes it unawares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from api import goals
from api.boards import service as boards
from api.services import Services
from core.principal import Principal
from core.store import alert_rules
from semantic.catalog.model import Catalog
from semantic.catalog.references import References, references

MOST = 30
_NAMES: Mapping[str, Callable[[References], frozenset[str]]] = {
    "metric": lambda found: found.metrics, "thing": lambda found: found.entities, "join": lambda found: found.via,
    "dataset": lambda found: found.datasets, "field": lambda found: frozenset(), "segment": lambda found: frozenset(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Use:
    what: str
    label: str
    href: str


def used_by(services: Services, caller: Principal, catalog: Catalog, kind: str, key: str) -> list[Use]:
    """Boards and goals only as the caller sees them. Nothing for kinds that nothing names. Blocks."""
    if kind not in _NAMES:
        return []
    return (_in_catalog(catalog, kind, key) + (_outside(services, caller, key) if kind == "metric" else []))[:MOST]


def _in_catalog(catalog: Catalog, kind: str, key: str) -> list[Use]:
    dataset, _, field = key.partition(".")

    def stands_on(part: object) -> bool:
        found = references(part)
        if kind == "field":
            return (dataset, field) in found.fields
        if kind == "dataset":
            return key in found.datasets or any(home == key for home, _ in found.fields) or getattr(part, "dataset", None) == key
        return key in _NAMES[kind](found)

    found = [
        Use("Metric", m.label, _form("metric", m.name))
        for m in catalog.metrics
        if not (kind == "metric" and m.name == key) and stands_on(m)
    ]
    found += [Use("Segment", s.label, _form("segment", s.name)) for s in catalog.segments if stands_on(s)]
    found += [Use("Verified question", q.question, _form("verified", q.question)) for q in catalog.verified if stands_on(q)]
    meant = f"{'entity' if kind == 'thing' else kind}:{key}"
    found += [Use("Word", t.term, _form("term", t.term)) for t in catalog.glossary if t.means == meant]
    found += [Use("Hierarchy", h.label, _form("levels", h.name)) for h in catalog.hierarchies if stands_on(h)]
    if kind in ("field", "dataset"):
        found += _of_columns(catalog, dataset, field)
    return found


def _of_columns(catalog: Catalog, dataset: str, field: str) -> list[Use]:
    """What names a field, or, without one, a table."""

    def names(home: str, fields: Iterable[str]) -> bool:
        return home == dataset and (not field or field in fields)

    found = [
        Use("Join", r.name.replace("_", " "), _form("join", r.name))
        for r in catalog.relationships
        if names(r.from_dataset, r.from_fields) or names(r.to_dataset, r.to_fields)
    ]
    found += [Use("Thing", e.label, _form("thing", e.name)) for e in catalog.entities if names(e.dataset, (*e.key, *e.display))]
    found += [
        Use("Row policy", p.name.replace("_", " "), _form("policy", p.name))
        for p in catalog.row_policies
        if names(p.dataset, [p.field or ""]) or (field and (dataset, field) in references(p.where).fields)
    ]
    found += [
        Use("Column rule", f"{r.action} for {', '.join(r.roles).replace('_', ' ')}", "/catalog/policies")
        for r in catalog.column_rules
        if names(r.dataset, [r.field])
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
