"""Turns of phrase of people who run a business, and the plain words that say the same. Nothing here belongs to one catalog."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from nlq.fillers import SOFT, STOP
from nlq.text import lemma

Known = Callable[[str], bool]

_WHO = r"(?P<who>(?:customer|client|buyer|shopper|guest|member|user|subscriber|account|patient|visitor)s?)"
_BOUND = r"(?P<bound>more than|less than|over|above|under|below|at least|at most|between)"
_AMOUNT = r"(?P<amount>(?:[$€£¥]\s?)?\d[\d,.]*(?:\s?(?:k|m|mn|bn|thousand|million|billion)\b)?)"
_EVENTS = ("order", "purchase", "booking", "reservation", "rental", "stay", "visit", "transaction")
_MONEY = ("revenue", "sales", "turnover")
_PROFIT = ("gross profit", "profit", "net income")


@dataclass(frozen=True, slots=True)
class Idiom:
    """`pattern` may be said as each of `plain` (regex templates), the likeliest first.

    Each text of `plain` goes with the words that the catalog must have for it. unless: words that the catalog has itself are not put
    in other words. A group `m` is a figure, which the catalog must know. sure: the words as they are would be misread, so the plain
    ones are read instead of them, not only when those are refused.
    """

    pattern: re.Pattern[str]
    plain: tuple[tuple[str, tuple[str, ...]], ...]
    unless: tuple[str, ...] = ()
    sure: bool = False

    def said(self, text: str, known: Known) -> tuple[str, ...]:
        """The text in other words; () where it has not this turn, or the catalog not the words."""
        found = self.pattern.search(text)
        if found is None or any(known(lemma(w)) for w in self.unless):
            return ()
        figure = (found.groupdict().get("m") or "").split()
        if figure and not known(lemma(figure[-1].lower())):
            return ()
        return tuple(
            self.pattern.sub(plain, text) for plain, needs in self.plain if all(known(lemma(w)) for need in needs for w in need.split())
        )


def _idiom(pattern: str, *plain: str | tuple[str, str], unless: str = "", sure: bool = False) -> Idiom:
    texts = tuple((p, ()) if isinstance(p, str) else (p[0], (p[1],)) for p in plain)
    return Idiom(re.compile(pattern, re.IGNORECASE), texts, tuple(unless.split()), sure)


def _each(template: str, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The template once for each word; the catalog must have it."""
    return tuple((template.replace("{}", w), w) for w in words)


_THING = r"(?!(?:hour|day|week|month|quarter|year)\b)[\w-]+"
_EARNS = r"generates?|generated|makes?|made|brings?(?:\s+in)?|gets?"
_WELL = r"selling\s+(?:really\s+|very\s+)?(?:well|best|good|the\s+(?:best|most))"
_BADLY = r"selling\s+(?:really\s+|very\s+)?(?:badly|poorly|slowly|worst|the\s+(?:worst|least))"
_SELLING = r"(?:sell(?:ing)?|sold|ship(?:ping|ped)?)"
_PEOPLE = r"(?:users?|customers?|clients?|visitors?|buyers?|shoppers?|people)"
_BETTER = r"(?:better|worse|bigger|smaller|stronger|weaker|larger|higher|lower|more\s+(?:valuable|profitable|important|popular|effective))"

_NAMED = r"[\w&'-]+(?:\s[\w&'-]+){0,2}"
_DEALS = r"(?:orders|purchases|bookings|reservations|rentals|transactions|sales|invoices|contracts|policies)"
_LABEL = r"(?:reason|type|status|categor(?:y|ie)|kind|channel|method|priority|source)(?:e?s)?"
_FIRST = r"desc(?:ending)?|asc(?:ending)?|highest|lowest|largest|smallest|in\s+(?:descending|ascending)"

_RUNNING, _BEFORE = (rf"(?:the\s+)?(?:{which})\s+(?:day|week|month|quarter|year)" for which in ("this|current", "last|previous"))

