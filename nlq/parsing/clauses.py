"""Sentences, question words, relative clauses and the small words that join them."""

from __future__ import annotations

from nlq.parsing.lapses import with_one
from nlq.parsing.parse import Parse, Waiting
from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit

THERE_WERE = "how many there were, or how many came"


def on_sentence_end(p: Parse, i: int) -> int:
    s = p.waiting
    u = p.units[i]
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if u.text == "." and following is None:
        return i + 1
    last = s.last
    p.waiting = Waiting(sentence=s.sentence + 1, last=None, last_measure=s.last_measure)
    p.waiting.last = last if u.text == ";" else None
    return i + 1


def on_wh(p: Parse, i: int, u: Unit) -> int:
    p.flush_count()
    s = p.waiting
    if not p.frame.question_word:
        p.frame.question_word = (u.func.value if u.func else "") or "what"
    if u.text.lower().split()[0] == "who":
        p.frame.question_word = "who"
    if u.func is not None and u.func.value == "when":
        p.frame.question_word = "when"
    if s.mode in ("group", "order"):
        s.mode = "head"
    s.base_mode = s.mode = "head"
    s.relative, s.related = False, None
    s.of_next = s.prep_next = False
    return i + 1


def on_relative(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    words = u.text.lower()
    starts = i == 0 or p.units[i - 1].text in (*SENTENCE_END, ",")
    if i == 0 and words.split()[-1] == "which":
        return on_wh(p, i, u)
    if words.split()[0] in ("which", "who") and (i == 0 or p.units[i - 1].text in SENTENCE_END or (s.last is None)):
        return on_wh(p, i, u)
    if words == "with the" or words == "with":
        _, nxt = p.peek(i + 1)
        if nxt is not None and nxt.is_func("super", "cmp"):
            s.relative = True
            return i + 1
    if words == "that" and starts:
        return i + 1
    if (
        words == "that"
        and i + 2 < len(p.units)
        and p.units[i + 1].text.lower() in ("a", "an")
        and p.units[i + 2].links
        and p.kinds.likely(p.units[i + 2], "dataset")
    ):
        someone = p.mention(p.units[i + 2], "group")
        someone.indefinite = True
        p.frame.groups.append(someone)
        p.waiting.relative = False
        return i + 3
    p.flush_count()
    s.relative, s.related = True, None
    if s.mode in ("group", "order", "rankby"):
        s.mode = s.base_mode
    s.each = False
    return i + 1


def on_comma(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    _, nxt = p.peek(i + 1)
    if s.related is not None and not (nxt is not None and nxt.is_func("or")):
        s.related = None
    if s.relative and nxt is not None and (nxt.is_func("wh", "count", "output", "agg") or nxt.text.lower() in ("what",)):
        s.relative = False
        s.mode = s.base_mode
    s.of_next = s.prep_next = False
    return i + 1


def on_and(p: Parse, i: int, u: Unit) -> int:
    p.flush_count(soft=True)
    p.waiting.of_next = p.waiting.prep_next = False
    return i + 1


def on_or(p: Parse, i: int, u: Unit) -> int:
    if u.text.lower() != "either":
        p.waiting.or_next = True
    return i + 1


_SPANS_OF_TIME = frozenset("years months quarters weeks days".split())


def on_both(p: Parse, i: int, u: Unit) -> int:
    p.waiting.both = True
    behind = p.units[i + 1].text.lower() if i + 1 < len(p.units) else ""
    if behind in _SPANS_OF_TIME and p.units[i + 1].time is None:
        p.frame.unknown.extend(p.units[i : i + 2])  # "who came both years": which ones is not said, and in each of them is no period
    return i + 1


def on_have(p: Parse, i: int, u: Unit) -> int:
    text = u.text.lower()
    if text in ("have", "has", "had", "got", "have had") and p.waiting.last is not None:
        p.waiting.relative = True
    if text in ("have", "had") and p.frame.question_word == "how many":
        _, nxt = p.peek(i + 1)
        if nxt is not None and nxt.time is not None:
            p.frame.notes.append(THERE_WERE)
    if text in ("were", "was", "are", "is", "been", "be"):
        p.waiting.passive = True
    return i + 1


def on_of(p: Parse, i: int, u: Unit) -> int:
    p.waiting.of_next = True
    return i + 1


def on_prep(p: Parse, i: int, u: Unit) -> int:
    words = u.text.lower()
    if words == "within":
        p.units = with_one(p.units, i + 1)
    p.waiting.prep_next = True
    if words.startswith(("of", "for all")) or words == "out of":
        p.waiting.of_next = True
    if p.waiting.mode == "group" and not p.waiting.each and words.split()[0] in ("for", "in", "from", "during"):
        p.waiting.mode = p.waiting.base_mode
    if p.waiting.each:
        p.waiting.each = False
        p.waiting.mode = p.waiting.base_mode
    return i + 1


def on_pronoun(p: Parse, i: int, u: Unit) -> int:
    p.waiting.pronoun = True
    return i + 1
