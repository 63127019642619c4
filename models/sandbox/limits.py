"""What a model may use."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """cpu_s, wall_s: of one session. memory_bytes: beyond what the warm interpreter holds, all processes together. reply_bytes: of one answer."""

    cpu_s: int = 300
    wall_s: float = 300.0
    memory_bytes: int = 2048 * MB
    processes: int = 32
    file_bytes: int = 256 * MB
    scratch_bytes: int = 512 * MB
    reply_bytes: int = 256 * MB
    open_files: int = 256

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
