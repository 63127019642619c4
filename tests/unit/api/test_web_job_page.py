"""The panel of a job, for results of every shape."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from api.web.rendering import page

MADE_AT = dt.datetime(2026, 3, 4, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("series", "said"),
    [([{"model": "theta 60 %, ets 40 %"}], "theta 60 %"), ([{"incidents": 2}], ""), ([], ""), (12, "")],
    ids=["a forecast's", "a detection's", "none", "counted, of a batch's part"],
)
def test_the_receipt_names_methods_where_a_series_has_them(series: Any, said: str) -> None:
    result = {"series": series, "receipt": {"query_hash": "abc", "rows_read": 1234}}
    job = SimpleNamespace(id="job_1", kind="forecast", status="DONE", attempts=1, created_at=MADE_AT, error=None, result=result)
    found = page("job.html", job=job, steps={}, log=[], took="", examples=[], cancelling=False, again=False, title="Forecast")
    text = bytes(found.body).decode()
    assert "1,234" in text
    assert ("methods and their weights" in text) is bool(said)
    assert said in text
