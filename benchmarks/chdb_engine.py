"""A real ClickHouse engine inside this process, for measuring what a guarded query returns. One per process (chDB's own limit)."""

from __future__ import annotations

import datetime as dt
import json
import math
import multiprocessing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semantic.states import GuardedQuery, Param, ParamValue

Question = tuple[str, Mapping[str, Param], Mapping[str, str | int] | None]
_FORMAT = "JSONCompactEachRowWithNames"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Column names and rows in a stable order, or the engine's error."""

    names: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""

    def same_as(self, other: Outcome) -> bool:
        """Equal names and rows, floats to 1e-9 (sums depend on the order of addition); two errors are equal when their text is."""
        if self.error or other.error:
            return self.error == other.error
        return self.names == other.names and len(self.rows) == len(other.rows) and all(map(_same_row, self.rows, other.rows))

    def mentions(self, marks: tuple[str, ...]) -> bool:
        text = json.dumps([self.names, self.rows, self.error], ensure_ascii=False)
        return any(mark in text for mark in marks)


class Engine:
    def __init__(self, folder: Path) -> None:
        from chdb.session import Session

        make: Any = Session
        self._session: Any = make(str(folder))

    def run(self, sql: str) -> None:
        self._session.query(sql, "Null")

    def ask(self, sql: str, params: Mapping[str, Param] | None = None, settings: Mapping[str, str | int] | None = None) -> Outcome:
        """Rows sorted, so that two answers without ORDER BY can be compared. One thread, so that LIMIT without ORDER BY is repeatable."""
        chosen = {"max_threads": 1, **(settings or {})}
        text = f"{sql} SETTINGS {', '.join(f'{key} = {_setting(value)}' for key, value in chosen.items())}"
        try:
            result = self._session.query(text, _FORMAT, params={name: param_text(p.value) for name, p in (params or {}).items()})
        except Exception as error:
            # chDB 4.4 keeps what a failed query had written and puts it in front of the connection's next result.
            self._session.query("SELECT 1", "Null")
            return Outcome(error=str(error).split("\n", 1)[0])
        lines = [json.loads(line) for line in result.bytes().decode().splitlines()]
        rows = sorted((_frozen(row) for row in lines[1:]), key=_sort_key)
        return Outcome(tuple(lines[0]) if lines else (), tuple(rows))

    def ask_guarded(self, query: GuardedQuery) -> Outcome:
        return self.ask(query.sql, query.params, query.settings)

    def close(self) -> None:
        self._session.close()


def param_text(value: ParamValue, inside: bool = False) -> str:
    """A parameter as ClickHouse reads it: escaped as in TSV, strings in arrays quoted."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return "[" + ",".join(param_text(part, inside=True) for part in value) + "]"
        case dt.datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        case str():
            escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r").replace("\0", "\\0")
            return "'" + escaped.replace("'", "\\'") + "'" if inside else escaped
        case _:
            return str(value)


def _setting(value: str | int) -> str:
    if isinstance(value, int) or value.startswith("{"):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else json.dumps(value) if isinstance(value, dict) else value


def _sort_key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((0, f"{v:.6g}") if isinstance(v, float) else (1, json.dumps(v)) for v in row)


def _same_row(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) == len(other) and all(map(_same_value, one, other))


def _same_value(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return _same_row(one, other)
    if isinstance(one, float) or isinstance(other, float):
        return isinstance(one, int | float) and isinstance(other, int | float) and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


class EngineProcess:
    """An Engine in a process of its own, for callers whose process may hold another one already."""

    def __init__(self, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, folder), daemon=True)
        self._process.start()
        theirs.close()

    def run(self, *statements: str) -> None:
        """Raises: RuntimeError with the engine's words."""
        for outcome in self.ask_many([(statement, {}, None) for statement in statements]):
            if outcome.error:
                raise RuntimeError(outcome.error)

    def ask(self, sql: str, params: Mapping[str, Param] | None = None, settings: Mapping[str, str | int] | None = None) -> Outcome:
        return self.ask_many([(sql, params or {}, settings or {})])[0]

    def ask_guarded(self, query: GuardedQuery) -> Outcome:
        return self.ask(query.sql, query.params, query.settings)

    def ask_many(self, questions: Sequence[Question]) -> list[Outcome]:
        """Answers in order. Settings None: a statement, run as it is."""
        self._pipe.send([(sql, dict(params), None if settings is None else dict(settings)) for sql, params, settings in questions])
        answers: list[Outcome] = self._pipe.recv()
        return answers

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join(timeout=20)
        if self._process.is_alive():
            self._process.kill()


def _serve(pipe: Any, folder: Path) -> None:
    engine = Engine(folder)
    while (questions := pipe.recv()) is not None:
        answers: list[Outcome] = []
        for sql, params, settings in questions:
            if settings is not None:
                answers.append(engine.ask(sql, params, settings))
                continue
            try:
                engine.run(sql)
                answers.append(Outcome())
            except Exception as error:
                answers.append(Outcome(error=str(error)))
        pipe.send(answers)
    engine.close()
