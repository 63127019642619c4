"""Verbs that tie nouns together, and those that name an event."""

from __future__ import annotations

from dataclasses import replace

from nlq.fillers import RELATING
from nlq.frame import Condition
from nlq.parsing.negations import closes_clause, on_negated_verb
from nlq.parsing.parse import Parse
from nlq.parsing.words import ARRIVING, LEAVING, PARTICIPLES, TRADING
from nlq.segment import Unit


def verb_like(p: Parse, i: int, u: Unit) -> bool:
    """A verb form that only ties nouns together ("publications published in", "cars that were sold")."""
    words = u.text.lower()
    tying = words in RELATING or words in PARTICIPLES
    if tying and p.frame.mentions and (words in LEAVING | ARRIVING or of_agent(p, i)) and i + 2 < len(p.units) and p.units[i + 2].values:
        return True  # "arriving in Vienna", "made by Boeing"
    if not tying or (u.values and u.values[0].score >= 0.95):
        return False
    _, following = p.peek(i + 1)
    if following is not None and p.kinds.likely(u, "amount") and following.is_func("cmp", "super", "between", "versus_avg"):
        return False  # "earn more than", "earns the most"
    asked = p.frame.question_word in ("what", "that", "who") and p.follows_last(i) and p.last_is_dataset() and words.endswith("s")
    if asked and not (u.links and u.links[0].exact) and following is not None and not following.values:
        return True  # "which depot ships ..."
    if not p.kinds.likely(u, "dataset"):
        return (
            bool(p.frame.mentions)
            and not (u.links and u.links[0].exact)
            and not p.kinds.likely(u, "time")
            and not p.kinds.likely(u, "year")
        )
    return bool(p.frame.mentions)


def own_date_first(p: Parse, i: int, u: Unit) -> Unit:
    """ "vehicles bought after 2020": the date that the things themselves have of it goes before that of other rows."""
    last, after = p.waiting.last, p.units[i + 1] if i + 1 < len(p.units) else None
    if last is None or after is None or after.time is None or not u.links or not p.follows_last(i) or u.func is not None or u.values:
        return u
    home = next((k.target.dataset for k in last.links[:1] if k.target.kind == "dataset"), None)
    own = [k for k in u.links if k.target.dataset == home and p.kinds.is_time(k.target) and k.score >= _OWN]
    if home is None or not own or u.links[0].target.dataset == home or " " in u.text:
        return u
    if _MOVING & set(p.kinds.label(own[0].target).lower().split()):
        return u  # the last purchase of a customer is not every one
    unit = replace(u, links=(replace(own[0], score=1.0), *(k for k in u.links if k.target.dataset == home and k is not own[0])))
    p.units = [*p.units[:i], unit, *p.units[i + 1 :]]
    return unit


# As sure as a verb is the date that is called so in other words.
_OWN = 0.5
_MOVING = frozenset("first last latest previous next".split())


def of_agent(p: Parse, i: int) -> bool:
    """Whether "by" follows position i."""
    return i + 1 < len(p.units) and p.units[i + 1].text.lower() == "by"


def on_verb(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    note_sale(p, i, u)
    sure = p.kinds.likely(u, "dataset") and max(k.score for k in u.links if k.target.kind == "dataset") >= 0.8
    if s.negate and closes_clause(p, i) and not sure:
        return on_negated_verb(p, i, u)
    if not p.kinds.likely(u, "dataset"):
        p.use(u)
        return i + 1
    known = {link.target.dataset for m in p.frame.mentions for link in m.links[:2] if link.score >= 0.9}
    link = next((k for k in u.links if k.target.kind == "dataset"), u.links[0])
    p.use(u)
    if (link.target.dataset in known and not s.negate) or link.score < 0.8:
        return i + 1
    mention = p.mention(u, "related")
    mention.links = tuple(k for k in mention.links if k.target.kind == "dataset") or mention.links
    condition = Condition("related", mention, negate=s.negate, units=[u])
    s.related = None
    p.add_condition(condition)
    s.related = condition
    s.negate = s.passive = False
    s.last = mention
    return i + 1


def note_sale(p: Parse, i: int, u: Unit) -> None:
    """ "how many did we sell", "were sold": things counted by their sales, not what is sold in general."""
    if u.text.lower() not in TRADING or p.waiting.negate or p.frame.question_word != "how many":
        return
    helping = {w for v in p.units[:i] for w in v.text.lower().split()}
    if helping & {"did", "were", "was", "have", "has"}:
        p.frame.notes.append("sold")
