"""What is typed into the box and asks for no figure: greetings, thanks, SQL, alerts, exports, advice. Said plainly, with where it is done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from nlq.said_units import CURRENCIES
from nlq.text import keys_of
from semantic.catalog.model import Catalog
from semantic.query import MetricRef, SemanticQuery


@dataclass(frozen=True, slots=True)
class Said:
    outcome: Literal["describe", "refuse"]
    message: str


def _alone(words: str) -> re.Pattern[str]:
    return re.compile(rf"^\W*(?:{words})\W*$", re.IGNORECASE)


def _opening(words: str) -> re.Pattern[str]:
    return re.compile(
        rf"^\W*(?:(?:please|can\s+you|could\s+you|i\s+want\s+to|i'?d\s+like\s+to|hey|ok|and|then|now)\W+)*(?:{words})", re.IGNORECASE
    )


_GREETING = "(?:hi|hello|hey|hiya|howdy|greetings)(?:\\s+(?:there|all|you|querent))?|good\\s+(?:morning|afternoon|evening|day)"
_THANKS = "(?:ok(?:ay)?|great|perfect|cool|super|nice|got\\s+it)?\\W*(?:thanks?(?:\\s+you)?|thx|ty|cheers)(?:\\s+(?:a\\s+lot|so\\s+much|very\\s+much|again))?"
_DONE = "ok(?:ay)?|great|perfect|cool|nice|got\\s+it|good|yes|no|yep|nope|please|bye|goodbye|that(?:'s|\\s+is)\\s+all"
_WHO = "(?:who|what)\\s+are\\s+you|are\\s+you\\s+(?:an?\\s+)?(?:ai|bot|robot|human|chatgpt|gpt|llm|a\\s+person|real)\\b.*|what(?:'s|\\s+is)\\s+your\\s+name"
_SQL = re.compile(
    r"^\W*(?:select\b(?=.*(?:[*(;=_,]|\bwhere\b)).+\bfrom\b|with\s+\w+\s+as\s*\(|(?:insert\s+into|delete\s+from|drop\s+(?:table|database|view)|truncate\s+table|alter\s+table|create\s+(?:table|view|database)"
    r"|update\s+\w+\s+set|grant|revoke|explain\s+select)\b)|;\s*(?:select|drop|delete|insert|update|alter|truncate)\b|\bunion\s+(?:all\s+)?select\b",
    re.IGNORECASE | re.DOTALL,
)
_NOTHING_DONE = "Nothing was run."
_RULES: tuple[tuple[re.Pattern[str], Said], ...] = (
    (_alone(_GREETING), Said("describe", "Hello. Ask about your data in plain English, for example one of the questions below.")),
    (_alone(_THANKS), Said("describe", "You are welcome.")),
    (_alone(_DONE), Said("describe", "Ask the next question when you are ready.")),
    (
        _alone(_WHO),
        Said("describe", "I am Querent. I turn questions in plain English into queries over your company's data, without a language model unless one is connected."),
    ),
    (_SQL, Said("refuse", f"This is SQL, and the question box takes plain English. Analysts run SQL on the SQL page. {_NOTHING_DONE}")),
    (
        _opening("(?:alert|notify|warn|ping|tell|text|let)\\s+(?:me|us)(?:\\s+know)?\\s+(?:if|when|whenever|once|as\\s+soon\\s+as|every\\s*time)\\b"
                 "|(?:set\\s+up|create|make|add|give\\s+me|get)\\s+(?:me\\s+)?(?:an?\\s+)?(?:new\\s+)?(?:alert|alarm|notification)s?\\b"),
        Said("refuse", "Alerts are made on the Alerts page (New rule): choose the measure and when to be told. Nothing was set up."),
    ),
    (
        _opening("(?:e-?mail|send|mail|forward|share)\\s+(?:it\\s+|this\\s+|that\\s+)?(?:to\\s+)?(?:me|us|my|the\\s+team|everyone)\\b|subscribe\\s+me\\b|schedule\\s+(?:a|this|the|it)\\b"),
        Said("refuse", "Figures are sent on a schedule from the Digests page. Nothing was sent."),
    ),
    (
        _opening("(?:set|create|make|add|define|change|update)\\s+(?:me\\s+|us\\s+)?(?:an?\\s+|the\\s+|our\\s+|my\\s+)?(?:new\\s+)?(?:\\w+\\s+){0,2}(?:goal|target)s?\\b"
                 "|(?:what|which|where)(?:'s|\\s+is|\\s+are)\\s+(?:the|our|my)\\s+(?:\\w+\\s+)?(?:goal|target)s?\\b"),
        Said("refuse", "Goals are kept on the Goals page, each with its measure, value and period. Nothing was set up. Ask “are we on track?” to see how one stands."),
    ),
    (
        _opening("(?:create|make|build|set\\s+up|give\\s+me)\\s+(?:me\\s+)?(?:an?\\s+)?(?:new\\s+)?(?:dashboard|board|report\\s+page)\\b"),
        Said("refuse", "Boards are made on the Boards page; pin an answer to put it there. Nothing was made."),
    ),
    (
        _opening("(?:export|download|save)\\b"),
        Said("refuse", "Ask for the figures first; every answer can then be downloaded as CSV, Excel and more."),
    ),
    (
        _opening("where\\s+(?:should|could|can)\\s+(?:i|we)\\s+(?:spend|invest|save|cut|focus|grow|expand)\\b|should\\s+(?:i|we)\\s+(?!expect|know|see|worry)\\w+\\b"
                 "|what\\s+(?:should|could|can)\\s+(?:i|we)\\s+do\\s+(?:to|about|so)\\b|how\\s+(?:should|could|can|do|would)\\s+we\\s+(?:improve|increase|raise|boost|reduce|lower|fix|stop)\\b"
                 "|(?:give\\s+me|any)\\s+(?:advice|recommendations?|tips|ideas)\\b"),
        Said("refuse", "I tell what the figures are and why they moved, and give no advice. Ask why a measure changed to see what drove it."),
    ),
    (
        _opening("(?:how\\s+(?:fresh|recent|current|up\\s+to\\s+date|old)\\s+(?:is|are)\\s+(?:the|this|your|our)\\s+(?:data|numbers|figures)|when\\s+(?:was|were|did)\\s+(?:the|this|your|our)\\s+(?:data|numbers|figures)\\s+"
                 "(?:last\\s+)?(?:updated|refreshed|loaded|change))"),
        Said("refuse", "How fresh the data is stands in the receipt under every answer, and on the Sources page for each table."),
    ),
    (
        _opening("(?:where\\s+(?:does|do|did|is|are)\\s+(?:this|that|these|those|the|it)\\s*(?:number|figure|value|data|numbers|figures|values|result)?s?\\s*(?:come\\s+)?from"
                 "|(?:show|give|see|view|what(?:'s|\\s+is|\\s+was))\\s+(?:me\\s+)?(?:the|your|its|that)\\s+(?:sql|query|calculation|formula)(?:\\s+(?:for\\s+)?(?:it|that|this))?"
                 "|are\\s+you\\s+sure(?:\\s+about\\s+(?:it|that|this))?|(?:is|are)\\s+(?:that|this|it|they|those)\\s+(?:right|correct|true|accurate)|can\\s+i\\s+trust\\s+(?:this|that|it)"
                 "|(?:what|which)\\s+(?:period|dates?|time\\s*(?:range|frame|span)?)\\s+(?:is|are|was|does|do)\\s+(?:that|this|it|those)(?:\\s+(?:cover|for))?"
                 "|how\\s+(?:did|do)\\s+you\\s+(?:get|know|arrive|compute|calculate)\\s+(?:this|that|to\\s+this|it))\\W*$"),
        Said("refuse", "The receipt under the answer says it: the SQL, the definition, the period and the data behind each figure."),
    ),
    (
        _opening("tell\\s+me\\s+a\\s+(?:joke|story)|(?:write|compose)\\s+(?:me\\s+)?(?:an?\\s+)?(?:poem|song|story|e-?mail|essay)\\b"),
        Said("refuse", "I answer questions about your company's data only."),
    ),
)  # fmt: skip


_CURRENCY = re.compile(
    r"^\W*(?:(?:and|show|same|it|that|them|this|what\s+is|how\s+much\s+is|convert(?:ed)?|convert\s+(?:it|that|this))\W+)*(?:in|to|into)\s+(?P<money>[a-z$€£¥]+)(?:\s+instead)?\W*$",
    re.IGNORECASE,
)


def no_question(text: str, before: SemanticQuery | None, catalog: Catalog) -> Said | None:
    """What to say to a text that asks for no figure; None for anything that may be a question about data. before: the answer before it."""
    said = next((said for pattern, said in _RULES if (found := pattern.search(text)) and not _names_figures(found[0], catalog)), None)
    return said if said is not None or before is None else _in_currency(text, before, catalog)


def _names_figures(opening: str, catalog: Catalog) -> bool:
    """ "export volume by country", "download rate by app": the one word that would be a wish is a word of the data."""
    words = keys_of(opening)
    if len(words) != 1:
        return False
    called = [*catalog.metrics, *catalog.datasets, *(f for d in catalog.datasets for f in d.fields)]
    return any(not c.hidden and words[0] in keys_of(c.label) for c in called)


def _in_currency(text: str, before: SemanticQuery, catalog: Catalog) -> Said | None:
    """ "and in euros?": they are already, or cannot be."""
    match = _CURRENCY.match(text)
    asked = next((code for code, words in CURRENCIES.items() if match and match["money"].lower() in words), None)
    if asked is None:
        return None
    kept = [m for m in before.metrics if isinstance(m, MetricRef)]
    formats = [f for f in (catalog.metric(m.metric).format or "" for m in kept) if f.startswith("currency:")]
    if not formats:
        return Said("refuse", "The answer before is no amount of money.")
    unit = formats[0].removeprefix("currency:")
    if unit == asked:
        return Said("describe", f"The amounts of the answer before are in {unit}.")
    return Said("refuse", f"Amounts here are kept in {unit}; the data has no exchange rates to show them in {asked}.")
