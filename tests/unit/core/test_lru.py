from __future__ import annotations

import threading
import time

import pytest

from core.lru import Lru


class TestLru:
    def test_forgets_what_was_used_longest_ago(self) -> None:
        cache: Lru[str, int] = Lru(2)
        cache.get_or_make("a", lambda: 1)
        cache.get_or_make("b", lambda: 2)
        cache.get_or_make("a", lambda: 99)
        cache.get_or_make("c", lambda: 3)
        assert cache.get_or_make("a", lambda: 99) == 1
        assert cache.get_or_make("b", lambda: 99) == 99
        assert len(cache) == 2

    def test_builds_once_however_many_ask(self) -> None:
        cache: Lru[str, int] = Lru(2)
        made: list[int] = []

        def make() -> int:
            time.sleep(0.05)
            made.append(1)
            return 7

        threads = [threading.Thread(target=lambda: cache.get_or_make("k", make)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == [1]

    def test_a_failure_is_not_kept(self) -> None:
        cache: Lru[str, int] = Lru(2)

        def fail() -> int:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            cache.get_or_make("k", fail)
        assert cache.get_or_make("k", lambda: 5) == 5
