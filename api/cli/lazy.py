"""Commands whose modules are loaded when they are called: `querent user list` needs neither the web nor the libraries of forecasting."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


def told_as(summary: str) -> Callable[..., None]:
    """What the list of commands shows in a command's place."""

    def stand_in() -> None: ...

    stand_in.__doc__ = summary
    return stand_in


def loaded(name: str, place: str) -> Any:
    """The command or the group of commands at `place` ("module:attribute")."""
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command: Any = get_group(found)
    else:
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        command = get_command(alone)
    command.name = name
    return command


def group_of(places: dict[str, str]) -> type[TyperGroup]:
    """A group that finds its commands at `places` (name -> "module:attribute")."""

    class Lazy(TyperGroup):
        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            name, command, rest = super().resolve_command(ctx, args)
            return name, loaded(name, places[name]) if name in places else command, rest

    return Lazy
