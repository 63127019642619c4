"""One event, one message: incidents of several segments of a metric (all, EMEA, Germany) that are the same event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.types import Incident


@dataclass(frozen=True, slots=True)
class Event:
    """members: (segment, incident), the one noticed first leading; severity: the largest; is_open while any member is."""

    members: tuple[tuple[str, Incident], ...]

    @property
    def lead(self) -> tuple[str, Incident]:
        return self.members[0]

    @property
    def severity(self) -> float:
        return max(i.severity for _, i in self.members)

    @property
    def is_open(self) -> bool:
        return any(i.is_open for _, i in self.members)


def together(by_segment: Mapping[str, Sequence[Incident]], quiet_s: int) -> tuple[Event, ...]:
    """Events in the order they were noticed. An incident joins the latest event of its kind and direction that it starts in or within
    quiet_s after; later ones never regroup earlier ones. Equal times: the segment given first leads, so give the whole before its parts."""
    order = {name: k for k, name in enumerate(by_segment)}
    found = sorted(((s, i) for s, part in by_segment.items() for i in part), key=lambda x: (x[1].detected_at, order[x[0]]))
    quiet = np.timedelta64(quiet_s, "s")
    groups: list[list[tuple[str, Incident]]] = []
    for segment, incident in found:
        for group in reversed(groups):
            lead = group[0][1]
            end = max(i.end for _, i in group)  # type: ignore[type-var]
            same_way = lead.direction == incident.direction or "both" in (lead.direction, incident.direction)
            if lead.kind == incident.kind and same_way and incident.start <= end + quiet:  # type: ignore[operator]
                group.append((segment, incident))
                break
        else:
            groups.append([(segment, incident)])
    return tuple(Event(tuple(g)) for g in groups)
