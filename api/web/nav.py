"""The main navigation: one line per place, in groups; `needs` names the roles that see it (admins always do)."""

from __future__ import annotations

from dataclasses import dataclass

from core.principal import Principal, Role

_ANALYST = (Role.ANALYST,)
_MODELLER = (Role.DATA_SCIENTIST, Role.ANALYST)


@dataclass(frozen=True, slots=True)
class Place:
    """icon: the id of a symbol in icons.html. badge: the name of a count on `Visitor`, shown when it is not 0."""

    key: str
    href: str
    label: str
    icon: str
    needs: tuple[Role, ...] = ()
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
            Place("data", "/data", "Upload data", "upload", _ANALYST),
            Place("sql", "/sql", "SQL", "sql", _ANALYST),
            Place("models", "/models", "Models", "models", _MODELLER),
            Place("evaluation", "/evaluation", "Evaluation", "evaluation", _ANALYST),
        ),
    ),
    Group("Company", (Place("admin", "/admin", "Administration", "admin", (Role.ADMIN,)),)),
)


def nav_for(caller: Principal) -> tuple[Group, ...]:
    """What the caller may open; groups without a place are left out."""
    groups = (Group(g.label, tuple(p for p in g.places if not p.needs or caller.has_role(*p.needs, Role.ADMIN))) for g in NAV)
    return tuple(g for g in groups if g.places)
