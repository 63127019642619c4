"""Not, never, without, excluding: what is left out, and verbs that are denied."""

from __future__ import annotations

from nlq.frame import Condition
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit


def on_negation(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    words = u.text.lower()
    if s.exclude:
        s.exclude = False
        s.negate = False
        s.relative = True
        if s.negate_unit is not None:
            p.use(u, s.negate_unit)
        s.negate_unit = None
        return i + 1
    s.negate = not s.negate or words == "nor"
    s.negate_unit = u
    if words in ("ignore", "ignoring", "exclude", "excluding", "except", "except for", "other than", "leaving out"):
        j, nxt = p.peek(i + 1)
        k, after = p.peek(j + 1)
        if (
            nxt is not None
            and after is not None
            and nxt.links
            and p.kinds.likely(nxt, "dataset")
            and (after.is_func("relative") or after.is_func("neg"))
        ):
            p.mention(nxt, "context")
            s.negate, s.exclude, s.relative, s.related = True, True, True, None
            p.use(u)
            return j + 1 if after.is_func("neg") else k + 1
    if words in (
        "excluding",
        "except",
        "without",
        "except for",
        "other than",
        "exclude",
        "ignore",
        "ignoring",
        "not including",
        "apart from",
    ):
        p.flush_count()
        if s.mode in ("group", "order"):
            s.mode = s.base_mode
        s.related = None
    if words.startswith(("have", "has", "had", "do", "does", "did", "that", "with", "without")) or "have" in words or words == "no":
        s.relative = True
    return i + 1


def closes_clause(p: Parse, i: int) -> bool:
    """Whether nothing that a verb could be about follows it ("were never sold in April", not "never bought laptops")."""
    j, nxt = p.peek(i + 1)
    while nxt is not None and nxt.text.lower() in ("anything", "any", "anyone"):
        j, nxt = p.peek(j + 1)
    return nxt is None or nxt.text in SENTENCE_END or nxt.time is not None or nxt.is_func("and", "or", "comma", "prep", "by", "grain")


def on_negated_verb(p: Parse, i: int, u: Unit) -> int:
    """ "never sold", "not refunded": no row of the events that the verb tells of. A verb that tells of none is not understood."""
    s = p.waiting
    thing = next((k.target.dataset for k in s.last.links if k.target.kind == "dataset"), None) if s.last is not None else None
    if thing is not None and _ties_to_next(p, i, thing):
        p.use(u)
        return i + 1
    event = p.kinds.event_of(u, thing) if thing is not None else None
    if event is None:
        p.frame.unknown.append(u)
        return i + 1
    if s.negate_unit is not None:
        p.use(s.negate_unit)
    mention = p.mention(u, "related")
    mention.links = (Link(Target("dataset", event, event), 0.9, False),)
    condition = Condition("related", mention, negate=True, units=[u])
    s.related = None
    p.add_condition(condition)
    s.related, s.negate, s.passive = condition, False, False
    return i + 1


def lacks_event(p: Parse, u: Unit) -> bool:
    """ "members who have not checked in since May": the date is that of events of the subject, none of which there must be."""
    s = p.waiting
    subject = p.frame.mentions[0]
    sure = subject.links[0].score - 0.06 if subject.links else 1.0  # "donors who never donated": they are no donations
    event, things = u.links[0].target.dataset, {k.target.dataset for k in subject.links if k.target.kind == "dataset" and k.score >= sure}
    if (
        event is None
        or event in things
        or not any(r.from_dataset == event and r.to_dataset in things for r in p.kinds.catalog.relationships)
    ):
        return False
    mention = p.frame.mentions[-1]
    mention.role, mention.links = "related", (Link(Target("dataset", event, event), 0.9, False),)
    condition = Condition("related", mention, negate=True, units=[u])
    s.related = None
    p.add_condition(condition)
    s.related, s.negate, s.passive, s.last = condition, False, False, subject
    return True


def _ties_to_next(p: Parse, i: int, thing: str) -> bool:
    """ "not linked to a campaign": the verb only ties the rows to what comes next, which they may lack."""
    j, lead = p.peek(i + 1)
    _, noun = p.peek(j + 1)
    if lead is None or noun is None or not lead.is_func("prep") or not noun.links or not p.kinds.likely(noun, "dataset"):
        return False
    homes = {k.target.dataset for k in noun.links[:1]}
    return any(r.from_dataset == thing and r.to_dataset in homes for r in p.kinds.catalog.relationships)