IDIOMS: tuple[Idiom, ...] = (
    _idiom(r"\b(?P<p>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december|q[1-4]|h[12]|fy)"
           r"\s?['’](?P<y>\d\d)\b", r"\g<p> 20\g<y>", sure=True),
    _idiom(r"^\W*(?:did|does|do|will|has|have)\s+(?P<q>(?!we\b)[\w\s-]+?)\s+(?:beat|beaten|exceed|exceeded|surpass|surpassed|match|matched)\s+(?P<b>[\w\s'’-]+?)\W*$",
           r"\g<q> vs \g<b>"),
    _idiom(r"\b(?:largest|biggest|highest)\s+(?:single\s+|individual\s+|one\s+)?(?P<x>order|purchase|booking|sale|invoice|transaction|payment)"
           r"(?:\s+(?:value|amount|size|total)\b(?!\s+(?:by|per|for|in\s+each|of\s+each)\b)|\b(?!\s+(?:value|amount|size|total|volume|number|count|date|line)))",
           r"largest \g<x>", sure=True),
    _idiom(r"\b(?:smallest|lowest)\s+(?:single\s+|individual\s+|one\s+)?(?P<x>order|purchase|booking|sale|invoice|transaction|payment)"
           r"(?:\s+(?:value|amount|size|total)\b(?!\s+(?:by|per|for|in\s+each|of\s+each)\b)|\b(?!\s+(?:value|amount|size|total|volume|number|count|date|line)))",
           r"smallest \g<x>", sure=True),
    _idiom(r"\b(?:with|have|has|had|having)\s+(?:a\s+)?negative\s+(?P<m>[\w-]+(?:\s+(?:profit|margin|growth|balance|income|value))?)",
           r"with \g<m> below 0", unless="negative", sure=True),
    _idiom(r"^\W*(?P<q>[\w-]+(?:\s[\w-]+)?)\s+mix\s+by\s+(?=\w)", r"share of \g<q> by ", unless="mix"),
    _idiom(r"\bthe\s+(?:mon|tues|wednes|thurs|fri|satur|sun)day\s+before(?:\s+that)?\b", "same day last week", sure=True),
    _idiom(r"\b(?P<w>last|past|previous|this|next)\s+q\b(?!\s?[1-4])", r"\g<w> quarter", sure=True),
    _idiom(r"\b(?P<d>differences?|change|changes|increase|decrease|rise|drop|growth)\s+in\s+(?P<q>[\w\s-]+?)\s+between\s+(?P<a>[\w\s-]+?)\s+and\s+(?P<b>[\w\s-]+?)\W*$",
           r"compare \g<q> in \g<a> and \g<b>", sure=True),
    _idiom(r"\b(?:increase|decrease|change|growth|rise|drop)\s+in\s+(?P<q>[\w\s-]+?)\s+since\s+last\s+(?P<u>week|month|quarter|year)\W*$",
           r"\g<q> this \g<u> vs last \g<u>", sure=True),
    _idiom(r"\b(?P<n>\d+)[\s-](?P<u>day|week|month)s?\s+average\s+(?:of\s+)?", r"\g<n> \g<u> moving average of ", sure=True),
    _idiom(r"^\W*when\s+(?:did|has|have)\s+(?P<q>[\w\s-]+?)\s+(?:peak|peaked)(?P<rest>(?:\s+(?:in|last|this|over|during)\s+[\w\s-]+?)?)\W*$",
           r"which month had the highest \g<q>\g<rest>", sure=True),
    _idiom(r"^\W*when\s+(?:was|were|is|are)\s+(?P<q>[\w\s-]+?)\s+(?:at\s+(?:its|their)\s+|the\s+)?(?P<end>highest|lowest|best|worst)(?P<rest>(?:\s+(?:in|last|this|over|during)\s+[\w\s-]+?)?)\W*$",
           r"which month had the \g<end> \g<q>\g<rest>", sure=True),
    _idiom(r"\b(?P<t>[mqyw]td)\s+(?P<vs>vs\.?|versus|against|compared\s+(?:to|with))\s+(?:the\s+)?(?:prior|previous|last|preceding)\s+(?P=t)\b",
           r"\g<t> \g<vs> previous period", sure=True),
    _idiom(r"\b(?:over\s+|during\s+|on\s+|for\s+|in\s+)?(?:the\s+|this\s+)?(?:last|past|previous)\s+weekend\b(?!\s+(?:and|days?)\b)", "on weekends last week", sure=True),
    _idiom(r"\b(?:over\s+|during\s+|on\s+|for\s+|in\s+)?this\s+weekend\b", "on weekends this week", sure=True),
    _idiom(r"(?<=\bvs )(?:the\s+)?(?:weekend\s+before(?:\s+(?:that|last))?|previous\s+weekend|prior\s+weekend)\b", "the week before", sure=True),
    _idiom(r"^\W*(?:top|best)\s+(?P<n>\d+)\s+(?P<q>[^,;?]+?)\s+and\s+(?:the\s+)?(?P<low>bottom|worst)\s+(?P<k>\d+)\W*$", r"top \g<n> and bottom \g<k> \g<q>", sure=True),
    _idiom(r"\b(?:repeat|returning)[\s-]+(?:purchase|purchasing|buying|order|customer|buyer|client)s?[\s-]+rate\b|\brepurchase\s+rate\b",
           ("percentage of customers with more than 1 order", "customer order"), unless="repeat repurchase", sure=True),
    _idiom(r"\b(?P<s>percent|percentage|share|portion|proportion|fraction|%)\s+of\s+(?P<x>[\w-]+s)\s+(?P<v>(?:re|un)?(?:turned|funded|paid|cancell?ed|shipped|delivered|completed|closed|won|lost|approved|rejected|converted))(?=\W*$|\s+(?:by|in|last|this|per|since|for|on|each)\b)",
           r"\g<s> of \g<x> that were \g<v>", sure=True),
    _idiom(r"\b(?:(?P<have>have|has|had)|with|(?P<on>on|at))\s+(?:a\s+|an\s+|any\s+|some\s+)?discount(?=\W*$|\s+(?:by|in|last|this|per|since|for|on|each)\b)",
           ("with discount above 0", "discount"), sure=True),
    _idiom(r"\bfirst[\s-]time\s+(?:buyer|customer|purchaser|shopper|client)s?\b", ("new customers", "new customer"), sure=True),
    _idiom(r"\b(?:at|in|during)?\s*(?:what|which)\s+hours?\s+do\s+(?:we\s+(?:get|have|see|receive)\s+)?(?:the\s+)?most\s+(?P<x>[\w-]+)(?:\s+(?:come\s+in|happen|arrive|occur|take\s+place))?\b",
           r"which hour of day has the most \g<x>", sure=True),
    _idiom(r"\b(?:what|which)\s+hour(?=\s+(?:has|had|sees|gets)\b)", "which hour of day", sure=True),
    _idiom(r"^\W*(?:did|have|has|do|are)\s+(?:we|(?:our\s+|the\s+)?(?P<m>[\w\s-]+?))\s+(?:beat|beaten|beating|exceed|exceeded|top|topped|surpass|surpassed|match|matched)"
           r"\s+(?P<b>(?:last|the\s+previous|the\s+prior)\s+(?P<u>week|month|quarter|year)(?!['’]s)|last\s+year['’]s\s+(?P<p>q[1-4]|[a-z]+))"
           r"(?:\s+(?:in|on|for|by)\s+(?P<mm>[\w\s-]+?))?\W*$", r"\g<m>\g<mm> this \g<u>\g<p> vs \g<b>", sure=True),
    _idiom(r"\brecord\s+(?P<u>hour|day|week|month|quarter|year)\s+(?:for|in|of|by)\b", r"best \g<u> for", unless="record", sure=True),
    _idiom(r"^\W*when\s+(?:did|have|had)\s+we\s+(?:have|had|ha[sd]|see|seen|get|reach|reached)?\s*(?:the|our)\s+(?P<end>highest|lowest|best|worst|most|fewest)\s+(?=\w)",
           r"which day had the \g<end> ", sure=True),
    _idiom(
        r"\b(?P<no>(?:have|has|had|did)\s+not|(?:have|has|had|did)n['’]?t)\s+(?P<q>[\w\s-]+?)\s+(?:in|for|within)\s+(?:over\s+|more\s+than\s+)?(?P<d>\d+\s+(?:day|week|month|year)s?)\b",
        r"\g<no> \g<q> in the last \g<d>", sure=True,
    ),
    _idiom(r"\b(?P<now>ytd|qtd|mtd)\s+(?:vs\.?|versus|compared\s+(?:to|with)|against)\s+(?:the\s+)?(?:prior|previous|last)(?:\s+year['’]?s?)?(?:\s+(?P=now))\b",
           r"\g<now> vs same period last year", sure=True),
    _idiom(
        rf"^\W*(?:please\s+)?compare\s+(?:our\s+|the\s+)?(?P<fig>[\w\s-]+?\s+)?(?:(?:in|for|of|during)\s+)?(?P<a>{_RUNNING})\s+(?:to|with|against)\s+(?P<b>{_BEFORE})\b",
        r"\g<fig>\g<a> vs \g<b>", sure=True,
    ),
    _idiom(r"\b(?:(?:our|the|my)\s+)?top\s+(?P<n>\d+)\s+spenders\b", *_each(r"top \g<n> customers by {}", _MONEY), unless="spender", sure=True),
    _idiom(
        r"\b(?:(?:our|the|my)\s+)?(?:biggest|top|highest|largest|best|heaviest|big)\s+spenders\b",
        *_each("top 10 customers by {}", _MONEY), unless="spender", sure=True,
    ),
    _idiom(
        rf"\b{_WHO}\s+(?:who|that)\s+(?:have\s+|has\s+|had\s+)?(?:bought|ordered|purchased|shopped)\s+(?:goods\s+|products\s+|items\s+)?(?:for|worth)\s+(?:a\s+total\s+of\s+)?{_BOUND}\b",
        *_each(r"\g<who> with {} \g<bound>", _MONEY), sure=True,
    ),
    _idiom(
        rf"\b{_WHO}\s+(?:(?:who|that)\s+)?(?:have\s+|has\s+|had\s+)?(?:spent|spend)\s+{_BOUND}(?=\s+(?:[$€£¥\d]|a\s|one\s|the\s))",
        *_each(r"\g<who> with {} \g<bound>", _MONEY),
    ),
    _idiom(
        r"(?:\bwhat\s+|\bwhich\s+|\bthe\s+)*(?:\b(?:share|percentage|percent|proportion|fraction|part)|%)\s+of\s+(?:the\s+|our\s+|total\s+)*(?P<m>[\w -]+?)"
        r"\s+(?:(?:comes?|came|is|was|were|are|made|generated|brought\s+in)\s+)*(?:from|by|of|in|with)\s+(?:the\s+|our\s+|its\s+)?top\s+(?P<n>\d+)\s+"
        r"(?P<thing>[\w-]+s)(?=\s|[?.!]|$)",
        r"top \g<n> \g<thing>' share of \g<m>",
    ),
    _idiom(r"\b(?P<end>best|worst)\s+(?P<u>hour|day|weekday|week|month|quarter|year)s?\s+by\b", r"\g<end> \g<u> for", sure=True),
    *(
        _idiom(rf"\b{word}\b(?=\s+(?:[\w-]+\s+(?:by|in\s+terms\s+of)\b|(?:last|this|in)\b|\W*$)|\W*$)", end, unless=word, sure=True)
        for word, end in (("strongest", "best"), ("weakest", "worst"))
    ),
    _idiom(r"\b(?P<end>best|worst|top|bottom)[\s-]+performing\s+(?=[a-z\d])", r"\g<end> ", unless="performing", sure=True),
    _idiom(r"\b(?:which|what)\s+(?P<x>(?!(?:day|week|month|quarter|year|hour)s?\b)[\w-]+)\s+(?:(?:is|are|was|were)(?:\s+(?:perform|do)ing)?|perform(?:s|ed)?|do(?:es)?|did)"
           r"\s+(?:the\s+)?(?P<end>best|worst)\b(?!\s+(?:selling|rated|paid|converting|performing))", r"\g<end> \g<x>", sure=True),
    *(
        _idiom(rf"\b{word}\s+profitable\s+(?P<x>[\w-]+)\b", *_each(rf"{rank} \g<x> by {{}}", _PROFIT), unless="profitable", sure=True)
        for word, rank in (("most", "top"), ("least", "bottom"))
    ),
    _idiom(r"^(?P<q>\W*(?:the\s+|our\s+|all\s+)?(?P<x>[\w-]+s))\s+ranked\s+by\b", r"rank \g<x> by", sure=True),
    _idiom(r"^\W*(?P<m>(?!(?:rank|the|a|our)\b)[\w-]+(?:\s[\w-]+)?)\s+ranking\s+(?:by|of|per|for)\s+(?:the\s+|our\s+|each\s+)?(?P<x>[\w-]+)",
           r"rank \g<x> by \g<m>", sure=True),
    _idiom(r"\b(?P<end>best|worst)\s+converting\s+(?P<x>[\w-]+)\b", (r"\g<end> \g<x> by conversion rate", "conversion rate"),
           unless="converting", sure=True),
    _idiom(r"\b(?:which|what)\s+of\s+(?:our|the|my|your)\s+(?P<x>[\w-]+s)\b", r"which \g<x>", sure=True),
    *(
        _idiom(rf"\b{asked}{_WHO}\s+(?:who\s+|that\s+)?(?:have\s+|has\s+|had\s+)?(?:spent|spends?|paid)\s+(?:us\s+)?(?:the\s+)?{end}(?:\s+money)?\b(?!\s+(?:on|time|for|days|hours|nights))",
               *_each(rf"{so}\g<who> {has} the {rank} {{}}", _MONEY))
        for asked, so, has in ((r"(?:which|what)\s+", "which ", "had"), ("", "", "with"))
        for end, rank in (("most", "highest"), ("least", "lowest"))
    ),
    _idiom(rf"\brepeat(?:ing|ed)?\s+{_WHO}\b", *_each(r"\g<who> with more than one {}", _EVENTS), unless="repeat"),
    _idiom(rf"(?<!vs )(?<!versus )(?<!and )(?<!or )(?<!than )\b(?:returning|recurring)\s+{_WHO}\b(?!\s+(?:vs|versus|and|or|than|compared)\b)",
           *_each(r"\g<who> with more than one {}", _EVENTS)),
    _idiom(
        rf"\b{_WHO}\s+(?:who\s+|that\s+|have\s+|has\s+)?(?:came|come|comes|coming|returned|return)\s+(?:back\s+)?(?:for\s+|to\s+(?:make|place)\s+)(?:a|another)\s+(?:second\s+|repeat\s+)?\w+\b",
        *_each(r"\g<who> with more than one {}", _EVENTS), sure=True,
    ),
    _idiom(r"\brank\s+(?:the\s+|our\s+|all\s+)?(?P<x>[\w-]+)\s+by\s+growth\s+(?:in|of)\s+(?:the\s+)?(?P<m>[\w-]+(?:\s(?!this|last|in|since|for)[\w-]+)?)",
           r"biggest rise in \g<m> by \g<x>", sure=True),
    *(
        _idiom(rf"\b(?:which|what)\s+(?P<x>[\w-]+)\s+(?:{verbs})\s+(?:the\s+)?most\s+(?:in|by)\s+(?:terms\s+of\s+)?(?P<m>[a-z-]+)\b",
               rf"biggest {move} in \g<m> by \g<x>", sure=True)
        for verbs, move in (("grew|increased|rose|climbed|improved|gained", "rise"), ("fell|declined|decreased|dropped|shrank|lost", "drop"))
    ),
    _idiom(r"\b(?:same|this)\s+(?:point|stage|moment|date)(?:\s+in\s+time)?\s+(?:in\s+|of\s+)?(?=(?:the\s+)?last\s+(?:week|month|quarter|year)\b)",
           "same time ", sure=True),
    _idiom(r"^\W*(?:(?:quick|short|simple)\s+(?:one|question)|one\s+more(?:\s+(?:thing|question))?|fyi|ok(?:ay)?\s+so)\s*[:,–-]+\s*(?=\w)", "", sure=True),
    _idiom(r"\bhow['’]?d\b", "how did", sure=True),
    _idiom(r"^\W*how['’]?s\s+(?=\w)", "how is ", sure=True),
    _idiom(r"\btop(?=\d)", "top ", sure=True),
    _idiom(r"\bany\s+(?:good\s+|bad\s+|big\s+)*news\b(?!\s*letter)", "anything new", unless="news", sure=True),
    _idiom(r"\bexcl\b\.?", "excluding", sure=True),
    _idiom(r"\bup\s+or\s+down\b", "up", sure=True),
    _idiom(r"^\W*(?:the\s+)?(?P<end>best|worst)\s+(?P<m>[\w-]+(?:\s[\w-]+)?\s+(?:rate|margin|share|value|price|cost|time))\s+(?P<x>[\w-]+)"
           r"(?=\W*$|\s+(?:last|this|in|since)\b)", r"\g<end> \g<x> by \g<m>", sure=True),
    _idiom(r"^\W*(?P<q>[\w-]+(?:\s[\w-]+)?\s+(?:rate|margin|share|value|price|cost))\s+(?P<end>best|worst)\s+(?P<x>[\w-]+)"
           r"(?=\W*$|\s+(?:last|this|in|since)\b)", r"\g<end> \g<x> by \g<q>", sure=True),
    _idiom(r"\b(?P<x>cancell?ed|refunded|returned|delayed|rejected|declined|failed|lost)\s+(?P<y>[\w-]+?)s?\s+rate\b", r"percentage of \g<x> \g<y>s"),
    _idiom(r"\bhow\s+many\s+(?P<x>[\w-]+)\s+(?:per|for\s+each)\s+(?P<y>[\w-]+)\s+on\s+average\b", r"average \g<x> per \g<y>", sure=True),
    _idiom(r"\bcost\s+per\s+(?P<y>[\w-]+)\s+(?:from|of|through|via)\s+(?:ads?|advertising|marketing)\b",
           *_each(r"{} per \g<y>", ("ad spend", "marketing spend", "advertising spend")), sure=True),
    _idiom(r"\b(?P<lead>biggest|largest|highest|smallest|lowest)\s+(?:single|individual|one)\s+(?P<x>[\w-]+)\b", (r"\g<lead> \g<x> amount", "amount")),
    _idiom(r"\bhow\s+(?P<many>many|much)\s+(?P<x>[\w\s-]+?)\s+(?:do\s+(?:you|we)\s+expect|are\s+expected|is\s+expected|are\s+we\s+expecting)\s+(?P<on>on|in|for|by|over|next|this|during)\b",
           r"forecast \g<x> \g<on>", sure=True),
    _idiom(r"^\W*who\s+(?P<v>signed\s+up|registered|joined|subscribed)\b(?!\s+(?:the\s+|us\s+)?(?:most\s+recently|last\W*$|first\W*$|latest))",
           *_each(r"which {} \g<v>", ("customers", "clients", "members", "users", "patients", "guests")), sure=True),
    _idiom(r"\bsubs\b", ("subscriptions", "subscription"), sure=True),
    _idiom(r"^\W*(?P<q>(?:(?!\b(?:vs|versus|than|compared?|to|with|against|from|and|this|last|yesterday|today|in|on|before)\b)[^,;?])+?)\s+(?:at\s+)?(?:the\s+)?(?:this|same)\s+(?:time|period)"
           r"\s+last\s+year\W*$", r"\g<q> this year vs last year", sure=True),
    _idiom(r"\bthis\s+time\s+(?=last\s+year\b)", "same time ", sure=True),
    _idiom(r"\b(?P<x>subscriptions|memberships|contracts|policies|accounts|licen[cs]es|plans)\s+(?:were|are|was|is)\s+(?:still\s+)?active\b", r"active \g<x>", sure=True),
    _idiom(r"\b(?P<x>[\w-]+s)\s+(?:started|opened|begun|won|gained)\s+(?P<vs>vs\.?|versus|and|compared\s+(?:to|with))\s+(?P<end>cancelled|canceled|ended|closed|lost)\b",
           (r"new \g<x> \g<vs> \g<end> \g<x>", "new cancelled"), sure=True),
    _idiom(rf"(?<!average )(?<!mean )(?<!median )\b(?:total\s+)?value\s+of\s+(?:all\s+|the\s+|our\s+)?(?={_DEALS}\b)", *_each("{} of ", _MONEY), sure=True),
    _idiom(rf"(?P<q>\b{_DEALS}\b.*),?\s+and\s+what\s+(?:was|were|is|are)\s+(?:their|its|the)\s+(?:total\s+)?(?:value|worth)\b",
           *_each(r"\g<q> and {}", _MONEY), sure=True),
    _idiom(r"\bhow\s+many\s+(?P<x>[\w-]+(?:\s[\w-]+)?)\s+(?:did|do)\s+we\s+sell\s+per\s+(?P<y>[\w-]+)\b",
           *_each(r"{} per \g<y> of \g<x>", ("units sold", "quantity sold")),
           sure=True),
    _idiom(r"^\W*(?:what\s+(?:are|were)\s+)?(?:the\s+|our\s+)?(?:(?:top|main|most\s+common|biggest)\s+)?reasons\s+for\s+(?:the\s+|our\s+)?(?P<m>[\w-]+s)"
           r"(?!\s+(?:rises?|drops?|declines?|falls?|fell|rose|growth|increases?|decreases?|dips?|jumps?|changes?|going|being|to)\b)(?=\s|\W*$)",
           (r"\g<m> by reason", "reason"), sure=True),
    _idiom(r"\bhow\s+(?:far|much)\s+(?:are\s+we\s+)?(?:away\s+from|from|behind|ahead\s+of|off|above|below|short\s+of)\s+last\s+(?P<u>week|month|quarter|year)(?:['’]s)?"
           r"(?P<q>\s+[\w\s-]+?)?(?:\s+are\s+we)?(?=\W*$)", r"\g<q> this \g<u> vs last \g<u>", sure=True),
    _idiom(rf"^\W*(?:which|who|what)\s+(?:{_EARNS}|ha[sd]|have|got|brought(?:\s+in)?)\s+(?:more|less|fewer|(?:the\s+)?(?:higher|lower|better|worse|bigger|smaller|most|highest|lowest))"
           rf"\s+(?P<q>[^,:?]+?)\s*[,:–-]\s*(?P<a>{_NAMED})\s+or\s+(?P<b>{_NAMED})\W*$", r"\g<q> \g<a> vs \g<b>", sure=True),
    _idiom(rf"^(?P<q>[^,:?]+?)\s+[–-]\s+(?P<a>{_NAMED})\s+or\s+(?P<b>{_NAMED})\W*$", r"\g<q> \g<a> vs \g<b>", sure=True),
    _idiom(r"^\W*(?:the\s+|our\s+)?(?P<x>(?!(?:top|best|worst|most|least|all|which|what|how|units|items|pieces|products|goods|things|articles|number|total)\b)"
           r"(?:[\w-]+\s)?(?!(?:units|items|pieces|products|goods|things|articles)\b)[a-z][\w-]*[a-rt-z]s)\s+sold(?=\s+(?:last|this|in|per|by|since|yesterday|today|each|on|over|during|between|a)\b|\W*$)",
           *_each(r"{} of \g<x>", ("units sold", "quantity sold")), sure=True),
    *(
        _idiom(rf"\b(?:what|which)\s+(?P<x>weekday|day(?:\s+of\s+(?:the\s+)?week)?|month|week|quarter|hour)\s+(?:do\s+we\s+)?sells?\s+(?:the\s+)?(?:{end})\b",
               *_each(rf"{way} \g<x> for {{}}", _MONEY), sure=True)
        for end, way in (("best|most", "best"), ("worst|least", "worst"))
    ),
    _idiom(r"\bhow\s+(?:did\s+|has\s+|have\s+)?(?:the\s+|our\s+)?(?P<m>[\w\s-]+?)\s+(?:has\s+|have\s+)?(?:been\s+)?(?:develop(?:ed|ing)?|evolv(?:ed?|ing)|progress(?:ed|ing)?|behaved?|moved?)\b",
           r"trend of \g<m>"),
    _idiom(r"^\W*(?P<be>is|are)\s+(?P<m>[\w\s-]+?)\s+getting\s+(?:better|worse|bigger|smaller|higher|lower|more|fewer)\b", r"\g<be> \g<m> going up"),
    _idiom(r"^\W*(?:the\s+)?same\s+(?:period|time)\s+last\s+year\s+(?:for|of|in)\s+(?P<q>[^,;?]+?)\W*$", r"\g<q> vs same period last year", sure=True),
    _idiom(r"\bnew\s+(?P<vs>vs\.?|versus|and|or)\s+returning\b(?=\W*$|\s+(?:by|this|last|in|since|per)\b)", (r"new \g<vs> returning customers", "customer"), sure=True),
    _idiom(rf"^\W*(?P<m>[\w-]+?)\s+(?P<label>{_LABEL})\s+(?:breakdown|split|distribution)\W*$", r"number of \g<m>s by \g<m> \g<label>", sure=True),
    _idiom(rf"^\W*(?:breakdown|split|distribution)\s+of\s+(?:the\s+|our\s+)?(?P<m>[\w-]+?)\s+(?P<label>{_LABEL})\W*$", r"number of \g<m>s by \g<m> \g<label>", sure=True),
    _idiom(rf"^(?P<q>\W*(?P<fig>[\w-]+(?:\s[\w-]+)?\s+per\s+{_THING})\s.*?)[\s,]+(?:sorted|ordered|ranked)\s+by\s+(?P=fig)(?=\s+(?:{_FIRST})\b)", r"\g<q>", sure=True),
    _idiom(rf"^(?P<q>\W*(?P<fig>[\w-]+(?:\s[\w-]+)?\s+per\s+{_THING})\s.*?)[\s,]+(?P<how>sorted|ordered|ranked)\s+by\s+(?P=fig)\W*$", r"\g<q> lowest first", sure=True),
    _idiom(r"^\W*how(?P<be>'s|\s+is|\s+are|\s+was)\s+(?:the\s+|our\s+)?(?P<x>(?!(?:the|our|my|this|whole)\b)[\w-]+)\s+(?:market|business)\s+(?=(?:doing|going|performing|looking)\b)",
           r"how\g<be> \g<x> ", sure=True),
    _idiom(r"\bcancell?ed\s+(?:their|his|her|its)\s+(?P<x>subscription|membership|contract|policy|account|plan)s?\b", r"cancelled a \g<x>", sure=True),
    *(
        _idiom(rf"^\W*(?:which|what)\s+(?P<x>[\w-]+)\s+(?:has|have|had|{_EARNS})\s+(?:the\s+)?(?:{end})\s+(?P<m>[\w-]+)\s+per\s+(?P<y>{_THING})\b",
               rf"\g<m> per \g<y> by \g<x> {order} first")
        for end, order in (("most|highest|largest|biggest|best", "highest"), ("least|lowest|smallest|worst", "lowest"))
    ),
    _idiom(r"\bdo(?:es)?\s+(?P<a>[\w\s-]+?)\s+convert\s+(?:better|worse|more|less)\s+than\s+(?P<b>[\w-]+)\b", (r"conversion rate \g<a> vs \g<b>", "conversion rate"),
           sure=True),
    _idiom(r"\bpaying\s+customers?\b", ("active customers", "active customer"), unless="paying", sure=True),
    _idiom(r"\btop\s+(?P<n>\d+)\s+(?P<x>[\w-]+)\s+by\s+(?P<m>[\w-]+)\s+growth\b", r"top \g<n> biggest rise in \g<m> by \g<x>", sure=True),
    _idiom(r"^\W*(?:please\s+)?(?:exclude|leave\s+out|omit)\s+(?P<a>[\w\s-]+?)\s+from\s+(?P<b>[\w\s-]+?)\W*$", r"\g<b> excluding \g<a>"),
    _idiom(r"\bwhat\s+do(?:es)?\s+(?:our\s+)?(?:people|customers|clients|shoppers|buyers)(?P<where>\s+in\s+[\w\s-]+?)?\s+(?:buy|order|purchase)\s+(?:the\s+)?most(?:\s+often)?\b",
           *_each(r"best selling {}s\g<where>", ("product", "item", "article"))),
    _idiom(r"\b(?:our\s+|the\s+)?top[\s-]line\b(?!\s+item)", *_each("{}", _MONEY), sure=True),
    _idiom(r"\b(?:our\s+|the\s+)?bottom[\s-]line\b(?!\s+item)", *_each("{}", ("profit", "net income")), sure=True),
    *(
        _idiom(rf"\b(?:(?:which|what)\s+(?P<x>[\w-]+)\s+(?:are|is|were|was)\s+{how})\b", rf"{rank} selling \g<x>", sure=True)
        for how, rank in ((_WELL, "best"), (_BADLY, "worst"))
    ),
    *(
        _idiom(rf"\bwhat(?:'s|\s+is|\s+are|\s+was)\s+{how}\b", *_each(f"{rank} selling {{}}s", ("product", "item", "article")), sure=True)
        for how, rank in ((_WELL, "best"), (rf"(?:not\s+selling|{_BADLY})", "worst"))
    ),
    _idiom(r"\b(?:did|do|have)\s+we\s+(?:sell|sold)\s+(?:more|fewer|less)\s+(?P<a>[\w\s-]+?)\s+than\s+(?P<b>[\w-]+(?:\s(?!last|this|in|on|for|since|yesterday|today)[\w-]+)?)",
           *_each(r"{} \g<a> vs \g<b>", ("units sold", "sales", "quantity")), sure=True),
    _idiom(rf"\baverage\s+(?:number\s+of\s+)?(?P<x>[\w-]+)\s+per\s+(?P<y>{_THING})\s+(?=(?:by|for\s+each|in\s+each|per)\s)",
           r"\g<x> per \g<y> ", sure=True),
    _idiom(r"\b(?:average\s+)?(?:delivery|shipping|dispatch|fulfil?ment)\s+times?\b", ("average days to ship", "ship date"), sure=True),
    _idiom(r"\b(?:bought|ordered|purchased)\s+(?:only|just|exactly)\s+once\b", *_each("with exactly one {}", _EVENTS)),
    _idiom(r"\bstopped\s+(?:buying|ordering|purchasing|shopping)(?:\s+with\s+us)?\s+this\s+(?P<u>year|quarter|month)\b", r"who ordered last \g<u> but not this \g<u>"),
    _idiom(r"\bshare\s+of\s+(?:our\s+|the\s+)?business\b", *_each("share of {}", _MONEY), unless="business"),
    _idiom(r"\bhow\s+(?:fast|quickly|much)\s+(?:are|have)\s+we\s+(?:been\s+)?(?:growing|grown|grow)\b", *_each("{} growth", _MONEY)),
    _idiom(r"\bnet\s+new\s+(?P<m>subscriptions|memberships|contracts|policies)\b", (r"new \g<m> minus cancelled \g<m>", "new cancelled"), sure=True),
    _idiom(r"\b(?:customer\s+acquisition\s+costs?|CAC|cost\s+(?:per|of)\s+(?:a\s+|an\s+|one\s+)?(?:new\s+customer|acquisition|acquiring\s+a(?:\s+new)?\s+customer)"
           r"|(?:what\s+(?:did|does|do)\s+it\s+cost|how\s+much\s+(?:did|does|do)\s+(?:it|we)\s+(?:cost|spend|pay))\s+(?:us\s+|me\s+)?to\s+(?:acquire|win|get|gain)\s+(?:a|one|each)(?:\s+new)?\s+customer)\b",
           *_each("{} per new customer",
                  ("ad spend", "marketing spend", "advertising spend", "marketing cost", "advertising cost")), unless="CAC acquisition", sure=True),
    _idiom(r"\b(?:CTR|click[\s-]*through\s+rate)\b", ("ratio of clicks to impressions", "click impression"), unless="CTR"),
    _idiom(r"\b(?:MRR|monthly\s+recurring\s+revenue)\b", ("total monthly fee of active subscriptions", "monthly fee subscription"), unless="MRR recurring"),
    _idiom(r"\b(?:(?P<x>[\w-]+?)s?\s+)?cancell?ation\s+rate\s+(?:of|for|among)\s+(?:our\s+|the\s+|all\s+)?(?P<y>[\w-]+s)\b",
           r"percentage of \g<y> that were cancelled", sure=True),
    _idiom(r"\b(?P<event>cancel)(?:l?ation)\s+rate\b", *_each("percentage of {}s that were cancelled", _EVENTS)),
    _idiom(r"\b(?:what\s+)?(?:percentage|percent|share|portion|proportion|fraction|%)\s+of\s+(?:the\s+|our\s+|all\s+)?(?:sessions|visits|visitors|traffic)\s+(?:that\s+)?(?:convert(?:ed|s)?|(?:turn|turned)\s+into\s+\w+)\b",
           ("conversion rate", "conversion rate")),
    _idiom(r"\b(?P<a>[\w-]+)\s+to\s+(?P<b>[\w-]+)\s+ratio\b", r"ratio of \g<a> to \g<b>"),
    _idiom(r"\b(?:what|which)\s+time\s+of\s+(?:the\s+)?day\b(?P<rest>.*)\bdo\s+(?:people|customers|we|clients|users)\s+(?P<verb>order|buy|shop|purchase|visit)\s+(?:the\s+)?most\b",
           *_each(r"which hour of day has the most {}s\g<rest>", _EVENTS)),
    _idiom(r"\b(?:at\s+)?(?:what|which)\s+time\s+of\s+(?:the\s+)?day\b", "which hour of day"),
    _idiom(rf"^\W*(?:is|are|was|were|do|does|did)\s+(?P<a>[\w\s'-]+?)\s+(?:do(?:ing)?\s+|perform(?:ing)?\s+|sell(?:ing)?\s+)?{_BETTER}\s+than\s+(?P<b>[\w\s'-]+?)\s+(?:for|in|on|by|at|regarding)\s+(?P<m>[\w\s'-]+?)\W*$",
           r"\g<m> \g<a> vs \g<b>"),
    _idiom(rf"^\W*(?:is|are|was|were|do|does|did)\s+(?P<a>[\w\s'-]+?)(?:\s+{_PEOPLE})?\s+(?:do(?:ing)?\s+|perform(?:ing)?\s+|sell(?:ing)?\s+)?{_BETTER}\s+than\s+(?P<b>[\w\s'-]+?)(?:\s+(?:ones|{_PEOPLE}))?\W*$",
           r"\g<a> vs \g<b>"),
    _idiom(rf"^\W*do(?:es|did)?\s+(?P<a>[\w\s'-]+?)\s+{_PEOPLE}\s+(?:spend|buy|order)\s+(?:more|less)\s+than\s+(?P<b>[\w\s'-]+?)(?:\s+(?:ones|{_PEOPLE}))?\W*$",
           r"\g<a> vs \g<b>"),
    _idiom(r"\b(?P<x>[\w-]+)\s+(?:that\s+|who\s+|which\s+)?(?:are\s+|were\s+|is\s+)?(?:mak(?:e|es|ing)|made|(?:run|ran|running)\s+at)\s+(?:a\s+|us\s+a\s+)?loss(?:es)?\b",
           *_each(r"\g<x> with {} below 0", _PROFIT), unless="loss"),
    _idiom(r"\b(?P<x>[\w-]+)\s+(?:that\s+|who\s+|which\s+)?(?:are\s+|were\s+|is\s+)?(?:los(?:e|es|ing)|lost)\s+(?:us\s+)?money\b",
           *_each(r"\g<x> with {} below 0", _PROFIT), unless="loss lose"),
    _idiom(r"\bunprofitable\s+(?P<x>[\w-]+)\b", *_each(r"\g<x> with {} below 0", _PROFIT), unless="unprofitable"),
    _idiom(r"\bhow\s+profitable\s+(?:is|are|was|were|has\s+been)\s+(?:the\s+|our\s+)?(?P<x>[\w\s-]+?)(?:\s+(?:business|segment|range|line))?(?=\s+(?:last|this|in|since|over|during)\b|\W*$)",
           *_each(r"{} of \g<x>", _PROFIT), unless="profitable"),
    _idiom(rf"^(?P<lead>\W*(?:which|what)\s+[\w\s-]+?)\s+(?:is|are|was|were)\s+{_BOUND}\s+{_AMOUNT}\s+(?:in|of)\s+(?P<m>[\w-]+)",
           r"\g<lead> have \g<m> \g<bound> \g<amount>"),
    _idiom(r"\blost\s+(?P<m>revenue|sales|profit|turnover|income)\s+(?:from|due\s+to|because\s+of|through|by)\b", r"\g<m> from", unless="lost"),
    _idiom(r"\b(?:sign[\s-]?up|customer|monthly)\s+cohorts?\b", "sign-up month", unless="cohort"),
    _idiom(r"\b(?:which|what)\s+(?P<x>[\w-]+)\s+do(?:es)?\s+(?P<y>[\w\s-]+?)\s+(?:prefer|favou?r|like\s+(?:the\s+)?(?:most|best)|choose\s+most)\b",
           r"most common \g<x> of \g<y>", unless="prefer"),
    _idiom(rf"\b(?P<x>{_SELLING}|delivered|dispatched|sent|completed|paid)\s+(?:on\s+)?(?:the\s+)?same\s+day\b", r"\g<x> within 0 days"),
    _idiom(r"\b(?:that\s+|which\s+)?(?:are\s+|have\s+)?(?:still\s+)?not\s+(?:yet\s+)?(?:been\s+)?(?P<x>shipped|delivered|dispatched|sent|paid|completed)\s+after\s+(?P<n>an?|one|two|three|\d+)\s+(?P<u>day|week|month)s?\b",
           r"older than \g<n> \g<u>s that are not \g<x>"),
    _idiom(r"\b(?:that\s+|which\s+)?(?:are\s+|have\s+)?(?:still\s+)?not\s+(?:yet\s+)?(?:been\s+)?(?P<x>shipped|delivered|dispatched|sent|paid|completed)"
           r"\s*,?\s+(?:(?:and|but|that|which|are|is)\s+)*(?=older\s+than)(?P<old>older\s+than\s+(?:an?|one|two|three|\d+)\s+(?:day|week|month)s?)\b",
           r"\g<old> that are not \g<x>", sure=True),
    _idiom(r"\bun(?P<x>shipped|delivered|dispatched|completed|cancelled)\s+(?P<y>[a-z]+s)\b(?P<rest>(?:\s+older\s+than\s+(?:an?|one|two|three|\d+)\s+(?:day|week|month)s?)?)",
           r"\g<y>\g<rest> that are not \g<x>"),
    _idiom(r"\b(?:people|persons|folks|individuals|users)\b", *_each("{}", ("customers", "clients", "members", "patients", "guests"))),
    _idiom(r"\bsubscribers?\b", ("customers with active subscriptions", "customer subscription")),
    _idiom(r"\bare\s+we\s+(?:on\s+track\s+to\s+(?:beat|exceed|match)|ahead\s+of|behind|beating|above|below)\s+last\s+year\b", "this year vs last year"),
    _idiom(r"\brecord(?:\s+high)?\s+(?=(?:revenue|sales|orders|profit|traffic)\b)", "the highest ", unless="record", sure=True),
    _idiom(r"\b(?:life[\s-]?time|all[\s-]time)\s+(?!value)", "", unless="lifetime"),
    _idiom(r"\b(?:lately|recently|of\s+late|these\s+days)\b", "in the last 30 days", unless="recent"),
    _idiom(r"\bhow\s+many\s+(?P<u>days|weeks|months|quarters|years)\s+(?:had|did\s+we\s+have|have\s+had|saw)\b", r"\g<u> with"),
    _idiom(r"\bvs\.?\s+(?:py|ly)\b", "vs previous year", unless="py ly"),
    _idiom(r"\bGM\b\s?%?", ("gross margin", "gross margin"), unless="GM"),
)  # fmt: skip

