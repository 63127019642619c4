"""What can be read off a reading that says how sure it is: links, guesses, leftovers, rivals. One number per name, in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nlq.assign import Assignment
from nlq.composing.draft import Composed
from nlq.frame import Frame, Mention
from nlq.phrases import STOP
from nlq.segment import Unit

# Name -> +1 when more of it never makes a reading less likely right, -1 the other way round, 0 when either may be.
NAMES: dict[str, int] = {
    "score": 1, "guesses": -1, "inexact": -1, "worst_link": 1, "mean_link": 0, "worst_value": 1, "unexplained": -1, "loose_verbs": -1, "measures": 0,
    "margin": 1, "rivals": -1, "ambiguous_mentions": -1, "ambiguous_values": -1, "datasets": 0, "conditions": 0, "groups": 0, "transforms": 0,
    "compares": 0, "having": 0, "rows": 0, "related": 0, "idle_words": -1, "idle_functions": -1, "units": 0, "notes": 0, "misspelt": -1, "times": 0,
    "ranked": 0, "calculated": 0, "support": 1, "generic_links": 0, "columns": 0,
}  # fmt: skip
_ALONE = 1.0
_NEAR = 0.06


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


def evidence_of(frame: Frame, assignment: Assignment, composed: Composed, units: Sequence[Unit], score: float) -> Evidence:
    """`score`: the transparent score of `nlq.confidence`, 0..1."""
    links = [(m, link) for m in frame.mentions if m.role != "context" and (link := _chosen(m, assignment)) is not None]
    link_scores = [min(link.score, 1.0) for _, link in links] or [1.0]
    values = [v.score for v in assignment.values.values()]
    query = composed.query
    text = query.model_dump_json(exclude_defaults=True)
    idle = [u for u in units if u.soft and u.keys and u.text.lower() not in STOP and not _used(u, frame)]
    functions = [u for u in units if u.func is not None and u.func.kind not in _QUIET and not _used(u, frame)]
    found = {
        "score": score,
        "guesses": min(composed.penalty, 2.0),
        "inexact": min(sum(max(0.0, 0.95 - s) for s in link_scores), 2.0),
        "worst_link": min(link_scores),
        "mean_link": sum(link_scores) / len(link_scores),
        "worst_value": min(values, default=1.0),
        "unexplained": float(len(composed.unexplained)),
        "loose_verbs": float(min(frame.loose_verbs, 4)),
        "measures": float(min(len(query.metrics), 6)),
        "margin": _ALONE,
        "rivals": 0.0,
        "ambiguous_mentions": float(sum(_is_ambiguous(m, assignment) for m, _ in links)),
        "ambiguous_values": float(sum(_has_twin(c.values) for c in frame.conditions if c.kind == "value")),
        "datasets": float(len(set(_datasets(text)))),
        "conditions": float(len(frame.conditions)),
        "groups": float(len(query.by)),
        "transforms": float(len(query.transform)),
        "compares": float(query.compare is not None),
        "having": float(len(query.having)),
        "rows": float(query.rows_of is not None),
        "related": float(text.count('"kind":"has"') + text.count('"kind":"related"')),
        "idle_words": float(min(len(idle), 5)),
        "idle_functions": float(min(len(functions), 4)),
        "units": float(min(len(units), 60)),
        "notes": float(len(composed.notes)),
        "misspelt": float(sum(not link.exact and link.score < 0.84 for _, link in links)),
        "times": float(len(frame.times)),
        "ranked": float(query.limit is not None or frame.superlative is not None),
        "calculated": float('"kind":"calculation"' in text),
        "support": assignment.score / max(1, len(assignment.targets) + len(assignment.values)),
        "generic_links": float(sum(link.context for _, link in links)),
        "columns": float(len(query.fields)),
    }
    return Evidence(tuple(found[name] for name in NAMES))


_QUIET = frozenset(("prep", "have", "of", "comma", "and", "pronoun", "soft", "relative", "by", "each", "list", "what"))


def _used(unit: Unit, frame: Frame) -> bool:
    return bool(set(range(unit.start, unit.end)) & frame.used)


def _chosen(mention: Mention, assignment: Assignment):  # type: ignore[no-untyped-def]
    target = assignment.target(mention)
    return next((link for link in mention.links if link.target == target), None)


def _is_ambiguous(mention: Mention, assignment: Assignment) -> bool:
    """Whether another object of another place explains the words nearly as well."""
    chosen = _chosen(mention, assignment)
    if chosen is None:
        return False
    return any(
        link.target != chosen.target and link.target.kind == chosen.target.kind and link.score > chosen.score - _NEAR
        for link in mention.links
    )


def _has_twin(values: Sequence[object]) -> bool:
    places = {(v.dataset, v.field) for v in values if v.score >= values[0].score - 0.02}  # type: ignore[attr-defined]
    return len(places) > 1


def _datasets(text: str) -> list[str]:
    mark = '"dataset":"'
    return [part.split('"', 1)[0] for part in text.split(mark)[1:]]
