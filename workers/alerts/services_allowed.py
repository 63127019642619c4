"""Which apprise addresses a tenant may use: services with their own fixed hosts, and others only on hosts that the operator named.

apprise can also run programs, write files and talk to the local machine; none of these is on the list.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

FIXED_HOST = frozenset(
    (
        "slack discord tgram pagerduty opsgenie webexteams wxteams twilio pover pushover pbul pushbullet zulip gchat spike "
        "victorops msteams workflow workflows flock ifttt twist ryver revolt line signl4 pagertree sendgrid mailgun clickatell "
        "vonage nexmo messagebird plivo dapnet feishu lark dingtalk wecombot guilded bluesky chanify pushy simplepush threema"
    ).split()
)
OWN_HOST = frozenset(("json jsons form forms mmost mmosts rocket rockets ntfy ntfys gotify gotifys matrix matrixs nctalk nctalks").split())

CHATS_WITH_PICTURES = frozenset(
    "slack discord tgram matrix matrixs mmost mmosts wxteams webexteams".split()
)  # rooms; pushes would ring twice


def scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def chat_host(url: str) -> tuple[str, int] | None:
    """The host and port of an address that names its own server; None for services with fixed hosts."""
    scheme = scheme_of(url)
    if scheme not in OWN_HOST:
        return None
    parts = urlsplit("x://" + url.partition("://")[2])
    try:
        port = parts.port
    except ValueError:
        port = None
    return (parts.hostname or "").lower(), port or (443 if scheme.endswith("s") else 80)


def is_allowed_chat(url: str, outbound_hosts: Collection[str]) -> bool:
    """apprise follows redirects, so that an own server must be one that the operator trusts."""
    if scheme_of(url) in FIXED_HOST:
        return True
    host = chat_host(url)
    return host is not None and (host[0] in outbound_hosts or f"{host[0]}:{host[1]}" in outbound_hosts)
