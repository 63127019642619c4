from __future__ import annotations

import pytest

from core.errors import Invalid
from core.store.credentials import hash_password, hash_token, make_api_key, split_api_key, verify_password


class TestPasswords:
    def test_the_right_password_verifies_and_another_does_not(self) -> None:
        stored = hash_password("correct horse")
        assert stored.startswith("$argon2id$")
        assert "correct horse" not in stored
        assert verify_password("correct horse", stored)
        assert not verify_password("correct horsf", stored)

    def test_nothing_verifies_without_a_stored_hash(self) -> None:
        assert not verify_password("anything at all", None)
        assert not verify_password("anything at all", "not a hash")

    @pytest.mark.parametrize("password", ["", "short", "x" * 1025])
    def test_too_short_and_too_long_are_refused(self, password: str) -> None:
        with pytest.raises(Invalid):
            hash_password(password)
        assert not verify_password(password, hash_password("long enough"))


class TestApiKeys:
    def test_a_key_splits_into_what_is_stored(self) -> None:
        key = make_api_key()
        parts = split_api_key(key.text)
        assert parts is not None
        assert parts[0] == key.prefix
        assert hash_token(parts[1]) == key.secret_hash
        assert parts[1] not in key.secret_hash

    @pytest.mark.parametrize("text", ["", "qk_", "qk_abc", "qk__x", "sk_abc_def", "qk_a_" + "x" * 300])
    def test_what_is_no_key_is_told_apart(self, text: str) -> None:
        assert split_api_key(text) is None
