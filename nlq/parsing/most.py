""" "Who bought the most", "which store sold the least in each region": the most of what is not said."""

from __future__ import annotations

from nlq.frame import MeasureItem, Mention, OrderItem
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import TRADING

_MOST = ("most", "the most", "least", "the least")


def settle_most(p: Parse) -> None:
    """ "who bought the most", "which channel sold the least": of what is not said, so that it is asked back."""
    s, f = p.waiting, p.frame
    said = [u for u in s.pending_units if u.is_func("super") and u.text.lower() in _MOST]
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


def most_in_each(p: Parse, i: int) -> None:
    """Before "in each": the most of what the verb tells is no figure of what follows; where it cannot be asked back, it is refused."""
    before = p.units[i - 1] if i else None
    if before is None or before.text.lower() not in _MOST or not before.is_func("super") or before not in p.waiting.pending_units:
        return
    settle_most(p)
    if p.waiting.superlative is not None:
        p.frame.unknown.append(before)
