from __future__ import annotations

import pytest

from semantic import functions
from semantic.compile.functions import EMITTED_FUNCTIONS


class TestIsAllowed:
    @pytest.mark.parametrize(
        "name", ["sum", "SUM", "countIf", "avgOrNullIf", "quantile", "toStartOfMonth", "toDate", "lagInFrame", "coalesce"]
    )
    def test_everyday_functions(self, name: str) -> None:
        assert functions.is_allowed(name)

    @pytest.mark.parametrize(
        "name",
        [
            "file", "url", "dictGet", "joinGet", "sleep", "sleepEachRow", "throwIf", "repeat", "range", "arrayWithConstant", "replicate", "space",
            "leftPad", "rightPad", "getSetting", "currentUser", "hostName", "version", "sumState", "sumMerge", "arrayReduce", "finalizeAggregation",
            "initializeAggregation", "in", "globalIn", "runningDifference", "rowNumberInAllBlocks", "rand", "generateUUIDv4", "hasColumnInTable",
            "reverseDNSQuery", "OrNull", "", "eval", "catboostEvaluate", "addressToLine", "getMacro", "toFixedString",
        ],
    )  # fmt: skip
    def test_what_reads_calls_out_stalls_or_grows(self, name: str) -> None:
        assert not functions.is_allowed(name)

    def test_all_that_the_compiler_emits(self) -> None:
        assert [name for name in EMITTED_FUNCTIONS if not functions.is_allowed(name)] == []


class TestIsTotal:
    @pytest.mark.parametrize("name", ["toUInt8", "intDiv", "modulo", "toDate", "parseDateTimeBestEffort", "match", "toDecimal64", "cast"])
    def test_what_may_fail_on_a_value_is_not(self, name: str) -> None:
        assert functions.is_allowed(name)
        assert not functions.is_total(name)

    @pytest.mark.parametrize("name", ["sum", "toInt64OrNull", "toStartOfMonth", "upper", "if", "round"])
    def test_what_may_not_is(self, name: str) -> None:
        assert functions.is_total(name)
