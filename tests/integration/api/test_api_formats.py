"""A person chooses how numbers and dates are written; only that person's pages change."""

from __future__ import annotations

from typing import Any

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


def test_what_a_person_or_their_company_chose_counts_before_the_browser(manager: Any, admin: Any) -> None:
    def patch(who: Any, path: str, locale: str) -> Any:
        return admin.client.patch(path, json={"locale": locale}, headers=who.headers)

    def like(accepted: str) -> str:
        shown = manager.client.get("/account", headers=manager.headers | {"Accept-Language": accepted}).text
        return str(shown.partition("like <strong>")[2].partition("<")[0])

    manager.post("/account/formats", data={"locale": ""})
    assert like("de-DE,de;q=0.9,en;q=0.5") == "1.234,56 · 31.12.2026"
    assert manager.get("/v1/me").json()["locale"] == "en-GB"  # programs do not follow a browser
    assert patch(admin, "/v1/admin/company", "klingon").status_code == 422
    assert admin.post("/admin/branding", data={"act": "formats", "locale": "en-US"}).status_code in (200, 303)
    try:
        assert like("de-DE") == "1,234.56 · Dec 31, 2026"
        assert manager.get("/v1/me").json()["locale"] == "en-US"
        said = []
        for locale in ("de-DE", "en-GB"):
            assert patch(manager, "/v1/me", locale).json()["locale"] == locale
            said.append(manager.post("/v1/ask", {"question": "revenue in 2025"}).json())
        assert said[0]["rows"] == said[1]["rows"]
        assert said[0]["headline"] != said[1]["headline"]
    finally:
        patch(manager, "/v1/me", "")
        patch(admin, "/v1/admin/company", "")
