"""What a caller may see of one physical table: readable columns and how, and which rows.

Rules are plain data. The guard writes them into SQL, the verifier looks for them in the final text; each has its own code for that.
Several datasets may lie over one table; the strictest of their rules holds for the table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from core.errors import Forbidden, Invalid, QueryRejected
from core.ids import TenantId, tenant_database, tenant_id
from core.principal import Principal
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, Dataset, FieldType, RowPolicy
from semantic.clearances import class_rules
from semantic.expr import Predicate
from semantic.trust import DEFAULT_TRUST, Trust

Treatment = Literal["show", "mask", "hash"]
_STRICTNESS = {"show": 0, "hash": 1, "mask": 2, "hide": 3}


@dataclass(frozen=True, slots=True)
class ColumnAccess:
    """A readable column of the table. `internal`: for joins of ours, not for analysts' SQL (a field marked hidden)."""

    column: str
    type: FieldType
    treatment: Treatment
    internal: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """`column` must be one of `values`; no values: nothing is visible."""

    param: str
    column: str
    type: FieldType
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """Rows that satisfy `where`, whose fields are those of `dataset`. Parameter names start with `param`."""

    param: str
    dataset: Dataset
    where: Predicate


RowRule = Membership | Condition


@dataclass(frozen=True)
class TableAccess:
    """Everything the guard needs to narrow one physical table for one caller."""

    database: str
    table: str
    tenant_column: str | None
    columns: tuple[ColumnAccess, ...]
    rules: tuple[RowRule, ...]
    filters: tuple[tuple[str, Condition | None], ...]
    """Per dataset over this table: its name and its own filter."""

    @cached_property
    def by_column(self) -> dict[str, ColumnAccess]:
        return {c.column: c for c in self.columns}


class Access:
    """Table accesses of one caller over one catalog, worked out when first asked for.

    Takes the tenant's full catalog: pruning it first could drop the very rules that must hold.
    """

    def __init__(self, catalog: Catalog, principal: Principal, trust: Trust = DEFAULT_TRUST) -> None:
        self.tenant = tenant_id(principal.tenant)
        self._catalog = catalog
        self._principal = principal
        self._trust = trust
        self._tables: dict[tuple[str, str], list[Dataset]] = {}
        for dataset in catalog.datasets:
            self._tables.setdefault((dataset.database, dataset.table), []).append(dataset)
        self._made: dict[tuple[str, str], TableAccess] = {}

    def known_tables(self) -> list[str]:
        return [f"{database}.{table}" for (database, table), datasets in self._tables.items() if not all(d.hidden for d in datasets)]

    def is_hidden(self, database: str, table: str) -> bool:
        return all(d.hidden for d in self._tables.get((database, table), ()))

    def datasets(self, database: str, table: str) -> list[Dataset]:
        return self._tables.get((database, table), [])

    def table(self, database: str, table: str) -> TableAccess | None:
        """None when the catalog has no such table.

        Raises: QueryRejected when the table is not kept apart per tenant; Forbidden when no column is left to the caller.
        """
        key = (database, table)
        if key not in self._made:
            datasets = self._tables.get(key)
            if not datasets:
                return None
            self._made[key] = _table_access(self._catalog, self._principal, datasets, self._trust)
        return self._made[key]


_CALLERS_KEPT = 256


def access_of(catalog: Catalog, principal: Principal, trust: Trust = DEFAULT_TRUST) -> Access:
    """The Access of this caller over this catalog value; one for all callers of equal tenant, roles and attributes, which is all that rules read."""
    kept: dict[tuple[object, ...], Access] = catalog.__dict__.setdefault("_access", {})
    attributes = tuple(sorted((name, tuple(values)) for name, values in principal.attributes.items()))
    key = (principal.tenant, principal.roles, principal.custom, attributes, trust)
    found = kept.get(key)
    if found is None:
        if len(kept) >= _CALLERS_KEPT:
            kept.clear()
        found = kept[key] = Access(catalog, principal, trust)
    return found


def column_of(field: CatalogField) -> str | None:
    """The physical column of a field; None for an expression."""
    if field.column is not None:
        return field.column
    return field.name if field.expression is None else None


def is_plain_name(name: str) -> bool:
    """Whether a name prints and reads back the same in every SQL dialect when quoted: no quotes, backslashes or control characters."""
    return 0 < len(name) <= 128 and name.isprintable() and not any(c in "\"'`\\“”‘’" for c in name)


def _applies(principal: Principal, rule: RowPolicy | ColumnRule) -> bool:
    # A caller without any built-in role is narrowed by everything: the safe reading of "roles not named are not narrowed".
    return not principal.roles or not principal.role_names.isdisjoint(rule.roles)


