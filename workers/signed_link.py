"""Links in messages that let their holder do one thing in one reader's name, without signing in."""

from __future__ import annotations

import base64
import hashlib
import hmac

from core.errors import Unauthenticated


def link_token(purpose: str, key: str, tenant: str, about: str, reader: str) -> str:
    """purpose: what the link may do; a token of another purpose does not pass. about: the id of what it is done to."""
    text = f"{tenant}:{about}:{reader}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") + "." + _sign(purpose, key, text)


def read_link_token(purpose: str, key: str, token: str, *, instead: str) -> tuple[str, str, str]:
    """(tenant, about, reader). instead: what to open when the link is no good. Raises: Unauthenticated."""
    coded, _, signature = token.partition(".")
    try:
        text = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
        tenant, about, reader = text.split(":")
    except ValueError as error:
        raise Unauthenticated(f"This link is not complete; open {instead} in Querent instead.", code="bad_link") from error
    if not hmac.compare_digest(signature.encode(), _sign(purpose, key, text).encode()):
        raise Unauthenticated(f"This link is not valid; open {instead} in Querent instead.", code="bad_link")
    return tenant, about, reader


def _sign(purpose: str, key: str, text: str) -> str:
    return hmac.new(key.encode(), purpose.encode() + b"\0" + text.encode(), hashlib.sha256).hexdigest()[:40]
