"""An issue of a digest as a message: plain text, HTML with charts, a link to unsubscribe that works for its reader only."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from core.store import digests
from core.store.deliveries import Delivery
from core.store.digests import Issue
from insights.kept_texts import kept_retold, title_retold
from insights.wording import begun
from workers.alerts.message import Message
from workers.boards import pages
from workers.jobs.chart_data import instant
from workers.look import USUAL as USUAL_LOOK
from workers.look import Look, banner
from workers.pages_pdf import Block, Chart, Document, Heading, Text
from workers.signed_link import link_token, read_link_token

KIND = "digest_issue"
UNSUBSCRIBE = "digest unsubscribe"
_FAVOUR = {True: "#1b7f4b", False: "#b3261e", None: "#555"}
_WORD = {True: "favourable", False: "unfavourable", None: ""}  # colour alone tells some readers nothing


def why_unwanted(connection: Connection, item: Delivery) -> str | None:
    """Why the message is not to be sent after all. Read at the last moment, so that an unsubscription counts."""
    issue = digests.issue_of(connection, item.tenant, item.id)
    if issue is None:
        return "The issue is gone."
    readers = digests.readers(connection, item.tenant, issue.made.digest_id)
    return None if readers.get(issue.made.reader) else "The reader unsubscribed."


def issue_retold(issue: Issue) -> Issue:
    """As who reads it now writes numbers and dates."""
    made = replace(issue.made, title=title_retold(issue.made.title), body=kept_retold(issue.made.body))
    return replace(issue, made=made)


def of_issue(issue: Issue, *, base_url: str, key: str, look: Look = USUAL_LOOK) -> Message:
    """In the formats of the context, but for what is for programs."""
    base = base_url.rstrip("/")
    kept, issue = issue, issue_retold(issue)
    body = issue.made.body
    link = f"{base}/digest/{issue.id}"
    unsubscribe = f"{base}/v1/digests/unsubscribe?token={unsubscribe_token(key, issue.tenant, issue.made.digest_id, issue.made.reader)}"
    sections = body.get("sections")
    if sections is not None:
        return replace(_of_board(issue, sections, link, unsubscribe, look), data=_data(kept, link))
    charts = list(body.get("charts", ()))
    lines = tuple(begun(str(line)) for line in (*body.get("sentences", ()), *body.get("notes", ())))
    return Message(
        kind=KIND, title=issue.made.title, lines=lines, link=link, feedback=None, chart=None, data=_data(kept, link),
        html=_html(issue, link, unsubscribe, look), images=tuple((f"chart{i}", item["chart"]) for i, item in enumerate(charts)), unsubscribe=unsubscribe,
        attached=document_of(issue, link, look) if body.get("pdf") else None,
    )  # fmt: skip


def _of_board(issue: Issue, sections: Sequence[Mapping[str, Any]], link: str, unsubscribe: str, look: Look) -> Message:
    """With the charts in the mail, or beside it as PDF."""
    as_pdf = bool(issue.made.body.get("pdf"))
    return Message(
        kind=KIND, title=issue.made.title, lines=pages.lines(sections), link=link, feedback=None, chart=None, data={},
        html=_framed(issue, pages.as_html(sections, pictures=not as_pdf), link, unsubscribe, look),
        images=() if as_pdf else pages.charts(sections, accent=look.accent), unsubscribe=unsubscribe,
        attached=document_of(issue, link, look) if as_pdf else None,
    )  # fmt: skip


def document_of(issue: Issue, link: str, look: Look = USUAL_LOOK) -> Document:
    """The issue, retold, as pages."""
    body = issue.made.body
    subtitle = str(body.get("description") or f"From the digest {body.get('digest', '')}.")
    blocks: tuple[Block, ...] = pages.blocks(body["sections"]) if "sections" in body else tuple(_news(body))
    return Document(issue.made.title, subtitle, blocks, issue.created_at, link, look.product, look.accent, look.logo)


def _news(body: Mapping[str, Any]) -> Iterator[Block]:
    told = list(body.get("told", ()))
    for index, sentence in enumerate(body.get("sentences", ())):
        yield Text(begun(str(sentence)))
        fact = told[index].get("id") if index < len(told) else None
        for item in body.get("charts", ()):
            if fact is not None and item.get("fact") == fact:
                yield Chart(item["chart"], f"Chart: {item.get('title', '')}")
    if body.get("next"):
        yield Heading("What next")
        yield from (Text(f"– {step['text']}") for step in body["next"])
    yield from (Text(str(note), soft=True) for note in body.get("notes", ()))


def _data(issue: Issue, link: str) -> dict[str, Any]:
    body = issue.made.body
    return {
        "id": issue.id, "digest_id": issue.made.digest_id, "slot": issue.made.slot, "sentences": list(body.get("sentences", ())),
        "facts": list(body.get("told", ())), "words": body.get("words"), "issued_at": instant(issue.created_at), "url": link,
    }  # fmt: skip


def _html(issue: Issue, link: str, unsubscribe: str, look: Look) -> str:
    """`cid:chart0` ... are the charts. Every text is escaped: labels and segments are data."""
    safe = html.escape
    body = issue.made.body
    told = list(body.get("told", ()))
    parts = []
    for index, sentence in enumerate(body.get("sentences", ())):
        fact: Mapping[str, Any] = told[index] if index < len(told) else {}
        edge = _FAVOUR[fact.get("favourable")]
        word = _WORD[fact.get("favourable")]
        mark = f' <span style="color:{edge};white-space:nowrap">({word})</span>' if word else ""
        parts.append(f'<p style="margin:14px 0 6px;padding-left:10px;border-left:3px solid {edge}">{safe(begun(str(sentence)))}{mark}</p>')
        for place, item in enumerate(body.get("charts", ())):
            if item.get("fact") == fact.get("id"):
                title = safe(str(item.get("title", "")))
                parts.append(f'<p style="margin:0 0 10px"><img src="cid:chart{place}" alt="Chart: {title}" style="max-width:100%"></p>')
    steps = "".join(f"<li>{safe(str(step['text']))}</li>" for step in body.get("next", ()))
    notes = "".join(f'<p style="color:#595959">{safe(str(note))}</p>' for note in body.get("notes", ()))
    next_steps = f'<h2 style="font-size:15px">What next</h2><ul>{steps}</ul>' if steps else ""
    return _framed(issue, "".join(parts) + notes + next_steps, link, unsubscribe, look)


def _framed(issue: Issue, inside: str, link: str, unsubscribe: str, look: Look) -> str:
    """inside: HTML whose texts are escaped."""
    safe = html.escape
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{safe(issue.made.title)}</title></head>'
        '<body style="font-family:sans-serif;color:#222;max-width:640px">'
        + banner(look)
        + f'<h1 style="font-size:18px">{safe(issue.made.title)}</h1>{inside}'
        f'<p><a style="color:{look.accent}" href="{safe(link)}">Open in {safe(look.product)}</a>: every number leads to its query.</p>'
        f'<p style="color:#595959;font-size:12px">Sent to you because you read the digest {safe(str(issue.made.body.get("digest", "")))}. '
        f'<a href="{safe(unsubscribe)}">Unsubscribe</a></p></body></html>'
    )


def unsubscribe_token(key: str, tenant: str, digest_id: str, reader: str) -> str:
    """Lets its holder end this one reader's digest, and nothing else."""
    return link_token(UNSUBSCRIBE, key, tenant, digest_id, reader)


def read_unsubscribe_token(key: str, token: str) -> tuple[str, str, str]:
    """(tenant, digest, reader). Raises: Unauthenticated."""
    return read_link_token(UNSUBSCRIBE, key, token, instead="your digests")
