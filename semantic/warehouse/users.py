"""Who may call the endpoint: an admin that loads data, and a reader whose requests are forced read-only and capped."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from semantic.warehouse.connection import ADMIN_USER, READER_USER, TOKEN_FILE
from semantic.warehouse.engine_errors import EngineError

_AUTHENTICATION_FAILED = 516


@dataclass(frozen=True, slots=True)
class User:
    name: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Users:
    """The two users with their passwords ("tokens")."""

    admin_token: SecretStr
    reader_token: SecretStr
    _digests: Mapping[str, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.admin_token.get_secret_value() or not self.reader_token.get_secret_value():
            raise ValueError("the admin's and the reader's token must not be empty")
        digests = {ADMIN_USER: _digest(self.admin_token.get_secret_value()), READER_USER: _digest(self.reader_token.get_secret_value())}
        object.__setattr__(self, "_digests", digests)

    def authenticate(self, headers: Mapping[str, str], query: Mapping[str, str]) -> User:
        """The caller, from Basic auth, `X-ClickHouse-User`/`-Key`, or `user`/`password` of the query string, in that order.

        Comparison takes the same time whether the name or the password is wrong. Raises: EngineError (516, as ClickHouse).
        """
        name, password = _credentials(headers, query)
        expected = self._digests.get(name, bytes(32))
        if not hmac.compare_digest(_digest(password), expected):
            shown = name.replace("\n", " ")[:64] or "default"
            raise EngineError(
                _AUTHENTICATION_FAILED,
                f"DB::Exception: {shown}: Authentication failed: password is incorrect, or there is no user with such name. "
                f"(AUTHENTICATION_FAILED)",
            )
        return User(name, read_only=name == READER_USER)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str, str]:
    authorization = headers.get("Authorization", "")
    if authorization[:6].lower() == "basic ":
        try:
            name, _, password = base64.b64decode(authorization[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise EngineError(_AUTHENTICATION_FAILED, "DB::Exception: Malformed Basic authorization. (AUTHENTICATION_FAILED)") from None
        return name, password
    if "X-ClickHouse-User" in headers:
        return headers["X-ClickHouse-User"], headers.get("X-ClickHouse-Key", "")
    return query.get("user", ""), query.get("password", "")


def load_or_create_users(folder: Path) -> Users:
    """The tokens kept in `folder` (mode 0600), made at the first start. Clients on this machine read the same file.

    Raises: ValueError naming the file when it is damaged.
    """
    path = folder / TOKEN_FILE
    try:
        stored = json.loads(path.read_text())
        return Users(SecretStr(stored[ADMIN_USER]), SecretStr(stored[READER_USER]))
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} must be JSON with {ADMIN_USER!r} and {READER_USER!r}; delete it to make new tokens") from error
    made = {ADMIN_USER: secrets.token_urlsafe(32), READER_USER: secrets.token_urlsafe(32)}
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(made, file)
    draft.replace(path)
    return Users(SecretStr(made[ADMIN_USER]), SecretStr(made[READER_USER]))
