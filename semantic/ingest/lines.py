"""Lines of a text file, in bounded memory whatever the file holds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import Invalid
from semantic.ingest.sniff import Sniffed

MAX_LINE_CHARS = 32 * 1024**2  # a small gzip file may unpack to gigabytes without a line break


def text_lines(sniffed: Sniffed, *, newline: str | None = None) -> Iterator[str]:
    """With their ends. newline: as `open` takes it. Bytes that are no text become surrogates where the encoding allows that.

    Raises: Invalid for a line without end, or bytes that nothing can stand for.
    """
    with readable(sniffed), sniffed.open() as raw:
        text = io.TextIOWrapper(raw, encoding=sniffed.encoding, errors="surrogateescape", newline=newline)
        while line := text.readline(MAX_LINE_CHARS + 1):
            if len(line) > MAX_LINE_CHARS:
                raise Invalid(
                    f"{sniffed.path.name} has a line of more than {MAX_LINE_CHARS:,} characters. Is it a table, one row a line?",
                    code="line_too_long",
                )
            yield line


@contextmanager
def readable(sniffed: Sniffed) -> Iterator[None]:
    """Raises: Invalid where bytes cannot be text in the file's encoding and none can stand for them, as in UTF-16 that is cut short."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Invalid(
            f"{sniffed.path.name} is cut short or damaged: it holds bytes that are no {sniffed.encoding} text. Save it as UTF-8.",
            code="bad_encoding",
        ) from error
