"""Just enough of ClickHouse's lexical grammar to tell statements apart without parsing them.

The endpoint must know four things about a text before the engine sees it: where the data of an INSERT begins, whether a second statement
follows, which output format it asks for, and which names are called like functions. Quotes, comments and heredocs are honoured, so a
semicolon or a word inside a literal never counts. What is not closed reaches to the end, so the work grows with the length of the text only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["word", "quoted", "string", "number", "punct"]

_TOKEN = re.compile(
    r"""
    (?P<skip>   [\s\u00a0\u200b\ufeff]+ | --[^\n]* | //[^\n]* | \#(?:[\ !])[^\n]* | /\*.*?(?:\*/|\Z) )
  | (?P<heredoc> \$(?P<tag>\w*)\$ (?: .*? \$(?P=tag)\$ | .*\Z ) )
  | (?P<string> '(?:[^'\\]|\\.|'')*(?:'|\Z) | [\u2018\u2019] [^\u2018\u2019]* (?:[\u2018\u2019]|\Z) )
  | (?P<quoted> "(?:[^"\\]|\\.|"")*(?:"|\Z) | `(?:[^`\\]|\\.|``)*(?:`|\Z) | [\u201c\u201d] [^\u201c\u201d]* (?:[\u201c\u201d]|\Z) )
  | (?P<number> \d[\w.]* )
  | (?P<word>   [A-Za-z_]\w* )
  | (?P<punct>  . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        """The text in capitals for an unquoted word, else ''."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """The identifier a word or a quoted name stands for, lower case, else ''."""
        if self.kind == "word":
            return self.text.lower()
        return self.text[1:-1].lower() if self.kind == "quoted" else ""


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of `sql` in order, lazily, comments and space left out."""
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup or "punct"
        if kind in ("skip", "tag"):
            if match.group("skip") is not None:
                continue
            kind = "string"
        if match.group("heredoc") is not None:
            kind = "string"
        yield Token(kind, match.group(), match.start(), match.end())  # type: ignore[arg-type]
