"""The part a person plays, said by its verb ("members coached by each trainer", "who dispatched the most"): the relationship of that name."""

from __future__ import annotations

from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.segment import Unit

_ENDINGS = ("ed", "en", "ght", "wn", "ld")


def part_verb(p: Parse, i: int, u: Unit) -> int | None:
    """Takes a verb that a relationship is named after; the person that follows is then reached by it."""
    word = u.text.lower()
    if " " in word or not word.endswith(_ENDINGS) or (u.values and u.values[0].score >= 0.95):
        return None
    if u.links and u.links[0].exact and not p.kinds.is_key(u.links[0].target):
        return None
    relation = p.kinds.part_of(word)
    if relation is None:
        return None
    j, following = p.peek(i + 1)
    person = Link(Target("dataset", relation.to_dataset, relation.to_dataset, None, (relation.name,)), 1.02, True)
    if following is not None and following.text.lower().startswith("by"):
        p.use(u)
        p.waiting.passive = False
        p.waiting.part = person
        _, agent = p.peek(j + 1)
        named = agent is not None and (agent.quoted or bool(agent.values)) and not agent.links
        return j + 1 if named else i + 1
    if p.frame.question_word == "who" and not p.frame.outputs:
        someone = p.mention(u, "output")
        someone.links = (person,)
        p.frame.outputs.append(someone)
        return i + 1
    if any(k.target.dataset == relation.to_dataset for m in p.frame.mentions for k in m.links[:1]):
        p.use(u)
        return i + 1
    return None
