"""A NewType per id, and sortable random ids."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import NewType

from core.errors import Invalid

TenantId = NewType("TenantId", str)
UserId = NewType("UserId", str)
JobId = NewType("JobId", str)
RequestId = NewType("RequestId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_lock = threading.Lock()
_last = 0
_TENANT = re.compile(r"[a-z][a-z0-9_]{0,30}\Z")


def new_id(prefix: str) -> str:
    """`prefix_` and 26 Crockford base-32 characters: 48 bits of milliseconds, then 80 random bits, so ids sort by time.

    Those of one process sort in the order in which they were made, also within a millisecond: a later one is a random step above the one before.
    """
    global _last
    number = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    with _lock:
        if number <= _last:
            number = _last + 1 + int.from_bytes(os.urandom(8), "big")  # random, as a forked process has the same last one
        _last = number
    return prefix + "_" + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def tenant_id(text: str) -> TenantId:
    """A valid tenant id: lower-case letters, digits and underscores, starting with a letter, at most 31 characters.

    Raises: Invalid.
    """
    if not _TENANT.match(text):
        raise Invalid(f"A tenant id is 1-31 of a-z, 0-9 and _ and starts with a letter; found {text[:40]!r}.", code="bad_tenant")
    return TenantId(text)


def tenant_database(tenant: TenantId) -> str:
    """The ClickHouse database that belongs to this tenant alone (database-per-tenant layout, uploads, results)."""
    return f"tenant_{tenant_id(tenant)}"
