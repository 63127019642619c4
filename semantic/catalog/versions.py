"""Publishing and rolling back catalogs, whatever keeps them: validated, compared, never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from core.errors import Invalid
from semantic.catalog.diff import Change, diff
from semantic.catalog.model import Catalog
from semantic.catalog.validate import Issue, validate

_MAX_SHOWN = 8


class History(Protocol):
    """The versions of one tenant's catalog, append-only. The state store's `catalogs` are behind it in production."""

    def current(self) -> Catalog | None:
        """The newest version (its `version` set), or None before the first."""
        ...

    def get(self, version: int) -> Catalog:
        """Raises: NotFound."""
        ...

    def append(self, catalog: Catalog, *, note: str, expected_version: int, restored_from: int | None) -> int:
        """The new version's number. Raises: Conflict when the newest is not `expected_version` (0 before the first)."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """`version` now in force; no `changes` means that nothing was written. `warnings` did not stop it."""

    version: int
    changes: tuple[Change, ...]
    warnings: tuple[Issue, ...] = ()


def check(catalog: Catalog) -> tuple[Issue, ...]:
    """The warnings of a sound catalog. Raises: Invalid with every error's place and remedy."""
    issues = validate(catalog)
    errors = [i for i in issues if i.severity == "error"]
    if errors:
        shown = "; ".join(str(e) for e in errors[:_MAX_SHOWN])
        more = f" (and {len(errors) - _MAX_SHOWN} more)" if len(errors) > _MAX_SHOWN else ""
        raise Invalid(f"The catalog has {len(errors)} error(s): {shown}{more}", code="bad_catalog", path=errors[0].path)
    return issues


def publish(history: History, catalog: Catalog, *, note: str = "", expected_version: int | None = None) -> Published:
    """A new version with the changes against the current one; an equal catalog writes nothing.

    `expected_version` is the version the edit was made from; None takes the current one.
    Raises: Invalid for a catalog with errors; Conflict when another version came in between.
    """
    warnings = check(catalog)
    current = history.current()
    before = current.version if current else 0
    changes = diff(current or Catalog(), catalog)
    if current is not None and not changes and expected_version in (None, before):
        return Published(before, (), warnings)
    base = before if expected_version is None else expected_version
    return Published(history.append(catalog, note=note, expected_version=base, restored_from=None), changes, warnings)


def rollback(history: History, version: int, *, note: str = "") -> Published:
    """The old version's content as a new version: the history keeps both. Rolling back to what is in force writes nothing.

    Raises: NotFound for a version that is not there; Invalid when the old one has errors by today's rules; Conflict.
    """
    old = history.get(version)
    warnings = check(old)
    current = history.current()
    changes = diff(current or Catalog(), old)
    if current is not None and not changes:
        return Published(current.version, (), warnings)
    text = note or f"Back to version {version}"
    number = history.append(old, note=text, expected_version=current.version if current else 0, restored_from=version)
    return Published(number, changes, warnings)
