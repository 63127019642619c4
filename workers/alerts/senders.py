"""Sends a message over a channel: one function per kind. Each either returns, or says whether trying again can help."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

from core.settings import Settings
from core.store import inbox
from core.store.channels import Channel
from core.store.inbox import NewMessage
from core.store.store import Store
from workers.alerts.addresses import Blocked, resolve
from workers.alerts.chart import png
from workers.alerts.message import Message, as_html, plain
from workers.alerts.network_words import why_not
from workers.alerts.outbound import Failed, post
from workers.alerts.services_allowed import CHATS_WITH_PICTURES, chat_host, is_allowed_chat, scheme_of
from workers.look import LOGO, Look
from workers.look import USUAL as USUAL_LOOK
from workers.pages_pdf import pdf

log = logging.getLogger(__name__)
SMTP_TIMEOUT_S = 15.0


class NotSent(Exception):
    """permanent: trying again cannot help. gone: the receiver wants nothing more, ever."""

    def __init__(self, reason: str, *, permanent: bool = False, gone: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.permanent, self.gone = reason, permanent or gone, gone


@dataclass(frozen=True, slots=True)
class Sending:
    """delivery_id: the same however often it is tried, so that a receiver can tell a repetition."""

    delivery_id: str
    channel: Channel
    secrets: Mapping[str, str]
    message: Message
    user: str
    incident_id: str | None
    settings: Settings
    store: Store
    now: dt.datetime
    look: Look = USUAL_LOOK


def send(sending: Sending) -> None:
    """Raises: NotSent."""
    SENDERS[sending.channel.kind](sending)


def send_email(sending: Sending) -> None:
    settings, message = sending.settings, sending.message
    if not settings.smtp_host:
        raise NotSent("No mail server is set (QUERENT_SMTP_HOST).", permanent=True)
    mail = compose(sending)
    try:
        with _smtp(settings) as server:
            refused = server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise NotSent("The mail server refused all recipients.", permanent=all(code >= 500 for code in codes)) from error
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(
            "The mail server refused the user or the password. The operator sets them as QUERENT_SMTP_USER and _PASSWORD."
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotSent("The mail server does not offer encryption. The operator sets what it speaks as QUERENT_SMTP_SECURITY.") from error
    except smtplib.SMTPResponseException as error:
        permanent = 500 <= error.smtp_code < 600
        raise NotSent(f"The mail server said {error.smtp_code}.", permanent=permanent) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(why_not(error, "mail server")) from error
    if refused and len(refused) == len(sending.channel.config["to"]):
        raise NotSent(f"The mail server refused all recipients of {message.kind}.", permanent=True)


def compose(sending: Sending) -> EmailMessage:
    """Plain text, HTML, and the chart inside it. The Message-ID is the delivery's, so that a repetition can be told."""
    message = sending.message
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())[:200]
    mail["From"] = sending.settings.smtp_from
    mail["To"] = ", ".join(sending.channel.config["to"])
    mail["Date"] = format_datetime(sending.now)
    domain = sending.settings.smtp_from.rpartition("@")[2].strip("> ") or "querent.local"
    mail["Message-ID"] = f"<{sending.delivery_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if sending.incident_id is not None:
        mail["References"] = f"<{sending.incident_id}@{domain}>"  # mail programs gather what belongs to one incident
    mail.set_content(plain(message))
    if message.unsubscribe is not None:  # RFC 8058: mail programs show a button for it
        mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    text = message.html
    pictures = {name: png(chart) for name, chart in message.images}
    if text is None:
        pictures = {"chart": png(message.chart)} if message.chart is not None else {}
        text = as_html(message, image="chart" if pictures else None, look=sending.look)
    if sending.look.logo is not None:
        pictures[LOGO] = sending.look.logo
    _show(mail, text, pictures, domain)
    if message.attached is not None:
        name = re.sub(r"[^\w.-]+", "-", message.attached.title).strip("-.")[:80] or "pages"
        mail.add_attachment(pdf(message.attached), "application", "pdf", filename=f"{name}.pdf")
    return mail


def _show(mail: EmailMessage, text: str, pictures: Mapping[str, bytes], domain: str) -> None:
    """The HTML with its pictures inside it, by the names that it calls them; one that it does not show is left out."""
    cids = {name: make_msgid(domain=domain) for name in pictures if f'"cid:{name}"' in text}
    for name, cid in cids.items():
        text = text.replace(f'"cid:{name}"', f'"cid:{cid[1:-1]}"')
    mail.add_alternative(text, subtype="html")
    for name, cid in cids.items():
        mail.get_payload()[1].add_related(pictures[name], "image", "png", cid=cid, filename=f"{name}.png")  # type: ignore[index, union-attr]


