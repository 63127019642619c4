"""Highest, most, latest: the one that ranks first, or the largest value when nothing is ranked."""

from __future__ import annotations

from dataclasses import replace

from nlq.adjectives import ADJECTIVES
from nlq.frame import Condition, MeasureItem, Mention, OrderItem
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.comparisons import rows_called
from nlq.parsing.parse import Parse
from nlq.parsing.ranking import plural_ahead
from nlq.parsing.words import OFTEN, SENTENCE_END
from nlq.segment import Unit
from nlq.worth import worth_of
from semantic.query import Aggregate, AggregateKind

_PAY = {"best": "highest", "highest": "highest", "worst": "lowest", "lowest": "lowest"}


def on_super(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    p.stack_aggregate(i)
    if u.text.lower() in _PAY and i + 1 < len(p.units) and p.units[i + 1].text.lower() == "paid":
        p.use(u)
        u = replace(u, text=f"{_PAY[u.text.lower()]} paid", end=p.units[i + 1].end)  # "best paid employees": by what they earn
    if s.superlative is not None and s.pending_units:
        p.use(*[x for x in s.pending_units if x.is_func("super")])
    value = u.func.value if u.func else "desc"
    words = u.text.lower()
    p.frame.judged = p.frame.judged or words in ("best", "worst")
    j, number = p.peek(i + 1)
    _, after = p.peek(j + 1)
    if (
        words in ("first", "last")
        and number is not None
        and number.number is not None
        and not number.is_object
        and (after is None or after.text in SENTENCE_END)
    ):
        p.frame.limit, p.frame.limit_asked = int(number.number), True
        p.use(u, number)
        return j + 1
    if (
        words in ("first", "last")
        and not _next_is_object(p, i)
        and not _last_of_time(p, i, words)
        and (s.base_mode == "output" or p.frame.orders)
    ):
        p.use(u)
        return i + 1
    last = s.last
    if (
        value in ("latest", "earliest")
        and last is not None
        and p.adjacent(i)
        and p.kinds.certainly(last.unit, "time")
        and not _next_is_object(p, i)
    ):
        # "who was hired most recently".
        p.retract(last)
        p.frame.conditions = [c for c in p.frame.conditions if c.mention is not last]
        last.role = "aggregate"
        item = MeasureItem("aggregate", None, last, units=[u], superlative=value)
        p.frame.superlative = OrderItem(measure=item, descending=value == "latest")
        p.frame.singular = p.frame.limit is None
        p.use(u)
        return i + 1
    if _said_of_thing(p, i, u):
        p.use(u)
        p.frame.superlative = OrderItem(
            measure=MeasureItem("aggregate", None, None, units=[u], label=words), descending=_most_of(words, value)
        )
        p.frame.singular = p.frame.limit is None and not p.frame.outputs[-1].plural
        return i + 1
    s.superlative = value
    s.super_number = "number" in words or "count" in words or "amount of" in words
    if words.startswith(OFTEN):
        p.use(u)
        order = OrderItem(descending=value == "desc")
        order.measure = MeasureItem("aggregate" if words.endswith("rated") else "count", None, None, shown=True, units=[u], label=words)
        p.frame.superlative = order
        s.superlative = None
        s.top = s.top or p.frame.limit is not None
        if p.frame.limit is None and plural_ahead(p, i):
            p.frame.limit = 10
        p.frame.singular = p.frame.limit is None
        return i + 1
    s.pending_units.append(u)
    return i + 1


def _said_of_thing(p: Parse, i: int, u: Unit) -> bool:
    """ "which river is the longest": an adjective that nothing follows, of the thing asked for."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    ends = following is None or following.text in SENTENCE_END or following.is_func("prep")
    being = any(v.text.lower() in ("is", "are", "was", "were", "is the", "are the") for v in p.units[max(0, i - 2) : i])
    outputs = p.frame.outputs
    named = u.text.lower().split()[-1] in ADJECTIVES
    return (
        ends
        and being
        and named
        and p.frame.question_word in ("what", "that")
        and len(outputs) == 1
        and p.kinds.likely(outputs[0].unit, "dataset")
    )


def _most_of(words: str, value: str) -> bool:
    """Whether the largest number comes first: the oldest have the highest age."""
    return value == "desc" or words == "oldest"


def _next_is_object(p: Parse, i: int) -> bool:
    _, nxt = p.peek(i + 1)
    return nxt is not None and nxt.is_object


def _last_of_time(p: Parse, i: int, words: str) -> bool:
    """ "list the last 10 orders": the latest ones, where they have a time."""
    j, number = p.peek(i + 1)
    _, after = p.peek(j + 1)
    if words != "last" or number is None or number.number is None or number.is_object or after is None:
        return False
    return p.kinds.likely(after, "dataset") and p.kinds.is_dated(after)


def super_noun(p: Parse, i: int, u: Unit) -> int:
    """ "highest X": rank by X when a thing to rank was named, else the maximum of X."""
    s = p.waiting
    value = s.superlative or "desc"
    units = p.take_pending()
    dataset = p.kinds.likely(u, "dataset")
    if dataset and value in ("desc", "asc") and not s.count and any(x.text.lower() in _SIZES for x in units) and _worth_by_itself(p, u):
        u = replace(u, links=tuple(k for k in u.links if k.target.kind == "dataset"))  # "biggest orders": not how many there are
    largest = _largest_of_each(p, u, value) if any(x.text.lower() in _SIZES for x in units) and not s.count else None
    if largest is not None:
        p.mention(u, "context").explained = True
        p.reset_noun()
        p.use(*units)
        return _rank_or_max(p, i, largest, value, True)
    called = (
        rows_called(p, u)
        if units and p.kinds.certainly(u, "amount") and not p.frame.outputs and not s.count and value in ("desc", "asc")
        else None
    )
    if called is not None:
        return _most_of_theirs(p, i, u, called, units)
    time = p.kinds.certainly(u, "time")
    if time and any(x.text.lower() in _PRICES for x in units):
        p.frame.unknown.extend(units)  # "most expensive item ever sold": a day has no price
    number = p.kinds.likely(u, "measure") or p.kinds.likely(u, "number")
    aggregate = s.aggregate
    count = s.count or s.super_number
    p.reset_noun()
    if dataset and not count and value in ("latest", "earliest"):
        return _latest_noun(p, i, u, value, units)
    if _of_context(p, i, units):
        if number and not count and value in ("desc", "asc"):
            mention = p.mention(u, "condition")
            p.add_condition(Condition("average", mention, match="max" if value == "desc" else "min", op="=", units=[*units, u]))
        else:
            p.frame.unknown.extend(units)  # "in the country with the most states"
        return i + 1
    start = i - 1
    while start >= 0 and (p.units[start] in units or p.units[start].text.lower() in ("the", "a", "also")):
        start -= 1
    listed = start >= 0 and p.units[start].is_func("comma", "and")
    rankable = _rankable(p, listed)
    counting = count or any(x.text.lower() in ("most", "fewest", "the most", "least") or "number" in x.text.lower() for x in units)
    if counting and not count and not number and not time and not dataset and p.kinds.certainly(u, "category"):
        # "most prescribed drug": how often each occurs.
        mention = p.mention(u, "output")
        p.frame.outputs.append(mention)
        often = MeasureItem("count", None, None, units=units, label=units[0].text.lower() if units else value)
        p.frame.superlative = OrderItem(measure=often, descending=value == "desc")
        p.frame.singular = not mention.plural and p.frame.limit is None
        p.use(*units)
        return i + 1
    amount = mass_noun(p, u) if dataset and not number and counting and not count else None
    if amount is not None:
        return _rank_or_max(p, i, MeasureItem("aggregate", "sum", amount, units=units, superlative=value), value, rankable)
    if dataset and not number and counting and (rankable or count):
        mention = p.mention(u, "count")
        item = MeasureItem("count", None, mention, units=units, superlative=value)
        return _rank_or_max(p, i, item, value, rankable)
    judged = not time and value in ("desc", "asc") and _ranks_labels(p, i, u, units)
    if (dataset or judged) and not number:
        done = [v for v in p.units[max(0, i - 2) : i] if v.soft and v.text.lower().endswith("ing") and p.units[max(0, i - 3) : i] != units]
        if any(x.text.lower() in ("longest", "shortest") for x in units):
            p.frame.unknown.extend(done)  # "longest serving": what is long is not a figure of theirs
        mention = p.mention(u, "output")
        p.frame.outputs.append(mention)
        p.frame.superlative = OrderItem(descending=value in ("desc", "latest"))
        p.frame.superlative.measure = MeasureItem("aggregate", None, None, units=units, label=units[0].text.lower() if units else value)
        p.frame.singular = not mention.plural and p.frame.limit is None
        p.use(*units)
        return i + 1
    mention = p.mention(u, "aggregate")
    item = MeasureItem("count" if count and not number else "aggregate", aggregate, mention, units=units, superlative=value)
    if time or value in ("latest", "earliest"):
        item.aggregate = "max" if value in ("latest", "desc") else "min"
    return _rank_or_max(p, i, item, value, rankable)


def _most_of_theirs(p: Parse, i: int, u: Unit, rows: Unit, units: list[Unit]) -> int:
    """ "most viewed listings": the things, ranked by the number of theirs that stands before them."""
    s = p.waiting
    descending = s.superlative != "asc"
    figure = p.mention(u, "aggregate")
    things = Mention(rows, "output", rows.links, s.sentence, plural=True)
    p.frame.mentions.append(things)
    p.frame.outputs.append(things)
    p.reset_noun()
    p.frame.superlative = OrderItem(MeasureItem("aggregate", None, figure, units=units), descending=descending)
    p.frame.limit = p.frame.limit or 10
    p.use(*units)
    return i + 1


def _ranks_labels(p: Parse, i: int, u: Unit, units: list[Unit]) -> bool:
    """ "worst regions", "largest category by profit": labels have no size of their own, so a figure ranks them, named after "by" or asked for."""
    if not p.kinds.certainly(u, "category"):
        return False
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    return any(x.text.lower() in ("best", "worst") for x in units) or (following is not None and following.text.lower() == "by")


def mass_noun(p: Parse, u: Unit) -> Mention | None:
    """ "the most downtime": what has no plural here is added up, by the one amount that its rows have."""
    word = u.text.lower().split()[-1]
    home = next((k.target.dataset or "" for k in u.links[:3] if k.target.kind == "dataset" and k.exact), None)
    if home is None or word.endswith("s") or p.kinds.main_amount(home) is None or any(t.is_func("agg") for t in p.units):
        return None
    mention = p.mention(u, "aggregate")
    mention.links = tuple(Link(t, 1.0, True) for t in p.kinds.amounts_of(u, main=True))
    return mention


_PRICES = frozenset(("priciest", "most expensive", "least expensive", "cheapest", "most valuable"))
_SIZES = frozenset(("biggest", "largest", "smallest", "priciest", "most expensive", "most valuable"))


def _worth_by_itself(p: Parse, u: Unit) -> bool:
    """Whether single ones of these events are worth so much, and nothing else was named that could be ranked by them."""
    things = [k.target.dataset for k in u.links if k.target.kind == "dataset" and k.exact]
    return not p.frame.outputs and not p.frame.asks_period and any(worth_of(p.kinds.catalog, d or "") is not None for d in things)


def _largest_of_each(p: Parse, u: Unit, value: str) -> MeasureItem | None:
    """ "which customer placed the biggest order": things ranked by the most that one of their events is worth."""
    home = next((k.target.dataset or "" for k in u.links[:3] if k.target.kind == "dataset" and k.exact), None)
    worth = worth_of(p.kinds.catalog, home) if home is not None else None
    if worth is None or home is None or not p.frame.outputs or p.frame.measures or not _rankable(p):
        return None
    if any(k.target.dataset == home for k in p.frame.outputs[-1].links[:2]):
        return None
    kind = AggregateKind.MAX if value == "desc" else AggregateKind.MIN
    return MeasureItem("given", given=Aggregate(aggregate=kind, dataset=home, of=worth))


def _of_context(p: Parse, i: int, units: list[Unit]) -> bool:
    """ "concerts in the venue with the highest capacity": what ranks first is only told of, while something else is asked for."""
    last = p.waiting.last
    if last is None or last.role not in ("context", "related") or not p.kinds.likely(last.unit, "dataset") or not units:
        return False
    figures = any(m.after_of is last and p.kinds.certainly(m.unit, "amount") for m in p.frame.outputs)  # "the area of the country with"
    if not (figures or p.frame.measures or any(m.role == "output" and p.kinds.certainly(m.unit, "dataset") for m in p.frame.outputs)):
        return False
    start, at = p.units.index(units[0]), p.units.index(last.unit)
    between = [v for v in p.units[at + 1 : start] if v.text.lower() not in ("the", "a")]
    return len(between) == 1 and between[0].text.lower() in (
        "with",
        "with the",
        "having",
        "having the",
        "that has",
        "that has the",
        "which has",
    )


def _latest_noun(p: Parse, i: int, u: Unit, value: str, units: list[Unit]) -> int:
    mention = p.mention(u, "output" if not p.frame.outputs else "context")
    mention.links = tuple(link for link in mention.links if link.target.kind == "dataset") or mention.links
    if p.frame.question_word == "when" and not p.frame.outputs:
        mention.role = "aggregate"
        p.use(*units)
        p.add_measure(MeasureItem("aggregate", "max" if value == "latest" else "min", mention, units=units, label="when"))
        return i + 1
    if mention.role == "output":
        p.frame.outputs.append(mention)
    made = _year_made(p, mention) if any(x.text.lower() in ("oldest", "newest", "youngest") for x in units) else None
    if made is not None:
        year = p.mention(u, "aggregate")
        year.links = (made,)
        p.frame.superlative = OrderItem(MeasureItem("aggregate", None, year, units=units), descending=value == "latest")
        p.frame.singular = not mention.plural and p.frame.limit is None
        p.use(*units)
        return i + 1
    if (
        mention.role == "output"
        and mention.plural
        and p.frame.limit is None
        and any(x.text.lower() in ("newest", "oldest", "latest") for x in units)
    ):
        p.frame.limit = 10  # "newest clients"
    by_age = next((x.text.lower() for x in units if x.text.lower() in ("oldest", "youngest")), None)
    item = MeasureItem("aggregate", None, mention, units=units, superlative=value, label="time")
    p.frame.superlative = OrderItem(measure=item, descending=value == "latest")
    home = mention.links[0].target.dataset
    if by_age is not None and not p.kinds.has_age(home) and home is not None and p.kinds.has_names_of_persons(home):
        p.frame.unknown.extend(units)  # how long somebody is there is not how old they are
    if by_age is not None and p.kinds.has_age(home):
        p.frame.superlative = OrderItem(
            measure=MeasureItem("aggregate", None, None, units=units, label=by_age), descending=by_age == "oldest"
        )
    p.frame.singular = not mention.plural and p.frame.limit is None
    p.use(*units)
    return i + 1


def _year_made(p: Parse, thing: Mention) -> Link | None:
    """ "oldest ship": the one year in which such things were built, founded or published."""
    home = next((k.target.dataset for k in thing.links if k.target.kind == "dataset"), None)
    rows = p.kinds.catalog.dataset(home) if home is not None else None
    found = [f.name for f in rows.fields if not f.hidden and _MADE & set(f.label.lower().split())] if rows is not None else []
    years = [n for n in found if p.kinds.is_year(Target("field", f"{home}.{n}", home, n))]
    return Link(Target("field", f"{home}.{years[0]}", home, years[0]), 1.0, True) if len(years) == 1 else None


_MADE = frozenset("built founded established release released published publication pub model construction opened opening".split())


def _rankable(p: Parse, listed: bool = False) -> bool:
    """Whether the sentence has named a thing that can be ranked, and not grouped it with each."""
    s = p.waiting
    if p.frame.limit_asked or p.frame.asks_period:
        return True
    if p.frame.groups and s.sentence == p.frame.groups[-1].sentence:
        return False
    if listed and not s.relative:
        return False
    things = [m for m in p.frame.outputs if m.sentence == s.sentence and m.role in ("output", "focus")]
    if not things:
        return False
    return (
        s.relative
        or (p.frame.question_word in ("what", "who", "that") and p.kinds.likely(things[-1].unit, "dataset"))
        or p.units[0].is_func("relative", "wh")
    )


def _rank_or_max(p: Parse, i: int, item: MeasureItem, value: str, rankable: bool) -> int:
    if rankable:
        if p.frame.limit is None:
            last = next((m for m in reversed(p.frame.outputs) if m.role in ("output", "focus")), None)
            p.frame.singular = True
            if p.frame.asks_period and any(
                v.text.lower() in ("days", "weeks", "months", "quarters", "years", "hours") for v in p.units[:4]
            ):
                p.frame.singular = False
            if last is not None and last.plural:
                p.frame.singular = False
                p.frame.limit = None
        p.frame.superlative = OrderItem(measure=item, descending=value in ("desc", "latest"))
        p.use(*item.units)
        p.waiting.last_measure = item
        return i + 1
    if item.kind == "aggregate" and item.aggregate is None:
        item.aggregate = "max" if value in ("desc", "latest") else "min"
    if p.waiting.mode == "rankby":
        p.frame.rank_by.append(item)
        return i + 1
    p.add_measure(item)
    return i + 1
