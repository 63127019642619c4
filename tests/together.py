"""Which tests run one after another in the same process: those that share what takes long to make.

pytest-xdist has marks for it (`xdist_group`), but it hands them on in an attribute that pytest 9.2 no longer reads, and then each process
makes everything for itself without a word. So the scheduler is told here by where a test lies.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Start of a test's address -> its group. Sandboxed models run as users that `models` counts, so `client`, which starts some, goes with it.
TOGETHER = {
    "tests/integration/api/": "api",
    "tests/web/": "web",
    "tests/integration/client/": "models",
    "tests/integration/models/": "models",
    "tests/integration/insights/": "insights",
    "tests/integration/state/": "state",
    "tests/security/": "security",
    "tests/unit/nlq/test_nlq_businesses.py": "businesses",
}


def group_of(address: str) -> str:
    """The group of a test, or the test itself where it shares nothing."""
    return next((group for start, group in TOGETHER.items() if address.startswith(start)), address)


class Together(LoadScopeScheduling):
    """Hands each group to one process as a whole, largest first, and single tests to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
