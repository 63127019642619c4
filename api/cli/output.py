"""How the command line speaks: tables for people, JSON for programs, sentences for errors, exit codes that mean something.

0 done; 1 the answer is no (refused, asks back, check failed); 2 wrong use; 3 a part is not available; 4 an error of ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from core.errors import AppError, Unavailable, UserError

NO, WRONG_USE, UNAVAILABLE, DEFECT = 1, 2, 3, 4
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False, indent=2) + "\n")


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(headers):
        table.add_column(name, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


@contextmanager
def speaking(as_json: bool = False) -> Iterator[None]:
    """Turns our errors into a sentence (or a JSON object) on standard error and an exit code."""
    try:
        yield
    except AppError as error:
        suggestions = list(error.suggestions) if isinstance(error, UserError) else []
        if as_json:
            sys.stderr.write(json.dumps({"code": error.code, "message": error.message, "suggestions": suggestions}) + "\n")
        else:
            err.print(f"[red]error:[/red] {error.message}", markup=True)
            for suggestion in suggestions:
                err.print(f"  - {suggestion}", markup=False)
        code = WRONG_USE if isinstance(error, UserError) else UNAVAILABLE if isinstance(error, Unavailable) else DEFECT
        raise typer.Exit(code) from error
