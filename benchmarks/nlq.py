"""Questions on third-party databases: load, infer, ask through the whole pipeline, write one answer a line.

    python -m benchmarks.nlq --suite DIR --out ANSWERS.jsonl

Reads `suite.json`, `db/*` and of each case only `id`, `database`, `question`, `as_of` and `dialog`. Prints one JSON line of figures last.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks._nlq_database import Engine, LoadedDatabase, load_database, run_guarded, tenant_for
from benchmarks._nlq_score import score_if_possible
from core.errors import AppError
from core.ids import UserId
from core.principal import Principal, Role
from nlq.understand import Understander
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.resolve import resolve

_ASKED = ("id", "database", "question", "as_of", "dialog")


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    suite = Path(options.suite)
    if not (suite / "cases.jsonl").exists():
        print(f"{suite}: expected cases.jsonl and db/; found neither.", file=sys.stderr)
        return 2
    raw = [json.loads(line) for line in (suite / "cases.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]
    cases = [{key: c[key] for key in _ASKED if key in c} for c in raw]
    if options.only:
        cases = [c for c in cases if any(str(c["id"]).startswith(p) for p in options.only.split(","))]
    default_as_of = json.loads((suite / "suite.json").read_text(encoding="utf-8")).get("as_of") if (suite / "suite.json").exists() else None
    started = time.perf_counter()
    engine = Engine()
    answers: dict[str, dict[str, Any]] = {}
    databases: dict[str, tuple[LoadedDatabase, Understander, Principal]] = {}
    with Path(options.out).open("w", encoding="utf-8") as out:
        for case in cases:
            name = case["database"]
            if name not in databases:
                databases[name] = _open(engine, suite / "db" / name, len(databases))
            answer = _ask(engine, *databases[name], case, default_as_of)
            answers[str(case["id"])] = answer
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
    figures = _figures(suite, raw, cases, answers)
    figures["seconds"] = round(time.perf_counter() - started, 2)
    print(json.dumps(figures))
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.nlq", description=__doc__)
    parser.add_argument("--suite", required=True, help="folder with suite.json, cases.jsonl and db/")
    parser.add_argument("--out", required=True, help="JSONL file to write")
    parser.add_argument("--only", default="", help="comma-separated prefixes of case ids")
    return parser.parse_args(argv)


def _open(engine: Engine, folder: Path, index: int) -> tuple[LoadedDatabase, Understander, Principal]:
    loaded = load_database(engine, folder, tenant_for(index, folder.name))
    for note in loaded.notes:
        print(f"[{folder.name}] {note}", file=sys.stderr)
    principal = Principal(tenant=loaded.tenant, user=UserId("benchmark"), roles=frozenset({Role.DATA_SCIENTIST}))
    return loaded, Understander(loaded.catalog, loaded.values), principal


def _ask(
    engine: Engine,
    loaded: LoadedDatabase,
    understander: Understander,
    principal: Principal,
    case: Mapping[str, Any],
    default_as_of: str | None,
) -> dict[str, Any]:
    as_of = _as_of(case.get("as_of") or default_as_of)
    answer: dict[str, Any] = {
        "id": case["id"],
        "outcome": "refuse",
        "columns": [],
        "rows": [],
        "sql": "",
        "confidence": 0.0,
        "ms": 0.0,
        "reading": {},
        "unknown": [],
    }
    dialogue = None
    for turn in case.get("dialog") or ():
        text = turn if isinstance(turn, str) else turn.get("question") or turn.get("content") or ""
        if isinstance(turn, dict) and turn.get("role") not in (None, "user"):
            continue
        dialogue = understander.understand(text, as_of=as_of, dialogue=dialogue).dialogue
    started = time.perf_counter()
    understanding = understander.understand(case["question"], as_of=as_of, dialogue=dialogue)
    answer["unknown"] = [w.text for w in understanding.unknown]
    answer["outcome"] = understanding.outcome if understanding.outcome in ("answer", "clarify") else "refuse"
    answer["message"] = understanding.message
    if understanding.readings:
        reading = understanding.readings[0]
        answer["confidence"] = round(reading.confidence, 4)
        answer["reading"] = reading.query.model_dump(mode="json", exclude_defaults=True)
    if understanding.outcome != "answer":
        answer["ms"] = round((time.perf_counter() - started) * 1000, 3)
        return answer
    try:
        resolved = resolve(understanding.readings[0].query, loaded.catalog, as_of=as_of)
        guarded = guard_compiled(compile_query(resolved), loaded.catalog, principal)
        answer["ms"] = round((time.perf_counter() - started) * 1000, 3)
        answer["sql"] = guarded.sql
        columns, rows = run_guarded(engine, guarded)
    except (AppError, RuntimeError) as error:
        return answer | {"outcome": "refuse", "message": f"{type(error).__name__}: {error}"[:500]}
    answer["columns"] = columns
    answer["rows"] = rows
    return answer


def _as_of(text: str | None) -> dt.datetime:
    if not text:
        return dt.datetime.now(dt.UTC)
    moment = dt.datetime.fromisoformat(text)
    if len(text) <= 10:
        moment = moment.replace(hour=12)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _figures(
    suite: Path, raw: Sequence[Mapping[str, Any]], cases: Sequence[Mapping[str, Any]], answers: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    ms = sorted(float(a["ms"]) for a in answers.values()) or [0.0]
    figures: dict[str, Any] = {
        "suite": suite.name,
        "cases": len(cases),
        **dict(sorted(Counter(a["outcome"] for a in answers.values()).items())),
        "p50_ms": round(statistics.median(ms), 2),
        "p95_ms": round(ms[min(len(ms) - 1, int(0.95 * len(ms)))], 2),
    }
    asked = {str(c["id"]) for c in cases}
    scored = score_if_possible(suite, [c for c in raw if str(c["id"]) in asked], answers)
    return figures | ({"score": scored} if scored else {})


if __name__ == "__main__":
    sys.exit(main())
