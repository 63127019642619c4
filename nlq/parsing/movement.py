"""Growth, change, versus, running totals: how numbers move along time or against another period."""

from __future__ import annotations

from typing import Literal

from nlq.frame import MovedItem, MovedOrder, TransformItem
from nlq.parsing.parse import Parse
from nlq.parsing.shares import owned_share
from nlq.parsing.terms import on_term
from nlq.parsing.words import DENIED, DIFFERENCE_TOO, SENTENCE_END
from nlq.segment import Unit

_BARE_MOVES = {
    **dict.fromkeys(("grow", "rise", "increase", "climb", "improve"), True),
    **dict.fromkeys(("fall", "drop", "decline", "decrease", "shrink"), False),
}
_MOVEMENTS = {
    **dict.fromkeys("rise rises increase increases jump jumps surge surges spike spikes uptick up".split(), True),
    **dict.fromkeys("drop drops decline declines decrease decreases fall falls dip dips slump slumps plunge down".split(), False),
}
_HELPING = frozenset("did does do didn't doesn't don't".split())


_ROLLING: dict[str, Literal["moving_average", "moving_sum"]] = {"moving": "moving_average", "moving_sum": "moving_sum"}


def on_transform(p: Parse, i: int, u: Unit) -> int:
    kind, _, step = (u.func.value if u.func else "").partition(" ")
    size: int | None = None
    if step:  # "7 day moving average"
        p.frame.grain = step
        p.frame.transforms.append(TransformItem(_ROLLING[kind], size=int(u.number or 0), units=[u]))
        p.use(u)
        return i + 1
    before = p.before(i)
    if kind == "moving":
        grain = _grain_before(p, i)
        if grain is not None:
            p.frame.grain = grain
        if before is not None and before.number is not None:
            size = int(before.number)
        for v in p.units[max(0, i - 4) : i]:
            if v.number is not None:
                size = int(v.number)
                p.use(v)
                p.frame.unknown = [x for x in p.frame.unknown if x is not v]
    if kind == "rank":
        _j, nxt = p.peek(i + 1)
        if nxt is not None and nxt.is_func("by", "order"):
            p.waiting.top = True
            p.waiting.mode = "head"
            p.use(nxt)
    if u.text.lower().startswith(("in ", "as ")) and any(t.kind in ("growth", "difference", "share") for t in p.frame.transforms):
        p.use(u)
        return i + 1
    if kind == "share":
        end = owned_share(p, i, u)
        if end is not None:
            return end
    names = {"share": "share", "running": "running_total", "moving": "moving_average", "rank": "rank"}
    p.frame.transforms.append(TransformItem(names[kind], size=size, units=[u]))  # type: ignore[arg-type]
    p.use(u)
    return i + 1


def _grain_before(p: Parse, i: int) -> str | None:
    """The step of a "7 day moving average"; its number is near."""
    for v in p.units[max(0, i - 3) : i]:
        word = v.text.lower().rstrip("s")
        if word in ("day", "week", "month", "quarter", "year", "hour"):
            return word
    return None


def on_change(p: Parse, i: int, u: Unit) -> int:
    kind = u.func.value if u.func else "any"
    grain = {"mom": "month", "yoy": "year", "wow": "week", "qoq": "quarter", "dod": "day"}.get(kind)
    words = u.text.lower()
    percent = any(w in words for w in ("growth", "percent", "%", "rate"))
    if u.links and u.links[0].target.kind == "term":
        return on_term(p, i, u)
    if grain is not None and not p.frame.grain:
        p.frame.grain = grain
        p.frame.grain_implied = True
    if "change" in words and not percent:
        p.frame.transforms.append(TransformItem("difference", grain=grain, units=[u]))
    p.frame.transforms.append(TransformItem("growth", grain=grain, units=[u]))
    p.use(u)
    return i + 1


def on_moved(p: Parse, i: int, u: Unit) -> int:
    """ "grew by more than 10 %", "whose revenue fell": a condition on the change; "did revenue rise" only compares."""
    ahead = p.units[i + 1 : i + 9]
    at = next(
        (k for k, v in enumerate(ahead) if v.number is not None or v.text in SENTENCE_END or v.is_func("compare") or v.time is not None),
        None,
    )
    number = ahead[at] if at is not None and ahead[at].number is not None else None
    p.use(u)
    rises = u.func.value == "up" if u.func is not None and u.func.kind == "moved" else _BARE_MOVES.get(u.text.lower(), True)
    first = next((v for n, v in enumerate(ahead[:3]) if v.is_func("super") and all(w.links or w.soft for w in ahead[:n])), None)
    if first is not None and first.text.lower() in ("most", "the most", "least", "the least", "fastest", "the fastest"):
        p.frame.moved_order = MovedOrder(rises is ("least" not in first.text.lower()), percent="fastest" in first.text.lower())
        p.use(first)
        p.units = [v for v in p.units if v is not first]
        return i + 1
    if number is not None and number.number is not None and at is not None:
        words = [v for v in ahead[:at] if v.is_func("cmp") or v.text.lower() == "by"]
        comparison = next((v.func.value for v in words if v.func is not None and v.func.kind == "cmp"), ">=")
        comparison = DENIED[comparison] if _denied(p) else comparison
        sign = ahead[at + 1] if at + 1 < len(ahead) and ahead[at + 1].text.lower() in ("%", "percent", "pct") else None
        percent = "%" in number.text or sign is not None
        p.frame.moved.append(MovedItem(rises, comparison, number.number, percent))
        taken = [*words, number, *([sign] if sign is not None else [])]
        p.use(*taken)
        p.units = [v for v in p.units if v not in taken]
    elif not (u.func is not None and u.func.value == "any") and _which_moved(p):
        p.frame.moved.append(MovedItem(rises, "<=" if _denied(p) else ">", 0.0, True))
    elif p.frame.compare is None:
        p.frame.compare = "previous_period"
    return i + 1


