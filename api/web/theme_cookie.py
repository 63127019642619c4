"""Light, dark, or as the system says: kept in a cookie, so that the first paint is right and no script is needed."""

from __future__ import annotations

from fastapi import Request

COOKIE = "querent_theme"
THEMES = ("auto", "light", "dark")


def theme_of(request: Request) -> str:
    found = request.cookies.get(COOKIE, "")
    return found if found in THEMES else "auto"
