"""Words, formulas, comments and times of inference, sentence by sentence."""

from __future__ import annotations

import doctest

import pytest

from core.errors import Invalid
from semantic.catalog.importers import imported
from semantic.catalog.infer import comments, fields, types, words
from semantic.catalog.infer.glossary import draft, formula
from semantic.catalog.infer.glossary.formula import Number, Operation, Phrase, parse_formula
from semantic.catalog.infer.probe import ColumnStats
from semantic.catalog.infer.times import time_shape
from semantic.catalog.infer.types import parse_type
from semantic.catalog.model import FieldType
from semantic.values import normal


@pytest.mark.parametrize("module", [comments, draft, fields, formula, imported, normal, types, words])
def test_the_examples_in_docstrings_hold(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted
    assert not found.failed


def stats(*values: str, low: float | None = None, high: float | None = None) -> ColumnStats:
    return ColumnStats(len(values), 0, len(set(values)), tuple((v, 1) for v in values), low, high)


class TestTextTimes:
    @pytest.mark.parametrize(
        ("values", "expected", "kind"),
        [
            (("2024-01-31", "2024-02-01"), "%Y-%m-%d", FieldType.DATE),
            (("20240131", "20240201"), "%Y%m%d", FieldType.DATE),
            (("2024-01-31 10:00:00",), "%Y-%m-%d %H:%i:%s", FieldType.DATETIME),
            (("31/01/2024", "01/02/2024"), "%d/%m/%Y", FieldType.DATE),
            (("01/31/2024", "02/01/2024"), "%m/%d/%Y", FieldType.DATE),
        ],
    )
    def test_the_values_tell_the_format(self, values: tuple[str, ...], expected: str, kind: FieldType) -> None:
        shape = time_shape(parse_type("String"), ("ship", "date"), "", stats(*values))
        assert shape is not None
        assert (shape.time_format, shape.type) == (expected, kind)

    def test_a_comment_tells_it_where_the_values_do_not(self) -> None:
        shape = time_shape(parse_type("String"), ("paid", "date"), "date in yyyyMMdd HH:mm:ss format", None)
        assert shape is not None
        assert (shape.time_format, shape.type) == ("%Y%m%d %H:%i:%s", FieldType.DATETIME)

    def test_plain_text_is_no_time(self) -> None:
        assert time_shape(parse_type("String"), ("date", "type"), "", stats("early", "late")) is None


class TestIntegerTimes:
    @pytest.mark.parametrize(("low", "high", "epoch"), [(1.6e9, 1.7e9, "s"), (1.6e12, 1.7e12, "ms"), (1.6e15, 1.7e15, "us")])
    def test_epochs_by_range(self, low: float, high: float, epoch: str) -> None:
        shape = time_shape(parse_type("Int64"), ("event", "ts"), "", stats("1", low=low, high=high))
        assert shape is not None
        assert shape.epoch == epoch

    def test_a_large_number_without_a_time_word_is_a_number(self) -> None:
        assert time_shape(parse_type("Int64"), ("revenue",), "", stats("1", low=1.6e9, high=1.7e9)) is None

    def test_date_keys(self) -> None:
        shape = time_shape(parse_type("UInt32"), ("order", "date", "key"), "", stats("20240131", low=20240131, high=20240131))
        assert shape is not None
        assert shape.time_format == "%Y%m%d"


class TestFormulas:
    def test_precedence_and_parentheses(self) -> None:
        assert parse_formula("a - b / c") == Operation("-", Phrase("a"), Operation("/", Phrase("b"), Phrase("c")))
        assert parse_formula("(a - b) / c * 100") == Operation(
            "*", Operation("/", Operation("-", Phrase("a"), Phrase("b")), Phrase("c")), Number(100.0)
        )

    def test_words_for_operators(self) -> None:
        assert parse_formula("total loss divided by premium") == Operation("/", Phrase("total loss"), Phrase("premium"))

    def test_hyphens_inside_words_are_not_minus(self) -> None:
        assert parse_formula("year-end stock - opening stock") == Operation("-", Phrase("year-end stock"), Phrase("opening stock"))

    def test_a_list_shares_its_last_word(self) -> None:
        assert formula.phrases_of(parse_formula("the sum of base fee, late fee and setup fee amount")) == [
            "base fee amount",
            "late fee amount",
            "setup fee amount",
        ]

    @pytest.mark.parametrize("text", ["(a + b", "a +", "* b", "a ) b", ""])
    def test_broken_formulas_are_refused(self, text: str) -> None:
        with pytest.raises(Invalid):
            parse_formula(text)
