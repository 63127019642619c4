"""A model behind walls as the conformance suite, the backtest and the jobs see it: a fresh process whenever they ask for one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from models.sandbox.limits import Limits
from models.sandbox.sandbox import Sandbox, Session, Used
from models.sdk.card import ModelCard
from models.sdk.contract import Context
from models.sdk.failures import NothingKept


class WalledModel:
    """Use as a context manager. package: unpacked. `used` is of the last session; peak_bytes and longest_s of all."""

    def __init__(self, sandbox: Sandbox, package: Path, card: ModelCard, limits: Limits | None = None) -> None:
        self._sandbox, self._package, self.card, self._limits = sandbox, package, card, limits or Limits()
        self._stack = ExitStack()
        self._session: Session | None = None
        self.peak_bytes = 0
        self.used: Used | None = None

    def __enter__(self) -> WalledModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.fresh()

    def fresh(self) -> None:
        """Ends the process; the next call starts another. Raises: Unavailable should one not go."""
        session, self._session = self._session, None
        if session is not None:
            self._stack.close()
            self.used = session.used()
            self.peak_bytes = max(self.peak_bytes, self.used.memory_bytes)

    def run(self, tables: Mapping[str, pa.Table], context: Context) -> pa.Table:
        """Raises: ModelFailed; ModelStopped; Unavailable."""
        return self._open().call("run", tables, context)

    def saved(self, tables: Mapping[str, pa.Table], context: Context) -> pa.Table | None:
        try:
            return self._open().call("saved", tables, context)
        except NothingKept:
            return None

    def _open(self) -> Session:
        if self._session is None:
            self._session = self._stack.enter_context(self._sandbox.session(self._package, self.card, self._limits))
        return self._session
