"""What the first page greets with: questions to try, what needs attention, goals, and the cards that a person chose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.goals import GoalCard, goal_cards
from api.routes import incidents as incident_routes
from api.web.incident_pages import incident_line, people
from api.web.shell import Visitor
from core.errors import Invalid, NotFound
from core.store import digests, preferences
from core.store.digests import Issue
from semantic.catalog.model import Catalog, Metric
from workers.digests.message import issue_retold

MAX_CARDS = 8
MAX_CHOSEN = 16
SHOWN_INCIDENTS = 3
DIGEST_IS_NEWS = dt.timedelta(days=10)  # a weekly one until after the next is due
PREFERENCE = "home_cards"


@dataclass(frozen=True, slots=True)
class CardChoice:
    """place: among the chosen ones, counted from 1; 0 when it has no card."""

    name: str
    label: str
    place: int


@dataclass(frozen=True, slots=True)
class Home:
    """own: whether the person chose the cards. digest: the latest one issued to them, while it is news."""

    examples: tuple[str, ...]
    cards: tuple[str, ...]
    own: bool
    choices: tuple[CardChoice, ...]
    incidents: tuple[Mapping[str, Any], ...]
    more_incidents: bool
    goals: tuple[GoalCard, ...]
    labels: Mapping[str, str]
    digest: Issue | None = None


async def welcome(request: Request, at: Visitor) -> Home:
    """Raises: Unavailable."""
    try:
        visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)
    except NotFound:
        return Home((), (), False, (), (), False, (), {})
    metrics = [m for m in visible.catalog.metrics if not m.hidden]
    cards, own = await run_in_threadpool(chosen_cards, at, metrics)
    found = (await incident_routes.list_incidents(request, at.caller, "open", None, None, SHOWN_INCIDENTS + 1)).items
    names = await run_in_threadpool(people, at) if found else {}
    goals = await run_in_threadpool(goal_cards, at.services, at.caller)
    return Home(
        examples=tuple(visible.understander.examples())[:6],
        cards=tuple(cards),
        own=own,
        choices=_choices(metrics, cards),
        incidents=tuple(incident_line(item, names) for item in found[:SHOWN_INCIDENTS]),
        more_incidents=len(found) > SHOWN_INCIDENTS,
        goals=goals,
        labels={m.name: m.label for m in metrics},
        digest=await run_in_threadpool(latest_digest, at),
    )


def latest_digest(at: Visitor) -> Issue | None:
    with at.services.store.read() as connection:
        found = digests.issues(connection, at.caller.tenant, at.caller.user, status="issued", limit=1)
    return issue_retold(found[0]) if found and at.services.clock.now() - found[0].created_at < DIGEST_IS_NEWS else None


def chosen_cards(at: Visitor, metrics: Sequence[Metric]) -> tuple[list[str], bool]:
    """The person's own choice of what is still there, else the certified metrics, else the first ones; and which of it."""
    with at.services.store.read() as connection:
        kept = preferences.get(connection, at.caller.tenant, at.caller.user, PREFERENCE)
    known = {m.name for m in metrics}
    if isinstance(kept, list) and (mine := [name for name in kept if name in known]):
        return mine, True
    usual = [m for m in metrics if m.certified] or list(metrics)
    return [m.name for m in usual[:MAX_CARDS]], False


def keep_cards(at: Visitor, catalog: Catalog, wanted: Sequence[tuple[int, str]]) -> None:
    """wanted: (place, metric); none goes back to the usual ones. Raises: NotFound for a metric; Invalid for too many."""
    names = [name for _, name in sorted(wanted, key=lambda pair: pair[0])]
    for name in names:
        catalog.metric(name)
    if len(names) > MAX_CHOSEN:
        raise Invalid(f"Choose at most {MAX_CHOSEN} cards; found {len(names)}.", code="too_many_cards")
    with at.services.store.write() as connection:
        preferences.put(connection, at.caller.tenant, at.caller.user, PREFERENCE, list(dict.fromkeys(names)), now=at.services.clock.now())


def _choices(metrics: Sequence[Metric], cards: Sequence[str]) -> tuple[CardChoice, ...]:
    """The chosen ones in their order, then the others by name."""
    place = {name: i for i, name in enumerate(cards, 1)}
    made = [CardChoice(m.name, m.label, place.get(m.name, 0)) for m in metrics]
    return tuple(sorted(made, key=lambda c: (c.place == 0, c.place, c.label.casefold())))
