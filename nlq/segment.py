"""Tokens -> units: the best cover of the question by function phrases, catalog objects, values, numbers and time phrases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from rapidfuzz import fuzz, process

from nlq.fillers import RELATING, SOFT, STOP
from nlq.lexicon import Target, merge_keys
from nlq.linking import Link, Linker, ValueLink
from nlq.phrases import FUNCTIONS, Func
from nlq.small_words import is_kind, says_something
from nlq.text import Token, keys_of, singular
from nlq.timing.phrases import TimePhrase
from nlq.value_states import names_owner, undergone

_MAX_SPAN = 6
_NOTHING: Mapping[tuple[str, ...], str] = MappingProxyType({})
_MAX_FUNC = max(len(k) for k in FUNCTIONS)
_LEADING = frozenset("in on during for of over within from at the by".split())
_SKIPPABLE = frozenset(("of", "the", "a", "an", "-", "'", "for", "in", "to", "_", "/"))
_BOUNDARY = frozenset((",", ".", "?", "!", ";", ":", "(", ")"))
# Function phrases that give way to a catalog object of the same single word ("share", "rank", "order" as a column).
_YIELDING = frozenset(
    (
        "transform",
        "share",
        "agg",
        "count",
        "super",
        "soft",
        "change",
        "order",
        "output",
        "ratio",
        "grain",
        "null",
        "cycle",
        "top",
        "pronoun",
    )
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of the question, tokens [start, end), with everything it may mean."""

    start: int
    end: int
    text: str
    func: Func | None = None
    links: tuple[Link, ...] = ()
    values: tuple[ValueLink, ...] = ()
    time: TimePhrase | None = None
    number: float | None = None
    quoted: bool = False
    unknown: bool = False
    soft: bool = False
    keys: tuple[str, ...] = field(default=())

    def is_func(self, *kinds: str) -> bool:
        return self.func is not None and self.func.kind in kinds

    @property
    def is_object(self) -> bool:
        return bool(self.links or self.values)


@dataclass(slots=True)
class _Cell:
    score: float
    start: int
    unit: Unit | None


def segment(
    tokens: Sequence[Token], times: Sequence[TimePhrase], linker: Linker, defined: Mapping[tuple[str, ...], str] = _NOTHING
) -> tuple[Unit, ...]:
    """The best cover of `tokens`, left to right. Time phrases and quotes are fixed; the rest is chosen by score.

    `defined`: phrases (lemma keys) that the question itself defines, and the names of those definitions.
    """
    fixed = {t.start: t for t in times}
    inside_time = {i for t in times for i in range(t.start, t.end)}
    n = len(tokens)
    best: list[_Cell] = [_Cell(0.0, 0, None)] + [_Cell(float("-inf"), 0, None) for _ in range(n)]
    for i in range(n):
        if best[i].score == float("-inf"):
            continue
        if i in fixed:
            phrase = fixed[i]
            unit = Unit(i, phrase.end, _text(tokens, i, phrase.end), time=phrase)
            _offer(best, i, phrase.end, 3.0 * (phrase.end - i), unit)
            _offer_year_field(best, tokens, i, phrase, linker)
            continue
        for j in range(i + 1, min(n, i + max(_MAX_SPAN, _MAX_FUNC)) + 1):
            if any(k in inside_time for k in range(i, j)):
                break
            if j - i > 1 and _cuts_on_time(tokens, i, j):
                continue
            name = defined.get(tuple(t.key for t in tokens[i:j])) if defined else None
            if name is not None:
                unit = Unit(i, j, _text(tokens, i, j), links=(Link(Target("term", name), 1.1, True),), keys=(name,))
                _offer(best, i, j, 3.5 * (j - i), unit)
            for score, unit in _units(tokens, i, j, linker):
                _offer(best, i, j, score, unit)
            if tokens[j - 1].kind == "quoted":
                break
    units: list[Unit] = []
    at = n
    while at > 0:
        cell = best[at]
        if cell.unit is None:
            at -= 1
            continue
        units.append(cell.unit)
        at = cell.start
    return tuple(reversed(units))


