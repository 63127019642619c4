"""Names bound, join paths chosen, time windows made absolute."""

from semantic.resolve.resolve import resolve
from semantic.resolve.types import ResolvedQuery

__all__ = ["ResolvedQuery", "resolve"]
