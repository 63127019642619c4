"""The handle that everything above holds: transactions on one engine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from core.errors import Invalid, Unavailable
from core.store.engine import READ_ONLY, make_engine

_AWAY = (OperationalError, InterfaceError, NoConnectionFree)
_READ_ONLY_STATE = "25006"  # PostgreSQL's name for a database that is read only, such as a standby
log = logging.getLogger(__name__)


class Store:
    """Transactions on the state store. `write()` commits at the end of the block or rolls back; `read()` sees one snapshot."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Raises: Invalid for a URL of another kind of database."""
        return cls(make_engine(url))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Raises: Unavailable when the database does not answer or stays locked."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except _AWAY as error:
            raise _away(error) from error
        except InternalError as error:
            if getattr(error.orig, "sqlstate", None) != _READ_ONLY_STATE:
                raise
            raise _away(error) from error
        except (DataError, OverflowError, UnicodeEncodeError) as error:
            raise _unfit(error) from error

    def read(self) -> AbstractContextManager[Connection]:
        """Raises: Unavailable when the database does not answer."""
        return self._reading({"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})

    def glance(self) -> AbstractContextManager[Connection]:
        """`read` for one statement, or several that need not see the same moment: half the way to and from the database.

        Raises: Unavailable when the database does not answer.
        """
        return self._reading({"isolation_level": "AUTOCOMMIT"})

    @contextmanager
    def _reading(self, on_postgresql: dict[str, Any]) -> Iterator[Connection]:
        options: dict[str, Any] = {READ_ONLY: True}
        if self.engine.dialect.name == "postgresql":
            options |= on_postgresql
        try:
            with self.engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
        except _AWAY as error:
            raise _away(error) from error
        except (DataError, OverflowError, UnicodeEncodeError) as error:
            raise _unfit(error) from error

    def ping(self) -> None:
        """Raises: Unavailable."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


def _away(error: Exception) -> Unavailable:
    """The cause (no space left, read only, a lock, a server that is gone) is for the log."""
    log.warning("the state store does not answer: %s", str(getattr(error, "orig", None) or error).partition("\n")[0][:200])
    return Unavailable("The state store does not answer now; try again in a moment.", code="state_unavailable")


def _unfit(error: DataError | OverflowError | UnicodeEncodeError) -> Exception:
    """What the database cannot hold is the caller's to mend (a number of 40 digits, half of a character); an error of our own arithmetic stays."""
    if isinstance(error, OverflowError) and "SQLite" not in str(error):
        return error
    if isinstance(error, UnicodeEncodeError) and "surrogates" not in error.reason:
        return error
    return Invalid(
        "A value is larger than what can be stored, or holds what is no character (NUL, half of a pair).", code="value_out_of_range"
    )
