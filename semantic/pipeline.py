"""From SQL that may not run to SQL that may: the steps, in order, visible.

The last of STEPS narrows every table; then the text is printed and `verify` checks, from that text alone, that it is narrowed.
Nothing happens between that check and the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from core.errors import InternalError, QueryRejected
from core.principal import Principal
from semantic.catalog.model import Catalog
from semantic.guard.analyst import read_analyst_sql
from semantic.guard.cap import cap_rows
from semantic.guard.names import check_ctes
from semantic.guard.printing import print_sql
from semantic.guard.rules import PSEUDONYM_KEY
from semantic.guard.scope import TENANT, isolate
from semantic.limits import Limits, limits_for
from semantic.policies import Access, access_of
from semantic.states import CompiledQuery, GuardedQuery, Param
from semantic.trust import DEFAULT_TRUST, Trust
from semantic.verify import verify


@dataclass(frozen=True, slots=True)
class Draft:
    """A query on its way through the guard. The tree belongs to the draft and is changed in place."""

    tree: exp.Expr
    params: Mapping[str, Param]
    access: Access
    limits: Limits
    trust: Trust
    datasets: tuple[str, ...] = ()
    by_analyst: bool = False


def declare_once(draft: Draft) -> Draft:
    check_ctes(draft.tree)
    return draft


def keep_our_names(draft: Draft) -> Draft:
    """Parameters that the guard binds must not come from outside."""
    taken = sorted(n for n in draft.params if n in (TENANT, PSEUDONYM_KEY) or n.startswith(("policy_", "filter_")))
    if taken and draft.by_analyst:
        raise QueryRejected(f"Parameter names {', '.join(taken)} are reserved; choose others.", code="reserved_name")
    if taken:
        raise InternalError(f"Compiled parameters must not be called {taken}: these names are the guard's.", code="reserved_name")
    return draft


def cap(draft: Draft) -> Draft:
    return replace(draft, tree=cap_rows(draft.tree, draft.limits.result_rows))


def narrow(draft: Draft) -> Draft:
    key = draft.trust.pseudonym_key_of(draft.access.tenant)
    scoped = isolate(draft.tree, draft.access, datasets=draft.datasets, pseudonym_key=key, analyst=draft.by_analyst)
    return replace(draft, tree=scoped.tree, params={**draft.params, **scoped.params})


STEPS: tuple[Callable[[Draft], Draft], ...] = (declare_once, keep_our_names, cap, narrow)


def guard_compiled(
    compiled: CompiledQuery,
    catalog: Catalog,
    principal: Principal,
    *,
    limits: Limits | None = None,
    trust: Trust = DEFAULT_TRUST,
    pseudonym_key: str = "",
) -> GuardedQuery:
    """A compiled query narrowed to what the caller may see, printed, and verified from its text.

    catalog: the tenant's full catalog (rules included), not one pruned for display. limits: None takes those of the caller's roles.
    trust: what the operator decided about tenant columns and databases. pseudonym_key: instead of the one in `trust`.
    Raises: QueryRejected, Forbidden.
    """
    limits = limits or limits_for(principal)
    trust = replace(trust, pseudonym_key=pseudonym_key) if pseudonym_key else trust
    draft = Draft(compiled.tree.copy(), compiled.params, access_of(catalog, principal, trust), limits, trust, compiled.datasets)
    return _finish(draft, catalog, principal, compiled)


def guard_sql(
    sql: str,
    catalog: Catalog,
    principal: Principal,
    *,
    limits: Limits | None = None,
    default_database: str | None = None,
    params: Mapping[str, Param] | None = None,
    trust: Trust = DEFAULT_TRUST,
    pseudonym_key: str = "",
) -> GuardedQuery:
    """An analyst's SQL narrowed to what the caller may see, printed from our own tree, and verified from its text.

    default_database: where given, table names without a database are read there. params: values of `{name:Type}` placeholders.
    pseudonym_key: instead of the one in `trust`.
    Raises: QueryRejected with a code, what was found, where (`path` is "line:column") and what to do instead; Forbidden.
    """
    limits = limits or limits_for(principal)
    trust = replace(trust, pseudonym_key=pseudonym_key) if pseudonym_key else trust
    access = access_of(catalog, principal, trust)
    try:
        tree = read_analyst_sql(sql, access, params or {}, default_database)
        return _finish(Draft(tree, params or {}, access, limits, trust, by_analyst=True), catalog, principal, None)
    except RecursionError as error:
        raise QueryRejected("The query is nested too deeply to be read.", code="sql_too_long", suggestions=("use WITH",)) from error


def _finish(draft: Draft, catalog: Catalog, principal: Principal, source: CompiledQuery | None) -> GuardedQuery:
    for step in STEPS:
        draft = step(draft)
    return verify(print_sql(draft.tree), draft.params, catalog, principal, limits=draft.limits, source=source, trust=draft.trust)
