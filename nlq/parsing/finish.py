"""What can only be settled at the end of the question."""

from __future__ import annotations

from nlq.afterthoughts import settle_busiest, settle_doers, settle_listed, settle_so_often, settle_subject, settle_who
from nlq.frame import MeasureItem, Mention, OrderItem
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import MEANINGFUL, TRADING
from nlq.segment import Unit
from nlq.whoever import settle_ranked_who


def _unused(p: Parse) -> list[Unit]:
    """Words that would change the answer but found no place."""
    left: list[Unit] = []
    for u in p.units:
        if u.func is None or u.func.kind not in MEANINGFUL or u.links or set(range(u.start, u.end)) <= p.frame.used:
            continue
        left.append(u)
    return left


def _settle_most(p: Parse) -> None:
    """ "who bought the most", "which channel sold the least": of what is not said, so that it is asked back."""
    s, f = p.waiting, p.frame
    said = [u for u in s.pending_units if u.is_func("super") and u.text.lower() in ("most", "the most", "least", "the least")]
    last = p.units[-1] if p.units else None
    verbs = [u for u in p.units if u.text.lower() in TRADING | {"ordered", "spent", "spend"}]
    bare = all(c.kind == "related" and not c.negate and not c.inner and c.units[:1] == verbs[:1] for c in f.conditions)
    if s.superlative is None or len(said) != 1 or not verbs or f.measures or f.superlative is not None or not bare:
        return
    f.conditions = []
    f.outputs = [m for m in f.outputs if m.unit is not verbs[0]]
    if f.question_word == "who" and not f.outputs:
        persons = [d.name for d in p.kinds.catalog.datasets if not d.hidden and p.kinds.has_names_of_persons(d.name)]
        if len(persons) != 1:
            return
        someone = Mention(verbs[0], "output", (Link(Target("dataset", persons[0], persons[0]), 0.95, True),), s.sentence)
        f.mentions.append(someone)
        f.outputs.append(someone)
    if len(f.outputs) != 1 or last is None:
        return
    f.superlative = OrderItem(measure=MeasureItem("term", label="the most"), descending=s.superlative == "desc")
    f.singular = not f.outputs[0].plural and f.limit is None
    p.use(*said, *verbs)
    s.superlative, s.pending_units = None, [u for u in s.pending_units if u not in said]


def _lost(p: Parse) -> list[Unit]:
    """ "ranked by amount" where no amount is known, "whose first order was in 2026": without it another question would be answered."""
    left: list[Unit] = []
    for i, u in enumerate(p.units):
        after = p.units[i + 1 : i + 5]
        if (
            u.is_func("order")
            and not u.links
            and not (p.frame.orders or p.frame.rank_by or p.frame.measures or p.frame.superlative or p.frame.moved_order)
        ):
            left.append(after[0] if after else u)
        if u.text.lower() == "whose" and len(after) > 2 and after[0].is_func("super") and p.kinds.likely(after[1], "dataset"):
            left.extend(after[:1] if any(v.time is not None for v in after[2:]) else [])
    return left


def finish(p: Parse) -> None:
    p.flush_count()
    _settle_most(p)
    settle_so_often(p.frame)
    settle_doers(p.frame, p.kinds)
    settle_ranked_who(p.frame, p.units, p.kinds)
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
    p.frame.unknown.extend(u for u in (*_unused(p), *_lost(p)) if u not in p.frame.unknown)
