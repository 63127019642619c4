"""Imports point down the floors; siblings do not import each other; each heavy library has its owners."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = {
    "core": 0,
    "semantic": 1,
    "forecasting": 2,
    "anomaly": 2,
    "nlq": 3,
    "insights": 3,
    "models": 3,
    "workers": 4,
    "api": 5,
}
OWNERS = {
    "sqlglot": {"semantic"},
    "clickhouse_connect": {"semantic"},
    "chdb": {"semantic"},
    "prophet": {"forecasting"},
    "statsforecast": {"forecasting"},
    "pyod": {"anomaly"},
    "ruptures": {"anomaly"},
    "sentence_transformers": {"nlq"},
    "torch": {"nlq"},
    "mlflow": {"models"},
    "celery": {"workers"},
    "kombu": {"workers"},
    "fastapi": {"api"},
    "typer": {"api"},
    "jinja2": {"api", "insights"},
    "mcp": {"api"},
}


def sources() -> list[tuple[str, Path]]:
    """All of ours; model templates are files for their authors, which nothing of ours imports."""
    found = [(package, path) for package in FLOORS for path in sorted((ROOT / package).rglob("*.py"))]
    return [(package, path) for package, path in found if not path.is_relative_to(ROOT / "models" / "templates")]


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


class TestFloors:
    def test_imports_point_down_only_also_inside_functions(self) -> None:
        wrong = [
            f"{path.relative_to(ROOT)} imports {name}"
            for package, path in sources()
            for name in imported(path)
            if name in FLOORS and name != package and FLOORS[name] >= FLOORS[package]
        ]
        assert wrong == []

    def test_heavy_libraries_stay_with_their_owners(self) -> None:
        wrong = [
            f"{path.relative_to(ROOT)} imports {name}"
            for package, path in sources()
            for name in imported(path)
            if name in OWNERS and package not in OWNERS[name]
        ]
        assert wrong == []

    def test_nothing_imports_tests_benchmarks_or_notebooks(self) -> None:
        wrong = [str(path) for _, path in sources() if imported(path) & {"tests", "benchmarks", "notebooks"}]
        assert wrong == []

    def test_the_walk_sees_every_room(self) -> None:
        assert {package for package, _ in sources()} == set(FLOORS)


@pytest.mark.timeout(400)
class TestFreshInterpreter:
    @pytest.mark.parametrize(
        "module", ["nlq", "semantic.pipeline", "forecasting", "anomaly", "api.app", "workers.queue", "models.sdk", "models.conformance"]
    )
    def test_importing_a_room_stays_light(self, module: str) -> None:
        assert heavy_after(f"import {module}") == set()


def heavy_after(code: str) -> set[str]:
    """The heavy top-level modules loaded in a fresh interpreter after running `code`."""
    probe = f"import sys\n{code}\nprint(' '.join(m for m in ('torch', 'prophet', 'pyod', 'mlflow', 'statsforecast') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    return set(done.stdout.split())
