"""What can only be settled at the end of the question."""

from __future__ import annotations

from nlq.afterthoughts import (
    settle_busiest,
    settle_doers,
    settle_flagged,
    settle_listed,
    settle_share_of_kind,
    settle_so_often,
    settle_sold,
    settle_subject,
    settle_theirs,
    settle_who,
)
from nlq.frame import MeasureItem, Mention
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.most import settle_most
from nlq.parsing.parse import Parse
from nlq.parsing.periods import settle_period_of_each
from nlq.parsing.words import MEANINGFUL, PLAYED
from nlq.segment import Unit
from nlq.whoever import settle_ranked_who
from semantic.catalog.model import DatasetKind


def _unused(p: Parse) -> list[Unit]:
    """Words that would change the answer but found no place."""
    left: list[Unit] = []
    for u in p.units:
        if u.func is None or u.func.kind not in MEANINGFUL or u.links or set(range(u.start, u.end)) <= p.frame.used:
            continue
        left.append(u)
    return left


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
        before = p.units[i - 1] if i else None
        done = before is not None and before.soft and before.text.lower().endswith("ed")
        if u.is_func("compare") and before is not None and done and after and p.kinds.certainly(after[0], "time"):
            left.append(before)  # "complaints received vs resolved", where no date says received
        if u.text.lower() == "whose" and len(after) > 2 and after[0].is_func("super") and p.kinds.likely(after[1], "dataset"):
            left.extend(after[:1] if any(v.time is not None for v in after[2:]) else [])
        if u.soft and u.text.lower() in ("spend", "spending") and i == 0 and not (p.frame.measures or p.frame.superlative):
            left.append(u)  # "spend on subs by speciality", where no spending is known
        if u.text.lower().split()[-1] in ("cost", "costs") and after and _costs_us(p, i) and _cost_elsewhere(p, u):
            left.append(u)
    return left


def _costs_us(p: Parse, i: int) -> bool:
    """ "cost us", "how much did ... cost"."""
    return p.units[i + 1].text.lower() == "us" or (i == 1 and p.units[0].text.lower() == "how much" and p.units[i + 1].is_func("of"))


def _cost_elsewhere(p: Parse, u: Unit) -> bool:
    """ "how much did damaged items cost us" where only refunds are damaged, and a cost is kept of other rows: it is no figure of theirs."""
    homes = {p.kinds.metric_dataset(k.target) if k.target.kind == "metric" else k.target.dataset for k in u.links}
    told = {c.values[0].dataset for c in p.frame.conditions if c.kind == "value" and c.values}
    return any(p.kinds.catalog.dataset(d).kind is DatasetKind.FACT and d not in homes for d in told)


def _settle_how_much(p: Parse) -> None:
    """ "how much is unpaid": the amount of the rows that are so."""
    s, state = p.waiting, p.frame.conditions[-1] if p.frame.conditions else None
    asked = [u for u in s.pending_units if u.text.lower().startswith("how much")]
    if not asked or s.aggregate != "sum" or p.frame.measures or p.frame.outputs or state is None or state.mention is None:
        return
    home = state.mention.links[0].target.dataset if state.kind in ("flag", "null") and state.mention.links else None
    main = p.kinds.main_amount(home) if home is not None else None
    if home is not None and main is not None:
        amount = Mention(state.mention.unit, "aggregate", (Link(Target("field", f"{home}.{main.name}", home, main.name), 1.0, True),))
        p.frame.mentions.append(amount)
        p.add_measure(MeasureItem("aggregate", "sum", amount, units=p.take_pending()))
        p.reset_noun()


def finish(p: Parse) -> None:
    p.flush_count()
    _settle_how_much(p)
    settle_most(p)
    settle_so_often(p.frame)
    settle_flagged(p.frame, p.kinds)
    settle_share_of_kind(p.frame, p.kinds)
    settle_doers(p.frame, p.kinds)
    settle_ranked_who(p.frame, p.units, p.kinds)
    settle_who(p.frame, p.kinds)
    settle_sold(p.frame, p.kinds)
    settle_theirs(p.frame, p.units, p.kinds)
    settle_subject(p.frame, p.kinds)
    settle_busiest(p.frame, p.kinds)
    settle_listed(p.frame, p.units, p.kinds)
    settle_period_of_each(p)
    if p.frame.names_one_thing():
        p.frame.outputs[0].sole = True
    if p.waiting.superlative is not None or p.waiting.aggregate is not None or p.waiting.pending_units:
        for unit in p.waiting.pending_units:
            if not (set(range(unit.start, unit.end)) <= p.frame.used):
                p.frame.notes.append(f"dangling:{unit.text}")
                averaged = unit.func is not None and unit.func.kind == "agg" and unit.func.value in ("avg", "median")
                if averaged or (p.frame.compare == "vs" and unit.is_func("agg")):
                    p.frame.unknown.append(unit)  # "last week vs the average week"
    p.frame.notes.extend(f"{PLAYED}{k.target.via[0]}" for u in p.units for k in u.links[:1] if k.target.via)
    p.frame.unknown.extend(u for u in (*_unused(p), *_lost(p)) if u not in p.frame.unknown)
