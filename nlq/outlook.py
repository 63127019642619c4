"""What a question about the future asks beyond a measure: a value to reach, a period to sum up, a driver to change.

Pure text and time; which metric a driver's name means is for the catalog to say.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from core.errors import Invalid
from nlq.numbers import number_of
from nlq.text import tokenise
from nlq.timing.phrases import find_time_phrases
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Absolute, Calendar_, Unit, Window
from semantic.windows import add_units, local_now, resolve_window

_NUM = (
    r"(?P<num>[$€£¥]?\s?\d[\d,]*(?:\.\d+)?(?:\s?(?:%|(?:k|mm|mn|mio|m|bn|b|thousand|million|billion|percent)\b))?)"
    r"(?:\s*(?:euros?|dollars?|pounds?|eur|usd|gbp)\b)?"
)
_REACH = (
    r"(?:reach(?:es|ed|ing)?|hit(?:s|ting)?|get(?:ting)?\s+to|exceed(?:s|ing)?|pass(?:es|ing)?|cross(?:es|ing)?|surpass(?:es|ing)?|achiev(?:e|es|ing)"
    r"|make|break)"
)
_STAY = r"(?:(?:stay|remain|keep|be|fall|drop|go|end\s+up)(?:s|ing)?\s+(?:below|under|at\s+most|within))"
_LEAD = (
    r"(?:(?:by\s+)?when\s+(?:will|would|do|does|can|are|is)|will|(?:can|could)\s+we"
    r"|(?:are|is)(?=[^?.!;]*\b(?:on\s+(?:track|course|pace)|going\s+to|expected\s+to|likely\s+to|set\s+to))"
    r"|how\s+likely\s+(?:is\s+it|are\s+we|is|are)|what(?:'s|\s+is|\s+are)\s+(?:the\s+)?(?:chances?|odds|probability|likelihood))"
)
_GOAL = re.compile(
    rf"\b(?P<lead>{_LEAD})\b(?P<subject>[^?.!;]{{0,80}}?)\s*\b(?:(?P<track>on\s+(?:track|course|pace)\s+(?:for|to\s+(?:be\s+at|have|{_REACH})))"
    rf"|(?:(?:going|expected|likely|set)\s+to\s+|to\s+|of\s+)?(?P<verb>{_REACH}|{_STAY}))\s+(?:the\s+|a\s+|our\s+)?(?:(?:goal|target)\s+of\s+)?{_NUM}"
    rf"(?P<of>\s+(?:in|of)\b)?(?P<total>\s+(?:total|cumulative|overall|all-time))?",
    re.IGNORECASE,
)
_TRACKED = re.compile(
    r"\b(?:are|is|will)\b(?P<subject>[^?.!;]{0,60}?)\s*\b(?:on\s+(?:track|course|pace)(?:\s+(?:for|to\s+(?:meet|reach|hit|achieve|make)))?|(?:meet|reach|hit|achieve|make))"
    r"\s*(?:(?:the|our|my|its|this)\s+)*(?:\w+(?:ly)?\s+)?(?:goals?|targets?|plan|budget)\b",
    re.IGNORECASE,
)
_ON_TRACK = re.compile(r"\b(?:are|is)\b(?P<subject>[^?.!;]{0,60}?)\s*\bon\s+(?:track|course|pace)\b(?!\s+(?:for|to))", re.IGNORECASE)
_COUNTED = re.compile(
    r"(?!(?:this|next|last|in|by|of|for|during|per|a|an|the|before|until|sales|is)\b)[a-z]+(?:\s[a-z]+)?s\b", re.IGNORECASE
)
_PRONOUNS = re.compile(r"\b(?:we|us|our|it|i|you|they|there|be|the|of|that|to|going|on|will|ever|likely)\b", re.IGNORECASE)
_PER = re.compile(
    r"\b(?:per|a|each|every)\s+(?P<unit>hour|day|week|month|quarter|year)\b|\b(?P<adverb>daily|weekly|monthly|quarterly|yearly|annual)\b",
    re.IGNORECASE,
)
_ADVERBS = {"daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year", "annual": "year"}
_UP = r"(?:grows?|increases?|rises?|goes\s+up|went\s+up|grew|increased|rose|climbs?|improves?)"
_DOWN = r"(?:falls?|drops?|decreases?|declines?|goes\s+down|went\s+down|fell|dropped|decreased|shrinks?)"
_RAISE, _CUT = r"(?:grow|increase|raise|boost|lift)", r"(?:cut|reduce|lower|decrease|drop)"
_PCT = r"(?:by\s+)?(?P<{0}>\d+(?:\.\d+)?)\s*(?:%|percent\b)"
_SCENARIO = re.compile(
    r"[,\s]*\b(?:if|assuming(?:\s+that)?|suppos(?:e|ing)(?:\s+that)?|when|should|with)\s+(?:we\s+)?"
    rf"(?:(?:(?P<raise>{_RAISE})|(?P<cut>{_CUT}))\s+(?:the\s+|our\s+)?(?P<d1>[\w\s-]{{2,60}}?)\s+{_PCT.format('p1')}"
    rf"|(?:the\s+|our\s+)?(?P<d2>[\w\s-]{{2,60}}?)\s+(?:(?P<up>{_UP})|(?P<down>{_DOWN}))\s+{_PCT.format('p2')}"
    r"|(?:the\s+|our\s+)?(?P<d3>[\w\s-]{2,60}?)\s+(?:(?:is|are|was|were|would\s+be)\s+)?(?P<p3>\d+(?:\.\d+)?)\s*(?:%|percent)\s+(?:(?P<more>higher|more|up)|(?P<less>lower|less|down))"
    r"|(?:the\s+|our\s+)?(?P<d4>[\w\s-]{2,60}?)\s+(?P<twice>doubles?|doubled|halves?|halved)"
    r"|(?:we\s+)?(?P<double>double|halve)\s+(?:the\s+|our\s+)?(?P<d5>[\w\s-]{2,60}?)(?=\s*[?.,!]|$))",
    re.IGNORECASE,
)
_UNTIL = re.compile(
    r"\b(?:(?:for|until|till|through|by|over|in|at|during)\s+)?(?:the\s+)?(?:(?P<rest>rest|remainder)|end)\s+of\s+(?:the|this)\s+(?P<u>week|month|quarter|year)\b"
    r"|\b(?:by|until|till|through|at)\s+(?:the\s+)?(?P<v>month|quarter|year)[\s-]?end\b",
    re.IGNORECASE,
)
_EFFECT = re.compile(
    r"\b(?:what\s+(?:happens|would\s+happen|will\s+happen)\s+(?:to|with)|how\s+(?:would|will|does|do|much\s+would)|what\s+would|what\s+if|(?:would|will)\s+(?:be|change|grow|look))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """driver: the words of the question; change_percent: +10 for "grows 10 %"."""

    driver: str
    change_percent: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """target: the number as written (3 of "3 %", with is_percent), None where only a stored goal is meant. asks_when: a date is asked.

    asks_goal: it is about a goal at all. total: words say that all there ever were counts. per: "1M a month". window: a period that ends
    in the future, with its label. text: the question without these words, of the same length.
    """

    text: str
    asks_goal: bool = False
    asks_when: bool = False
    target: float | None = None
    is_percent: bool = False
    at_most: bool = False
    total: bool = False
    per: str | None = None
    window: Window | None = None
    label: str = ""
    scenario: Scenario | None = None


def find_outlook(question: str) -> Outlook | None:
    """The goal or scenario of a question; None when it has neither.

    >>> found = find_outlook("when will we reach 1 million customers?")
    >>> found.target, found.asks_when, found.text.split()
    (1000000.0, True, ['number', 'of', 'customers?'])
    """
    text, scenario = _without_scenario(question)
    goal = _GOAL.search(text)
    if goal is not None:
        return _with_number(text, goal, scenario)
    tracked = _TRACKED.search(text) or _ON_TRACK.search(text)
    if tracked is not None:
        return Outlook(_kept(text, tracked, subject=True), asks_goal=True, scenario=scenario)
    return Outlook(_EFFECT.sub(_spaces, text), scenario=scenario) if scenario is not None else None


def find_period(question: str, as_of: dt.datetime, calendar: CatalogCalendar) -> tuple[Window, str] | None:
    """The first period named that ends in the future, with its words; a month or quarter without a year is the coming one.

    None when there is none: nothing named, or only the past.
    """
    tokens = tokenise(question)
    now = local_now(calendar, as_of)
    until = _UNTIL.search(question)
    if until is not None:
        unit = (until["u"] or until["v"]).lower()
        running = Calendar_(unit=Unit(unit))
        if until["rest"] is None:
            return running, f"this {unit}"
        end = resolve_window(running, calendar, as_of).end
        return (Absolute(start=now.date(), end=end.date()), f"the rest of this {unit}") if end is not None else None
    has_year = re.search(r"\b(?:19|20)\d\d\b", question) is not None
    for phrase in find_time_phrases(tokens, as_of, calendar):
        window = phrase.window
        try:
            bounds = resolve_window(window, calendar, as_of)
        except Invalid:
            continue
        if bounds.start is None or bounds.end is None:
            continue
        start, end = bounds.start.replace(tzinfo=None), bounds.end.replace(tzinfo=None)
        words = question[tokens[phrase.start].start : tokens[phrase.end - 1].end]
        if end <= now and not has_year and isinstance(window, Absolute) and re.search(r"[a-z]{3}|q[1-4]", words, re.IGNORECASE):
            week = dt.timedelta(weeks=52) if re.search(r"\bweek\b", words, re.IGNORECASE) else None  # weeks keep their weekdays
            start, end = (at + week if week else add_units(at, Unit.YEAR, 1) for at in (start, end))
            window = Absolute(start=start.date(), end=end.date())
        if end > now:
            return window, re.sub(r"^(?:in|for|during|by|over)\s+", "", words, flags=re.IGNORECASE)
    return None


def _with_number(text: str, goal: re.Match[str], scenario: Scenario | None) -> Outlook:
    raw = goal["num"].strip()
    written = re.sub(r"\s*(?:%|percent)$", "", raw, flags=re.IGNORECASE)
    target = number_of(written)
    verb = goal["verb"] or ""
    subject_alone = not _PRONOUNS.sub("", goal["subject"] or "").strip()
    per = _PER.search(text, goal.end())
    left = _kept(text, goal, subject=not subject_alone)
    after = left[goal.end() :].lstrip()
    if subject_alone and not goal["of"] and _COUNTED.match(after):
        place = goal.end() - len("number of")
        left = left[:place] + "number of" + left[goal.end() :] if place >= 0 else left
    return Outlook(
        text=left,
        asks_goal=target is not None,
        asks_when=re.match(r"(?:by\s+)?when\b", goal["lead"], re.IGNORECASE) is not None,
        target=target,
        is_percent=written != raw,
        at_most=re.fullmatch(_STAY, verb, re.IGNORECASE) is not None,
        total=goal["total"] is not None,
        per=None if per is None else (per["unit"] or _ADVERBS[per["adverb"].lower()]).lower(),
        scenario=scenario,
    )


def _kept(text: str, match: re.Match[str], *, subject: bool) -> str:
    """The text with the match blanked out but for its subject, where that names something."""
    blank = " " * (match.end() - match.start())
    if subject and match["subject"]:
        begin, end = match.start("subject") - match.start(), match.end("subject") - match.start()
        words = _PRONOUNS.sub(_spaces, match["subject"])
        blank = blank[:begin] + words + blank[end:]
    return _PER.sub(_spaces, text[: match.start()] + blank + text[match.end() :])


def _without_scenario(question: str) -> tuple[str, Scenario | None]:
    found = _SCENARIO.search(question)
    if found is None:
        return question, None
    driver = next(found[name] for name in ("d1", "d2", "d3", "d4", "d5") if found[name])
    number = next((found[name] for name in ("p1", "p2", "p3") if found[name]), None)
    if number is None:
        percent = 100.0 if (found["twice"] or found["double"]).lower().startswith("doubl") else -50.0
    else:
        percent = -float(number) if found["cut"] or found["down"] or found["less"] else float(number)
    blanked = question[: found.start()] + " " * (found.end() - found.start()) + question[found.end() :]
    return blanked, Scenario(" ".join(driver.split()), percent)


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match.group())
