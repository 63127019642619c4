"""Named conditions that a table suggests: its statuses and its flags ("active customers", "sales in inventory")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.lateness import lateness_segments
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.words import plural
from semantic.catalog.model import CatalogField, Dataset, DatasetKind, FieldRole, FieldType, Segment
from semantic.expr import And, Comparison, FieldRef, IsNull, Literal_, Now, Or, Predicate

_MAX_STATUSES = 12
_ENDS = frozenset(
    """
    end ended ending termination terminated cancel canceled cancelled cancellation close closed closing leave left leaving discharge
    discharged exit exited churn churned resignation resigned deactivated
    """.split()
)
# What is over for a row once it has such a date: before, it is open.
_DONE = frozenset(
    "filled restored resolved completed completion finished returned fixed repaired received settled answered solved vacated".split()
)
_PLANNED = frozenset("end ends ending expiry expiration expires until".split())
_YES = ("1", "y", "yes", "true", "t")


def find_segments(datasets: Sequence[Dataset], names: Mapping[str, TableName]) -> list[Segment]:
    """One per status value and per flag of every dataset that is not a bridge."""
    found: list[Segment] = []
    taken: set[str] = set()
    for dataset in datasets:
        if dataset.kind == DatasetKind.BRIDGE:
            continue
        name = names[dataset.table]
        for field in dataset.fields:
            if field.hidden or field.pii:
                continue
            for said, value in _conditions(field, name):
                base = safe_name(said.lower())
                key, number = base, 2
                while key in taken:
                    key, number = f"{base}_{number}", number + 1
                taken.add(key)
                where = Comparison(op="=", left=FieldRef(dataset=dataset.name, field=field.name), right=Literal_(value=value))
                found.append(Segment(name=key, label=said, dataset=dataset.name, where=where, description=field.description))
        found.extend(_by_end(dataset, name, taken))
        found.extend(lateness_segments(dataset, name, taken))
    return found


def _by_end(dataset: Dataset, name: TableName, taken: set[str]) -> list[Segment]:
    """ "active subscriptions": those without an end, where exactly one date says when a row ends and nothing else says "active"."""
    times = [f for f in dataset.fields if f.role == FieldRole.TIME and f.nullable and not f.hidden]
    ends = [f for f in times if set(f.label.lower().split()) & _ENDS]
    done = [f for f in times if set(f.label.lower().split()) & _DONE]
    said = "active" if ends else "open"
    said_elsewhere = any(said in f"{f.label} {' '.join(f.values)}".lower().replace("_", " ").split() for f in dataset.fields)
    key = safe_name(f"{said} {name.plural}")
    if len(ends or done) != 1 or said_elsewhere or key in taken:
        return []
    taken.add(key)
    others = ("current", "open", "ongoing") if ends else ("ongoing", "still open", "outstanding", "unresolved")
    where: Predicate = IsNull(field=FieldRef(dataset=dataset.name, field=(ends or done)[0].name))
    if ends and (planned := _planned_end(dataset)) is not None:
        ended, until = (FieldRef(dataset=dataset.name, field=f.name) for f in (ends[0], planned))
        early = Or(items=(where, Comparison(op=">", left=ended, right=Now())))
        where = And(items=(early, Comparison(op=">=", left=until, right=Now())))
    return [
        Segment(
            name=key,
            label=f"{said} {name.plural}",
            synonyms=tuple(
                f"{word} {noun}" for noun in (name.plural, *(s for s in name.synonyms if plural(s) == s)) for word in (said, *others)
            )[1:],
            dataset=dataset.name,
            where=where,
            description=f"{name.plural} without {(ends or done)[0].label}",
        )
    ]


def _planned_end(dataset: Dataset) -> CatalogField | None:
    """The day on which every row will end at the latest, beside the one on which some ended before."""
    found = [
        f
        for f in dataset.fields
        if f.role == FieldRole.TIME and not f.nullable and not f.hidden and _PLANNED & set(f.label.lower().split())
    ]
    return found[0] if len(found) == 1 else None


def _conditions(field: CatalogField, name: TableName) -> list[tuple[str, str | bool | int]]:
    words = field.label.split()
    if field.role == FieldRole.CATEGORY and field.type == FieldType.STRING and words[-1] in ("status", "state") and words[-1] != "state":
        return [
            (f"{v.replace('_', ' ').strip().lower()} {name.plural}", v) for v in field.values[:_MAX_STATUSES] if v.strip() and len(v) <= 30
        ]
    if field.role == FieldRole.FLAG and words[0] in ("is", "has"):
        rest = " ".join(w for w in words[1:] if w not in name.words) or " ".join(words[1:])
        said = (
            f"{name.plural} {rest}"
            if rest.startswith("in ")
            else f"{rest} {name.plural}"
            if words[0] == "is"
            else f"{name.plural} with {rest}"
        )
        if field.type == FieldType.BOOLEAN:
            return [(said, True)]
        yes = next((v for v in field.values if v.lower() in _YES), None)
        if yes is not None:
            return [(said, int(yes) if field.type == FieldType.INTEGER else yes)]
    return []
