"""Words of pages that need no browser."""

from __future__ import annotations

import pytest

from api.web.rendering import beneath_figure


@pytest.mark.parametrize(
    ("said", "beneath"),
    [
        ("Orders: 9,054 (last month, Oct 2026).", "Last month, Oct 2026"),
        ("Revenue: 5 930 000 € (Oct 2026).", "Oct 2026"),
        ("Revenue: €5.9M (Oct 2026), up 3%.", "Revenue: €5.9M (Oct 2026), up 3%."),
        ("Orders: 9,054.", "Orders: 9,054."),
        ("", ""),
    ],
)
def test_a_figure_that_is_shown_large_is_not_said_again(said: str, beneath: str) -> None:
    assert beneath_figure(said) == beneath
