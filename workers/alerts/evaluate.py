"""A rule and its history in, events out: the one path that evaluation and preview share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from anomaly import DetectInput, Detection
from core.timeseries import TimeSeries
from workers.alerts.events import Event, events
from workers.alerts.history import History, judged_until
from workers.alerts.rule import AnomalyRule, AnyRule
from workers.alerts.signals import Detector, anomaly_detector, signals
from workers.alerts.timing import wall_clock

Custom = Callable[[AnomalyRule, DetectInput, float], Detection]
"""Judges one series for a rule at a sensitivity."""


@dataclass(slots=True)
class Judge:
    """Judges rules on one history; what two rules judge alike is judged once.

    custom: what judges anomaly rules instead of Querent's own detector; model: what it is called. repeated: by bucket, that rows are there
    twice (see repeats).
    """

    history: History
    now: dt.datetime
    custom: Custom | None = None
    model: str = ""
    repeated: dict[dt.datetime, str | None] = field(default_factory=dict)
    _known: dict[tuple[object, ...], Detection] = field(default_factory=dict)

    def until(self, rule: AnyRule) -> dt.datetime:
        delay = dt.timedelta(minutes=rule.evaluation_delay_minutes)
        wall = wall_clock(self.now, self.history.grain, self.history.zone)
        return judged_until(self.history, rule.completeness, delay=delay, now=wall)

    def events(self, rule: AnyRule, *, sensitivity: float, made_at: dt.datetime | None = None) -> list[Event]:
        """All events of the history, by what is known at `now`. Times are on the history's clock.

        made_at: of the rule; its lines count from the first buckets that it could look at. Without it they count always, as in a preview.
        """
        until = self.until(rule)
        detector = self.detector(rule, until, sensitivity) if isinstance(rule, AnomalyRule) else None
        since = wall_clock(made_at, self.history.grain, self.history.zone) if made_at is not None else None
        return events(rule, signals(rule, self.history, until, sensitivity=sensitivity, detector=detector, made_at=since))

    def detector(self, rule: AnomalyRule, until: dt.datetime, sensitivity: float) -> Detector:
        """Judges a series, once per rule of the same options."""
        judge = anomaly_detector(rule, self.history, until, sensitivity, self.custom)

        def remembered(series: TimeSeries) -> Detection:
            key = (
                series.series_id,
                len(series),
                until,
                round(sensitivity, 6),
                rule.min_effect,
                rule.direction,
                rule.second_opinion,
                rule.together,
            )
            if key not in self._known:
                self._known[key] = judge(series)
            return self._known[key]

        return remembered
