"""The list of commands, whose modules are loaded when one is called."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from api.cli.lazy import loaded
from api.cli.main import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_itself_says(name: str) -> None:
    place, summary = COMMANDS[name]
    command = loaded(name, place)
    assert command.name == name
    assert " ".join(inspect.cleandoc(command.help).split("\n\n")[0].split()) == summary


def test_the_list_loads_neither_the_web_nor_the_libraries_of_jobs() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import sys; from api.cli import main; sys.argv[1:] = ['--help']\ntry: main()\nfinally: print(*sys.modules)"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert "forecast-batch" in shown.stdout
    assert not {"fastapi", "pandas", "sqlalchemy", "celery", "nlq", "mcp"} & set(shown.stdout.split("\n")[-2].split())
