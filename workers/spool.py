"""Celery's filesystem transport with whole-file steps.

kombu's own writes a message in place, so that a reader can take half of it, and moves it through the system's temporary folder, which may
be on another disk. Here a message appears by rename and is taken by rename, inside one folder.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem


class Channel(filesystem.Channel):
    """Messages are files `<nanoseconds>_<uuid>.<queue>.msg`, oldest first."""

    def _put(self, queue: Any, message: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu names it two ways
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        draft = folder / f".{name}.draft"
        draft.write_text(json.dumps(message))
        draft.rename(folder / name)

    def _get(self, queue: Any, timeout: Any = None) -> Any:
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.startswith(".") or name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = Path(self.data_folder_in) / f".{name}.taken.{uuid.uuid4().hex}"
            try:
                os.rename(Path(self.data_folder_in) / name, taken)
            except FileNotFoundError:
                continue  # another worker took it
            text = taken.read_text()
            taken.unlink()
            return json.loads(text)
        raise Empty


class SpoolTransport(filesystem.Transport):
    Channel = Channel
    driver_type = "spool"
    driver_name = "spool"


def sweep(folder: Path, *, older_than_s: float, now_s: float) -> int:
    """Removes what a killed process left half-written or half-taken; how many. The job rows bring such messages back."""
    removed = 0
    for leftover in folder.glob(".*.msg.*"):
        try:
            if now_s - leftover.stat().st_mtime > older_than_s:
                leftover.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed
