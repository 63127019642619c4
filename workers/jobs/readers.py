"""What the state store knows of a reader of insights: votes, and facts that digests told before."""

from __future__ import annotations

from collections import Counter
from typing import cast

from core.ids import TenantId, UserId
from core.store import digests, fact_votes
from core.store.store import Store
from insights.reader import Reader, Verdict, Vote

ISSUES_REMEMBERED = 60


def reader_of(store: Store, tenant: TenantId, user: UserId, *, digest_id: str | None = None) -> Reader:
    """digest_id: counts what this digest told before as seen; None: votes only, for who asks wants an answer, seen or not."""
    with store.read() as connection:
        votes = fact_votes.list_all(connection, tenant, user)
        past = digests.issues(connection, tenant, user, digest_id=digest_id, status="issued", limit=ISSUES_REMEMBERED) if digest_id else ()
    seen = Counter(str(fact[name]) for issue in past for fact in issue.made.body.get("told", ()) for name in ("id", "topic"))
    return Reader(tuple(Vote(v.topic, v.kind, v.metric, cast(Verdict, v.verdict)) for v in votes), dict(seen))