def _table_access(catalog: Catalog, principal: Principal, datasets: list[Dataset], trust: Trust) -> TableAccess:
    first = datasets[0]
    tenant_column = _tenant_column(principal.tenant, datasets, trust)
    names = {d.name for d in datasets}
    rules_here = [r for r in catalog.column_rules if r.dataset in names and _applies(principal, r)]
    rules_here += [r for r in class_rules(catalog, principal) if r.dataset in names]
    columns = _columns(datasets, tenant_column, rules_here, _join_keys(catalog))
    if not columns:
        raise Forbidden(f"Your roles may read no column of {first.database}.{first.table}.", code="no_readable_column")
    rules = tuple(
        _row_rule(index, policy, principal, datasets)
        for index, policy in enumerate(catalog.row_policies)
        if policy.dataset in names and _applies(principal, policy)
    )
    filters = tuple(
        (d.name, Condition(f"filter_{catalog.datasets.index(d)}", d, d.filter) if d.filter is not None else None) for d in datasets
    )
    return TableAccess(first.database, first.table, tenant_column, columns, rules, filters)


def _tenant_column(tenant: TenantId, datasets: list[Dataset], trust: Trust) -> str | None:
    first = datasets[0]
    where = f"{first.database}.{first.table}"
    if not is_plain_name(first.database) or not is_plain_name(first.table):
        raise QueryRejected(f"The name of table {where!r} holds quotes or control characters; rename it or make a view.", code="table_name")
    found = {d.tenant_column for d in datasets}
    if len(found) != 1:
        raise QueryRejected(f"Datasets over {where} name different tenant columns; give all of them the same.", code="not_isolated")
    column = found.pop()
    if (column is None or is_plain_name(column)) and trust.allows(first.database, column, tenant):
        return column
    known = ", ".join(sorted(trust.tenant_columns))
    raise QueryRejected(
        f"Table {where} is not known to hold each tenant apart: its tenant column is {column!r}.",
        code="not_isolated",
        suggestions=(f"set tenant_column to one of this installation's ({known})", f"move the table to {tenant_database(tenant)}"),
    )


def _join_keys(catalog: Catalog) -> frozenset[tuple[str, str]]:
    """(dataset, field) of every field that a relationship joins by; analysts need them although nobody asks for them by name."""
    ends = ((r.from_dataset, r.from_fields, r.to_dataset, r.to_fields) for r in catalog.relationships)
    return frozenset(
        (dataset, name) for from_, own, to, theirs in ends for dataset, names in ((from_, own), (to, theirs)) for name in names
    )


def _columns(
    datasets: list[Dataset], tenant_column: str | None, rules: Iterable[ColumnRule], join_keys: frozenset[tuple[str, str]]
) -> tuple[ColumnAccess, ...]:
    actions: dict[str, str] = {}
    for rule in rules:
        dataset = next(d for d in datasets if d.name == rule.dataset)
        if not dataset.has_field(rule.field):
            raise Invalid(
                f"A column rule names field {rule.dataset}.{rule.field}, which does not exist; correct the rule.", code="bad_rule"
            )
        for column in _physical_columns(dataset, dataset.field(rule.field)):
            if _STRICTNESS[rule.action] > _STRICTNESS[actions.get(column, "show")]:
                actions[column] = rule.action
    found: dict[str, ColumnAccess] = {}
    for dataset in datasets:
        for field in dataset.fields:
            name = column_of(field)
            if name is None or name == tenant_column or not is_plain_name(name):
                continue
            action = actions.get(name, "show")
            if action == "hide":
                continue
            hidden = field.hidden and (dataset.name, field.name) not in join_keys
            internal = hidden and (name not in found or found[name].internal)
            treatment: Treatment = "mask" if action == "mask" else "hash" if action == "hash" else "show"
            found[name] = ColumnAccess(name, field.type, treatment, internal)
    return tuple(found.values())


def _physical_columns(dataset: Dataset, field: CatalogField) -> set[str]:
    """The columns a rule on this field protects: its own, or for an expression those it reads."""
    own = column_of(field)
    if own is not None:
        return {own}
    named: set[str] = set()
    stack: list[object] = [field.expression.model_dump()] if field.expression is not None else []
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            if part.get("kind") == "field" and part.get("dataset") == dataset.name and dataset.has_field(str(part["field"])):
                inner = dataset.field(str(part["field"]))
                if inner.name != field.name:
                    named |= _physical_columns(dataset, inner)
            stack.extend(part.values())
        elif isinstance(part, list | tuple):
            stack.extend(part)
    return named


def _row_rule(index: int, policy: RowPolicy, principal: Principal, datasets: list[Dataset]) -> RowRule:
    dataset = next(d for d in datasets if d.name == policy.dataset)
    param = f"policy_{index}"
    if policy.where is not None and policy.field is None:
        return Condition(param, dataset, policy.where)
    if policy.field is None or policy.attribute is None or policy.where is not None or not dataset.has_field(policy.field):
        raise Invalid(
            f"Row policy {policy.name!r} must have either `where`, or a `field` of {dataset.name} with an `attribute`; correct it.",
            code="bad_rule",
        )
    field = dataset.field(policy.field)
    column = column_of(field)
    if column is None or not is_plain_name(column):
        raise Invalid(f"Row policy {policy.name!r} needs a field with a plain column; {policy.field!r} has none.", code="bad_rule")
    return Membership(param, column, field.type, tuple(principal.attributes.get(policy.attribute, ())))
