"""A drop in EMEA and in Germany is one event."""

from __future__ import annotations

import numpy as np

from anomaly.segments import together
from anomaly.types import Incident

QUIET_S = 6 * 3600


def incident(hour: int, hours: int = 2, direction: str = "down", kind: str = "value", severity: float = 40.0) -> Incident:
    start = np.datetime64("2023-01-02", "ns") + np.timedelta64(hour, "h")
    return Incident("s", start, start + np.timedelta64(hours, "h"), start, direction, kind, severity, -5.0, 10.0, 5.0)  # type: ignore[arg-type]


class TestTogether:
    def test_overlapping_incidents_of_segments_are_one_event_led_by_the_first_noticed(self):
        events = together({"all": [incident(11)], "EMEA": [incident(10, severity=70.0)], "Germany": [incident(12)]}, QUIET_S)
        assert [[s for s, _ in e.members] for e in events] == [["EMEA", "all", "Germany"]]
        assert events[0].severity == 70.0

    def test_noticed_at_once_the_whole_leads(self):
        assert together({"all": [incident(10)], "EMEA": [incident(10)]}, QUIET_S)[0].lead[0] == "all"

    def test_far_apart_other_direction_or_other_kind_are_apart(self):
        assert len(together({"a": [incident(10)], "b": [incident(30)]}, QUIET_S)) == 2
        assert len(together({"a": [incident(10)], "b": [incident(10, direction="up")]}, QUIET_S)) == 2
        assert len(together({"a": [incident(10)], "b": [incident(10, kind="missing_data")]}, QUIET_S)) == 2

    def test_no_incidents_no_events(self):
        assert together({"a": [], "b": []}, QUIET_S) == ()
