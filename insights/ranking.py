"""Which facts are worth telling: false discoveries held down over a whole run, what another fact implies dropped, the rest by score."""

from __future__ import annotations

from collections.abc import Sequence

from insights.types import Fact

FALSE_DISCOVERIES = 0.02  # of what is told; a reader of digests forgives few


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


def worth_telling(facts: Sequence[Fact], limit: int = 5, rate: float = FALSE_DISCOVERIES) -> tuple[Fact, ...]:
    """At most `limit` facts, best score first. `facts` are all that were tested in one run: the rate is held over all of them.

    A fact without a test stands on its numbers alone and is not told here.
    """
    tested = [fact for fact in facts if fact.test is not None]
    significant = [fact for fact, told in zip(tested, benjamini_hochberg([f.test.p for f in tested if f.test], rate), strict=True) if told]
    ranked = sorted(significant, key=lambda f: (-(f.score.value if f.score else 0.0), f.quantity.label, f.kind, f.scope))
    kept: list[Fact] = []
    for fact in ranked:
        if not any(_implies(known, fact) for known in kept):
            kept.append(fact)
    return tuple(kept[:limit])


def _implies(known: Fact, fact: Fact) -> bool:
    """Whether the known fact already tells this one.

    The same metric in the same period about the same rows or about more (unless a part moved against the whole); the same segment in the
    same period and direction, told by another metric; anything of a segment whose data are late.
    """
    if known.period != fact.period:
        return False
    same_way = known.impact * fact.impact >= 0
    if known.scope and known.scope == fact.scope:
        return same_way or known.kind == "late_data"
    if known.quantity.label != fact.quantity.label:
        return False
    if known.kind == "late_data":
        return True  # what seems to have happened where data are late is the data being late
    return set(known.scope) <= set(fact.scope) and same_way