def _cuts_on_time(tokens: Sequence[Token], i: int, j: int) -> bool:
    """Whether a stretch takes "on time" or a part of it along: "paid on time" says when it was due, and is no "paid on"."""
    return any(tokens[k].norm == "on" and k + 1 < len(tokens) and tokens[k + 1].norm == "time" for k in range(max(i, j - 2), j)) and not (
        j - i == 2 and tokens[i].norm == "on"
    )


def _offer(best: list[_Cell], i: int, j: int, score: float, unit: Unit) -> None:
    total = best[i].score + score
    if total > best[j].score:
        best[j] = _Cell(total, i, unit)


def _offer_year_field(best: list[_Cell], tokens: Sequence[Token], i: int, phrase: TimePhrase, linker: Linker) -> None:
    """A stored value that reads like a time phrase ("Black Friday week") competes with it."""
    first = next((k for k in range(i, phrase.end) if tokens[k].norm not in _LEADING), i)
    values = linker.values(tokens[first : phrase.end])
    if first > i:
        after = tokens[phrase.end] if phrase.end < len(tokens) else None
        values = [v for v in values if names_owner(v, after, linker)]  # "from the Black Friday promotion"
    if values and values[0].score >= 1.0 and not any(c.isdigit() for t in tokens[i : phrase.end] for c in t.norm) and phrase.end - i > 1:
        unit = Unit(i, phrase.end, _text(tokens, i, phrase.end), values=tuple(values), time=phrase)
        _offer(best, i, phrase.end, 3.0 * (phrase.end - i) + 0.1, unit)


def _text(tokens: Sequence[Token], i: int, j: int) -> str:
    return " ".join(t.text for t in tokens[i:j])


def _units(tokens: Sequence[Token], i: int, j: int, linker: Linker) -> list[tuple[float, Unit]]:
    span = tokens[i:j]
    out: list[tuple[float, Unit]] = []
    if len(span) == 1 and span[0].kind == "quoted":
        return [_quoted(span[0], i, linker)]
    if any(t.kind == "quoted" for t in span):
        return []
    func = FUNCTIONS.get(tuple(t.norm for t in span)) if len(span) <= _MAX_FUNC else None
    text = _text(tokens, i, j)
    kept = len(span) == 1 and says_something(tokens, i, linker)
    status = func is not None and func.kind == "moved" and undergone(tokens, i, j, linker)
    func = (
        None if kept or status or (func is not None and func.kind == "grain" and is_kind(tokens, i, linker)) else func
    )  # "offers that were declined" have that status; nothing fell
    if func is not None:
        weight = 1.6 if func.kind not in ("prep", "have", "pronoun", "of", "comma") else 0.9
        bonus = 0.5 if func.kind in ("prep", "have", "of") else 0.65
        following = tokens[j].norm if j < len(tokens) else ""
        if func.kind == "order" and len(span) == 1 and following not in _AFTER_ORDER:
            func = None
        elif func.kind == "order" and span[0].norm == "order" and i > 0 and tokens[i - 1].norm in _BEFORE_THING:
            func = None  # "per order by channel"
        elif func.kind == "count" and i and span[0].norm in ("number", "numbers") and _is_number_of_its_own(tokens[i - 1 : i + 1], linker):
            func = None  # "the flight numbers of", "the phone number of"
    if func is not None:
        out.append((len(span) * weight + (len(span) - 1) * bonus, Unit(i, j, text, func=func)))
    if len(span) == 1:
        out.append((0.45, Unit(i, j, text, unknown=True, keys=(span[0].key,))) if kept else _single(span[0], i, func, linker))
    if len(span) <= _MAX_SPAN and not any(t.norm in _BOUNDARY for t in span):
        linked = _linked(span, i, j, text, linker, func, tokens[j] if j < len(tokens) else None, kept)
        if linked:
            out.append(linked)
    return out


