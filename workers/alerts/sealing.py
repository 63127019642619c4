"""Secrets of channels, encrypted with a key of this installation: unreadable in a copy of the state store's channel rows."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken

from core.errors import Invalid


def seal(secrets: Mapping[str, str], key: str) -> str:
    """key: the installation's secret for channels, any text."""
    return _fernet(key).encrypt(json.dumps(dict(secrets)).encode()).decode()


def unseal(sealed: str | None, key: str) -> dict[str, str]:
    """Raises: Invalid when it was sealed with another key, as after a restore without the secrets."""
    if sealed is None:
        return {}
    try:
        found: dict[str, str] = json.loads(_fernet(key).decrypt(sealed.encode()))
    except InvalidToken as error:
        raise Invalid(
            "This channel's secret was encrypted with another key; enter it again (change the channel).", code="channel_secret_lost"
        ) from error
    return found


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"querent channel secrets\0" + key.encode()).digest()))
