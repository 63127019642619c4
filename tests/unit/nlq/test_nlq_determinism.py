"""The same questions give the same SQL, byte for byte, in any order and any process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.questions.generated import digests, questions
from workers.demo.catalog import demo_catalog
from workers.demo.world import ACME


def in_a_process(count: int, order_seed: int, hash_seed: int) -> dict[str, str]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.questions.generated", str(count), str(order_seed)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": "."},
    )
    found: dict[str, str] = json.loads(run.stdout)
    return found


def test_the_questions_are_always_the_same() -> None:
    catalog = demo_catalog(ACME)
    assert questions(catalog, 200) == questions(catalog, 200)


def test_another_order_gives_the_same_sql() -> None:
    assert digests(60, order_seed=1) == digests(60, order_seed=2)


@pytest.mark.integration
@pytest.mark.slow
def test_a_thousand_questions_in_two_orders_and_processes() -> None:
    one, two = in_a_process(1_000, 1, 101), in_a_process(1_000, 2, 202)
    assert len(one) == 1_000
    assert [q for q in one if one[q] != two[q]] == []
