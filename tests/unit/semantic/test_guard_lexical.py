from __future__ import annotations

import pytest

from core.errors import QueryRejected
from semantic.guard.lexical import MAX_CHARACTERS, plain_text


class TestPlainText:
    def test_comments_become_spaces_and_positions_stay(self) -> None:
        assert plain_text("SELECT 1 /* a */ + 2 -- b\n+ 3", ()) == "SELECT 1         + 2     \n+ 3"

    def test_a_closing_semicolon_is_dropped(self) -> None:
        assert plain_text("SELECT 1 ; ", ()) == "SELECT 1   "

    def test_strings_and_names_keep_any_printable_text(self) -> None:
        sql = "SELECT 'größe -- /* # $ ; {x:String}' AS `drop table`, \"ключ\""
        assert plain_text(sql, ()) == sql

    def test_a_bound_placeholder_is_kept(self) -> None:
        assert plain_text("SELECT {day:Date}, {names:Array(String)}", {"day", "names"}) == "SELECT {day:Date}, {names:Array(String)}"

    @pytest.mark.parametrize(
        ("sql", "path"),
        [
            ("SELECT 'a''b'", "1:11"),
            ("SELECT\n  'a\\b'", "2:3"),
            ("SELECT ‘a’", "1:8"),
            ("SELECT 1 # x", "1:10"),
            ("SELECT $$a$$", "1:8"),
            ("SELECT x'61'", "1:9"),
            ("SELECT 0x61", "1:9"),
            ("SELECT 'a", "1:8"),
            ("SELECT /* /* */", "1:8"),
            ("SELECT {x:String}", "1:8"),
            ("SELECT 1; SELECT 2", "1:11"),
            ("SELECT 'a\nb'", "1:8"),
            ('SELECT "a""b"', "1:11"),
        ],
    )
    def test_what_is_read_in_two_ways_is_refused_with_its_place(self, sql: str, path: str) -> None:
        with pytest.raises(QueryRejected) as caught:
            plain_text(sql, ())
        assert caught.value.path == path
        assert caught.value.suggestions

    def test_depth_and_length_are_bounded(self) -> None:
        with pytest.raises(QueryRejected):
            plain_text("SELECT " + "(" * 41 + "1" + ")" * 41, ())
        with pytest.raises(QueryRejected):
            plain_text("SELECT 1" + " " * MAX_CHARACTERS, ())
