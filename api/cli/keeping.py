"""Commands that keep an installation well: migrate, backup, restore, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.checks import diagnose
from api.cli.context import context
from api.cli.output import UNAVAILABLE, err, out, print_json, print_table, speaking
from core.store.migrate import current_revision, head_revision
from workers.backup import backup as write_backup
from workers.backup import restore as read_backup


def migrate() -> None:
    """Brings the state store's schema up to date."""
    with speaking():
        context.core.migrate()
        found, own = current_revision(context.core.store.engine), head_revision()
        if found == own:
            out.print("The state store is up to date.")
        else:
            out.print(f"The state store's schema is of a newer release ({found}; this one knows {own}) and stays as it is.")


def backup(folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")]) -> None:
    """State, embedded warehouse, files and models into a folder; everything may go on running meanwhile."""
    with speaking():
        made = write_backup(context.services.core, folder, lambda part: err.print(part, markup=False))
        out.print(
            f"{sum(made.tables.values()):,} state rows, {sum(made.warehouse.values()):,} warehouse rows, {len(made.files):,} files in {folder}"
        )


def restore(folder: Annotated[Path, typer.Argument(help="What `querent backup` wrote.")]) -> None:
    """Puts a backup into an empty installation; also from SQLite into PostgreSQL."""
    with speaking():
        found = read_backup(context.services.core, folder, lambda part: err.print(part, markup=False))
        out.print(
            f"Restored the backup of {found.made_at[:16]} UTC: {sum(found.tables.values()):,} state rows, {sum(found.warehouse.values()):,} warehouse rows."
        )


def doctor(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Checks every part and says what to do about what is wrong."""
    checks = diagnose(context.core)
    if as_json:
        print_json([{"part": c.part, "ok": c.ok, "found": c.found, "remedy": c.remedy} for c in checks])
    else:
        print_table(["part", "state", "found", "what to do"], [[c.part, "ok" if c.ok else "BAD", c.found, c.remedy] for c in checks])
    if not all(c.ok for c in checks):
        raise typer.Exit(UNAVAILABLE)
