"""Published rules hold in drafts too: who edits the catalog sees with a draft no rows and no columns that what is published closes to them.

Rules hold for physical tables, so a dataset under another name over the same table is narrowed as well.
"""

from __future__ import annotations

import json
from typing import Any

from core.errors import Forbidden, QueryRejected
from core.principal import Principal
from semantic.catalog.model import Catalog, ColumnRule, Dataset, RowPolicy
from semantic.catalog.references import references
from semantic.catalog.visible import applies, closed_fields
from semantic.expr import FieldRef
from semantic.policies import access_of, column_of
from semantic.trust import Trust

Table = tuple[str, str]


def with_published_rules(draft: Catalog, published: Catalog, caller: Principal, trust: Trust) -> Catalog:
    """The draft for this caller alone: its own rules, and those of `published` on the tables that both have; the strictest holds."""
    tables: dict[Table, Dataset] = {(d.database, d.table): d for d in draft.datasets}
    taken = {d.name for d in (*draft.datasets, *published.datasets)}
    kept: list[Dataset] = []
    policies: list[RowPolicy] = []
    for dataset in published.datasets:
        over = tables.get((dataset.database, dataset.table))
        narrowing = [p for p in published.row_policies if p.dataset == dataset.name and applies(caller, p)]
        if over is None or not narrowing:
            continue
        name = _free(f"published_{dataset.name}"[:120], taken)
        copied = Dataset.model_validate(_renamed(dataset, dataset.name, name))
        kept.append(copied.model_copy(update={"name": name, "hidden": True, "filter": None, "tenant_column": over.tenant_column}))
        for policy in narrowing:
            carried = RowPolicy.model_validate(_renamed(policy, dataset.name, name))
            policies.append(carried.model_copy(update={"name": _free(f"published_{policy.name}"[:120], taken), "dataset": name}))
    datasets = (*kept, *draft.datasets)
    closed = {table: _closed_columns(published, table, caller, trust) for table in tables}
    roles = tuple(sorted(caller.role_names))
    rules = tuple(
        ColumnRule(dataset=d.name, field=f.name, roles=roles, action=action)
        for d in datasets
        for f in d.fields
        if (action := closed[d.database, d.table].get(column_of(f) or "")) is not None
    )
    return draft.model_copy(
        update={
            "datasets": datasets,
            "row_policies": (*draft.row_policies, *policies),
            "column_rules": (*draft.column_rules, *rules),
        }
    )


def refuse_counting_the_closed(draft: Catalog, ruled: Catalog, published: Catalog, caller: Principal) -> None:
    """A table's own filter and a row policy take rows by the real values, so a new one on a closed field would tell them by what is counted.

    ruled: what `with_published_rules` made of the draft. Raises: QueryRejected.
    """
    before = {d.name: d for d in published.datasets}
    new = {d.name for d in draft.datasets if before.get(d.name) != d}
    taking: list[object] = [d.filter for d in draft.datasets if d.filter is not None and d.name in new]
    for policy in draft.row_policies:
        if policy.dataset in new or policy not in published.row_policies:
            taking.append(policy.where or FieldRef(dataset=policy.dataset, field=policy.field or ""))
    if _read_by(tuple(taking), draft) & closed_fields(ruled, caller).keys():
        raise QueryRejected(
            "This draft takes rows by a field that is closed to you, so no figures are shown for it.",
            code="closed_condition",
            suggestions=("ask somebody who sees the field to try it", "take the condition out of the draft"),
        )


def _read_by(part: object, draft: Catalog) -> set[tuple[str, str]]:
    """The fields that it reads, also through computed ones."""
    computed = {(d.name, f.name): f.expression for d in draft.datasets for f in d.fields if f.expression is not None}
    seen: set[tuple[str, str]] = set()
    stack = [part]
    while stack:
        fields = references(stack.pop()).fields - seen
        seen |= fields
        stack += [computed[name] for name in fields if name in computed]
    return seen


def _closed_columns(published: Catalog, table: Table, caller: Principal, trust: Trust) -> dict[str, str]:
    """Column -> "hide", "mask" or "hash"."""
    over = [d for d in published.datasets if (d.database, d.table) == table]
    columns = {column for d in over for f in d.fields if (column := column_of(f)) is not None and column != d.tenant_column}
    if not over:
        return {}
    try:
        access = access_of(published, caller, trust).table(*table)
    except Forbidden:
        return dict.fromkeys(columns, "hide")
    read = {} if access is None else access.by_column
    actions = {column: read[column].treatment if column in read else "hide" for column in columns}
    return {column: action for column, action in actions.items() if action != "show"}


def _renamed(part: Dataset | RowPolicy, old: str, new: str) -> Any:
    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            made = {key: changed(one) for key, one in value.items()}
            return made | {"dataset": new} if made.get("dataset") == old else made
        return [changed(one) for one in value] if isinstance(value, list) else value

    return changed(json.loads(part.model_dump_json()))


def _free(name: str, taken: set[str]) -> str:
    n = 2
    made = name
    while made in taken:
        made, n = f"{name}_{n}", n + 1
    taken.add(made)
    return made
