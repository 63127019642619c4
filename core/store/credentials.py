"""Passwords (argon2id) and opaque tokens. Only hashes are stored; tokens carry 256 random bits, so a plain SHA-256 of them is enough."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import Invalid

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 1024
_PREFIX_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_KEY_START = "qk_"


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # the library's defaults are RFC 9106's low-memory profile


def hash_password(password: str) -> str:
    """An argon2id hash with its parameters and salt.

    Raises: Invalid when shorter than 8 or longer than 1,024 characters.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise Invalid(
            f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters; found {len(password)}.", code="bad_password"
        )
    return _hasher().hash(password)


def verify_password(password: str, stored_hash: str | None) -> bool:
    """Whether the password is right. Takes as long without a stored hash, so that time does not tell which users exist."""
    if len(password) > MAX_PASSWORD_LENGTH:
        return False
    try:
        matches = _hasher().verify(stored_hash or _decoy_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored_hash is not None


@lru_cache(maxsize=1)
def _decoy_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class NewKey:
    """`text` is shown to its owner once; `prefix` and `secret_hash` are stored."""

    text: str
    prefix: str
    secret_hash: str


def make_api_key() -> NewKey:
    """A key such as qk_ab3k9mwz_<43 characters>."""
    prefix = "".join(secrets.choice(_PREFIX_ALPHABET) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    return NewKey(text=f"{_KEY_START}{prefix}_{secret}", prefix=prefix, secret_hash=hash_token(secret))


def split_api_key(text: str) -> tuple[str, str] | None:
    """(prefix, secret) of a key's text, or None when it does not look like a key."""
    if not text.startswith(_KEY_START) or len(text) > 200:
        return None
    prefix, separator, secret = text.removeprefix(_KEY_START).partition("_")
    return (prefix, secret) if separator and prefix and secret else None


def make_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def same_hash(left: str, right: str) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(left, right)
