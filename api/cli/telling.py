"""A finished study as sentences for people: headline, narrative, table, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.cli.output import out, print_table
from api.study_view import with_view

SHOWN = 30


def tell(kind: str, result: Mapping[str, Any], message: str = "") -> None:
    """What `querent ask "why ..."` prints. `message`: said when the study found nothing worth a sentence."""
    shown = with_view(kind, result) or {}
    headline = str(shown.get("headline") or "")
    sentences = [text for text in map(sentence, _listed(shown.get("narrative"))) if text and text != headline]
    if headline:
        out.print(headline, style="bold", markup=False)
    for text in sentences:
        out.print(text, markup=False)
    table = shown.get("view_table")
    if isinstance(table, Mapping) and table.get("rows"):
        print_table([str(c) for c in table.get("columns", [])], [[str(v) for v in row] for row in table["rows"][:SHOWN]])
    if not headline and not sentences:
        out.print(message or "Nothing stood out.", markup=False)
    for note in _listed(shown.get("notes"))[:5]:
        out.print(f"Note: {sentence(note)}", style="dim", markup=False)
    receipt = shown.get("receipt")
    if isinstance(receipt, Mapping) and "rows_read" in receipt:
        out.print(
            f"Read {receipt['rows_read']:,} rows; catalog version {receipt.get('catalog_version')}, query {receipt.get('query_hash')}. --json shows the SQL.",
            style="dim", markup=False,
        )  # fmt: skip


def sentence(part: object) -> str:
    """The text of a sentence, whether it is text already or carries its facts.

    >>> sentence({"text": "Revenue fell.", "facts": [1]}), sentence("It rose.")
    ('Revenue fell.', 'It rose.')
    """
    if isinstance(part, Mapping):
        return str(part.get("text") or part.get("sentence") or part.get("message") or "")
    return "" if part is None else str(part)


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None or value == "" else [value]
