"""Rates of flags: the share of rows with it ("cancellation rate" of is_canceled), as a ratio of two counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.metrics import SOURCE
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.words import plural
from semantic.catalog.model import CatalogField, Dataset, DatasetKind, FieldRole, FieldType, Metric, RatioMetric, SimpleMetric
from semantic.expr import Comparison, FieldRef, Literal_
from semantic.query import AggregateKind

_MAX_FLAGS = 8
_DOWN = frozenset(
    "canceled cancelled returned churned refunded rejected defaulted delayed lost bounced escalated readmitted failed late fraud".split()
)
_YES = ("1", "y", "yes", "true", "t")


def find_rates(datasets: Sequence[Dataset], names: Mapping[str, TableName], metrics: Sequence[SimpleMetric]) -> list[Metric]:
    """For every flag of a fact: how many rows have it, and their share."""
    counts = {m.dataset: m for m in metrics if m.aggregate == AggregateKind.COUNT and m.of is None}
    taken = {m.name for m in metrics}
    found: list[Metric] = []
    for dataset in datasets:
        total = counts.get(dataset.name)
        if dataset.kind != DatasetKind.FACT or total is None:
            continue
        flags = [f for f in dataset.fields if f.role == FieldRole.FLAG and not f.hidden and not f.pii][:_MAX_FLAGS]
        for field in flags:
            said = _said(field)
            yes = _yes(field)
            if said is None or yes is None or f"{safe_name(said)}_rate" in taken:
                continue
            pair = _pair(dataset, names[dataset.table], field, said, yes, total)
            if taken & {m.name for m in pair}:
                continue
            taken.update(m.name for m in pair)
            found += pair
    return found


def _said(field: CatalogField) -> str | None:
    """What the flag says of a row, where its name is a statement ("is canceled", "returned")."""
    words = field.label.split()
    if words[0] in ("is", "was", "has") and len(words) > 1:
        return " ".join(words[1:])
    return field.label if words[-1] in v.NOUN_OF else None


def _yes(field: CatalogField) -> bool | int | str | None:
    if field.type == FieldType.BOOLEAN:
        return True
    value = next((x for x in field.values if x.lower() in _YES), None)
    return int(value) if value is not None and field.type == FieldType.INTEGER else value


def _pair(dataset: Dataset, name: TableName, field: CatalogField, said: str, yes: bool | int | str, total: SimpleMetric) -> list[Metric]:
    noun = v.NOUN_OF.get(said.split()[-1])
    spoken = " ".join((*said.split()[:-1], noun)) if noun else said
    with_it = f"with {said}" if field.label.startswith("has ") else said
    rows = f"{name.plural} {with_it}" if field.label.startswith("has ") else f"{said} {name.plural}"
    down = bool(set(said.split()) & _DOWN)
    count = SimpleMetric(
        name=safe_name(f"{said}_{'_'.join(name.words)}_count"),
        label=f"number of {rows}",
        synonyms=tuple(
            dict.fromkeys((f"{rows} count", f"count of {rows}", *([plural(spoken), f"number of {plural(spoken)}"] if noun else [])))
        ),
        good_direction="down" if down else None,
        dataset=dataset.name,
        aggregate=AggregateKind.COUNT,
        where=Comparison(op="=", left=FieldRef(dataset=dataset.name, field=field.name), right=Literal_(value=yes)),
        source=SOURCE,
    )
    rate = RatioMetric(
        name=safe_name(f"{spoken}_rate"),
        label=f"{spoken} rate",
        synonyms=tuple(
            dict.fromkeys(
                (
                    f"share of {rows}",
                    f"percentage of {rows}",
                    f"percent of {rows}",
                    f"proportion of {rows}",
                    *([f"{said} rate"] if noun else []),
                )
            )
        ),
        description=field.description,
        format="percent",
        good_direction="down" if down else None,
        numerator=count.name,
        denominator=total.name,
        source=SOURCE,
    )
    return [count, rate]
