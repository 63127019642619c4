"""Tests that share what takes long to make are found where the scheduler looks for them, and it still asks us."""

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

from tests.together import TOGETHER, group_of

ROOT = Path(__file__).resolve().parents[2]


def test_what_runs_together_is_there() -> None:
    assert [start for start in TOGETHER if not (ROOT / start).exists()] == []


def test_folders_are_groups_and_other_tests_their_own() -> None:
    assert group_of("tests/web/test_jobs.py::TestALongJob::test_it[a@b]") == "web"
    assert group_of("tests/unit/core/test_ids.py::test_it") == "tests/unit/core/test_ids.py::test_it"


def test_the_scheduler_asks_which_tests_belong_together() -> None:
    assert callable(LoadScopeScheduling._split_scope)
