"""Phrases that stand where the grammar does not look for them, moved to where they mean the same."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit


def reordered(units: Sequence[Unit]) -> Sequence[Unit]:
    """The units with "for each X, which Y ..." as "which Y ... for each X", and "share of A in each X were B" as "share of A were B in each X"."""
    return _share_last(_each_last(list(units)))


def _each_last(units: list[Unit]) -> list[Unit]:
    comma = next((i for i, u in enumerate(units[:5]) if u.is_func("comma")), 0)
    verb = next((i for i, u in enumerate(units[:4]) if u.is_func("output")), 0)
    best = [u for u in units[verb + 1 : verb + 3] if u.is_func("super") and u.text.lower().startswith("most ")]
    if verb == 2 and units[0].is_func("each") and best and not any(u.text in SENTENCE_END for u in units[:-1]):
        return _moved(units[verb:], units[:verb])
    asks = units[comma + 1] if comma and comma + 1 < len(units) else None
    if not comma or not units[0].is_func("each") or asks is None or asks.text.lower().split()[0] not in ("which", "who", "what"):
        return units
    if any(u.text in SENTENCE_END for u in units[:-1]) or any(u.func is not None for u in units[1:comma]):
        return units
    return _moved(units[comma + 1 :], units[:comma])


def _share_last(units: list[Unit]) -> list[Unit]:
    share = next((i for i, u in enumerate(units[:4]) if u.is_func("share")), None)
    each = next((i for i, u in enumerate(units) if u.is_func("each") and share is not None and i > share + 1), None)
    if share is None or each is None or each + 2 >= len(units) or any(u.text in SENTENCE_END for u in units[:-1]):
        return units
    being = units[each + 2]
    if not units[each + 1].links or being.text.lower() not in ("is", "are", "was", "were", "have", "has", "had"):
        return units
    if not all(u.is_object or u.soft for u in units[share + 1 : each]) or any(u.is_func("each", "by", "grain") for u in units[each + 3 :]):
        return units
    return _moved([*units[:each], *units[each + 2 :]], units[each : each + 2])


def _moved(rest: list[Unit], phrase: list[Unit]) -> list[Unit]:
    """The phrase at the end of the sentence."""
    end = len(rest) - 1 if rest and rest[-1].text in SENTENCE_END else len(rest)
    return [*rest[:end], *phrase, *rest[end:]]
