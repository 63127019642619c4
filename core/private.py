"""Folders that only the installation's own user reads: uploads, indexes of values, backups, exports of persons and companies."""

from __future__ import annotations

from pathlib import Path


def private_folder(path: Path, *, new: bool = False) -> Path:
    """Makes the folder, its parents as usual; one that is there stays as the operator made it. Raises: FileExistsError when it must be `new`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=not new)
    return path
