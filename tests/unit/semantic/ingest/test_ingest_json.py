"""JSON files record by record: memory, order, and what is no JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import Invalid
from semantic.ingest import json_records, lines
from semantic.ingest.readers import sources
from semantic.ingest.sniff import sniff


def rows_of(path: Path, body: bytes) -> list[list[object]]:
    path.write_bytes(body)
    (source,) = sources(sniff(path))
    return [list(row) for block in source.blocks() for row in zip(*(column.to_pylist() for column in block.columns), strict=True)]


@pytest.mark.parametrize(
    "body",
    [
        '[{"a":1,"b":{"c":2}} , {"b":{"c":3}}]',
        '\ufeff \n[{"a":1,"b":{"c":2}},\n{"b":{"c":3}}\n]\n',
        '{"x":1,"data":[{"a":1,"b":{"c":2}},{"b":{"c":3}}]}',
    ],
)
def test_lists_and_lists_in_an_object(tmp_path: Path, body: str) -> None:
    assert rows_of(tmp_path / "t.json", body.encode()) == [["1", "2"], [None, "3"]]


@pytest.mark.parametrize("body", [b'[{"a":1}', b'[{"a":1},]', b'[{"a":1} {"a":2}]', b'[{"a":1}] x', b"[" + b'{"a":' * 90_000])
def test_what_is_no_list_is_said(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(Invalid, match="not valid JSON"):
        rows_of(tmp_path / "t.json", body)


def test_what_is_too_large_to_be_read_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_OBJECT_BYTES", 100)
    many = [{"a": number} for number in range(50)]
    assert len(rows_of(tmp_path / "list.json", json.dumps(many).encode())) == 50
    with pytest.raises(Invalid, match="JSON object of more than 100 bytes"):
        rows_of(tmp_path / "object.json", json.dumps({"data": many}).encode())


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_line_without_end_and_half_a_character_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a,b\n1,2\n" if name == "t.csv" else '{"a":1}\n'
    with pytest.raises(Invalid, match="cut short or damaged"):
        rows_of(tmp_path / name, (text * 3).encode("utf-16-le")[:-1])
    monkeypatch.setattr(lines, "MAX_LINE_CHARS", 200)
    with pytest.raises(Invalid, match="a line of more than 200 characters"):
        rows_of(tmp_path / name, (text + "x" * 300).encode())
