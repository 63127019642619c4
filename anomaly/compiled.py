"""Compiling the inner loop with numba; the machine code is kept beside the source, or not at all where nothing can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function as machine code, built at the first call (some seconds once per installation, later milliseconds)."""
    from numba import njit

    try:
        return cast(F, njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no writable place for the cache, as in a read-only container
        return cast(F, njit(nogil=True)(function))
