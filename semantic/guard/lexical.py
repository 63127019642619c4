"""The characters of an analyst's SQL: only text that ClickHouse and our parser are known to cut into the same tokens.

Refused here: escapes and doubled quotes inside strings and names, `#` comments, nested comments, heredocs, prefixed strings (x'..'), characters
beyond ASCII outside quotes (typographic quotes, look-alike letters), several statements, unbound `{name:Type}`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NoReturn

from core.errors import QueryRejected

MAX_CHARACTERS = 50_000
MAX_DEPTH = 40

_PIECE = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<string>'[^']*')
    | (?P<name>"[^"]*"|`[^`]*`)
    | (?P<placeholder>\{[ ]*(?P<param>[A-Za-z_][A-Za-z0-9_]*)[ ]*:[ ]*[A-Za-z0-9]+(?:\([A-Za-z0-9(), ]*\))?[ ]*\})
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol>->|::|\|\||<>|!=|<=|>=|==|[-+*/%=<>(),.\[\];])
    """,
    re.VERBOSE | re.DOTALL,
)
_BIND = "bind it as a parameter: {name:String}"


def plain_text(sql: str, params: Collection[str]) -> str:
    """The SQL without comments and without a closing semicolon, positions kept.

    params: names of the values that come with the SQL.
    Raises: QueryRejected, with `path` as line:column.
    """
    if len(sql) > MAX_CHARACTERS:
        raise QueryRejected(f"SQL may have at most {MAX_CHARACTERS} characters; found {len(sql)}.", code="sql_too_long")
    parts: list[str] = []
    at, depth, before, ended = 0, 0, "space", False
    while at < len(sql):
        piece = _PIECE.match(sql, at)
        if piece is None:
            _refuse(sql, at, *_unknown(sql, at))
        kind, text = str(piece.lastgroup if piece.lastgroup != "param" else "placeholder"), piece.group()
        if ended and kind not in ("space", "comment"):
            _refuse(sql, at, "Expected one statement; found more text after ';'.", "send one statement at a time")
        if kind in ("string", "name"):
            _check_quoted(sql, at, text, before)
        elif before in ("string", "name", "number") and kind in ("word", "number", "string"):
            _refuse(sql, at, f"Expected a space or an operator before {text[:20]!r}.", "write words, numbers and strings apart")
        elif kind == "comment":
            inside = text[2:] if text.startswith("--") else text[2:-2]
            if any(mark in inside for mark in ("/*", "--", "#", "'", '"', "`", "\\", ";", "{")) or not text.isascii():
                _refuse(sql, at, "A comment holds quotes or another comment, which readers of SQL treat differently.", "remove the comment")
            text = re.sub(r"[^\n]", " ", text)
        elif kind == "placeholder" and piece["param"] not in params:
            _refuse(sql, at, f"Placeholder {piece['param']!r} has no value.", "send its value in params, or write the value")
        elif text == ";":
            ended, text = True, " "
        elif text in ("(", "["):
            depth += 1
            if depth > MAX_DEPTH:
                _refuse(sql, at, f"Nested more than {MAX_DEPTH} levels deep.", "use WITH to name the inner steps")
        elif text in (")", "]"):
            depth -= 1
        parts.append(text)
        before, at = kind, piece.end()
    return "".join(parts)


def _check_quoted(sql: str, at: int, text: str, before: str) -> None:
    what = "string" if text[0] == "'" else "name"
    fix = _BIND if what == "string" else "rename it with AS"
    if before in ("string", "name") or before in ("word", "number"):
        _refuse(sql, at, f"A {what} follows a word or another quote without a space; prefixes and doubled quotes are not read.", fix)
    if "\\" in text:
        _refuse(sql, at, f"A backslash in a {what} is read differently by different databases.", fix)
    if not text[1:-1].isprintable():
        _refuse(sql, at, f"A {what} holds a control character or line break.", fix)
    if what == "name" and any(quote in text[1:-1] for quote in "\"'`“”‘’"):
        _refuse(sql, at, "A quoted name holds a quote.", fix)


def _unknown(sql: str, at: int) -> tuple[str, str]:
    found = sql[at]
    if found in "'\"`" or sql.startswith("/*", at):
        return f"{found!r} is never closed.", "close it"
    if not found.isascii():
        return f"Found {found!r} (U+{ord(found):04X}) outside quotes; only ASCII is read there.", "retype it with plain quotes and letters"
    if found == "#":
        return "Found '#'; it starts a comment in ClickHouse only.", "use --"
    if found == "$":
        return "Found '$'; heredoc strings are not read.", "use '...'"
    if found in "{}":
        return f"Found {found!r}, which is not a placeholder {{name:Type}}.", "use map() for maps"
    if found == "?":
        return "Found '?'; the ternary operator is not read.", "use if(condition, then, else)"
    return f"Found {found!r}, which has no place in a query.", "remove it"


def _refuse(sql: str, at: int, message: str, fix: str) -> NoReturn:
    line = sql.count("\n", 0, at) + 1
    column = at - (sql.rfind("\n", 0, at) + 1) + 1
    raise QueryRejected(f"{message} (line {line}, column {column})", code="unreadable_sql", suggestions=(fix,), path=f"{line}:{column}")
