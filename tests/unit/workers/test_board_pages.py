"""What a board's e-mail says of each pin."""

from __future__ import annotations

import pytest

from workers.boards.pages import lines


@pytest.mark.parametrize(
    ("title", "said", "line"),
    [
        ("Orders", "Orders: 8,932 (last month, Oct 2026).", "Orders: 8,932 (last month, Oct 2026)."),
        ("orders by region", "Orders: 8,932 in all; EMEA has the highest.", "orders by region: 8,932 in all; EMEA has the highest."),
        ("Orders by region", "Order value: 80.", "Orders by region: Order value: 80."),
        ("Orders", "EMEA has the highest orders: 5,000.", "Orders: EMEA has the highest orders: 5,000."),
        ("Orders", "", "Orders: No rows."),
    ],
)
def test_what_the_title_begins_with_is_not_named_again(title: str, said: str, line: str) -> None:
    assert lines([{"title": title, "headline": said, "notes": ["No rows."], "left_out": [], "rows": []}]) == (line,)
