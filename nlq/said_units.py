"""The unit that a number is said in, held against what a field keeps: no fee is over 30 %, none is more than 7 days."""

from __future__ import annotations

from nlq.numbers import as_stored
from nlq.text import keys_of, lemma, words_of
from semantic.catalog.infer.vocabulary import MONEY
from semantic.catalog.model import CatalogField, FieldRole, Metric
from semantic.query import AggregateKind

SPANS = frozenset("minute minutes hour hours day days week weeks month months quarter quarters year years".split())
_LENGTHS = frozenset("duration length time age tenure delay stay wait nights elapsed lead term".split())
_PERCENT = frozenset(("%", "percent", "pct"))
# Currencies by their codes, as people call them.
CURRENCIES = {
    "EUR": ("euro", "euros", "eur", "€"), "USD": ("dollar", "dollars", "usd", "$"), "GBP": ("pound", "pounds", "gbp", "£", "sterling"),
    "JPY": ("yen", "jpy", "¥"), "CHF": ("franc", "francs", "chf"),
}  # fmt: skip
_SIGNS = "$€£¥"
_MONEY = frozenset(word for words in CURRENCIES.values() for word in words)
_HUNDREDTHS = frozenset("cent cents pence".split())
# Parts of a whole that some tables keep as added-up percentages all the same.
_PARTS = frozenset(
    lemma(w) for w in "rate percent pct percentage share ratio margin discount growth score utilization completion progress".split()
)


def contradicts(said: str, field: CatalogField) -> str | None:
    """Why a number said so cannot be one of the field's, or None.

    >>> from semantic.catalog.model import FieldRole, FieldType
    >>> fee = CatalogField(name="fee", type=FieldType.DECIMAL, role=FieldRole.MEASURE, label="fee", unit="EUR", aggregate=AggregateKind.SUM)
    >>> contradicts("over 30 %", fee), contradicts("over 30 euros", fee)
    ('A percentage of what is not said: fee is an amount.', None)
    """
    words = frozenset(said.lower().split())
    kept_as_part = _PARTS & set(keys_of(field.label)) or (field.format or "").startswith("percent")
    if field.role is FieldRole.MEASURE and field.aggregate is AggregateKind.SUM and not kept_as_part and _is_percent(said):
        return f"A percentage of what is not said: {field.label} is an amount."
    if words & SPANS and (is_money(field) or (field.role is FieldRole.MEASURE and MONEY & set(field.label.lower().split()))):
        return f"{field.label} is an amount of money, not a time."
    if words & _MONEY and ((field.format or "").startswith("percent") or field.unit in ("day", "days", "hours", "minutes")):
        return f"{field.label} is no amount of money."
    return None


def as_kept(value: float, field: CatalogField, said: str) -> float:
    """A number of a question as the field keeps it: fractions of a whole, and hundredths of a currency ("over 5 euros" of cents).

    >>> from semantic.catalog.model import FieldRole, FieldType
    >>> paid = CatalogField(name="amt_cents", type=FieldType.INTEGER, role=FieldRole.MEASURE, label="amount cents", aggregate=AggregateKind.SUM)
    >>> as_kept(5, paid, "over 5 euros"), as_kept(500, paid, "over 500 cents")
    (500, 500)
    >>> as_kept(25, CatalogField(name="d", type=FieldType.INTEGER, role=FieldRole.MEASURE, label="duration sec", aggregate=AggregateKind.SUM), "over 25 minutes")
    1500.0
    """
    stored = as_stored(value, field.format, said)
    steps = [_SECONDS[w] for w in (w.removesuffix("s") for w in said.lower().split()) if w in _SECONDS]
    kept = kept_in(field)
    if kept is not None and len(steps) == 1:
        return stored * steps[0] / _SECONDS[kept]
    return stored * 100 if _HUNDREDTHS & {*words_of(field.label), field.unit or ""} and says_money(said) else stored


_SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "day": 86400, "week": 604800}


def kept_in(field: CatalogField) -> str | None:
    """The unit that a length of time is kept in, as its name says last ("duration sec", "wait minutes") or the catalog; None for what is no such length.

    >>> from semantic.catalog.model import FieldType
    >>> kept_in(CatalogField(name="runtime_min", type=FieldType.INTEGER, role=FieldRole.MEASURE, label="runtime", unit="min"))
    'min'
    """
    *rest, last = (w.removesuffix("s") for w in words_of(field.label))
    unit = (field.unit or "").lower().removesuffix("s")
    said = last if rest and last in _SECONDS else unit
    return said if said in _SECONDS and field.role is FieldRole.MEASURE else None


def takes_time(field: CatalogField) -> bool:
    """Whether a number counts days, hours and the like."""
    return bool((SPANS | _LENGTHS) & {*field.label.lower().split(), field.unit or ""})


def other_span(said: str, field: CatalogField | None) -> bool:
    """Whether a word for a span of time is said where a number counts another one ("hours", of minutes).

    >>> other_span("hours", None)
    False
    """
    words = (
        {w.removesuffix("s") for w in words_of(field.label)} & _STEPS if field is not None and field.role is FieldRole.MEASURE else set()
    )
    return bool(words) and said.lower().removesuffix("s") in _STEPS - words


_STEPS = frozenset(w for w in SPANS if not w.endswith("s"))


def says_money(said: str) -> bool:
    """Whether a currency is said.

    >>> says_money("$1k"), says_money("1000 euros"), says_money("1000")
    (True, True, False)
    """
    return not _MONEY.isdisjoint(said.lower().split()) or any(sign in said for sign in _SIGNS)


def money_refuses(said: str) -> str | None:
    """Why an amount of money cannot be bounded by a number said so, or None."""
    if _is_percent(said):
        return "A percentage of what is not said: this is an amount of money."
    return "This is an amount of money, not a time." if frozenset(said.lower().split()) & SPANS else None


def _is_percent(said: str) -> bool:
    return "%" in said or bool(frozenset(said.lower().split()) & _PERCENT)


def is_money(field: CatalogField | Metric) -> bool:
    """Whether the catalog says that a field or metric is an amount of money."""
    return (field.format or "").startswith("currency") or (field.unit or "") in (*CURRENCIES, *_SIGNS)
