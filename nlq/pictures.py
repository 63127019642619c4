"""Words for the picture that somebody wants of an answer, which say nothing about the data: charts, plots, maps."""

from __future__ import annotations

import re
from collections.abc import Callable

from nlq.text import lemma

_KIND = (
    r"(?:(?:vertical|horizontal|stacked|grouped|clustered|multi[- ]?line|simple|single|colou?red|interactive|nice)\s+)*"
    r"(?:bar|line|pie|donut|doughnut|area|column|bubble|strip|dot|scatter|box|violin|tree|heat)\s*-?\s*(?:charts?|graphs?|plots?|maps?|diagrams?)"
    r"|histograms?|heatmaps?|scatterplots?|boxplots?|treemaps?|trend\s*lines?"
)
_PLAIN = r"charts?|graphs?|plots?|maps?|diagrams?|visuali[sz]ations?"
_WISH = r"(?:i(?:'d|\s+would)\s+like\s+(?:to\s+(?:see|have)\s+)?|i\s+want\s+(?:to\s+see\s+)?)?"
_ASKED = (
    rf"{_WISH}(?:(?:please\s+)?(?:show|give|make|create|draw|generate|build|produce|render|plot|display|get)\s+(?:me\s+|us\s+)?)?"
    r"(?:(?:a|an|the|as)\s+)?"
)
_OF = r"(?:\s+(?:of|for|showing|that\s+shows?|which\s+shows?|displaying|comparing|to\s+show|with)\b(?:\s+me\b)?)?"
_SHAPED = r"(?:stacked|grouped|horizontal|vertical)\s+(?:bars?|columns?|lines?|areas?)|bars?|lines?|columns?|pie|donut|doughnut"
_AS = re.compile(
    rf"\b(?:as|in|on|using|with|through|via)\s+(?:(?:a|an|the)\s+(?:{_KIND}|{_PLAIN})|(?<=as\s)(?:an?\s+)?(?:{_SHAPED}))(?=\W|$)(?!\s+of\b)",
    re.IGNORECASE,
)
_DRAWN = re.compile(rf"\b{_ASKED}(?P<kind>{_KIND}){_OF}", re.IGNORECASE)
_DRAWN_PLAINLY = re.compile(
    rf"^\W*(?:(?:please|can you|could you)\s+)*(?:show|give|make|create|draw|generate|build|plot)\s+(?:me\s+)?(?:a|an|the)\s+(?P<kind>{_PLAIN}){_OF}",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"^\W*(?:(?:please|can you|could you|i want to|i would like to|i'd like to|let's|let us)\s+)*(?P<kind>visuali[sz]e|plot|graph|chart|draw)\s+(?!of\b)",
    re.IGNORECASE,
)
_RELATION = re.compile(r"\b(?:what\s+is\s+|show\s+(?:me\s+)?)?(?:the\s+)?(?P<kind>relationship)\s+(?:between|of)\b", re.IGNORECASE)
# How points of two numbers are asked for in the grammar; as short as the shortest word that it stands for.
POINTS = "xy"
_AGAINST = re.compile(r"\b(?:vs\.?|versus|against|by)(?=\s)", re.IGNORECASE)
_SCATTER = re.compile(r"scatter|relationship|plot\b", re.IGNORECASE)


def without_picture(text: str, known: Callable[[str], bool]) -> str:
    """The question without the picture it asks for, in as many characters; words that the catalog `known`s are kept.

    Points of two numbers are the rows: "scatter plot of X and Y" shows both of each row.

    >>> " ".join(without_picture("show me profit by category as a bar chart", lambda _: False).split())
    'show me profit by category'
    >>> " ".join(without_picture("scatter plot of sales vs profit", lambda _: False).split())
    'xy sales , profit'
    """
    said = _AS.sub(lambda m: _kept(m, known) or " " * len(m[0]), text)
    for pattern in (_DRAWN, _DRAWN_PLAINLY, _VERB, _RELATION):
        found = pattern.search(said)
        if found is None or any(known(lemma(w.lower())) for w in re.findall(r"[A-Za-z]+", found["kind"])):
            continue
        rows = _SCATTER.search(found[0]) is not None
        said = said[: found.start()] + (POINTS if rows else "show").ljust(len(found[0])) + said[found.end() :]
        if rows:
            said = said[: found.end()] + _AGAINST.sub(
                lambda m: "and".ljust(len(m[0]))[: len(m[0])] if len(m[0]) > 2 else ", ", said[found.end() :], count=1
            )
        break
    return said


def _kept(found: re.Match[str], known: Callable[[str], bool]) -> str:
    """The words as they are where the data has such a thing ("on the map")."""
    return found[0] if any(known(lemma(w.lower())) for w in re.findall(r"[A-Za-z]{3,}", found[0])) else ""