def _is_number_of_its_own(name: Sequence[Token], linker: Linker) -> bool:
    """Whether a column is called so: a flight number, a phone number."""
    links = linker.objects(merge_all(list(name)))
    return bool(links) and links[0].exact and links[0].score >= _ITS_NAME and links[0].target.kind == "field"


# As sure as a name or a synonym of it is.
_ITS_NAME = 0.95


def _single(token: Token, i: int, func: Func | None, linker: Linker) -> tuple[float, Unit]:
    if token.kind == "number" or token.value is not None:
        return 1.7, Unit(i, i + 1, token.text, number=token.value, func=func)
    if (token.norm in STOP and token.text != "US") or not any(c.isalnum() for c in token.norm):
        return 0.5, Unit(i, i + 1, token.text, soft=True, func=func)
    if token.norm in SOFT or token.norm in RELATING:
        return 0.45, Unit(i, i + 1, token.text, soft=True, func=func, keys=(token.key,))
    if (
        len(token.norm) >= 7
        and not linker.knows(token.key)
        and process.extractOne(token.norm, _FILLERS, scorer=fuzz.ratio, score_cutoff=90) is not None
    ):
        return 0.4, Unit(i, i + 1, token.text, soft=True, func=func, keys=(token.key,))
    return 0.0, Unit(i, i + 1, token.text, unknown=func is None, func=func, keys=(token.key,))


_FILLERS = tuple(sorted(w for w in SOFT | RELATING if len(w) >= 7))


def _quoted(token: Token, i: int, linker: Linker) -> tuple[float, Unit]:
    from_text = linker.values((token,), fuzzy=True)
    links: tuple[Link, ...] = ()
    if token.backtick:
        keys = merge_keys(keys_of(token.text.replace(".", " ")))
        links = tuple(k for k in linker.objects(keys) if k.score >= 0.9)
    exact = [v for v in from_text if v.score >= 0.9]
    if i == 0 and not exact and not links:
        links = tuple(k for k in linker.objects(merge_keys(keys_of(token.text))) if k.exact and k.score >= 0.97)  # a figure by its name
    return 3.0, Unit(i, i + 1, token.text, links=links, values=tuple(exact), quoted=True, unknown=not exact and not links)


_WITH_AGENT = RELATING | {"made"}


