"""What holidays and events add to a forecast."""

from __future__ import annotations

import numpy as np

from forecasting.decomposition import Decomposition
from workers.forecasts.explained import days_of

TIMES = np.datetime64("2026-11-01", "ns") + np.arange(4) * np.timedelta64(86_400_000_000_000, "ns")


class TestDaysOf:
    def test_an_event_adds_only_within_what_was_asked_about(self) -> None:
        sale = np.array([0.0, 40.0, 0.0, 0.0])
        found = Decomposition(TIMES, 100.0 + sale, {"event: Sale": sale}, {"event: Sale": np.array([50.0, 0.0, 30.0])})
        whole = days_of(found, np.array([True, True, True]))
        assert (whole[0]["name"], whole[0]["effect"], whole[0]["share"], whole[0]["ahead"]) == ("Sale", 40.0, 0.4, 80.0)
        assert days_of(found, np.array([False, True, True]))[0]["ahead"] == 30.0
        assert days_of(found, np.array([False, True, False]))[0]["ahead"] == 0.0