_SAYING_NOTHING = STOP | SOFT | {"good", "morning", "afternoon", "evening"}
_SAID_FIRST = re.compile(
    r"^\W*(?:(?:hi|hello|hey|dear|good\s+(?:morning|afternoon|evening|day)|i|i'm|i'd|we|we're|my|our|as|for\s+(?:my|our|the)|sorry|quick\s+question)\b[^?]*?)"
    r"\b(?:(?:need|want|like|love|have|trying|wondering|wonder|curious)\s+(?:to\s+(?:know|see|understand|find\s+out|get|have|look\s+at)|whether\s+you\s+(?:could|can)|if\s+you\s+(?:could|can)|(?=what|how|which))"
    r"|(?:could|can|would)\s+you|(?:tell|show|give|send|get)\s+(?:me|us)|please)\b(?:\s+(?:possibly|kindly|please|perhaps|maybe|to\s+me|me|us|tell|show|give|see|know))*\W+",
    re.IGNORECASE,
)


def without_preamble(text: str, known: Known) -> str | None:
    """The question without the reason that somebody gives for it; None where none is given, or its words are of the data.

    >>> without_preamble("I have a board meeting tomorrow and need to know the profit by region", lambda w: w in ("profit", "region"))
    'the profit by region'
    """
    found = _SAID_FIRST.match(text)
    if found is None or not text[found.end() :].strip():
        return None
    words = set(re.findall(r"[a-z]{4,}", found.group().lower())) - _SAYING_NOTHING
    return None if any(known(lemma(w)) for w in words) else text[found.end() :]
