"""Administrators manage people, read the audit log and set quotas; everybody looks after their own account."""

from __future__ import annotations

import pyotp
from playwright.sync_api import Page, expect

from tests.web.conftest import Visit


def sign_in(page: Page, email: str, password: str, code: str | None = None) -> None:
    page.goto("/login")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.click("button:has-text('Sign in')")
    if code is not None:
        page.fill("input[name=password]", password)
        page.fill("input[name=code]", code)
        page.click("button:has-text('Sign in')")


class TestPeople:
    def test_added_changed_and_shown_in_the_log(self, visit: Visit) -> None:
        page = visit("admin")
        page.goto("/admin")
        page.get_by_text("Add a person").click()
        form = page.locator("form[action='/admin/users']")
        form.locator("input[name=email]").fill("executive@acme.example")
        form.locator("input[value=manager]").check()
        form.locator("button").click()
        expect(page.get_by_text("exists already")).to_be_visible()
        form.locator("input[name=email]").fill("newcomer@acme.example")
        form.locator("input[name=display_name]").fill("<b>New</b> Comer")
        form.locator("textarea").fill("regions: EMEA")
        form.locator("button").click()
        password = page.locator("#made-password").inner_text()
        expect(page.locator("h2", has_text="<b>New</b> Comer")).to_be_visible()
        own = visit("")
        sign_in(own, "newcomer@acme.example", password)
        expect(own.locator(".who-name")).to_contain_text("Comer")
        assert own.goto("/admin").status == 403  # type: ignore[union-attr]
        page.goto("/admin/audit?action=user.")
        expect(page.locator("tbody tr").first).to_contain_text("user.create")
        expect(page.get_by_role("status").first).to_contain_text("intact")

    def test_the_last_administrator_cannot_be_disabled(self, visit: Visit) -> None:
        page = visit("admin", tenant="globex")
        page.goto("/admin")
        row = page.locator("li.rule", has_text="admin@globex.example")
        row.locator("summary").click()
        row.get_by_role("button", name="Disable").click()
        expect(page.get_by_text("last administrator")).to_be_visible()

    def test_quotas(self, visit: Visit) -> None:
        page = visit("admin", tenant="globex")
        page.goto("/admin/usage")
        page.fill("input[name=queries]", "100000")
        page.click("button:has-text('Save')")
        expect(page.locator("input[name=queries]")).to_have_value("100000")


class TestAccount:
    def test_second_factor_from_set_up_to_signing_in(self, visit: Visit) -> None:
        admin = visit("admin")
        admin.goto("/admin")
        admin.get_by_text("Add a person").click()
        form = admin.locator("form[action='/admin/users']")
        form.locator("input[name=email]").fill("twofold@acme.example")
        form.locator("input[value=viewer]").check()
        form.locator("button").click()
        password = admin.locator("#made-password").inner_text()
        page = visit("")
        sign_in(page, "twofold@acme.example", password)
        page.goto("/account")
        page.click("button:has-text('Set up an authenticator')")
        totp = pyotp.TOTP(page.locator("pre").first.inner_text())
        page.fill("input[name=code]", totp.now())
        page.click("button:has-text('Turn on')")
        codes = page.locator("pre").first.inner_text().split()
        assert len(codes) == 10
        other = visit("")
        sign_in(other, "twofold@acme.example", password, codes[0])
        expect(other.locator(".who-name")).to_be_visible()

    def test_a_key_is_made_shown_once_and_revoked(self, visit: Visit) -> None:
        page = visit("analyst")
        page.goto("/account")
        page.get_by_text("Make a key").click()
        page.fill("input[name=name]", "nightly")
        page.locator("input[value=ask]").check()
        page.get_by_role("button", name="Make", exact=True).click()
        key = page.locator("#made-key").inner_text()
        assert key.startswith("qk_")
        page.goto("/account")
        assert key not in page.content()
        page.get_by_role("button", name="Revoke nightly").click()
        expect(page.get_by_text("nightly")).to_have_count(0)
