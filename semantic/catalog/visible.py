"""The catalog as one caller may see it: what is hidden, and what depends on it, is not there at all.

This is for display and for understanding questions. The guard works from the full catalog; nothing relies on this pruning for safety.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.principal import Principal
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, Dataset, GlossaryTerm, Metric, RowPolicy, SimpleMetric
from semantic.catalog.references import References, parts, references
from semantic.clearances import class_rules


def visible_to(catalog: Catalog, principal: Principal) -> Catalog:
    """Without hidden datasets and metrics, columns that a rule hides, and whatever is made of them.

    Hidden fields stay (joins and row policies need them) but are marked; sample values vanish where a row policy, a mask or PII
    would make them tell more than the caller may see. Rules and policies themselves are left out.
    """
    actions = closed_fields(catalog, principal)
    narrowed = {p.dataset for p in catalog.row_policies if applies(principal, p)}
    datasets = tuple(_dataset(d, actions, d.name in narrowed) for d in catalog.datasets if not d.hidden)
    known_datasets = {d.name for d in datasets}
    known_fields = {(d.name, f.name) for d in datasets for f in d.fields}
    relationships = tuple(
        r
        for r in catalog.relationships
        if all((r.from_dataset, f) in known_fields for f in r.from_fields) and all((r.to_dataset, f) in known_fields for f in r.to_fields)
    )
    known_via = {r.name for r in relationships}

    def stands(part: object) -> bool:
        return _stands(references(part), known_fields, known_datasets, known_via)

    metrics = _metrics(catalog, known_datasets, stands)
    known_metrics = {m.name for m in metrics}
    entities = tuple(
        e.model_copy(update={"display": tuple(f for f in e.display if (e.dataset, f) in known_fields)})
        for e in catalog.entities
        if all((e.dataset, f) in known_fields for f in e.key)
    )
    known_entities = {e.name for e in entities}
    segments = tuple(s for s in catalog.segments if s.dataset in known_datasets and stands(s.where))
    targets = (
        {f"metric:{m}" for m in known_metrics}
        | {f"field:{d}.{f}" for d, f in known_fields}
        | {f"entity:{e}" for e in known_entities}
        | {f"segment:{s.name}" for s in segments}
    )
    return catalog.model_copy(
        update={
            "datasets": datasets,
            "relationships": relationships,
            "metrics": metrics,
            "entities": entities,
            "segments": segments,
            "hierarchies": tuple(h for h in catalog.hierarchies if stands(h.levels)),
            "glossary": tuple(t for t in catalog.glossary if _term_stands(t, targets)),
            "verified": tuple(
                v
                for v in catalog.verified
                if stands(v.query) and references(v.query).metrics <= known_metrics and references(v.query).entities <= known_entities
            ),
            "row_policies": (),
            "column_rules": (),
            "clearances": (),
        }
    )


def closed_fields(catalog: Catalog, principal: Principal) -> dict[tuple[str, str], str]:
    """(dataset, field) -> "hide", "mask" or "hash", of what column rules and clearances close to this caller."""
    actions: dict[tuple[str, str], str] = {}
    for rule in (*(r for r in catalog.column_rules if applies(principal, r)), *class_rules(catalog, principal)):
        if actions.get((rule.dataset, rule.field)) != "hide":
            actions[rule.dataset, rule.field] = rule.action
    return actions


def applies(principal: Principal, rule: RowPolicy | ColumnRule) -> bool:
    """Whether the rule narrows this caller; one without any built-in role is narrowed by every rule."""
    return not principal.roles or not principal.role_names.isdisjoint(rule.roles)


def _dataset(dataset: Dataset, actions: Mapping[tuple[str, str], str], narrowed: bool) -> Dataset:
    fields = []
    for field in dataset.fields:
        action = actions.get((dataset.name, field.name))
        if action == "hide":
            continue
        silent = narrowed or field.pii or action in {"mask", "hash"}
        fields.append(_without_values(field) if silent and (field.values or field.value_synonyms) else field)
    hidden = {f.name for f in dataset.fields} - {f.name for f in fields}
    fields = [
        f for f in fields if f.expression is None or not {name for d, name in references(f.expression).fields if d == dataset.name} & hidden
    ]
    names = {f.name for f in fields}
    return dataset.model_copy(
        update={
            "fields": tuple(fields),
            "time": dataset.time if dataset.time in names else None,
        }
    )


def _without_values(field: CatalogField) -> CatalogField:
    return field.model_copy(update={"values": (), "value_synonyms": {}})


def _metrics(catalog: Catalog, datasets: set[str], stands: Callable[[object], bool]) -> tuple[Metric, ...]:
    """Those whose fields are all visible, and whose parts are (parts may be hidden from lists, but must be computable)."""
    computable = {
        m.name for m in catalog.metrics if (m.dataset in datasets and stands(m) if isinstance(m, SimpleMetric) else stands(m.non_additive))
    }
    while True:
        lost = {m.name for m in catalog.metrics if m.name in computable and not set(parts(m)) <= computable}
        if not lost:
            break
        computable -= lost
    return tuple(m for m in catalog.metrics if m.name in computable)


def _stands(found: References, fields: set[tuple[str, str]], datasets: set[str], via: set[str]) -> bool:
    return found.fields <= fields and found.datasets <= datasets and found.via <= via


def _term_stands(term: GlossaryTerm, targets: set[str]) -> bool:
    return term.means is None or term.means in targets
