"""What a text of SQL is, as far as the endpoint must know before the engine reads it."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.warehouse.engine_errors import EngineError
from semantic.warehouse.lexer import Token, tokens

SYNTAX_ERROR = 62
_READS = frozenset({"SELECT", "WITH", "FROM", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"})
_SESSION_VERBS = frozenset({"SET", "USE"})


@dataclass(frozen=True, slots=True)
class Statement:
    """What is known of a statement.

    verb: first keyword in capitals ('(' counts as SELECT). output_format: of a trailing FORMAT clause, or ''.
    An INSERT whose data follows has `input_format`, `format_start` (where its FORMAT clause begins) and `data_start` (index of the first
    character of data); nothing after `data_start` was looked at.
    calls: lower-case names followed by an opening parenthesis. qualified: lower-case (left, right) of every `left.right`. hides_names: a name
    is a placeholder (`{x:Identifier}`) or is written with escapes, so that these two sets miss it.
    changes_session: the statement only makes sense inside a session (SET, USE, temporary tables). ends_process: SYSTEM SHUTDOWN or KILL.
    """

    verb: str
    output_format: str = ""
    input_format: str = ""
    format_start: int = -1
    data_start: int = -1
    calls: frozenset[str] = frozenset()
    qualified: frozenset[tuple[str, str]] = frozenset()
    hides_names: bool = False
    changes_session: bool = False
    ends_process: bool = False

    @property
    def has_data(self) -> bool:
        return self.data_start >= 0

    @property
    def reads(self) -> bool:
        return self.verb in _READS


def inspect(sql: str) -> Statement:
    """The statement's shape. Raises: EngineError (62, as ClickHouse) for an empty text or a second statement."""
    stream = tokens(sql)
    first = next(stream, None)
    while first is not None and first.text == ";":
        first = next(stream, None)
    if first is None:
        raise EngineError(SYNTAX_ERROR, "DB::Exception: Syntax error: Empty query. (SYNTAX_ERROR)")
    verb = "SELECT" if first.text == "(" else (first.upper or first.text[:20])
    if verb == "INSERT":
        return _inspect_insert(sql, [first], stream)
    previous, calls, depth = first, set(), 1 if first.text == "(" else 0
    output_format, format_start = "", -1
    qualified: set[tuple[str, str]] = set()
    dotted = ""
    ended = temporary = hides_names = ends_process = False
    for token in stream:
        if ended:
            raise EngineError(
                SYNTAX_ERROR, "DB::Exception: Syntax error (Multi-statements are not allowed): send one statement. (SYNTAX_ERROR)"
            )
        if verb == "SYSTEM" and previous is first:
            ends_process = token.upper in ("SHUTDOWN", "KILL")
        if dotted and token.name:
            qualified.add((dotted, token.name))
        dotted = previous.name if token.text == "." else ""
        hides_names = (
            hides_names or (previous.text == ":" and token.name == "identifier") or (token.kind == "quoted" and "\\" in token.text)
        )
        if token.kind == "punct":
            if token.text == "(":
                depth += 1
                if previous.name:
                    calls.add(previous.name)
            elif token.text == ")":
                depth -= 1
            elif token.text == ";":
                ended = True
                continue
        elif previous.upper == "FORMAT" and token.kind == "word" and depth <= 0:
            output_format, format_start = token.text, previous.start
        elif token.upper == "TEMPORARY":
            temporary = True
        previous = token
    changes_session = verb in _SESSION_VERBS or (temporary and verb in ("CREATE", "DROP", "TRUNCATE"))
    return Statement(
        verb,
        output_format,
        format_start=format_start,
        calls=frozenset(calls),
        qualified=frozenset(qualified),
        hides_names=hides_names,
        changes_session=changes_session,
        ends_process=ends_process,
    )


def _inspect_insert(sql: str, seen: list[Token], stream: object) -> Statement:
    """INSERT: data follows FORMAT name; VALUES, SELECT and the like carry everything in the text itself."""
    depth, previous = 0, seen[0]
    for token in stream:  # type: ignore[attr-defined]
        if token.kind == "punct":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        elif depth == 0 and previous.upper == "FORMAT" and token.kind == "word":
            if token.upper == "VALUES":
                return Statement("INSERT")
            return Statement("INSERT", input_format=token.text, format_start=previous.start, data_start=_data_start(sql, token.end))
        elif depth == 0 and token.upper in ("VALUES", "SELECT", "WITH", "INFILE", "WATCH"):
            return Statement("INSERT")
        previous = token
    return Statement("INSERT")


def _data_start(sql: str, end: int) -> int:
    """After `FORMAT name`: an optional semicolon and white space up to and including one line end belong to the statement."""
    position = end
    while position < len(sql) and sql[position] in " \t\r":
        position += 1
    if position < len(sql) and sql[position] == ";":
        position += 1
        while position < len(sql) and sql[position] in " \t\r":
            position += 1
    if position < len(sql) and sql[position] == "\n":
        return position + 1
    return position
