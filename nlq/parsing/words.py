"""Words that the grammar treats alike."""

from __future__ import annotations

TOTAL_OF_NOTHING = "total of what is not said"
MEANINGFUL = frozenset(
    (
        "neg",
        "cmp",
        "super",
        "top",
        "share",
        "ratio",
        "transform",
        "change",
        "compare",
        "null",
        "contains",
        "duration",
        "versus_avg",
        "cycle",
        "between",
        "moved",
    )
)
# Superlatives that say themselves what is counted or rated; of those that sell, the pieces are added up.
SELLING = frozenset(("best selling", "bestselling", "most sold", "most bought", "worst selling", "least sold", "least bought"))
COMMON = frozenset(("most common", "most frequent", "least common", "least frequent"))
OFTEN = (
    *sorted(SELLING),
    *("most frequent", "most common", "most popular", "most often", "most active", "least frequent", "least common", "least popular"),
    *("busiest", "best rated", "highest rated", "top rated", "lowest rated", "worst rated"),
)
# What is computed of the values that a superlative asks for.
EXTREMES = {"desc": "max", "asc": "min", "latest": "max", "earliest": "min"}
SENTENCE_END = frozenset((".", "?", "!", ";"))
LACKING = frozenset(
    (
        "with no",
        "without",
        "no",
        "have no",
        "has no",
        "had no",
        "that have no",
        "without any",
        "lacking",
        "lack",
        "do not have",
        "does not have",
        "do not have any",
    )
)
INSTRUCTIONS = frozenset(("use", "always", "ensure", "remember", "recall", "assume", "make", "convert"))
PARTICIPLES = frozenset(
    """
    ordered made placed sold bought written posted given paid done created issued submitted authored published taken reviewed owned
    handled operated offered taught reported sent ordered purchased followed held cited manufactured produced  managed attended run
    provided supplied served booked used earned received spent received hired
    """.split()
)
UNIT_NOUNS = frozenset(
    """
    meters metres meter kilometers kilometres kilometer kilometre sq km miles mile feet foot inches pounds kg kilograms grams dollars
    dollar usd eur euro euros pound gbp percent people square per hours minutes seconds days years  points stars times degrees units cents tons
    liters litres gallons cm mm m
    """.split()
)
TYING = frozenset(
    """
    made make makes placed place received receive get gets got took take bought buy purchased purchase paid pay filed submitted posted
    have had has gave given used use visited visit opened wrote write sold sell
    """.split()
)
# Verbs of trade, which tell of the sales of things and not of the dates that the things have of their own.
TRADING = frozenset("sold sell selling bought buy purchased purchase served serve".split())
# Noted of "the highest, the lowest and the difference between them": shown beside the two.
DIFFERENCE_TOO = "difference too"
# What a comparison says when it is denied.
DENIED = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "=": "!=", "!=": "="}
PERIODS = frozenset("month months year years week weeks quarter quarters day days date hour hours".split())
# Verbs that say on which end of a way a place lies.
LEAVING = frozenset("depart departs departing departed leave leaves leaving left".split())
ARRIVING = frozenset("arrive arrives arriving arrived land lands landing landed".split())

# Before the name of a relationship whose part was named ("edited", of an editor).
PLAYED = "part:"
