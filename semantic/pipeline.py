"""From SQL that may not run to SQL that may: the steps, in order, visible.

The last two are always *narrow every table* and *check that it is narrowed*; nothing runs between the check and the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import InternalError
from core.principal import Principal
from semantic.catalog.model import Catalog
from semantic.guard.analyst import read_analyst_sql
from semantic.guard.cap import cap_rows
from semantic.guard.names import check_ctes
from semantic.guard.printing import print_sql
from semantic.guard.rules import PSEUDONYM_KEY
from semantic.guard.scope import TENANT, isolate
from semantic.limits import Limits, limits_for
from semantic.policies import Access
from semantic.states import CompiledQuery, GuardedQuery, Param
from semantic.verify import verify

STEPS = ("read", "check_ctes", "cap_rows", "isolate", "print_sql", "verify")


def guard_compiled(
    compiled: CompiledQuery, catalog: Catalog, principal: Principal, *, limits: Limits | None = None, pseudonym_key: str = ""
) -> GuardedQuery:
    """A compiled query narrowed to what the caller may see, printed, and verified from its text.

    catalog: the tenant's full catalog (rules included), not one pruned for display. limits: None takes those of the caller's roles.
    pseudonym_key: secret of this installation for `hash` columns; without it they are masked.
    Raises: QueryRejected, Forbidden.
    """
    limits = limits or limits_for(principal)
    reserved = [name for name in compiled.params if name in (TENANT, PSEUDONYM_KEY) or name.startswith(("policy_", "filter_"))]
    if reserved:
        raise InternalError(f"Compiled parameters must not be called {reserved}; these names are the guard's.", code="reserved_parameter")
    check_ctes(compiled.tree)
    access = Access(catalog, principal)
    capped = cap_rows(compiled.tree.copy(), limits.result_rows)
    scoped = isolate(capped, access, datasets=compiled.datasets, pseudonym_key=pseudonym_key)
    params = {**compiled.params, **scoped.params}
    return verify(print_sql(scoped.tree), params, catalog, principal, limits=limits, source=compiled, pseudonym_key=pseudonym_key)


def guard_sql(
    sql: str,
    catalog: Catalog,
    principal: Principal,
    *,
    limits: Limits | None = None,
    default_database: str | None = None,
    params: Mapping[str, Param] | None = None,
    pseudonym_key: str = "",
) -> GuardedQuery:
    """An analyst's SQL narrowed to what the caller may see, printed from our own tree, and verified from its text.

    default_database: where given, table names without a database are read there. params: values of `{name:Type}` placeholders.
    Raises: QueryRejected with a code, what was found, where (`path` is "line:column") and what to do instead.
    """
    limits = limits or limits_for(principal)
    access = Access(catalog, principal)
    bound = dict(params or {})
    tree = read_analyst_sql(sql, access, bound, default_database)
    scoped = isolate(cap_rows(tree, limits.result_rows), access, pseudonym_key=pseudonym_key, analyst=True)
    bound.update(scoped.params)
    return verify(print_sql(scoped.tree), bound, catalog, principal, limits=limits, pseudonym_key=pseudonym_key)
