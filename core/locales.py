"""Formats of a locale, from the Unicode CLDR (Babel), and which locale somebody gets."""

from __future__ import annotations

import re
from functools import lru_cache

from babel.core import Locale, UnknownLocaleError, get_global

from core.errors import Invalid
from core.formats import MARKS, USUAL, Formats

OFFERED = (
    "en-GB", "en-US", "en-AU", "en-CA", "en-IE", "en-IN", "en-NZ", "en-SG", "en-ZA", "ar-AE", "ar-EG", "bg-BG", "cs-CZ", "da-DK", "de-AT", "de-CH",
    "de-DE", "el-GR", "es-ES", "es-MX", "et-EE", "fi-FI", "fr-BE", "fr-CA", "fr-CH", "fr-FR", "he-IL", "hi-IN", "hr-HR", "hu-HU", "id-ID", "it-CH",
    "it-IT", "ja-JP", "ko-KR", "lt-LT", "lv-LV", "nb-NO", "nl-BE", "nl-NL", "pl-PL", "pt-BR", "pt-PT", "ro-RO", "sk-SK", "sl-SI", "sv-SE", "th-TH",
    "tr-TR", "uk-UA", "vi-VN", "zh-CN", "zh-TW",
)  # fmt: skip
MAX_WISHES = 20
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|\d{3}))?\Z")
_AFFIXES = re.compile(r"(?P<before>[^#0;]*)[#0,.]+(?P<after>[^#0;]*)")


def formats_of(tag: str) -> Formats:
    """Raises: Invalid for what is no known locale with its region."""
    found = known(tag)
    if found is None:
        raise Invalid(f"A locale such as en-GB, de-DE or pt-BR was expected; found {tag[:40]!r}.", code="unknown_locale")
    return found


@lru_cache(2_000)
def known(tag: str) -> Formats | None:
    """None for what is no locale, or a language alone: English is written in many ways."""
    if not _TAG.match(tag):
        return None
    try:
        locale = Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None
    if locale.territory is None:
        return None
    return USUAL if locale.language == "en" and locale.territory == "GB" else _made(locale)


def name_of(tag: str) -> str:
    """ "German (Germany)"."""
    return str(Locale.parse(tag.replace("-", "_")).get_display_name("en") or tag)


def _made(locale: Locale) -> Formats:
    symbols = locale.number_symbols["latn"]
    before, after = _affixes(locale.currency_formats["standard"].pattern)
    lead, trail = _affixes(locale.percent_formats[None].pattern)
    grouping = locale.decimal_formats[None].grouping
    return Formats(
        str(locale).replace("_", "-"), symbols["decimal"], symbols["group"], (grouping[0], grouping[1]), symbols["minusSign"].translate(MARKS),
        f"{lead}{{}}{trail}", f"{before}{{amount}}{after}".replace("¤", "{symbol}"), _day(locale.date_formats["medium"].pattern),
        12 if "h" in re.sub("'.*?'", "", locale.time_formats["short"].pattern) else 24,
    )  # fmt: skip


def _affixes(pattern: str) -> tuple[str, str]:
    found = _AFFIXES.match(pattern.translate(MARKS))
    return (found["before"], found["after"]) if found is not None else ("", "")


def _day(pattern: str) -> str:
    """In the locale's order, the month as an English word where the locale writes a word or where figures alone could be read in two ways.

    Years first come as ISO 8601 where the locale has words between them.
    """
    plain = pattern.translate(MARKS)
    order = "".join(part for part in re.sub("'.*?'", "", plain) if part in "dMy")
    order = re.sub(r"(.)\1+", r"\1", order)
    if "MMM" in plain or not plain.isascii() or "'" in plain or (order[:1] != "y" and "/" in plain):
        return {"dMy": "{d} {b} {y}", "Mdy": "{b} {d}, {y}"}.get(order, "{y}-{mm}-{dd}")
    return re.sub("d+|M+|y+", lambda part: {"d": "{d}", "dd": "{dd}", "M": "{m}", "MM": "{mm}"}.get(part[0], "{y}"), plain)


def wished(accept_language: str) -> Formats | None:
    """What a browser asks for: the first locale with a region by weight, a language alone as it is written where it is spoken most.

    English alone says nothing about how numbers and dates are written. Never raises: anybody sends such a header.
    """
    weighed = []
    for place, item in enumerate(accept_language[:1_000].split(",")[:MAX_WISHES]):
        tag, _, rest = item.strip().partition(";")
        weight = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", rest) if rest else None
        weighed.append((-(float(weight[1]) if weight else 0.0 if rest else 1.0), place, tag.strip()))
    for negative, _, tag in sorted(weighed):
        found = known(_with_region(tag)) if negative and _TAG.match(tag) else None
        if found is not None:
            return found
    return None


def _with_region(tag: str) -> str:
    if "-" in tag or "_" in tag or tag.lower() == "en":
        return tag
    return str(get_global("likely_subtags").get(tag.lower(), tag))
