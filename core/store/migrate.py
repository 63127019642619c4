"""Schema migrations, packaged with the code and run at start; safe when several processes start at once."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from core.errors import Unavailable

log = logging.getLogger(__name__)

_FOLDER = Path(__file__).with_name("migrations")
_ADVISORY_LOCK = 7_142_025  # any constant that no other user of this database takes


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings the schema up to `revision`, all in one transaction; does nothing when it is there already.

    A schema that a newer release made is left as it is: processes of the release before go on and start again beside it, since a
    revision only adds to what that release uses.

    Raises: Unavailable when the database does not answer.
    """
    try:
        with engine.begin() as connection:  # SQLite: BEGIN IMMEDIATE, so a second process waits here
            _lock(connection)
            if (newer := _newer(connection)) is not None:
                log.warning("the state store's schema is of a newer release (revision %s) and stays as it is", newer)
                return
            command.upgrade(_config(connection), revision)
    except (OperationalError, InterfaceError) as error:
        why = str(error.orig).strip().partition("\n")[0]
        raise Unavailable(f"The state store's schema could not be brought up to date: {why[:200]}", code="state_unavailable") from error


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Takes the schema down to `revision`; "base" removes every table and all that is in them."""
    with engine.begin() as connection:
        _lock(connection)
        command.downgrade(_config(connection), revision)


def current_revision(engine: Engine) -> str | None:
    """The schema's revision, None for an empty database."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """The newest revision that this code knows."""
    return str(ScriptDirectory(str(_FOLDER)).get_current_head())


def is_known(revision: str) -> bool:
    """Whether this code has the revision; one that it does not have is a newer release's."""
    return any(script.revision == revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions())


def _newer(connection: Connection) -> str | None:
    """The schema's revision when this code does not know it."""
    found = MigrationContext.configure(connection).get_current_revision()
    return None if found is None or is_known(found) else found


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config
