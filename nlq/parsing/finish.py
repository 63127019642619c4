"""What can only be settled at the end of the question."""

from __future__ import annotations

from nlq.afterthoughts import settle_busiest, settle_listed, settle_subject, settle_who
from nlq.parsing.parse import Parse
from nlq.parsing.words import MEANINGFUL
from nlq.segment import Unit


def _unused(p: Parse) -> list[Unit]:
    """Words that would change the answer but found no place."""
    left: list[Unit] = []
    for u in p.units:
        if u.func is None or u.func.kind not in MEANINGFUL or u.links or set(range(u.start, u.end)) <= p.frame.used:
            continue
        left.append(u)
    return left


def finish(p: Parse) -> None:
    p.flush_count()
    settle_who(p.frame, p.kinds)
    settle_subject(p.frame, p.kinds)
    settle_busiest(p.frame, p.kinds)
    settle_listed(p.frame, p.units, p.kinds)
    if p.frame.names_one_thing():
        p.frame.outputs[0].sole = True
    if p.waiting.superlative is not None or p.waiting.aggregate is not None or p.waiting.pending_units:
        for unit in p.waiting.pending_units:
            if not (set(range(unit.start, unit.end)) <= p.frame.used):
                p.frame.notes.append(f"dangling:{unit.text}")
                if p.frame.compare == "vs" and unit.is_func("agg"):
                    p.frame.unknown.append(unit)  # "last week vs the average week"
    p.frame.unknown.extend(u for u in _unused(p) if u not in p.frame.unknown)
