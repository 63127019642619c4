""" "Paid late", "delivered on time": when something was done, held against when it was due."""

from __future__ import annotations

from nlq.frame import Condition
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import DENIED
from nlq.segment import Unit
from nlq.text import keys_of, lemma, words_of
from semantic.catalog.model import CatalogField, Dataset, FieldRole, Segment

_LATE = {"late": ">", "too late": ">", "on time": "<=", "in time": "<=", "punctually": "<=", "early": "<"}
_DUE = frozenset("due deadline promised expected estimated planned scheduled required target committed agreed".split())


def on_late(p: Parse, i: int, u: Unit) -> int | None:
    """The condition that "late" says of the date before it; None where no date was due, so that the word stays unknown."""
    said = _said(p, i, u)
    verb = p.units[i - 1] if i else None
    done = _done(p, verb.links) if said is not None and verb is not None else None
    if said is None or verb is None or u.values:
        return None
    op, end = said
    state = _as_state(p, i, end) if done is None else None
    if state is not None:
        return state
    if done is None:
        p.frame.unknown.extend(p.units[i:end] if end - i > 1 else ())  # "delivered on time", of what keeps no such date
        return end if end - i > 1 else None
    due = _due(p.kinds.catalog.dataset(done.target.dataset or ""), done.target.field or "")
    if due is None:
        p.frame.unknown.extend(p.units[i:end])
        return end
    for mention in [m for m in p.frame.mentions if m.unit is verb]:
        p.retract(mention)
        mention.role, mention.explained = "context", True
    told = [c for c in p.frame.conditions if c.units == [verb]]  # paid, as a state or as a date
    p.frame.conditions = [c for c in p.frame.conditions if c not in told]
    denied = p.waiting.negate or any(c.negate for c in told if c.kind != "null") or any(not c.negate for c in told if c.kind == "null")
    first = p.mention(verb, "condition")
    first.links = (done,)
    other = p.mention(u, "end")
    other.links = (Link(Target("field", f"{done.target.dataset}.{due.name}", done.target.dataset, due.name), 1.0, True),)
    condition = Condition("compare_fields", first, op=DENIED[op] if denied else op, other=other, units=[verb, *p.units[i:end]])
    _of_others(p, done.target.dataset or "", verb)
    p.add_condition(condition)
    p.waiting.negate = p.waiting.passive = p.waiting.relative = False
    return end


def _as_state(p: Parse, i: int, end: int) -> int | None:
    """ "what share of payments were late": what the rows themselves are, where the catalog says when they are."""
    last, said = p.waiting.last, " ".join(v.text.lower() for v in p.units[i:end])
    verb = p.units[i - 1]
    if (
        last is None
        or not last.links
        or not (verb.is_func("have") or (verb.soft and verb.text.lower().endswith("ed")))
        or not p.waiting.passive
    ):
        return None
    home = next((k.target.dataset for k in last.links[:1] if k.target.kind == "dataset"), None)
    found = [x for x in p.kinds.catalog.segments if x.dataset == home and x.label.lower().startswith(f"{said} ")]
    if len(found) != 1 or home is None or (verb.soft and not verb.func and not _done_so(p, found[0], home, verb.text)):
        return None
    unit = p.units[i]
    mention = p.mention(unit, "condition")
    mention.links = (Link(Target("segment", found[0].name, home), 1.0, True),)
    p.add_condition(Condition("segment", mention, negate=p.waiting.negate, units=list(p.units[i:end])))
    p.waiting.negate = p.waiting.passive = False
    return end


def _done_so(p: Parse, late: Segment, home: str, verb: str) -> bool:
    """Whether it is by the date of this verb that rows are late."""
    told = late.where.model_dump_json()
    fields = [f for f in p.kinds.catalog.dataset(home).fields if f'"field":"{f.name}"' in told]
    return any(lemma(verb.lower()) in keys_of(f.label) for f in fields)


def _of_others(p: Parse, home: str, verb: Unit) -> None:
    """ "customers who paid late in May": rows of theirs, and the month is that of these rows."""
    thing = next((m.links[0].target for m in p.frame.mentions if m.role in ("output", "count") and m.links), None)
    if thing is None or thing.kind != "dataset" or thing.dataset == home:
        return
    mention = p.mention(verb, "related")
    mention.links = (Link(Target("dataset", home, home), 0.95, True),)
    condition = Condition("related", mention, units=[verb])
    p.waiting.related = None
    p.add_condition(condition)
    p.waiting.related = condition


def _said(p: Parse, i: int, u: Unit) -> tuple[str, int] | None:
    """How the dates stand to each other, and the position behind the words."""
    words = u.text.lower()
    if words in _LATE and all(k.target.kind == "segment" for k in u.links):
        return _LATE[words], i + 1
    following = p.units[i + 1].text.lower() if i + 1 < len(p.units) else ""
    return ("<=", i + 2) if words in ("on", "in") and following == "time" else None


def _done(p: Parse, links: tuple[Link, ...]) -> Link | None:
    found = [k for k in links if k.target.kind == "field" and p.kinds.is_time(k.target) and k.score >= links[0].score - 0.06]
    return found[0] if len({k.target for k in found}) == 1 else None


def _due(home: Dataset, done: str) -> CatalogField | None:
    """The one date by which it should have been done."""
    found = [f for f in home.fields if f.role is FieldRole.TIME and not f.hidden and f.name != done and set(words_of(f.label)) & _DUE]
    return found[0] if len(found) == 1 else None


__all__ = ["on_late"]
