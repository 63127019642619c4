"""Named conditions of rows that have a day on which something is due and one on which it was done: late, on time, overdue."""

from __future__ import annotations

from collections.abc import Sequence

from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.naming import TableName
from semantic.catalog.model import CatalogField, Dataset, FieldRole, Segment
from semantic.expr import And, Comparison, DateDiff, FieldRef, IsNull, Literal_, Now, Predicate

_DUE = frozenset("due promised expected planned plan scheduled target deadline required estimated committed".split())
_STARTS = frozenset("start begin begins from opening".split())
# What is done, by a word of the date on which it was.
_DONE = {
    "paid": "paid", "payment": "paid", "received": "received", "receipt": "received", "delivered": "delivered", "delivery": "delivered",
    "completed": "completed", "completion": "completed", "finished": "finished", "finish": "finished", "returned": "returned", "return": "returned",
    "resolved": "resolved", "shipped": "shipped", "arrived": "arrived", "settled": "settled", "filled": "filled", "restored": "restored",
    "answered": "answered", "submitted": "submitted", "closed": "closed", "fulfilled": "fulfilled",
}  # fmt: skip
_FINISHED = ("finished", "completed", "ended")


def lateness_segments(dataset: Dataset, name: TableName, taken: set[str]) -> list[Segment]:
    """Nothing where it is not plain which day is which, or where the rows say it themselves."""
    times = [f for f in dataset.fields if f.role == FieldRole.TIME and not f.hidden and not set(_words(f)) & _STARTS]
    due = [f for f in times if set(_words(f)) & _DUE]
    done = [(f, verbs) for f in times if f not in due and (verbs := _verbs(f))]
    said = {w for f in dataset.fields if f not in times for text in (f.label, *f.values) for w in text.lower().replace("_", " ").split()}
    found: list[Segment] = []
    if len(done) != 1 or len(due) != 1:
        return found
    field, verbs = done[0]
    at = FieldRef(dataset=dataset.name, field=field.name)
    limit = FieldRef(dataset=dataset.name, field=due[0].name)
    if not said & {"late", "delayed"}:
        other = tuple(f"{verb} late" for verb in verbs if verb in _FINISHED)
        found.append(_segment(dataset, name, "late", (*other, *(f"{name.plural} {x}" for x in other)), _after(dataset, limit, at)))
        other = tuple(f"{verb} on time" for verb in verbs if verb in _FINISHED)
        words = (*other, *(f"{name.plural} {x}" for x in other), f"{name.plural} on time")
        found.append(
            _segment(dataset, name, "on time", words, And(items=(_after(dataset, limit, at, late=False), IsNull(field=at, negate=True))))
        )
    if field.nullable and "overdue" not in said:
        passed = And(items=(IsNull(field=at), Comparison(op="<", left=limit, right=Now())))
        found.append(_segment(dataset, name, "overdue", ("overdue", f"past due {name.plural}"), passed))
    return _untaken(found, taken)


def _words(field: CatalogField) -> list[str]:
    return field.label.lower().split()


def _verbs(field: CatalogField) -> tuple[str, ...]:
    """What was done on that day, the likeliest word first."""
    words = _words(field)
    if "actual" in words and {"end", "finish", "completion"} & set(words):
        return _FINISHED
    return tuple(dict.fromkeys(_DONE[w] for w in words if w in _DONE))


def _after(dataset: Dataset, limit: FieldRef, at: FieldRef, *, late: bool = True) -> Predicate:
    """Done after the limit: by the clock where both are instants, else by the day."""
    kinds = {dataset.field(x.field).type for x in (limit, at)}
    if len(kinds) == 1:
        return Comparison(op=">" if late else "<=", left=at, right=limit)
    days = DateDiff(unit="day", start=limit, end=at)
    return Comparison(op=">" if late else "<=", left=days, right=Literal_(value=0))


def _segment(dataset: Dataset, name: TableName, lead: str, more: Sequence[str], where: Predicate) -> Segment:
    label = f"{lead} {name.plural}"
    return Segment(name=safe_name(label), label=label, dataset=dataset.name, where=where, synonyms=tuple(more))


def _untaken(found: Sequence[Segment], taken: set[str]) -> list[Segment]:
    kept = [s for s in found if s.name not in taken]
    taken.update(s.name for s in kept)
    return kept