def _smtp(settings: Settings) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=SMTP_TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=SMTP_TIMEOUT_S)
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
    if settings.smtp_user:
        server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
    return server


_EVENTS = {
    **{kind: f"incident.{kind}" for kind in ("opened", "escalated", "new_normal", "resolved", "reopened")},
    "digest": "incidents.digest",
    "digest_issue": "digest.issued",
}


def send_webhook(sending: Sending) -> None:
    from standardwebhooks.webhooks import Webhook

    message = sending.message
    event = _EVENTS.get(message.kind, "channel.test")
    body = json.dumps(
        {"type": event, "timestamp": sending.now.isoformat(), "data": {"title": message.title, "lines": list(message.lines), **message.data}},
        ensure_ascii=False, allow_nan=False,
    )  # fmt: skip
    signature = Webhook(sending.secrets["secret"]).sign(sending.delivery_id, sending.now, body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Querent-Webhook/1",
        "webhook-id": sending.delivery_id,
        "webhook-timestamp": str(int(sending.now.timestamp())),
        "webhook-signature": signature,
    }
    try:
        reply = post(sending.secrets["url"], body.encode(), headers, allowed=sending.settings.outbound_hosts)
    except Blocked as error:
        raise NotSent(str(error), permanent=True) from error
    except Failed as error:
        raise NotSent(str(error)) from error
    if reply.status == 410:
        raise NotSent("The receiver said 410 Gone; the channel was switched off.", gone=True)
    if 300 <= reply.status < 400:
        raise NotSent(f"The receiver said {reply.status}; redirects are not followed. Give the final address.")
    if not 200 <= reply.status < 300:
        raise NotSent(f"The receiver said {reply.status}.")


_PICTURED = ("opened", "escalated", "reopened")
# apprise's names of what chats colour a message by
_COLOURS = {"opened": "warning", "reopened": "warning", "escalated": "failure", "resolved": "success"}


def send_apprise(sending: Sending) -> None:
    import apprise

    url = sending.secrets["url"]
    if not is_allowed_chat(url, sending.settings.outbound_hosts):
        raise NotSent("This kind of chat address is not among those that may be used.", permanent=True)
    host = chat_host(url)
    if host is not None:
        try:
            resolve(host[0], host[1], sending.settings.outbound_hosts)
        except Blocked as error:
            raise NotSent(str(error), permanent=True) from error
        except OSError as error:
            raise NotSent(why_not(error, "receiver")) from error
    asset = apprise.AppriseAsset(
        app_id="Querent",
        app_desc="Querent alerts",
        app_url=sending.settings.resolved_base_url,
        image_url_mask="",  # else every chat would fetch pictures from apprise's pages
        image_url_logo="",
        storage_mode=apprise.common.PersistentStoreMode.MEMORY,
    )
    target = apprise.Apprise(asset=asset)
    if not target.add(url):
        raise NotSent("The chat address cannot be read; enter it again.", permanent=True)
    text = plain(sending.message)
    kind = _COLOURS.get(sending.message.kind, "info")
    if not target.notify(title=sending.message.title, body=text.partition("\n\n")[2], notify_type=kind):
        raise NotSent("The chat service did not take the message.")
    if sending.message.chart is not None and sending.message.kind in _PICTURED and _takes_pictures(url, target[0]):
        _send_picture(target, sending.message.title, sending.message.chart)


def _takes_pictures(url: str, service: Any) -> bool:
    """A chat room that shows them; Slack's and other incoming hooks take text only."""
    return scheme_of(url) in CHATS_WITH_PICTURES and service.attachment_support and "hook" not in str(getattr(service, "mode", ""))


def _send_picture(target: Any, title: str, chart: Mapping[str, Any]) -> None:
    """After the message and apart from it: the words have arrived, and must not come twice because a picture was not taken."""
    from apprise.attachment.memory import AttachMemory

    try:
        picture = AttachMemory(content=png(chart), name="chart.png", mimetype="image/png")  # type: ignore[no-untyped-call]
        if not target.notify(body=f"Chart: {title}", attach=picture):
            log.info("a chat service took a message but not its chart")
    except Exception as error:
        log.warning("the chart of a chat message could not be drawn or sent", exc_info=error)


def send_inbox(sending: Sending) -> None:
    body = {"lines": list(sending.message.lines), "link": sending.message.link, "kind": sending.message.kind}
    new = NewMessage(sending.delivery_id, sending.channel.config["user"], sending.incident_id, sending.message.title, body)
    with sending.store.write() as connection:
        inbox.put(connection, sending.channel.tenant, new, now=sending.now)


SENDERS: Mapping[str, Callable[[Sending], None]] = {
    "email": send_email,
    "webhook": send_webhook,
    "apprise": send_apprise,
    "inbox": send_inbox,
}
