"""Names of rules and channels go into subjects, headings and lists: one line of text that can be seen."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from api.alert_schemas import RuleBody


@pytest.mark.parametrize("name", ["", "  ", "a\r\nBcc: b@example.com", "\x00", "\u202egnp.exe", "x" * 201])
def test_a_name_that_is_no_line_of_text_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        RuleBody(name=name, definition={})


@pytest.mark.parametrize("name", ["Orders look odd", "Größe <b>", "\U0001f469\u200d\U0001f4bb team"])
def test_a_name_is_kept_without_spaces_around_it(name: str) -> None:
    assert RuleBody(name=f" {name} ", definition={}).name == name