def _denied(p: Parse) -> bool:
    """ "did not grow": whether the movement is denied; the denial is then used up."""
    s = p.waiting
    if not s.negate or s.negate_unit is None:
        return False
    p.use(s.negate_unit)
    s.negate, s.negate_unit = False, None
    return True


def _which_moved(p: Parse) -> bool:
    """Whether the movement tells which things are meant ("countries with falling revenue"), rather than being asked for ("is revenue falling")."""
    s = p.waiting
    return bool(p.frame.outputs) and (s.relative or s.mode == "related" or p.frame.question_word in ("what", "that", "who"))


def on_moved_most(p: Parse, i: int, u: Unit) -> int:
    """ "fastest growing category", "biggest drop in revenue by country": ranked by the change."""
    words = u.text.lower()
    p.frame.moved_order = MovedOrder(
        u.func is not None and u.func.value == "up", percent="fast" in words or "slow" in words or words.startswith("steepest")
    )
    p.waiting.top = not words.endswith((" in", " of", " most"))  # "by" then says what is ranked by, not what is grouped
    p.use(u)
    return i + 1


def is_bare_move(p: Parse, i: int, u: Unit) -> bool:
    """ "did revenue increase": the plain form of a verb of movement after a helping verb, where the catalog knows no such word."""
    helped = any(not _HELPING.isdisjoint(v.text.lower().split()) for v in p.units[:i])
    return helped and u.text.lower() in _BARE_MOVES and not u.is_object


def is_movement(p: Parse, i: int, u: Unit) -> bool:
    """ "revenue drop", "a drop in revenue": the noun for a movement, beside what moves."""
    if u.text.lower() not in _MOVEMENTS or u.is_object:
        return False
    _, nxt = p.peek(i + 1)
    if u.text.lower() in ("up", "down"):  # "are sessions down this week"
        said = any(v.text.lower() in ("is", "are", "was", "were") for v in p.units[:i]) and p.follows_last(i)
        return said and bool(p.frame.outputs or p.frame.measures) and (nxt is None or nxt.time is not None or nxt.text in SENTENCE_END)
    return (p.follows_last(i) and p.waiting.last is not None and p.kinds.likely(p.waiting.last.unit, "measure")) or (
        nxt is not None and nxt.text.lower() in ("in", "of", "in the", "of the")
    )


def on_movement(p: Parse, i: int, u: Unit) -> int:
    """A noun of movement compares with the period before; "biggest revenue drop" ranks by the change."""
    s, rises, item = p.waiting, _MOVEMENTS[u.text.lower()], p.waiting.last_measure
    order = p.frame.superlative
    p.use(u)
    if item is not None and item.superlative is not None and p.follows_last(i):
        if item.superlative != "desc":
            p.frame.unknown.append(u)  # the smallest drop: of those that fell, or of all?
            return i + 1
        item.superlative = item.aggregate = None
        if order is not None and order.measure is item:
            p.frame.superlative, p.frame.singular = None, False
            p.frame.measures.append(item)
        p.frame.moved_order = MovedOrder(rises)
    elif s.superlative is not None:
        p.frame.moved_order = MovedOrder(rises)
        p.use(*s.pending_units)
        if s.superlative != "desc":
            p.frame.unknown.append(u)
        s.superlative, s.pending_units = None, []
    elif p.frame.compare is None:
        p.frame.compare = "previous_period"
    return i + 1


def on_compare(p: Parse, i: int, u: Unit) -> int:
    value = u.func.value if u.func else "vs"
    p.use(u)
    j, nxt = p.peek(i + 1)
    if nxt is not None and nxt.is_func("pronoun"):
        if "difference" in u.text.lower() and len(p.frame.measures) == 2 and p.frame.compare is None:
            p.frame.notes.append(DIFFERENCE_TOO)
            p.use(nxt)
            return j + 1
        j, nxt = p.peek(j + 1)
    if nxt is not None and nxt.is_func("duration"):
        return j
    j, after = p.peek(j + 1)
    ends = after is None or after.text in SENTENCE_END or after.is_func("by", "each", "grain", "comma")
    if value == "vs" and nxt is not None and nxt.text.lower() in ("last", "previous", "prior", "before") and ends and p.frame.times:
        p.frame.compare = "previous_period"  # "this quarter vs last"
        p.use(nxt)
        return j
    if value == "same_period":
        p.frame.compare = "same_period_last_year"
    elif value == "previous":
        p.frame.compare = "previous_period"
    elif p.frame.compare is None:
        p.frame.compare = "vs"
        if u.text.lower() in ("compare", "comparing"):
            p.frame.notes.append("comparing")
        if "difference" in u.text.lower():
            p.frame.notes.append("difference")
        if nxt is not None and nxt.time is not None:
            p.frame.versus = nxt.time
        p.waiting.comparing = u.text.lower() in (
            "compare",
            "comparing",
            "comparison of",
            "comparison",
            "difference between",
            "the difference between",
        )
    return i + 1
