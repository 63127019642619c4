"""Addresses of the built page assets, from Vite's manifest."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@lru_cache(maxsize=1)
def entry() -> dict[str, list[str]]:
    """Scripts and styles of the page, as addresses under /static/."""
    manifest = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8"))
    main = manifest["src/main.js"]
    return {"scripts": [f"/static/{main['file']}"], "styles": [f"/static/{name}" for name in main.get("css", [])]}
