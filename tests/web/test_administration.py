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


class TestRoles:
    def test_made_given_refused_while_somebody_has_it_and_removed(self, visit: Visit) -> None:
        page = visit("admin", tenant="globex")
        page.goto("/admin")
        page.get_by_role("link", name="Roles", exact=True).click()
        page.get_by_text("Make a role").click()
        form = page.locator("form[action='/admin/roles']")
        form.locator("input[name=name]").fill("store_lead")
        form.get_by_label("Manager").check()
        form.get_by_label("Channels").check()
        form.get_by_role("button", name="Make", exact=True).click()
        row = page.locator("li.rule", has_text="store_lead")
        expect(row).to_contain_text("Has all of manager")
        expect(page.locator(".matrix tr", has_text="Channels").locator("td").last).to_contain_text("yes")
        row.locator("summary").click()
        row.locator("input[name=description]").fill("<i>Leads</i>")
        row.get_by_role("button", name="Save").click()
        expect(row).to_contain_text("<i>Leads</i>")
        page.goto("/admin")
        person = page.locator("li.rule", has_text="executive@globex.example")
        person.locator("summary").click()
        person.get_by_label("Store lead").check()
        person.get_by_role("button", name="Save").click()
        page.goto("/admin/roles")
        row.locator("summary").click()
        row.get_by_role("button", name="Remove store lead").click()
        expect(page.locator(".problem")).to_contain_text("have this role")
        page.goto("/admin")
        person.locator("summary").click()
        person.get_by_label("Store lead").uncheck()
        person.get_by_role("button", name="Save").click()
        page.goto("/admin/roles")
        row.locator("summary").click()
        row.get_by_role("button", name="Remove store lead").click()
        expect(row).to_have_count(0)


class TestSources:
    def test_declared_paused_changed_and_removed_without_showing_its_secret(self, visit: Visit) -> None:
        page = visit("admin", tenant="globex", script=False)
        page.goto("/sources")
        page.get_by_role("link", name="Connect the first source").click()
        for name, value in {"host": "10.0.0.1", "database": "shop", "source_table": "t", "user": "u", "password": "hunter22"}.items():
            page.fill(f"input[name={name}]", value)
        page.get_by_role("button", name="Test the connection").click()
        expect(page.locator(".problem")).to_contain_text("10.0.0.1")
        assert "hunter22" not in page.content()
        page.fill("input[name=password]", "hunter22")
        page.fill("input[name=name]", "Shop <b>orders</b>")
        page.fill("input[name=table]", "shop_orders")
        page.select_option("select[name=every_minutes]", "60")
        page.locator("input[name=enabled]").uncheck()
        page.get_by_role("button", name="Connect", exact=True).click()
        expect(page.locator("h1")).to_contain_text("Shop <b>orders</b>")
        expect(page.locator(".tag").first).to_have_text("Paused")
        page.get_by_role("link", name="Change").click()
        assert page.input_value("input[name=password]") == ""
        assert "hunter22" not in page.content()
        page.fill("input[name=name]", "Shop orders")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("h1")).to_have_text("Shop orders")
        analyst = visit("analyst", tenant="globex")
        analyst.goto("/sources")
        expect(analyst.locator("main")).to_contain_text("Shop orders")
        expect(analyst.get_by_role("button", name="Run now")).to_have_count(0)
        assert analyst.goto("/sources/new").status == 403  # type: ignore[union-attr]
        page.get_by_text("Remove this source").click()
        page.get_by_role("button", name="Remove “Shop orders”").click()
        expect(page.locator(".empty")).to_contain_text("No sources yet")


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
