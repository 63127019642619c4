"""Digest job: one reader's issue for one of a digest's times, made and put into the outbox once, or kept as quiet."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.store import boards, channels, digests
from core.store.digests import Digest, Issue, NewIssue
from workers.alerts.routing import inbox_of
from workers.boards.access import seen
from workers.boards.pages import lines
from workers.boards.snapshot import snapshot
from workers.context import JobContext
from workers.digests.addresses import mail_of
from workers.digests.definition import DigestDefinition, parse_definition
from workers.jobs.querying import receipt_of
from workers.jobs.readers import reader_of
from workers.jobs.scan import Looked, keep, looked
from workers.kinds import DigestParams
from workers.queue import wake_sender


def run(context: JobContext) -> dict[str, Any]:
    """{"status": issued | quiet | ended | made before, "issue", "headline"}. Running it twice changes nothing.

    Raises: what a scan raises.
    """
    params = DigestParams.model_validate(context.job.params)
    with context.services.store.read() as connection:
        try:
            digest = digests.get(connection, context.tenant, params.digest)
        except NotFound:
            return {"status": "ended", "headline": "The digest was removed."}
        wanted = digests.readers(connection, context.tenant, digest.id).get(context.principal.user, False)
        made = digests.issues(connection, context.tenant, context.principal.user, digest_id=digest.id, limit=1000)
    if not wanted or not digest.asked.enabled:
        return {"status": "ended", "headline": "The reader does not want this digest any more."}
    known = next((issue for issue in made if issue.made.slot == params.slot), None)
    if known is not None:
        return _said(known, "made before")
    definition = parse_definition(digest.asked.definition)
    if definition.board is not None:
        return _of_board(context, digest, definition, params.slot)
    reader = reader_of(context.services.store, context.tenant, context.principal.user, digest_id=digest.id)
    found = looked(context, definition.scan, reader)
    worth = found.is_worth_sending or (definition.summary and bool(found.result["told"]))
    result = keep(context, found, definition.scan) if worth else found.result
    context.progress("issue", 0, 1)
    new = _new(context, digest, definition, params.slot, found if worth else None, result)
    return _issued(context, digest, definition, new, result["headline"])


def _of_board(context: JobContext, digest: Digest, definition: DigestDefinition, slot: str) -> dict[str, Any]:
    """The board as its reader may see it now."""
    try:
        with context.services.store.read() as connection:
            board = seen(context.principal, boards.get(connection, context.tenant, str(definition.board)))
    except NotFound:
        return {"status": "ended", "headline": "The board was removed, or is no longer shared with the reader."}
    found = snapshot(context, board, lambda done, total: context.progress("fetch", done, total))
    context.progress("issue", 0, 1)
    receipt = receipt_of(context, context.services.catalog(context.tenant), found.ran).as_json() if found.ran else None
    sections = [one.as_json() for one in found.sections]
    body = {
        "digest": digest.asked.name, "board": board.id, "description": found.description, "pdf": definition.pdf,
        "sentences": list(lines(sections)), "sections": sections, "receipts": [receipt] if receipt else [],
    }  # fmt: skip
    day = context.as_of.astimezone(ZoneInfo(definition.time_zone or context.services.catalog(context.tenant).calendar.time_zone))
    title = f"{found.title}, {day.day} {day:%b %Y}"
    new = NewIssue(digest.id, context.principal.user, slot, "issued", title, body, context.job_id)
    return _issued(context, digest, definition, new, title)


def _new(
    context: JobContext, digest: Digest, definition: DigestDefinition, slot: str, found: Looked | None, result: dict[str, Any]
) -> NewIssue:
    user = context.principal.user
    sentences = list(result["sentences"])
    body = {
        "digest": digest.asked.name, "pdf": definition.pdf, "sentences": sentences, "told": result["told"], "charts": result["fact_charts"], "next": result["next"],
        "notes": [line for line in result["narrative"] if line not in sentences], "insight_id": result.get("insight_id"),
        "words": result["words"], "receipt": result["receipt"], "receipts": result["receipts"], "tested": result["tested"],
        "period": result["period"],
    }  # fmt: skip
    quiet: dict[str, Any] = {"digest": digest.asked.name, "tested": result["tested"], "period": result["period"]}
    return NewIssue(
        digest.id, user, slot, "issued" if found else "quiet", _title(digest, result, found), body if found else quiet, context.job_id
    )


def _issued(context: JobContext, digest: Digest, definition: DigestDefinition, new: NewIssue, headline: str) -> dict[str, Any]:
    """Writes the issue and its messages in one transaction, unless another run was faster."""
    now = context.services.clock.now()
    user = context.principal.user
    with context.services.store.write() as connection:
        issue = digests.put_issue(connection, context.tenant, new, now=now)
        if issue is None:
            return {"status": "made before", "headline": headline}
        if new.status == "quiet":
            return _said(issue, "quiet")
        targets = [inbox_of(connection, context.tenant, user, now=now)]
        if definition.email and context.services.settings.smtp_host:
            mail = mail_of(connection, context.tenant, user, now=now)
            targets += [mail] if mail is not None else []
        if user == digest.asked.owner:  # channels get what the owner may see
            for key in definition.channels:
                try:
                    targets.append(channels.get(connection, context.tenant, key))
                except NotFound:
                    continue
        for channel in targets:
            digests.post(connection, context.tenant, issue, channel.id, now=now)
    wake_sender(context.services)
    return _said(issue, "issued")


def _title(digest: Digest, result: dict[str, Any], found: Looked | None) -> str:
    period = f", {result['period']}" if result["period"] else ""
    return f"{digest.asked.name}{period}" if found is not None else f"{digest.asked.name}{period}: nothing worth saying"


def _said(issue: Issue, status: str) -> dict[str, Any]:
    return {"status": status, "issue": issue.id, "headline": issue.made.title, "narrative": list(issue.made.body.get("sentences", ()))}
