"""Secrets of sources, encrypted at rest. The key follows QUERENT_SECRET_KEY; older keys still open what they sealed until it is sealed anew."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import Invalid
from core.store import sources
from workers.bootstrap import Services


class Vault:
    """keys: the newest first; it seals, all of them open."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(_derived(key)) for key in keys])

    @classmethod
    def of(cls, services: Services) -> Vault:
        """The keys: `secret_key`, then `secret_keys_before`, then the one that the installation made for itself."""
        now = services.settings.secret_key.get_secret_value()
        before = [key.get_secret_value() for key in services.settings.secret_keys_before]
        return cls([key for key in (now, *before, services.secret("source_key")) if key])

    def seal(self, secrets: Mapping[str, str]) -> str | None:
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode()).decode() if secrets else None

    def unseal(self, sealed: str | None) -> dict[str, str]:
        """Raises: Invalid when none of the keys opens it, as after a restore without them."""
        if sealed is None:
            return {}
        try:
            found: dict[str, str] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise Invalid(
                "This source's secret was encrypted with another key. Put the key before into QUERENT_SECRET_KEYS_BEFORE, or enter the secret "
                "again (change the source).", code="source_secret_lost",
            ) from error  # fmt: skip
        return found

    def resealed(self, sealed: str) -> str:
        """The same secret under the newest key. Raises: Invalid."""
        return self.seal(self.unseal(sealed)) or sealed


def reseal_all(services: Services) -> int:
    """Seals every source's secret with the newest key, all or none; how many. Older keys are needed no longer afterwards. Raises: Invalid."""
    vault = Vault.of(services)
    with services.store.write() as connection:
        found = sources.sealed(connection)
        for key, text in found:
            sources.reseal(connection, key, vault.resealed(text))
    return len(found)


def _derived(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"querent source secrets\0" + key.encode()).digest())
