"""The style sheet of a company's colours: variables that take the place of the usual ones."""

from __future__ import annotations

from api.branding.contrast import DARK, LIGHT, Scheme, soft

_PREVIEW_CARDS = {LIGHT.name: ("#ffffff", "#16181d", "#565b66", "#80858f"), DARK.name: ("#1b1e24", "#eceef2", "#a9afbb", "#7d838f")}


def sheet(accent: str, accent_dark: str) -> str:
    """For every page. Colours are #rrggbb; empty leaves the usual one."""
    light = f":root{{{_variables(accent, LIGHT)}}}" if accent else ""
    dark = _variables(accent_dark, DARK) if accent_dark else ""
    if not dark:
        return light
    return f'{light}@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{dark}}}}}:root[data-theme="dark"]{{{dark}}}'


def preview_sheet(accent: str, accent_dark: str) -> str:
    """For the two samples of the form."""
    return "".join(_sample(scheme, value) for scheme, value in ((LIGHT, accent), (DARK, accent_dark)))


def _sample(scheme: Scheme, accent: str) -> str:
    card, text, quiet, line = _PREVIEW_CARDS[scheme.name]
    shown = accent or {"light": "#2450c8", "dark": "#93b2ff"}[scheme.name]
    return (
        f".brand-sample.{scheme.name}{{--card:{card};--text:{text};--text-soft:{quiet};--line-strong:{line};background:{card};color:{text};"
        f"{_variables(shown, scheme)}}}"
    )


def _variables(accent: str, scheme: Scheme) -> str:
    return f"--accent:{accent};--accent-text:{scheme.on};--accent-soft:{soft(accent, scheme)};--focus:{accent};"
