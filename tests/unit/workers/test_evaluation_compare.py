"""What became of a verified question when the catalog changed."""

from __future__ import annotations

import pytest

from workers.evaluation.compare import Side, compared

A = Side({"m": 1}, "SELECT 1", "d1", 1, reads="same")


class TestCompared:
    @pytest.mark.parametrize(
        ("old", "new", "verdict", "regression"),
        [
            (A, A, "same", False), (A, Side({"m": 1}, "SELECT 2", "d1"), "same result", False), (A, Side({"m": 1}, "SELECT 2", "d2"), "changed", True),
            (A, Side({"m": 1}, error="no metric"), "broken", True), (Side({"m": 1}, error="x"), A, "fixed", False),
            (Side({"m": 1}, error="x"), Side({"m": 1}, error="x"), "still broken", False), (A, Side({"m": 2}, "SELECT 3", "d3"), "edited", False),
            (None, A, "new", False), (A, None, "removed", False), (None, Side({"m": 1}, error="x"), "broken", True),
        ],
    )  # fmt: skip
    def test_each_case_has_its_verdict(self, old: Side | None, new: Side | None, verdict: str, regression: bool) -> None:
        item = compared("q", old, new)
        assert item.verdict == verdict
        assert item.is_regression is regression

    def test_a_question_that_needs_its_verification_now_is_said(self) -> None:
        assert compared("q", A, Side({"m": 1}, "SELECT 1", "d1", 1, reads="refuses")).reads_worse
        assert not compared("q", A, A).reads_worse
