"""Compiling the inner loop with numba; the machine code is kept beside the source, or not at all where nothing can be written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function as machine code, built at the first call (some seconds once per installation, later milliseconds)."""
    from numba import njit

    try:
        made = njit(cache=True, nogil=True, forceinline=function.__name__ != "run")(function)
    except RuntimeError:  # no writable place for the cache, as in a read-only container
        return cast(F, njit(nogil=True)(function))
    # numba looks at the file of the function only: code kept from before a change in a function that it calls would be used
    kept = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = sources_stamp()
    return cast(F, made)


@cache
def sources_stamp() -> str:
    """Tells the compiled modules of this package, and the memory they work on, from any other version of them."""
    stamp = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        source = file.read_bytes()
        if b"@compiled" in source or file.name == "memory.py":
            stamp.update(file.name.encode() + b"\0" + source)
    return stamp.hexdigest()
