"""The verifier's tokens are those that sqlglot's own tokenizer cuts, for every text that it accepts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from semantic.verification.tokens import UnknownText, read_tokens

_ACCEPTED = Path(__file__).parents[2] / "security" / "accept.txt"
_PIECES = [
    *"SELECT FROM WHERE GROUP BY ORDER PARTITION GROUPING SETS by Order select AS DISTINCT NULL NOT IN CASE WHEN END date count Fetch".split(),
    *"SORT DOUBLE PRECISION PRIMARY KEY x _scope t1 a_b UNION ALL LEFT JOIN INTERVAL DAY WITH FILL STEP format array".split(),
    *"\"a b\" \"SELECT\" \"é\" '' 'it' 'GROUP BY' {p0:String} {tenant:String} {d:Date} {t:DateTime64(6, 'UTC')} {n:Decimal(38, 9)}".split(
        "\0"
    ),
    *"0 1 42 1.5 2e3 1.5e-7 .5 0.1".split(),
    *"( ) [ ] , . + - * / % = == < > <= >= <> != || :: ->".split(),
]


def _cut(sql: str) -> list[tuple[TokenType, str, int, int]] | None:
    try:
        return [(t.token_type, t.text, t.start, t.end) for t in ClickHouse().tokenize(sql)]
    except SqlglotError:
        return None


def _ours(sql: str) -> list[tuple[TokenType, str, int, int]] | None:
    try:
        return [(t.token_type, t.text, t.start, t.end) for t in read_tokens(sql)[0]]
    except UnknownText:
        return None


@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=25))
@settings(max_examples=1500, deadline=None)
def test_words_and_signs_apart(pieces: list[str]) -> None:
    sql = "SELECT " + " ".join(pieces)
    assert _ours(sql) == _cut(sql)


@pytest.mark.parametrize("sql", [line for line in _ACCEPTED.read_text().splitlines() if line.strip() and not line.startswith("#")])
def test_accepted_texts(sql: str) -> None:
    ours = _ours(sql)
    assert ours is None or ours == _cut(sql)


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT a."b" FROM "db"."t" AS _scope WHERE _scope.x = {p0: String} GROUP  BY\n x ORDER BY (a,b)[1] LIMIT 10',
        "SELECT x->y, a::Int8, -1, 1-1, a||b, t.1, f(.5), 'x' FROM (SELECT 1)",
        "SELECT sum(x)OVER(PARTITION BY y)",
    ],
)
def test_signs_close_together(sql: str) -> None:
    assert _ours(sql) == _cut(sql)


def test_placeholders_have_name_and_type() -> None:
    assert read_tokens("{a:String} {b: DateTime('UTC')}")[1] == (("a", "String"), ("b", "DateTime('UTC')"))


@pytest.mark.parametrize(
    "sql", ["SELECT 1; SELECT 2", "SELECT `a`", "SELECT 'a\\'b'", "SELECT {x}", "SELECT $a$", "SELECT x'00'", "SHOW TABLES", "SELECT 1 # a"]
)
def test_other_texts_are_unknown(sql: str) -> None:
    with pytest.raises(UnknownText):
        read_tokens(sql)
