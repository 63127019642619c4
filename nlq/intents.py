"""What kind of question it is: ask, why, forecast, unusual, define, describe; and the question without the words that say so."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from nlq.outlook import find_outlook
from nlq.types import Intent

_WHY = re.compile(
    r"\b(?:why(?:\s+(?:did|does|do|is|are|was|were|has|have|had)(?:n['’]t)?)?|how come|what(?:'s| is| was| are)?\s+(?:drove|drives"
    r"|driving|caus(?:ed|ing)|behind|explains?|responsible for)(?:\s+(?:the|this|that))?"
    r"|(?:what|which)\s+(?:drivers?|factors?|reasons?)\s+\w+|(?:reasons?|root causes?|drivers?|explanation)\s+(?:for"
    r"|of|behind|why)(?:\s+the)?|reasons?(?=\s+[\w\s]{2,40}\b(?:fell|dropped|declined|rose|grew|increased|decreased|changed|went))"
    r"|(?:what|who)\s+(?:made|makes)(?=\s+[\w\s]{2,40}\b(?:fall|drop|decline|rise|grow|increase|decrease|change|jump|spike|dip|go\s+(?:up|down)))"
    r"|(?:which|what)\s+[\w-]+\s+(?:caused|drove|explains?|(?:is|are)\s+driving)(?:\s+the)?(?=\s+[\w\s]{0,40}\b(?:decline|drop|fall|rise|increase|decrease|growth|dip|jump|spike|change)\b)"
    r"|explain(?=\s+(?!(?:the|this|that|your?)\b)[\w\s-]{2,40}\b(?:last|this|yesterday|today|since|in\s+(?:q[1-4]|[a-z]+uary|march|april|may|june|july|august|[a-z]+ber|(?:19|20)\d\d))\b)"
    r"|who\s+is\s+(?:responsible|to\s+blame)\s+for(?:\s+the)?|explain\s+(?:the|why)(?!\s+(?:\w+\s+)?(?:forecast|projection|prediction|outlook)\b)|main drivers? of)\b",
    re.IGNORECASE,
)
_MOVE = re.compile(
    r"\b(?:(?:not|never)\s+)?(?:drop(?:ped|s|ping)?|f[ae]ll(?:en|s|ing)?|decreas(?:ed?|es|ing)|declin(?:ed?|es|ing)|r[io]se(?:n|s)?"
    r"|rising|increas(?:ed?|es|ing)|gr[eo]w(?:n|s|th)?|grow(?:ing)?|jump(?:ed|s)?|spik(?:ed?|es)|plummet(?:ed)?"
    r"|plung(?:ed?|es)"
    r"|chang(?:ed?|es|ing)|go(?:ne|es)?\s+(?:up|down)|went\s+(?:up|down)|down|up|so\s+(?:low|high|bad|good)|(?:such\s+a\s+)?(?:bad|good|poor|weak|strong)(?=\W*$)"
    r"|slow(?:ed)?(?:\s+down)?|tank(?:ed|s|ing)?|collapse[ds]?|crash(?:ed|es)?|soar(?:ed|s)?|slump(?:ed|s)?|tumbled?|dip(?:ped|s)?|surg(?:ed?|es)|lower|higher|worse|better|move[ds]?|shift(?:ed)?)\b",
    re.IGNORECASE,
)
_FORECAST = re.compile(
    r"\b(?:(?:make|give|show|create|explain|decompose|break\s+down)\s+(?:me\s+)?(?:a|the|this|that|my)\s+)?(?:forecast(?:s|ed|ing)?|predict(?:ion|ions|ing)?"
    r"|projections?|project(?:ed)?|outlook)(?:\s+(?:of|for|the|me))*\b"
    r"|\bwhat\s+will\b|\bhow\s+(?:much|many)\b(?=.*\bwill\b)|\bwill\s+(?:be|we|there|it)\b|\bgoing\s+to\s+be\b"
    r"|\b(?:(?:should|can|do)\s+(?:we|i)\s+expect|to\s+expect)\b|\bexpected\b(?=.*\bnext\b)|(?<=^)\W*(?:what(?:'s|\s+is|\s+are)\s+(?:the\s+|our\s+)?)?expected\s(?=.*\b(?:in|for|by|on)\s)|\bwhere\s+will\b(?=.*\b(?:land|be|end\s+up|stand)\b)|\bwhere\s+(?:is|are)\b(?=.*\bheading\b)|\bby\s+(?:the\s+)?year[\s-]?end\b",
    re.IGNORECASE,
)
_UNUSUAL = re.compile(
    r"\b(?:(?:is|was|are|were)\s+there\s+)?(?:(?:any(?:thing)?|something)\s+(?:\w+\s+)?)?(?:unusual|anomal(?:y|ies"
    r"|ous)|outliers?|suspicious|fishy|abnormal(?:ities)?|out of the ordinary)\b(?:\s+(?:about|with|in|for|happen(?:ed"
    r"|ing)?|going on))*"
    r"|\ba\s+(?:normal|usual|typical)\s+(?:day|week|month|quarter)\s+for\b|\b(?:spot|detect|find)\s+(?=(?:the\s+|any\s+)?anomal)"
    r"|\b(?:any(?:thing)?|something)\s+(?:off|odd|strange|weird|unexpected|wrong)\b(?:\s+(?:about|with|in|for|happen(?:ed|ing)?|going on))*",
    re.IGNORECASE,
)
_NORMAL = re.compile(
    r"(?P<before>^\W*(?:(?:and|but|so)\s+)?(?:is|was|are|were|does|did|do)\s+[\w\s'-]*?)\b(?P<said>(?:look\s+|seem\s+)?(?:in\s+line\s+with\s+)?(?:what\s+is\s+|what\s+we\s+)?"
    r"(?:normal|usual|typical|as\s+(?:expected|usual|normal)|to\s+be\s+expected|(?:higher|lower|more|less|better|worse)\s+than\s+(?:usual|normal|expected)))(?=\W*$|\s+(?:this|last|yesterday|today|for|in)\b)",
    re.IGNORECASE,
)
_GOOD = re.compile(
    r"^\W*(?:(?:and|but|so)\s+)?(?:is|was|are|were)\s+(?:it|that|this|they|those|these)\s+(?:any\s+|too\s+|very\s+|really\s+|a\s+)*"
    r"(?:good|bad|ok(?:ay)?|fine|great|high|low|lot|much|little|big|small|unexpected|surprising|(?:good|bad)\s+(?:number|result|figure|sign))\W*$",
    re.IGNORECASE,
)
_SCAN = re.compile(
    r"^\W*(?:(?:so|hi|hey|please|ok)\W+)*(?:"
    r"(?:is\s+there\s+)?(?:anything|something|what(?:\s+else)?)\s+(?:\w+\s+)?(?:that\s+)?(?:i|we)\s+(?:should|need\s+to|must|ought\s+to)\s+know(?:\s+about)?"
    r"|what\s+(?:should|must)\s+(?:i|we)\s+know(?:\s+about)?"
    r"|what(?:'s|\s+is|\s+has|\s+have|\s+was)?\s+(?:changed|new|happened|happening|going\s+on|noteworthy|different)(?:\s+(?:in|with|for|at|about))?(?:\s+the)?"
    r"|what\s+(?:should|do|must)\s+(?:i|we)\s+(?:need\s+to\s+)?(?:worry|be\s+(?:worried|concerned)|care|pay\s+attention|watch(?:\s+out)?|focus)(?:\s+(?:about|to|for|on))?"
    r"|(?:is\s+there\s+)?(?:anything|something)\s+(?:that\s+)?(?:(?:i|we)\s+should\s+|to\s+)?(?:worry|be\s+(?:worried|concerned)|worrying|alarming)(?:\s+about)?"
    r"|(?:anything|something)\s+(?:new|noteworthy|interesting|important|worth\s+knowing)(?:\s+(?:in|with|for|about))?"
    r"|(?:can\s+you\s+|could\s+you\s+)?(?P<sum>(?:summari[sz]e|sum\s+up|recap)(?:\s+(?:the|our)\s+(?:business|company|numbers|figures|performance)\b(?:\s+for\s+(?:me|us)\b)?)?|brief\s+(?:me|us)(?:\s+on)?|catch\s+(?:me|us)\s+up(?:\s+on)?"
    r"|(?:give\s+(?:me|us)\s+)?(?:a\s+|an\s+|the\s+)?(?:(?:short|quick|brief|board|executive|exec|management|weekly|monthly|quarterly|daily|business|status)\s+)*(?:summary|overview|recap|briefing|tl;?dr)(?:\s+(?:of|on|for))?"
    r"|(?:(?:show|give|send)\s+(?:me\s+|us\s+)?|what\s+are\s+)?(?:the\s+|our\s+|my\s+)?(?:kpis|(?:key|headline)\s+(?:figures|numbers|metrics|kpis)|scorecard)(?:\s+(?:for|of|in))?"
    r"|how\s+(?:are|were|is|was)\s+(?:we|things|(?:the\s+|our\s+)?(?:overall\s+)?(?:business|company|performance))"
    r"(?:\s+(?:doing|going|performing|looking))?(?:\s+(?:in|for|so\s+far))?"
    r"|how\s+(?:did|have|has)\s+(?:we|things|(?:the\s+)?(?:business|company))\s+(?:do|done|go|gone|perform|performed|been\s+(?:doing|going))(?:\s+(?:in|for))?"
    r"|how\s+(?:is|was)\s+(?=(?:this|last|yesterday|today|q[1-4]|h[12])\b))"
    r")\b",
    re.IGNORECASE,
)
_HOW_IT_DOES = re.compile(
    r"(?P<before>^\W*(?:(?:and|so|but)\s+)?how\s+(?:is|are|was|were|has|have)\s+(?!many\b|much\b)[\w\s'-]+?\s(?:been\s+)?)"
    r"(?P<doing>doing|going|looking|developing|evolving|performing|progressing|faring)\b",
    re.IGNORECASE,
)  # "how is revenue doing" asks for its course
_DEFINE = re.compile(
    r"^\s*(?:please\s+)?(?:define|what\s+does\s+(?P<a>.+?)\s+(?:mean|stand\s+for)"
    r"|what\s+is\s+(?:the\s+)?(?:definition|meaning)\s+of\s+(?P<b>.+)|what\s+is\s+meant\s+by\s+(?P<c>.+)|how\s+(?:is"
    r"|are)\s+(?P<d>.+?)\s*(?:calculated|defined|computed|measured)|how\s+do\s+(?:you|we)\s+(?:calculate|define|compute|measure)\s+(?P<h>.+)|definition\s+of\s+(?P<e>.+)"
    r"|what\s+is\s+an?\s+(?P<g>[\w\s-]+?)"
    r"|explain\s+(?:the\s+)?(?:term|metric|word)\s+(?P<f>.+))\s*(?:here|for us)?\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_DEFINE_WORD = re.compile(r"^\s*(?:please\s+)?define\s+(?P<a>.+?)\s*[?.!]*\s*$", re.IGNORECASE)
_DESCRIBE = re.compile(
    r"^\s*(?:help(?:\s+me)?|what\s+can\s+(?:i|you|we)\s+(?:ask|do|answer|know|query)[^?]*|what\s+(?:data|metrics|measures"
    r"|dimensions|tables|kpis|questions|information)\s+(?:do\s+(?:you|we)\s+have|are\s+(?:there|available)"
    r"|can\s+i[^?]*|is\s+(?:there|available))"
    r"|(?:list|show)\s+(?:me\s+)?(?:all\s+)?(?:the\s+)?(?:available\s+)?(?:metrics|measures|kpis|dimensions)"
    r"|which\s+(?:metrics|measures|kpis|dimensions)\s+(?:are\s+there|do\s+(?:you|we)\s+have|are\s+available|exist)"
    r"|describe\s+(?:the\s+|your\s+)?data|what\s+do\s+you\s+know)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"\b(?:over\s+|for\s+|in\s+|during\s+)?(?:the\s+)?(?:next|coming|following)\s+(?:(?P<n>\d+|two|three|four|five"
    r"|six|seven|eight|nine|ten|twelve|few)\s+)?(?P<u>hour|day|week|month|quarter|year)s?\b",
    re.IGNORECASE,
)
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "few": 3}


_REST = re.compile(
    r"\b(?:(?:for|until|till|through|by|over|in)\s+)?(?:the\s+)?(?:rest|remainder|end|remaining\s+\w+)\s+of\s+(?:the|this)\s+(?P<u>month|quarter|year)\b"
    r"|\b(?:by|until|till|through)\s+(?:the\s+)?(?P<v>month|quarter|year)[\s-]?end\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Routed:
    """`text` has the words of the intent blanked out (same length). `subject` is what is to be defined. `horizon`: steps of `grain` ahead."""

    intent: Intent
    text: str
    subject: str = ""
    horizon: int | None = None
    grain: str | None = None
    place: tuple[int, int] | None = None
    summary: bool = False


def route(question: str, today: dt.date | None = None) -> Routed:
    """The intent of a question.

    >>> route("why did revenue drop in March?").intent.value, route("revenue by country").intent.value
    ('why', 'ask')
    """
    if _DESCRIBE.match(question):
        return Routed(Intent.DESCRIBE, question)
    define = _DEFINE_WORD.match(question) or _DEFINE.match(question)
    if define and _is_definition(question):
        subject = next((g for g in define.groups() if g), "").strip(" ?.\"'`")
        if subject:
            return Routed(Intent.DEFINE, question, subject=subject)
    why = _WHY.search(question)
    if why:
        return Routed(Intent.WHY, _blank(_blank(question, _WHY), _MOVE), place=why.span())
    unusual = _UNUSUAL.search(question)
    if unusual and not re.search(r"\b(?:top|list|how many|number of)\b", question, re.IGNORECASE):
        return Routed(Intent.UNUSUAL, _blank(question, _UNUSUAL), place=unusual.span())
    normal = _NORMAL.match(question)
    if normal:
        start, end = normal.span("said")
        return Routed(Intent.UNUSUAL, question[:start] + " " * (end - start) + question[end:], place=(start, end))
    if _GOOD.match(question):
        return Routed(Intent.UNUSUAL, " " * len(question), place=(0, len(question)))
    scan = _SCAN.match(question)
    if scan:
        return Routed(Intent.SCAN, " " * scan.end() + question[scan.end() :], place=scan.span(), summary=scan["sum"] is not None)
    outlook = find_outlook(question)
    if outlook is not None and (outlook.asks_goal or outlook.scenario is not None):
        ahead = _NEXT.search(outlook.text)
        horizon, grain = _horizon(ahead) if ahead else (None, outlook.per)
        text = _future_words(_blank(_without_forecast_words(outlook.text), _NEXT))
        return Routed(Intent.FORECAST, text, horizon=horizon, grain=grain)
    forecast = _FORECAST.search(question)
    if forecast:
        ahead, rest = _NEXT.search(question), _REST.search(question)
        horizon, grain = _horizon(ahead) if ahead else (None, None)
        if ahead is None and rest is not None and today is not None:
            horizon, grain = _steps_left(rest, today)
        text = _blank(_without_forecast_words(_blank(question, _REST)), _NEXT)
        return Routed(
            Intent.FORECAST,
            _future_words(text),
            horizon=horizon,
            grain=grain,
            place=forecast.span(),
        )
    return Routed(Intent.ASK, _HOW_IT_DOES.sub(lambda m: m["before"] + "trend".ljust(len(m["doing"])), question))


def _without_forecast_words(text: str) -> str:
    """ "How many" stays: it says that things are counted."""
    return _FORECAST.sub(lambda m: m.group() if m.group().lower().startswith("how many") else " " * len(m.group()), text)


def _future_words(text: str) -> str:
    """Without the small words of the future."""
    return re.sub(
        r"\b(?:will|be|we|going to|have|look like|explain|land|end up|stand|come in|come out)\b", lambda m: " " * len(m.group()), text
    )


def _steps_left(match: re.Match[str], today: dt.date) -> tuple[int, str]:
    """Months left in the year or quarter with the running one, or days left in the month.

    >>> _steps_left(_REST.search("until the end of the year"), dt.date(2026, 5, 21))
    (8, 'month')
    """
    unit = (match["u"] or match["v"]).lower()
    if unit == "month":
        first = (today.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        return max(1, (first - today).days), "day"
    return (13 - today.month if unit == "year" else 3 - (today.month - 1) % 3), "month"


_MOVING = "doing|distributed|split|going|trending|developing|evolving|looking|performing|growing|moving|spread|divided"


def _is_definition(question: str) -> bool:
    words = question.lower()
    return bool(
        re.search(r"\b(?:define|definition|mean|meaning|meant|stand for|calculated?|computed?|defined|measured?|term|what is an?)\b", words)
    ) and not re.search(rf"\bhow (?:is|are) (?:\w+ ){{0,3}}(?:{_MOVING})\b", words)


_WHICH_THING = re.compile(r"(?:what|which)\s+(?P<thing>drivers?|factors?|reasons?)\b", re.IGNORECASE)
_MOVED = re.compile(
    r"\b(?:fell|fall\w*|drop\w*|declin\w*|decreas\w*|rose|rise\w*|grew|grow\w*|increas\w*|chang\w*|caus\w*|explain\w*|behind|drove|drives?|led|moved|contribut\w*)\b",
    re.IGNORECASE,
)


# "projects per project manager": the noun, where nothing else speaks of a time to come.
_ONLY_PROJECT = re.compile(
    r"(?:(?!\b(?:forecast|predict|projections?\b|projected|outlook|will\b|going\s+to|expect)).)*", re.IGNORECASE | re.DOTALL
)


def or_named(routed: Routed, question: str, known: Callable[[str], bool]) -> Routed:
    """ "abnormal results" where the data has something of that name: what is asked for, not what is unusual."""
    if routed.intent is Intent.FORECAST and routed.horizon is None and _ONLY_PROJECT.fullmatch(question):
        return replace(routed, intent=Intent.ASK, text=question, place=None) if known("project") else routed
    if routed.intent not in (Intent.UNUSUAL, Intent.WHY) or routed.place is None:
        return routed
    before = re.search(r"\b(?:by|per|each)\s+$", question[: routed.place[0]], re.IGNORECASE)  # "payout by reason for claims filed in May"
    thing = _WHICH_THING.match(question[slice(*routed.place)])
    if routed.intent is Intent.WHY and thing is not None and known(thing["thing"].lower()) and _MOVED.search(question) is None:
        return replace(routed, intent=Intent.ASK, text=question, place=None)  # "which drivers have the most trips"
    kind = re.search(r"\b(?P<of>\w+)\s+$", question[: routed.place[0]])
    told = re.match(r"reason|driver|explanation", question[slice(*routed.place)], re.IGNORECASE)
    if (
        kind is not None
        and told is not None
        and known(kind["of"].lower())
        and known(told.group().lower())
        and _MOVED.search(question) is None
    ):
        return replace(routed, intent=Intent.ASK, text=question, place=None)  # "refund reasons for laptops"
    if routed.intent is Intent.WHY and before is None:
        return routed
    words = re.findall(r"\w+", question[slice(*routed.place)])
    named = not routed.text.isspace() and any(len(w) > 3 and known(w.lower()) for w in words)
    return replace(routed, intent=Intent.ASK, text=question, place=None) if named else routed


def looks_everywhere(routed: Routed, question: str) -> bool:
    """ "anything unusual this week?": of every key measure; "is that normal?" is about one."""
    return routed.intent is Intent.UNUSUAL and _UNUSUAL.search(question) is not None


def _blank(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda m: " " * len(m.group()), text)


def _horizon(match: re.Match[str]) -> tuple[int, str]:
    number = match["n"]
    count = 1 if number is None else int(number) if number.isdigit() else _NUMBERS[number.lower()]
    return max(1, min(count, 400)), match["u"].lower()