def _linked(
    span: Sequence[Token], i: int, j: int, text: str, linker: Linker, func: Func | None, after: Token | None, kept: bool = False
) -> tuple[float, Unit] | None:
    if span[0].norm in _OPENING and len(span) > 1:
        opened = _joined_value(span, i, j, text, linker)
        if opened is not None:
            return opened
    if span[0].norm in _SKIPPABLE or (span[-1].norm in _SKIPPABLE and not _is_letter(span[-1]) and not _is_joined(span)):
        return None
    if after is not None and len(span) > 1 and (span[-1].norm, after.norm) in (("at", "least"), ("at", "most"), ("on", "average")):
        return None  # "close a matter on average"
    content = [t for t in span if t.norm not in _SKIPPABLE or _is_letter(t) or (t is span[-1] and _is_joined(span))]
    skipped = len(span) - len(content)
    if skipped > 2 or not content or any(t.kind == "symbol" for t in content):
        return None
    if len(content) == 1 and ((content[0].norm in STOP and content[0].text != "US") or content[0].norm in _LIGHT_VERBS):
        return None
    if skipped and span[0].norm in _PERIODS:
        return None
    inside = len(content) > 1 and any(t.norm in _NEVER_INSIDE or t.norm in _DROPPED_INSIDE for t in content)
    both_names = [t.norm for t in content] in (["first", "and", "last", "name"], ["first", "and", "last", "names"])
    if inside and any(t.norm in _NEVER_INSIDE and t.norm not in _IN_NAMES for t in content) and not both_names:
        return _joined_value(span, i, j, text, linker)
    keys = merge_all([t for t in content if t.norm != "and" and t.norm not in _DROPPED_INSIDE])
    worded = [t for t in content if t.norm != "and"]
    plain = tuple(singular(t.norm) for t in worded) if len(worded) == len(keys) else ()
    links = linker.objects(keys, plain=plain, of=bool(skipped))
    if after is not None and after.norm == "by" and len(span) > 1 and span[-1].norm in _WITH_AGENT:
        links = [k for k in links if k.exact and not k.context]  # "cars made by Ford", but "ad spend by country"
    if any(t.norm == "to" for t in span) and len(content) > 1:
        links = [k for k in links if k.exact and not k.context]  # "order to delivery": two things
    if inside:
        links = [k for k in links if k.exact and k.score >= 0.97]
    if len(content) > 1 and any(t.norm in ("on", "in", "at") for t in span[1:-1]):
        links = [k for k in links if not (k.context and linker.is_flag(k.target))]  # "subscribers on autopay"
    links = [k for k in links if k.exact or k.target.kind != "segment" or content[-1].norm not in _LENGTHS]
    if len(content) > 1:
        links = [k for k in links if not (linker.is_flag(k.target) and linker.names_thing(k.target, content[-1].key))]
    if len(content) > 1 and content[0].norm.endswith("s") and (content[-1].norm.endswith(("ed", "ing", "up")) or content[-1].norm in _PAST):
        links = [k for k in links if not k.context and (k.exact or (k.target.kind not in ("metric", "segment") and k.score >= 0.6))]
    if len(content) > 1 and content[0].norm.endswith("s") and content[-1].norm in RELATING:
        links = [k for k in links if linker.in_order(k.target, keys) and not k.context]
    head = FUNCTIONS.get((content[0].norm,)) if len(content) > 1 else None
    if head is not None and head.kind == "agg" and not any(k.exact for k in links[:1]):
        rest = linker.objects(merge_all(content[1:]))
        if rest and rest[0].exact and rest[0].score >= 0.98:
            links = []
    named = all(t.text[:1].isupper() for t in content) and i > 0
    tail = FUNCTIONS.get((content[-1].norm,)) if len(content) > 1 else None
    if tail is not None and tail.kind == "agg" and not any(k.exact for k in links[:1]):
        links = []  # "shipping fee average": no average price
    values = (
        linker.values([t for t in span if t.norm not in ("the",)], fuzzy=not links and (named or _may_be_misspelt(content)))
        if len(span) <= 5
        else []
    )
    if _is_filler(content):
        values = [v for v in values if v.score >= 0.97 and (named or names_owner(v, after, linker))]
    if len(content) == 1 and (content[0].kind == "number" or content[0].value is not None):
        return None
    if func is not None and func.kind not in _YIELDING and len(content) == 1 and not any(k.exact and k.score >= 0.99 for k in links):
        links = []
        values = (
            [v for v in values if v.score >= 1.0]
            if func.kind not in ("prep", "of", "and", "or", "have", "by", "each", "comma", "neg", "relative")
            else []
        )
    if not links and not values:
        return None
    n = len(content)
    link_score, value_score = (links[0].score if links else 0.0), (values[0].score if values else 0.0)
    if links and n > 1 and link_score < 0.6 and value_score < 0.9:
        link_score *= 0.75
    if n > 1 and span[0].norm in _AGGREGATING and max(link_score, value_score) < 0.75:
        return None
    if value_score >= 0.99 and n > 1:
        value_score += 0.25
    top = max(link_score, value_score * 0.97)
    score = n * (1.0 + top) + (n - 1) * 0.3 + skipped * 0.3
    if func is not None and n == 1 and func.kind != "null" and not (links and links[0].exact and links[0].score >= 0.99):
        score = min(score, 1.55)
    gone = (
        kept
        and not (after is not None and after.norm == "to")
        and bool(links)
        and linker.is_time(links[0].target)
        and links[0].score >= _SAID_OF_DATE
    )
    if not gone and n == 1 and (span[0].norm in SOFT or (span[0].norm in STOP and span[0].text != "US")) and top < 0.9:
        return None
    if n == 1 and span[0].norm in RELATING and not any(k.target.kind == "dataset" or k.score > 0.6 for k in links) and not values:
        return None
    return score, Unit(i, j, text, func=func, links=tuple(links), values=tuple(values), keys=keys, number=span[0].value if n == 1 else None)


