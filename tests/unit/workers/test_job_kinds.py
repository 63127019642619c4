"""Kinds and their functions fit together, and accepting a job stays light."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.errors import NotFound
from workers.broker import QUEUES
from workers.jobs import FUNCTIONS
from workers.kinds import KINDS, kind


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_whole(name: str) -> None:
    assert kind(name).queue in QUEUES
    assert sum(kind(name).steps.values()) == pytest.approx(1.0)
    assert name in FUNCTIONS


def test_there_is_no_function_without_a_kind() -> None:
    assert set(FUNCTIONS) <= set(KINDS)


def test_an_unknown_kind_is_not_found() -> None:
    with pytest.raises(NotFound):
        kind("mine_bitcoin")


def test_accepting_jobs_imports_nothing_heavy() -> None:
    code = (
        "import sys, workers.queue, workers.bootstrap\n"
        "heavy = {'torch', 'prophet', 'pyod', 'mlflow', 'statsmodels', 'statsforecast', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
