"""What is said when a question is not answered: the words that nobody knows, the language, why nothing could be computed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from nlq.language import ENGLISH_ONLY, language_of
from nlq.segment import Unit
from nlq.types import Intent, UnknownWord

THEY_ARE_WHO = "I cannot tell who “they” are here. Name them, or say what they have in common."
ASK_WHOLE = "Say “show all” first, or ask for all of them with the condition."
WHICH_MEASURE = {
    Intent.WHY: "Why did which measure change?",
    Intent.FORECAST: "Forecast which measure?",
    Intent.UNUSUAL: "Unusual in which measure?",
}
_NEVER_GROUPS = frozenset(
    "the a an each every all any our their your its this that these those far way now then date dates time times day days default most least it them".split()
)


def groups_in_vain(unit: Unit, before: Unit | None, after: Unit | None) -> bool:
    """ "revenue by category" where nothing is called a category: the noun is no filler there."""
    if not unit.soft or before is None or not before.is_func("by", "each") or not unit.text.isalpha():
        return False
    if unit.text.lower() in _NEVER_GROUPS:
        return False
    return after is None or (not after.is_object and not after.unknown and after.text.lower() != "of")


# What every company counts in its own way: who is lost, who comes back, within which time.
_DEFINED_BY_EACH = frozenset(
    "churn churned attrition retention retained returning repeat lapsed winback reactivated cohort cohorts ltv clv".split()
)


def needs_definition(unknown: Sequence[UnknownWord], question: str) -> str | None:
    """The word of the question that only a definition makes a figure of: one of the unknown, or what stands before an unknown "rate"."""
    words = [w.text.lower() for w in unknown]
    named = next((w for w in words if w in _DEFINED_BY_EACH), None)
    asked = question.lower().split()
    return named or next((a for a, b in pairwise(asked) if b == "rate" and b in words and a in _DEFINED_BY_EACH), None)


def not_understood(unknown: Sequence[UnknownWord], question: str = "") -> str:
    open_word = needs_definition(unknown, question)
    if open_word is not None:
        return (
            f"“{open_word.capitalize()}” is not defined in this data: who counts, and within which time? Say it as a condition, such as "
            "“customers with more than one order” or “subscriptions cancelled last month”, or add a term with its formula to the glossary."
        )
    words = ", ".join(f"“{w.text}”" for w in unknown[:6])
    near = list(dict.fromkeys(n for w in unknown for n in w.nearest))[:4]
    return f"I do not know {words} in this data." + (f" Nearest known: {', '.join(near)}." if near else "")


def not_english(question: str, strange: Collection[str]) -> str:
    language = language_of(question, strange)
    return f"This looks like {language}. {ENGLISH_ONLY}" if language else ENGLISH_ONLY


def why_none(errors: Sequence[str]) -> str:
    useful = next((e for e in errors if len(e) > 40 and "_" not in e and "~" not in e), "")  # not what only names columns and ways
    return "I understand the words, but found no way to compute this." + (
        f" {useful}" if useful else " Ask for the measure alone first; the catalog says what it can be split by."
    )
