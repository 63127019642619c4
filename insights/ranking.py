"""Which facts are worth telling: false discoveries held down over a whole run, what another fact implies dropped, the rest by score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from insights.kinds import KINDS
from insights.reader import ANYBODY, Reader
from insights.types import Fact, Period

FALSE_DISCOVERIES = 0.02  # of what is told; a reader of digests forgives few
CONTEXT = frozenset({"season_note", "lagged_correlation"})  # worth reading beside news, no reason to write to anybody
DATA_ARE_WRONG = frozenset({"late_data", "missing_data", "doubled_data"})
_NO_PARTS: Mapping[str, frozenset[str]] = MappingProxyType({})
VIEW = 1.2  # times what the told segment moved: more is a story of its own
FRESH = 0.5  # of novelty: below, the reader knows it


@dataclass(frozen=True, slots=True)
class Ranked:
    """told: what to say, best first. passed: significant but left out, as implied, muted or beyond the limit. tested: facts of the run."""

    told: tuple[Fact, ...]
    passed: tuple[Fact, ...]
    tested: int


def benjamini_hochberg(p_values: Sequence[float], rate: float = FALSE_DISCOVERIES) -> list[bool]:
    """Which of these may be told so that at most `rate` of what is told is expected to be chance.

    p_values: of every test that was made in the run, also of those nobody would tell. Source: Benjamini and Hochberg (1995).

    >>> benjamini_hochberg([0.01, 0.6, 0.02, 0.04], 0.05)
    [True, False, True, False]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    kept = 0
    for rank, place in enumerate(order, start=1):
        if p_values[place] <= rate * rank / len(p_values):
            kept = rank
    told = set(order[:kept])
    return [i in told for i in range(len(p_values))]


def ranked(
    facts: Sequence[Fact],
    limit: int = 5,
    rate: float = FALSE_DISCOVERIES,
    reader: Reader = ANYBODY,
    parts: Mapping[str, frozenset[str]] = _NO_PARTS,
) -> Ranked:
    """`facts` are all that were tested in one run: the rate is held over all of them. parts: metric -> what it is made of.

    A fact without a test is told only where its kind is seen and not inferred.
    """
    tested = [fact for fact in facts if fact.test is not None]
    certain = [fact for fact, told in zip(tested, benjamini_hochberg([f.test.p for f in tested if f.test], rate), strict=True) if told]
    certain += [fact for fact in facts if fact.test is None and KINDS[fact.kind].observed]
    weighed = [reader.judged(fact) for fact in certain]
    order = sorted(weighed, key=lambda f: (-(f.score.value if f.score else 0.0), f.quantity.label, f.kind, f.scope))
    kept: list[Fact] = []
    passed: list[Fact] = []
    for fact in order:
        worth = fact.score is not None and fact.score.value > 0.0
        if worth and len(kept) < limit and not any(_implies(known, fact, parts) for known in kept):
            kept.append(fact)
        else:
            passed.append(fact)
    kept = [_sharpest(fact, passed) for fact in kept]
    return Ranked(tuple(kept), tuple(fact for fact in order if fact not in kept), len(facts))


def _sharpest(fact: Fact, others: Sequence[Fact]) -> Fact:
    """Of metrics that were odd on one day the one that shows it most clearly: the rate that broke rather than what was counted with it."""
    alike = [o for o in others if _is_odd_day(o, fact) and o.kind == fact.kind and o.score is not None and o.score.value > 0.0]
    return max([fact, *alike], key=lambda f: abs(f.test.statistic) if f.test else 0.0) if _is_odd_day(fact, fact) else fact


def _is_odd_day(fact: Fact, other: Fact) -> bool:
    """Whether both tell of the same odd day within a longer period, in the same direction."""
    same = {fact.kind, other.kind} <= {"unusual_value", "season_note"} and fact.names == other.names == ("day",)
    return same and fact.period == other.period and fact.impact * other.impact >= 0


def worth_telling(facts: Sequence[Fact], limit: int = 5, rate: float = FALSE_DISCOVERIES, reader: Reader = ANYBODY) -> tuple[Fact, ...]:
    """At most `limit` facts, best score first."""
    return ranked(facts, limit, rate, reader).told


def worth_sending(told: Sequence[Fact]) -> bool:
    """Whether a digest should go out for these: something that is news, and new to its reader."""
    return any(fact.kind not in CONTEXT and fact.score is not None and fact.score.novelty >= FRESH for fact in told)


def _holds(period: Period, day: Period) -> bool:
    """Whether a longer period has the day in it."""
    if period == day or not (period.start and period.end and day.start and day.end):
        return False
    return period.start <= day.start and day.end <= period.end


def _implies(known: Fact, fact: Fact, parts: Mapping[str, frozenset[str]]) -> bool:
    """Whether the known fact already tells this one.

    The same metric in the same period about the same rows or about more (unless a part moved against the whole); the same segment in the
    same period and direction, told by another metric; one odd day, told by another metric; anything of a segment whose data are late, or of a
    longer period with that day in it.
    """
    if fact.kind == "lagged_correlation" or known.kind == "lagged_correlation":
        return fact.kind == known.kind and {known.quantity.label, known.names[0]} == {fact.quantity.label, fact.names[0]}
    if known.kind == "late_data" and _holds(fact.period, known.period):
        return known.quantity.label == fact.quantity.label or known.quantity.name in parts.get(fact.quantity.name, ())
    if known.period != fact.period:
        return False
    same_way = known.impact * fact.impact >= 0
    if known.scope and known.scope == fact.scope:
        return same_way or known.kind == "late_data"
    if _is_odd_day(known, fact):
        return True
    if known.kind in DATA_ARE_WRONG and known.quantity.name in parts.get(fact.quantity.name, ()):
        return True  # what seems to have happened where data are wrong is the data being wrong
    if known.quantity.label != fact.quantity.label:
        return False
    if known.kind in DATA_ARE_WRONG:
        return True
    if set(known.scope) <= set(fact.scope) and same_way:
        return True
    # Another view of the same rows: what Audio lost is also what the region lost that buys it.
    one_step = known.scope and fact.scope and {d for d, _ in known.scope} != {d for d, _ in fact.scope}
    return bool(one_step and same_way and abs(fact.impact) <= VIEW * abs(known.impact))