def _joined_value(span: Sequence[Token], i: int, j: int, text: str, linker: Linker) -> tuple[float, Unit] | None:
    """A known value that has a function word inside, exactly as it is stored ("no show", "Research and Development")."""
    inner = [t for t in span if t.norm in _NEVER_INSIDE and t.norm not in _IN_NAMES]
    if (
        len(span) > 5
        or any(t.norm not in _IN_VALUES for t in inner)
        or span[-1].norm in _NEVER_INSIDE - {"show"}
        or span[0].norm in ("and", "or", "with")
    ):
        return None
    values = tuple(v for v in linker.values(span) if v.score >= 0.995)
    if not values:
        return None
    return len(span) * 2.2 + (len(span) - 1) * 0.3, Unit(i, j, text, values=values)


def _may_be_misspelt(content: Sequence[Token]) -> bool:
    """Whether one long word stands alone that is no filler: it may be a misspelt value."""
    return (
        len(content) == 1
        and len(content[0].norm) >= 5
        and content[0].norm not in SOFT
        and content[0].norm not in RELATING
        and content[0].norm not in STOP
    )


def _is_letter(token: Token) -> bool:
    """A capital letter that tells one thing from another ("Agent A"), never the article."""
    return len(token.text) == 1 and token.text.isupper() and token.start > 0


def _is_joined(span: Sequence[Token]) -> bool:
    """Whether the span is one word written with a hyphen ("check-in")."""
    return len(span) == 3 and span[1].norm == "-" and span[0].end == span[1].start and span[1].end == span[2].start


def _is_filler(content: Sequence[Token]) -> bool:
    return len(content) == 1 and content[0].norm in SOFT


_NEVER_INSIDE = frozenset(
    "and or by with that who which whose where than not no each every per between from return show list what how many is are was were have has had their its they".split()
)


# Verbs and prepositions that are part of some names ("return on ad spend", "list price", "cost per click"): only as the exact name.
_IN_NAMES = frozenset(("per", "return", "list", "show"))
_OPENING = frozenset("in on at out off to under over".split())  # of values: "in transit", "on hold", "out of stock"
_IN_VALUES = frozenset(("and", "or", "no", "not", "with", "show"))
_DROPPED_INSIDE = frozenset(("on", "at"))
_LENGTHS = frozenset("duration length".split())
_BEFORE_THING = frozenset("per each every an average of single one".split())
_AFTER_ORDER = frozenset("by in from descending ascending desc asc alphabetically chronologically on according alphabetical the".split())
_PAST = frozenset("born left begun sent sold paid built held won lost found".split())
_SAID_OF_DATE = 0.6
_PERIODS = frozenset("day days week weeks month months quarter quarters year years hour hours time date dates".split())
_AGGREGATING = frozenset("total average sum mean median maximum minimum".split())
_LIGHT_VERBS = frozenset("made making took taken given did done got".split())


def merge_all(content: Sequence[Token]) -> tuple[str, ...]:
    """The keys of a span; identifiers such as order_number count as their words."""
    keys: list[str] = []
    for token in content:
        keys.extend(keys_of(token.text) if "_" in token.text else (token.key,))
    return merge_keys(tuple(keys))
