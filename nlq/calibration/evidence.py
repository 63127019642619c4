"""What can be read off a reading that says how sure it is: links, guesses, leftovers, rivals. One number per name, in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nlq.assign import Assignment
from nlq.fillers import STOP
from nlq.frame import Frame, Mention
from nlq.linking import Link
from nlq.segment import Unit

# Name -> +1 when more of it never makes a reading less likely right, -1 the other way round. Only what says how well the words are explained:
# the shape of the query (how many groups, filters, tables) told the made-up businesses apart but not real ones, and was left out.
NAMES: dict[str, int] = {
    "score": 1, "inexact": -1, "worst_link": 1, "worst_value": 1, "loose_verbs": -1, "margin": 1, "rivals": -1, "idle_words": -1,
}  # fmt: skip
_ALONE = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything but what rivals say. `values` follows NAMES, with `margin` and `rivals` as of a reading without any."""

    values: tuple[float, ...]

    def beside(self, margin: float, rivals: int) -> tuple[float, ...]:
        """With the best other reading `margin` below (negative: above) this one, and `rivals` close ones."""
        out = list(self.values)
        out[_MARGIN], out[_RIVALS] = max(-_ALONE, min(_ALONE, margin)), float(rivals)
        return tuple(out)


_MARGIN, _RIVALS = list(NAMES).index("margin"), list(NAMES).index("rivals")


def evidence_of(frame: Frame, assignment: Assignment, units: Sequence[Unit], score: float) -> Evidence:
    """`score`: the transparent score of `nlq.confidence`, 0..1."""
    links = [_chosen(m, assignment) for m in frame.mentions if m.role != "context"]
    link_scores = [min(link.score, 1.0) for link in links if link is not None] or [1.0]
    values = [v.score for v in assignment.values.values()]
    idle = [u for u in units if u.soft and u.keys and u.text.lower() not in STOP and not _used(u, frame)]
    found = {
        "score": score,
        "inexact": min(sum(max(0.0, 0.95 - s) for s in link_scores), 2.0),
        "worst_link": min(link_scores),
        "worst_value": min(values, default=1.0),
        "loose_verbs": float(min(frame.loose_verbs, 4)),
        "margin": _ALONE,
        "rivals": 0.0,
        "idle_words": float(min(len(idle), 5)),
    }
    return Evidence(tuple(found[name] for name in NAMES))


def _used(unit: Unit, frame: Frame) -> bool:
    return bool(set(range(unit.start, unit.end)) & frame.used)


def _chosen(mention: Mention, assignment: Assignment) -> Link | None:
    target = assignment.target(mention)
    return next((link for link in mention.links if link.target == target), None)
