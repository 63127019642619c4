"""How far a job is, shown while one waits: a bar in a terminal or notebook, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import Any

from rich.console import Console
from rich.progress import Progress

Show = Callable[[float, str], None]
"""Takes the share that is done (0 to 1) and the step."""


@contextmanager
def shown(wanted: bool) -> Iterator[Show]:
    """The bar goes away at the end."""
    kernel = _kernel() if wanted else None
    if kernel is not None:
        with _in_notebook() as show:
            yield show
        return
    console = Console(force_jupyter=False)
    with Progress(disable=not (wanted and console.is_terminal), transient=True, console=console) as bar:
        task = bar.add_task("Waiting", total=1.0)
        yield lambda done, step: bar.update(task, completed=done, description=step)


def _kernel() -> Any | None:
    """The notebook's kernel; None in a terminal, also in IPython's."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None)


@contextmanager
def _in_notebook() -> Iterator[Show]:
    page: Any = import_module("IPython.display")  # there where a kernel is
    handle = page.display(page.HTML(""), display_id=True)
    last: tuple[float, str] | None = None

    def show(done: float, step: str) -> None:
        nonlocal last
        if (round(done, 2), step) != last:
            last = (round(done, 2), step)
            handle.update(page.HTML(f'<progress value="{done:.2f}" max="1"></progress> {escape(step)}, {done:.0%}'))

    try:
        yield show
    finally:
        handle.update(page.HTML(""))
