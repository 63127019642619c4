"""The whole way from a query to one that may run; and what came of it kept, for who asks the same again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from core.errors import QueryRejected
from core.ids import UserId
from core.lru import Lru
from core.principal import Principal
from core.timeseries import Grain
from semantic.catalog.model import Catalog
from semantic.catalog.references import walk
from semantic.closed_conditions import refuse_closed_conditions
from semantic.compile import compile_query
from semantic.expr import Now, Unit
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from semantic.states import GuardedQuery
from semantic.trust import DEFAULT_TRUST, Trust
from semantic.windows import local_now

_WITHIN_A_DAY = frozenset((Unit.SECOND, Unit.MINUTE, Unit.HOUR))
_NOBODY = UserId("")
KEPT = 128
_MOST_TEXT = 20_000  # characters; questions have some hundred, so that a book of many lists of values stays small


def guarded_query(
    query: SemanticQuery, visible: Catalog, full: Catalog, principal: Principal, *, as_of: dt.datetime, trust: Trust = DEFAULT_TRUST
) -> GuardedQuery:
    """Names resolve against what the caller may see (`visible`); the guard scopes with the `full` catalog, rules included.

    Raises: UserError.
    """
    try:
        compiled = compile_query(resolve(query, visible, as_of=as_of))
        refuse_closed_conditions(query, full, principal)
        return guard_compiled(compiled, full, principal, trust=trust)
    except RecursionError as error:
        raise QueryRejected(
            "The query is nested too deeply to be read.",
            code="query_too_deep",
            suggestions=("put conditions side by side in one `and` or `or`",),
        ) from error


class GuardedBook:
    """Guarded queries over one catalog as one kind of caller sees it. Thread-safe, bounded; refusals are not kept.

    A query is found again only for the same text of the query, tenant, roles, rights and attributes, trust, and the same day in the catalog's
    time zone. The kernel is given no more of the caller than that, so that what it makes cannot rest on more. Queries that could change within
    a day (those that speak of hours or of this very moment, or whose catalog does) are made anew each time, and so are long ones.
    """

    def __init__(self, visible: Catalog, full: Catalog, *, capacity: int = KEPT) -> None:
        self._visible, self._full = visible, full
        self._is_of_days = is_of_days(visible)
        self._kept: Lru[tuple[object, ...], GuardedQuery] = Lru(capacity)

    def guarded(self, query: SemanticQuery, full: Catalog, principal: Principal, *, as_of: dt.datetime, trust: Trust) -> GuardedQuery:
        """As `guarded_query`. Raises: UserError."""
        caller = replace(principal, user=_NOBODY, scopes=frozenset())
        text = _text_of(query) if full is self._full and self._is_of_days and is_of_days(query) else None
        if text is None:
            return guarded_query(query, self._visible, full, caller, as_of=as_of, trust=trust)
        key = (text, local_now(self._visible.calendar, as_of).date(), *_told_of(caller), trust)
        return self._kept.get_or_make(key, lambda: guarded_query(query, self._visible, full, caller, as_of=as_of, trust=trust))


def _text_of(query: SemanticQuery) -> str | None:
    """It tells types apart, which equality does not: 1, 1.0 and True, a date and its text. None for what is too long or too deep to be kept."""
    try:
        text = repr(query)
    except RecursionError:
        return None
    return text if len(text) <= _MOST_TEXT else None


def _told_of(caller: Principal) -> tuple[object, ...]:
    attributes: Mapping[str, tuple[str, ...]] = caller.attributes
    return caller.tenant, caller.roles, caller.custom, caller.granted, tuple(sorted((n, tuple(v)) for n, v in attributes.items()))


def is_of_days(part: object) -> bool:
    """Whether nothing in a query or catalog tells moments of one day apart."""
    return not any(
        isinstance(value, dt.datetime)
        or (isinstance(value, Unit | Grain) and value.value in _WITHIN_A_DAY)
        or (isinstance(value, Now) and not value.date_only)
        for value in walk(part)
    )
