"""One process per data folder: an advisory lock that the kernel releases however the process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from core.errors import Unavailable


class FolderLock:
    """Held from `__init__` to `release`. Raises: Unavailable (`warehouse_in_use`) when another process holds it, naming its id."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = (folder / "querent.lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise Unavailable(
                f"The warehouse folder {folder} is already open in process {holder}. One process may open it: "
                f"stop that one, or use another folder.",
                code="warehouse_in_use",
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.close()
