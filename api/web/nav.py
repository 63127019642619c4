"""The main navigation: one line per place, in groups; `needs` is the right without which it is not shown."""

from __future__ import annotations

from dataclasses import dataclass

from core.principal import Principal
from core.rights import Right, held


@dataclass(frozen=True, slots=True)
class Place:
    """icon: the id of a symbol in icons.html. badge: the name of a count on `Visitor`, shown when it is not 0."""

    key: str
    href: str
    label: str
    icon: str
    needs: Right = Right.SELF
    badge: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    places: tuple[Place, ...]


NAV: tuple[Group, ...] = (
    Group(
        "",
        (
            Place("ask", "/", "Ask", "ask"),
            Place("boards", "/boards", "Boards", "boards"),
            Place("goals", "/goals", "Goals", "goal"),
            Place("alerts", "/incidents", "Alerts", "alerts"),
            Place("inbox", "/inbox", "Inbox", "inbox", badge="unread"),
            Place("digest", "/digest", "Digests", "digest"),
            Place("history", "/history", "History", "history"),
            Place("jobs", "/jobs", "Jobs", "jobs"),
        ),
    ),
    Group(
        "Data",
        (
            Place("catalog", "/catalog", "Catalog", "catalog"),
            Place("sources", "/sources", "Sources", "source", Right.DATA),
            Place("data", "/data", "Upload data", "upload", Right.DATA),
            Place("sql", "/sql", "SQL", "sql", Right.SQL),
            Place("models", "/models", "Models", "models", Right.MODELS_READ),
            Place("evaluation", "/evaluation", "Evaluation", "evaluation", Right.CATALOG),
        ),
    ),
    Group("Company", (Place("admin", "/admin", "Administration", "admin", Right.ADMIN),)),
)


def nav_for(caller: Principal) -> tuple[Group, ...]:
    """What the caller may open; groups without a place are left out."""
    rights = held(caller)
    groups = (Group(g.label, tuple(p for p in g.places if p.needs in rights)) for g in NAV)
    return tuple(g for g in groups if g.places)
