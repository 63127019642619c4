"""Errors of the engine as ClickHouse's HTTP interface reports them: code, text and HTTP status."""

from __future__ import annotations

import re

_CODE = re.compile(r"Code: (\d+)\. ")

# ClickHouse's own table (HTTPHandler, exceptionCodeToHTTPStatus); everything else is 500.
_BAD_REQUEST = (6, 26, 27, 36, 38, 41, 42, 43, 44, 53, 57, 62, 69, 70, 72, 117, 125, 130, 131, 190, 386, 456, 457)
_STATUS: dict[int, int] = {
    **dict.fromkeys(_BAD_REQUEST, 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 73, 78, 81, 93, 115), 404),
    194: 401,
    516: 403,
    192: 403,
    193: 403,
    497: 403,
    164: 403,
    452: 403,
    159: 408,
    411: 411,
    223: 413,
    48: 501,
    202: 503,
    209: 503,
    439: 503,
}
UNKNOWN_EXCEPTION = 1002


class EngineError(Exception):
    """A ClickHouse exception. `text` starts with `DB::Exception:` and ends with the symbolic name in brackets."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Code: {code}. {text}")
        self.code = code
        self.text = text

    @property
    def http_status(self) -> int:
        return _STATUS.get(self.code, 500)

    def body(self, version: str) -> bytes:
        text = self.text if "(version " in self.text[-80:] else f"{self.text} (version {version})"
        return f"Code: {self.code}. {text}\n".encode()


def from_engine(error: BaseException) -> EngineError:
    """The engine's own error text, with repeated `Code: N.` prefixes (chDB nests them) folded into one."""
    text = str(error)
    match = _CODE.search(text)
    if match is None:
        return EngineError(UNKNOWN_EXCEPTION, f"DB::Exception: {text.strip()[:4000]} (UNKNOWN_EXCEPTION)")
    code = int(match.group(1))
    rest = text[match.end() :].strip()
    while rest.startswith("DB::Exception: Code: "):
        nested = _CODE.match(rest, len("DB::Exception: "))
        if nested is None:
            break
        rest = rest[nested.end() :]
    return EngineError(code, rest)
