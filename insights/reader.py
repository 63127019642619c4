"""What a reader said and saw before, and what that does to the order of facts. Computed anew each time, so that all of it can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from insights.types import Fact

Verdict = Literal["useful", "not_useful", "mute"]
SAME_TOPIC: Mapping[Verdict, float] = MappingProxyType({"useful": 1.25, "not_useful": 0.3, "mute": 0.0})
SAME_SORT: Mapping[Verdict, float] = MappingProxyType({"useful": 1.05, "not_useful": 0.85, "mute": 0.9})  # kind and metric
MOST, LEAST = 1.5, 0.3
TOLD_BEFORE = 0.1  # the very same fact
TOPIC_TOLD = 0.6  # the same thing of an earlier period
_NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Vote:
    """A reader's last word on one topic: the segment of a metric in a kind of fact."""

    topic: str
    kind: str
    metric: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reader:
    """votes: the last of each topic. seen: keys and topics of facts that were told before -> how often."""

    votes: Sequence[Vote] = ()
    seen: Mapping[str, int] = field(default_factory=lambda: _NOTHING)

    def judged(self, fact: Fact) -> Fact:
        """The fact with `novelty` and `reader` of its score set, and why. Unchanged where nothing is known."""
        if fact.score is None:
            return fact
        factor, reasons = self._voted(fact)
        novelty = fact.score.novelty
        if fact.key in self.seen:
            novelty, reasons = novelty * TOLD_BEFORE, [*reasons, "told before"]
        elif fact.topic in self.seen:
            novelty, reasons = novelty * TOPIC_TOLD, [*reasons, "told of an earlier period"]
        if not reasons:
            return fact
        return replace(fact, score=replace(fact.score, novelty=novelty, reader=factor, reasons=tuple(reasons)))

    def _voted(self, fact: Fact) -> tuple[float, list[str]]:
        said = {"useful": "you found this useful", "not_useful": "you found this not useful", "mute": "muted by you"}
        topic = fact.topic
        own = next((vote for vote in self.votes if vote.topic == topic), None)
        if own is not None and own.verdict == "mute":
            return 0.0, [said["mute"]]
        factor, reasons = 1.0, []
        metric = fact.quantity.name or fact.quantity.label
        alike = [vote for vote in self.votes if vote.topic != topic and vote.kind == fact.kind and vote.metric == metric]
        for vote in alike:
            factor *= SAME_SORT[vote.verdict]
        if alike:
            reasons.append(f"{len(alike)} of your votes on the like")
        if own is not None:
            factor *= SAME_TOPIC[own.verdict]
            reasons.append(said[own.verdict])
        return min(MOST, max(LEAST if own is None else 0.1, factor)), reasons


ANYBODY = Reader()
