"""A person chooses how numbers and dates are written; only that person's pages change."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.integration
ASKED = {"q": "revenue by month in 2025"}


def test_each_person_reads_an_answer_in_the_own_formats(manager: Any, executive: Any) -> None:
    refused = manager.post("/account/formats", data={"locale": "klingon"})
    assert refused.status_code == 422
    assert "de-DE" in refused.text
    chosen = manager.post("/account/formats", data={"locale": "de-DE"})
    assert chosen.status_code in (200, 303)
    assert "like <strong>1.234,56 · 31.12.2026<" in manager.get("/account").text
    assert "like <strong>1,234.56 · 31 Dec 2026<" in executive.get("/account").text
    asked = manager.post("/ask", data=ASKED, headers={"HX-Request": "true"})
    assert '"thousands": "."' in asked.text
    other = executive.post("/ask", data=ASKED, headers={"HX-Request": "true"})  # the same rows come from the cache
    assert '"thousands"' not in other.text
    manager.post("/account/formats", data={"locale": "en-GB"})
    assert "like <strong>1,234.56 · 31 Dec 2026<" in manager.get("/account").text
