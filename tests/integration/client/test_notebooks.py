"""Every notebook runs from top to bottom against a running product."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda p: p.stem)
def test_it_runs(path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERENT_URL", address)
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "a notebook is kept without its outputs: run it to see them"
    done = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    pictures = [o for c in done.cells for o in c.get("outputs", ()) if "image/png" in o.get("data", {})]
    assert pictures, "every notebook shows at least one picture"


def test_there_are_five() -> None:
    assert [path.name[0] for path in sorted(NOTEBOOKS.glob("*.ipynb"))] == list("12345")
