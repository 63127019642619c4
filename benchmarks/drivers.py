"""Runs the driver search on a suite of labelled incidents: `python -m benchmarks.drivers --suite DIR --out FILE.jsonl`.

A case's rows up to the incident are read, its causes ranked, its line written; a case that fails is written empty and counted.
Prints one JSON line of figures last; scores are left to the suite's own scorer.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.errors import AppError, Invalid
from core.timeseries import FloatArray
from insights.drivers.incident import Incident, explain_rate
from insights.drivers.leaves import Leaves, coded_leaves


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", type=Path, required=True, help="folder with cases.jsonl and data/")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines: id, causes, answer, ms")
    options = parser.parse_args(arguments)
    cases = [json.loads(line) for line in (options.suite / "cases.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]
    started, cpu = time.perf_counter(), time.process_time()
    lines = [_line(options.suite, case) for case in cases]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    took = sorted(line["ms"] for line in lines)
    figures = {
        "suite": options.suite.name,
        "cases": len(lines),
        "failures": sum("error" in line for line in lines),
        "ms_median": took[len(took) // 2] if took else None,
        "ms_p95": took[min(int(0.95 * len(took)), len(took) - 1)] if took else None,
        "wall_s": round(time.perf_counter() - started, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


def _line(suite: Path, case: Mapping[str, Any]) -> dict[str, Any]:
    """One case's output; `ms` covers reading the rows as well."""
    started = time.perf_counter()
    line: dict[str, Any] = {"id": case["id"], "causes": [], "answer": 0}
    try:
        found = explain_case(suite, case)
        # A case is an incident that people have seen, so the best guess is given even where chance could explain it.
        line |= {"causes": [c.segment.as_dict() for c in found.causes], "answer": max(found.answer, min(1, len(found.causes)))}
    except (AppError, OSError, KeyError, ValueError, pa.ArrowException) as error:
        line["error"] = f"{type(error).__name__}: {error}"
    return line | {"ms": round((time.perf_counter() - started) * 1000, 2)}


def explain_case(suite: Path, case: Mapping[str, Any]) -> Incident:
    """Raises: Invalid for a measure that is not a ratio; NotEnoughData; OSError, KeyError for missing files and columns."""
    measure = case["measure"]
    if measure.get("kind") != "ratio":
        raise Invalid(f"The measure kind must be ratio; found {measure.get('kind')!r}.", code="bad_measure")
    names = [*case["dimensions"], measure["numerator"], measure["denominator"]]
    path = suite / "data" / f"{str(case['file']).removesuffix('.parquet')}.parquet"
    leaves, bad, trials = _steps(pq.read_table(path, columns=["ds", *names], use_threads=False), case)
    return explain_rate(leaves, bad, trials, upward=measure.get("worse", "up") == "up")


def _steps(table: pa.Table, case: Mapping[str, Any]) -> tuple[Leaves, FloatArray, FloatArray]:
    """Leaves, and (steps, leaves) sums of numerator and denominator up to the incident."""
    times = table.column("ds").cast(pa.timestamp("us")).to_numpy().astype("datetime64[us]")
    known = times <= np.datetime64(str(case["incident_at"]), "us")
    table, times = table.filter(pa.array(known)), times[known]
    labels, codes = [], []
    for name in case["dimensions"]:
        column = pc.fill_null(table.column(name).cast(pa.string()), "").combine_chunks().dictionary_encode()
        labels.append(tuple(column.dictionary.to_pylist()))
        codes.append(column.indices.to_numpy().astype(np.int64))
    leaves, row_leaf = coded_leaves(case["dimensions"], labels, np.array(codes))
    _, step = np.unique(times, return_inverse=True)
    shape = (int(step.max()) + 1 if len(step) else 0, leaves.count)
    place = step * leaves.count + row_leaf

    def summed(name: str) -> FloatArray:
        values = pc.fill_null(table.column(name).cast(pa.float64()), 0.0).to_numpy()
        sums: FloatArray = np.bincount(place, weights=values, minlength=shape[0] * shape[1]).astype(np.float64)
        return sums.reshape(shape)

    measure = case["measure"]
    return leaves, summed(measure["numerator"]), summed(measure["denominator"])


if __name__ == "__main__":
    sys.exit(main())
