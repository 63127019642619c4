"""Units -> Frame: a left-to-right analyst's grammar. Robust against missing grammar, keywords only and several sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nlq.fillers import RELATING
from nlq.frame import Frame
from nlq.kinds import Kinds
from nlq.parsing.acts import act
from nlq.parsing.aggregates import on_aggregate, on_distinct
from nlq.parsing.bounds import on_between, on_versus_average
from nlq.parsing.clauses import on_and, on_both, on_comma, on_have, on_of, on_or, on_prep, on_pronoun, on_relative, on_sentence_end, on_wh
from nlq.parsing.comparisons import on_compare_op, on_number
from nlq.parsing.counts import on_count
from nlq.parsing.cycles import on_cycle
from nlq.parsing.durations import length_of, on_duration
from nlq.parsing.finish import finish
from nlq.parsing.grouping import on_by, on_each
from nlq.parsing.how_much import act_first
from nlq.parsing.lateness import on_late
from nlq.parsing.literals import on_unknown
from nlq.parsing.money_words import with_money
from nlq.parsing.movement import is_bare_move, is_movement, on_change, on_compare, on_moved, on_moved_most, on_movement, on_transform
from nlq.parsing.negations import closes_clause, on_negated_verb, on_negation
from nlq.parsing.nouns import on_object
from nlq.parsing.ordering import on_direction, on_order
from nlq.parsing.parse import Handler, Parse, TermDefinition
from nlq.parsing.patterns import on_contains, on_null
from nlq.parsing.periods import on_bare_period, on_grain
from nlq.parsing.played import with_parts
from nlq.parsing.ranking import on_top
from nlq.parsing.ratios import on_op, on_rate, on_ratio, rate_of_noun
from nlq.parsing.reordered import reordered
from nlq.parsing.requests import on_define, on_output, on_round
from nlq.parsing.rolling import with_rolling
from nlq.parsing.said_together import said_together
from nlq.parsing.shares import on_share
from nlq.parsing.superlatives import on_super
from nlq.parsing.times import on_same, on_time
from nlq.parsing.verbs import note_sale, own_date_first
from nlq.parsing.words import INSTRUCTIONS, PERIODS, SENTENCE_END, TYING
from nlq.segment import Unit


def _pass(p: Parse, i: int, u: Unit) -> int:
    return i + 1


# What each kind of function word does, tried after time phrases and names of the catalog.
HANDLERS: dict[str, Handler] = {
    "agg": on_aggregate, "count": on_count, "distinct": on_distinct, "super": on_super, "top": on_top, "by": on_by, "each": on_each,
    "cmp": on_compare_op, "between": on_between, "neg": on_negation, "order": on_order, "direction": on_direction, "output": on_output,
    "wh": on_wh, "transform": on_transform, "change": on_change, "compare": on_compare, "ratio": on_ratio, "share": on_share, "grain": on_grain,
    "cycle": on_cycle, "duration": on_duration, "both": on_both, "and": on_and, "or": on_or, "comma": on_comma, "relative": on_relative,
    "pronoun": on_pronoun, "prep": on_prep, "of": on_of, "null": on_null, "contains": on_contains, "round": on_round,
    "versus_avg": on_versus_average, "have": on_have, "op": on_op, "moved": on_moved, "moved_most": on_moved_most, "define": on_define,
    "postcmp": _pass, "open": _pass, "close": _pass, "soft": _pass, "stop": _pass,
}  # fmt: skip


class Parser:
    """One parse of one question. `units` cover it; `kinds` knows the catalog; `terms` are words with a definition."""

    def __init__(self, units: Sequence[Unit], kinds: Kinds, terms: Mapping[str, TermDefinition] | None = None) -> None:
        self._units = reordered(with_parts(act_first(said_together(with_money(with_rolling(units), kinds), kinds), kinds), kinds))
        self._kinds = kinds
        self._terms = terms or {}

    def parse(self) -> Frame:
        return self._read(self._units, 0)

    def _read(self, units: Sequence[Unit], sentence: int) -> Frame:
        p = Parse(units, self._kinds, self._terms, HANDLERS, self._read)
        p.waiting.sentence = sentence
        i = 0
        while i < len(p.units):
            if p.units[i].text.lower() in INSTRUCTIONS and i and p.units[i - 1].text in (".", ";", "!") and p.waiting.sentence:
                i = _instruction(p, i)
                continue
            i = _step(p, i)
        finish(p)
        return p.frame


def _instruction(p: Parse, i: int) -> int:
    """A sentence on how to get there ("Use the most recent date in ..."): it adds nothing to what is asked."""
    p.frame.notes.append("instruction")
    while i < len(p.units) and p.units[i].text not in SENTENCE_END:
        p.use(p.units[i])
        i += 1
    return i


def _step(p: Parse, i: int) -> int:
    u = p.units[i]
    if u.time is not None and not u.values:
        return on_time(p, i, u)
    u = own_date_first(p, i, u)
    if u.links and u.func is not None and u.func.kind in ("agg", "count", "super", "distinct", "top", "grain") and _works_on_next(p, i):
        return p.handlers[u.func.kind](p, i, u)
    if u.text.lower() == "rate" and p.waiting.last_condition is not None and not (u.links and u.links[0].score >= 0.9):
        following = on_rate(p, i, u)
        if p.frame.used >= set(range(u.start, u.end)):
            return following
    if u.text.lower() == "rate" and i:
        shared = rate_of_noun(p, i, u)
        if shared is not None:
            return shared
    if u.is_func("cycle") and u.links and not u.values and i and _told_before(p.units[i - 1]) and u.text.lower().endswith("s"):
        return p.handlers["cycle"](p, i, u)  # "sales on weekends", where days have a yes or no of that name
    late = on_late(p, i, u)
    if late is not None:
        return late
    done = act(p, i, u) if not (u.values or u.quoted) else None
    if done is not None:
        return done
    if u.is_object or u.quoted:
        return on_object(p, i, u)
    if u.func is not None and u.func.kind in p.handlers:
        return p.handlers[u.func.kind](p, i, u)
    if u.number is not None:
        return on_number(p, i, u)
    if u.text in SENTENCE_END:
        return on_sentence_end(p, i)
    if is_bare_move(p, i, u):
        return on_moved(p, i, u)
    if is_movement(p, i, u):
        return on_movement(p, i, u)
    if u.unknown and _does_the_most(p, i, u):
        p.frame.loose_verbs += 1
        p.use(u)
        return i + 1
    if u.unknown:
        return length_of(p, i, u) or on_unknown(p, i, u)
    if u.soft and u.text.lower() in ("time", "times"):
        lasting = length_of(p, i, u)
        if lasting is not None:
            return lasting
    if u.text.lower() in PERIODS:
        return on_bare_period(p, i, u)
    if u.text.lower() == "same":
        return on_same(p, i, u)
    if u.text.lower() in ("count", "counts"):
        p.frame.count_word_alone = True
    if u.text.lower() in ("returned", "keeps", "kept") and p.follows_last(i) and p.last_is_dataset():
        p.frame.unknown.append(u)  # "customers returned a product": what they did, not how to show it
    if u.soft and u.text.lower() in RELATING:
        if p.waiting.negate and p.waiting.last is not None and closes_clause(p, i) and p.kinds.likely(p.waiting.last.unit, "dataset"):
            return on_negated_verb(p, i, u)
        p.frame.loose_verbs += 1
    note_sale(p, i, u)
    if (
        u.text.lower() in TYING
        and p.waiting.last is not None
        and p.waiting.mode == "head"
        and p.kinds.likely(p.waiting.last.unit, "dataset")
        and p.waiting.last.role in ("output", "count")
    ):
        p.waiting.relative = True
    return i + 1


def _does_the_most(p: Parse, i: int, u: Unit) -> bool:
    """ "which lawyer logged the most hours": a verb between those asked for and a figure of theirs that is named."""
    last, after = p.waiting.last, p.units[i + 1 : i + 3]
    if last is None or not p.follows_last(i) or not p.last_is_dataset() or not p.frame.question_word or p.waiting.negate:
        return False
    figure = len(after) == 2 and after[0].is_func("super") and bool(after[1].links) and p.kinds.likely(after[1], "measure")
    return figure and u.text.lower().endswith(("ed", "s"))


def _told_before(u: Unit) -> bool:
    return u.text.lower().split()[-1] in ("on", "during", "at")


def _works_on_next(p: Parse, i: int) -> bool:
    """Whether a word such as "total" belongs to the noun right after it, and is no noun itself."""
    j = i + 1
    while j < len(p.units) and p.units[j].text.lower() in ("the", "of", "of the", "number of", "count of"):
        j += 1
    following = p.units[j] if j < len(p.units) else None
    return following is not None and following.is_object and not following.is_func("cmp", "relative", "have")
