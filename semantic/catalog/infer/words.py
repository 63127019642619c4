"""Names as words: splitting, abbreviations, singular and plural."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

_BOUNDARY = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z]{3})(?=\d+$)")

ABBREVIATIONS: dict[str, str] = {
    "abbr": "abbreviation", "acc": "account", "acct": "account", "addl": "additional", "addr": "address", "adr": "average daily rate",
    "adj": "adjusted", "agg": "aggregate", "amt": "amount", "aov": "average order value", "approx": "approximate",
    "arpu": "average revenue per user", "appt": "appointment", "arr": "arrival", "attr": "attribute", "auth": "authorization",
    "avail": "available", "avg": "average", "bal": "balance", "bday": "birthday", "beg": "begin", "bkg": "booking", "bldg": "building", "biz": "business",
    "calc": "calculated", "cand": "candidate", "chnl": "channel", "cat": "category", "catg": "category", "ccy": "currency", "cd": "code", "chg": "change", "chk": "check",
    "clm": "claim", "cmpgn": "campaign", "cnt": "count", "cntry": "country", "cogs": "cost of goods sold", "co": "company",
    "comm": "commission", "comp": "company", "conf": "confirmed", "cont": "contract", "corp": "corporation", "cov": "coverage",
    "cr": "credit", "crtd": "created", "ctry": "country", "ctr": "click through rate", "cty": "city", "cur": "currency",
    "curr": "currency", "cust": "customer", "dcr": "description", "del": "delivery", "dep": "departure", "dept": "department",
    "desc": "description", "descr": "description", "dest": "destination", "dev": "device", "diff": "difference", "disc": "discount",
    "dist": "distance", "dmg": "damage", "div": "division", "dob": "date of birth", "doc": "document", "dpt": "department", "dr": "debit",
    "dst": "destination", "dt": "date", "dte": "date", "dtl": "detail", "dtm": "datetime", "dttm": "datetime", "dur": "duration",
    "eff": "effective", "elev": "elevation", "emp": "employee", "emplid": "employee id",
    "env": "environment", "enrl": "enrollment", "eqp": "equipment", "equip": "equipment", "est": "estimated",
    "expd": "expired", "expr": "expiration", "fcst": "forecast", "flg": "flag", "flt": "flight", "fname": "first name",
    "freq": "frequency", "fx": "exchange rate", "fy": "fiscal year", "gndr": "gender", "gp": "gross profit", "govt": "government", "grp": "group",
    "hdr": "header", "hist": "history", "hosp": "hospital", "hr": "hour",
    "hrs": "hours", "hum": "humidity", "ident": "identifier", "ind": "indicator", "indep": "independence",
    "ins": "insurance",
    "int": "interest", "inv": "invoice", "invc": "invoice", "itm": "item", "lang": "language", "lat": "latitude", "lname": "last name",
    "los": "length of stay", "lng": "longitude", "lon": "longitude", "loc": "location", "lst": "last", "ltv": "lifetime value",
    "lvl": "level", "maint": "maintenance", "manuf": "manufacturer", "max": "maximum", "mbr": "member", "mfg": "manufacturer", "mfr": "manufacturer",
    "mgmt": "management", "mgr": "manager", "mkt": "market", "mktg": "marketing", "mname": "middle name", "mnth": "month",
    "mrr": "monthly recurring revenue", "mth": "month", "mtd": "month to date", "mtn": "mountain", "mtr": "meter",
    "mvmt": "movement", "mvt": "movement", "nbr": "number", "nm": "name", "num": "number",
    "nums": "numbers", "occ": "occupation", "ops": "operations", "opp": "opportunity", "oppty": "opportunity", "ord": "order",
    "org": "organization", "orig": "original", "pct": "percent", "perc": "percent", "perf": "performance", "pkg": "package",
    "pmt": "payment", "pmnt": "payment", "pol": "policy", "pop": "population", "pos": "position", "prc": "price", "prd": "product", "prev": "previous",
    "prod": "product", "prof": "profit", "promo": "promotion", "prov": "provider", "proj": "project", "ptnt": "patient", "pub": "publication",
    "purch": "purchase", "pymt": "payment", "qtr": "quarter", "qty": "quantity", "qnty": "quantity", "rcpt": "receipt",
    "rcvd": "received", "rec": "record", "recd": "received", "ref": "reference", "reg": "region", "rel": "release",
    "rep": "representative", "resp": "response", "rev": "revenue", "rsn": "reason", "rgn": "region", "rpt": "report", "sal": "salary", "sched": "scheduled",
    "seq": "sequence", "sess": "session", "shpmt": "shipment", "sls": "sales", "snap": "snapshot",
    "src": "source", "stat": "status", "std": "standard", "stk": "stock", "stmt": "statement",
    "strt": "start", "sts": "status", "subcat": "subcategory", "subscr": "subscription", "svc": "service", "tel": "telephone",
    "temp": "temperature", "terr": "territory", "tkt": "ticket", "tm": "time", "tot": "total", "tran": "transaction",
    "trans": "transaction", "transac": "transaction", "trx": "transaction", "ts": "timestamp", "tx": "transaction", "txn": "transaction",
    "txns": "transactions", "typ": "type", "uom": "unit of measure", "upd": "updated", "updt": "updated", "usr": "user",
    "util": "utilization", "val": "value", "veh": "vehicle", "vend": "vendor", "ver": "version", "vol": "volume", "whs": "warehouse",
    "whse": "warehouse", "wk": "week", "wt": "weight", "xfer": "transfer", "yoy": "year over year", "yr": "year", "yrs": "years",
    "ytd": "year to date", "zip": "zip",
}  # fmt: skip

_AMBIGUOUS = frozenset(ABBREVIATIONS) | frozenset("req exp min ind cap mod pop spec tech util orig prim pri sec med gen gov admin".split())

# Words that column names are often glued from ("bookname", "numpagesread"); the schema's own words are added per database.
_GLUED = frozenset(
    "account active dte address age agent airline airport amount area author average balance begin book brand budget by campaign capacity category "
    "channel city claim class client code comment company contact cost count country course created currency customer data date datetime day "
    "days department description device discount distance district duration email employee end event expense fee file first flag flight full "
    "gender group guest height hire hour id image income index industry invoice item job key kind label language last latitude length level "
    "line link list location login longitude manager market max message min minute model month name net next note num number of office on open "
    "order owner parent password patient payment percent person phone post postal previous price priority product profit project purchase "
    "quantity quarter rank rate rating ratio reason record ref region release rent report result revenue review role room salary sale sales "
    "score season segment seller sender series service session sex shares shift ship shipping signup size source staff start state status stock "
    "store street student style subject supplier support tag target tax team temperature term text ticket time timestamp title to total town "
    "track type unit units update updated url user username value vehicle vendor version visit volume warehouse week weight width year zip zone "
    "working holiday weather wind humidity citing cited".split()
)

TABLE_NOISE = frozenset(
    {
        "tbl",
        "table",
        "dim",
        "fact",
        "fct",
        "stg",
        "vw",
        "view",
        "raw",
        "mart",
        "dwh",
        "ods",
        "src",
        "int",
        "bridge",
        "brg",
        "xref",
        "lkp",
        "ref",
        "d",
        "f",
        "t",
    }
)


def is_word(word: str) -> bool:
    """Whether it is a plain word of column names, as against an abbreviation of something else."""
    return word in _GLUED or word in ABBREVIATIONS


def split(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier.

    >>> split("abTxUserId"), split("order_line_ID2"), split("HTTPStatus")
    (('ab', 'tx', 'user', 'id'), ('order', 'line', 'id2'), ('http', 'status'))
    """
    return tuple(w.lower() for w in _BOUNDARY.split(name) if w) or (name.strip().lower() or "unnamed",)


def expand(words: Iterable[str], comment: str = "") -> tuple[str, ...]:
    """Abbreviations written out; a comment that holds the long form decides before the general list.

    >>> expand(["cust", "addr"]), expand(["min", "req"], "the minimum requirements")
    (('customer', 'address'), ('minimum', 'requirements'))
    """
    said = title_words(comment)
    out: list[str] = []
    for word in _in_company(_initials(tuple(words))):
        long = next((x for x in said if word in _AMBIGUOUS and x.startswith(word) and len(x) > len(word) + 1), None)
        out += (long or ABBREVIATIONS.get(word, word)).split()
    return tuple(out)


def _initials(words: tuple[str, ...]) -> tuple[str, ...]:
    """Names of persons by an initial ("LName"), and "no" behind a noun, which is a number."""
    if len(words) > 1 and words[-1] == "name" and words[-2] in _NAME_INITIALS:
        return (*words[:-2], _NAME_INITIALS[words[-2]], "name")
    return (*words[:-1], "number") if len(words) > 1 and words[-1] == "no" else words


# Short forms that mean this only beside such a word: (short form, its neighbours, in front or behind, written out).
_COMPANY: tuple[tuple[str, frozenset[str], int, str], ...] = (
    ("prod", frozenset("line order run batch shift plan output volume schedule".split()), 1, "production"),
    ("po", frozenset("hdr header line lines no num number id date dt status item items dtl detail details".split()), 1, "purchase order"),
    ("so", frozenset("hdr header line lines no num number dtl detail details".split()), 1, "sales order"),
    ("wo", frozenset("hdr header line lines no num number id status type".split()), 1, "work order"),
    ("qc", frozenset("check checks result results test inspection".split()), 1, "quality"),
    ("act", frozenset("start end qty quantity date dt hours hrs cost amt amount time departure arrival dep arr".split()), 1, "actual"),
    ("pt", frozenset("reorder data".split()), -1, "point"),
    ("chg", frozenset("rent service room late finance delivery shipping freight handling".split()), -1, "charge"),
    ("req", frozenset("maint maintenance service leave support change repair work it".split()), -1, "request"),
    ("exp", frozenset("yrs years yr year".split()), -1, "experience"),
    ("min", frozenset("salary price amount amt rate value qty age".split()), -1, "minimum"),
    ("mins", frozenset("lost spent used late total worked down idle of".split()), 1, "minutes"),
)


def _in_company(words: tuple[str, ...]) -> tuple[str, ...]:
    """Short forms that the word beside them makes plain.

    >>> _in_company(("prod", "line")), _in_company(("yrs", "exp")), _in_company(("exp", "date"))
    (('production', 'line'), ('yrs', 'experience'), ('exp', 'date'))
    """
    out = list(words)
    for at, word in enumerate(words):
        for short, company, step, long in _COMPANY:
            if word == short and 0 <= at + step < len(words) and words[at + step] in company:
                out[at] = long
    return tuple(part for word in out for part in word.split())


_LENGTHS = frozenset("height depth length elevation altitude distance width radius diameter perimeter".split())
_DURATIONS = frozenset("delay duration time wait stay runtime late delayed elapsed".split())


_HARVESTS = frozenset("yield weight load tonnage area size harvest cargo payload surface".split())


def short_unit(words: Sequence[str]) -> str | None:
    """The unit of a name whose last letters stand for one only behind such a quantity.

    >>> short_unit(("height", "m")), short_unit(("delay", "min")), short_unit(("revenue", "m"))
    ('m', 'min', None)
    """
    before = words[-2] if len(words) > 1 else ""
    if words[-1:] == ("m",) and before in _LENGTHS:
        return "m"
    if words[-1:] in (("t",), ("ha",)) and before in _HARVESTS:
        return words[-1]
    return "min" if words[-1:] == ("min",) and before in _DURATIONS else None


def unglue(word: str, vocabulary: Collection[str]) -> tuple[str, ...]:
    """A glued word cut into known words, in as few as possible; whole when it cannot be cut.

    >>> unglue("bookname", {"book"}), unglue("parcelid", {"parcel"}), unglue("street", {"street", "tree"})
    (('book', 'name'), ('parcel', 'id'), ('street',))
    """
    if len(word) < 5 or word in vocabulary or word in _GLUED or not word.isalpha():
        return (word,)
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(2, len(word) + 1):
        for start in range(max(0, end - 20), end - 1):
            before, piece = best[start], word[start:end]
            known = piece in _GLUED or (len(piece) > 2 and (piece in vocabulary or singular(piece) in vocabulary))
            if before is None or not known:
                continue
            now = best[end]
            if now is None or len(before) + 1 < len(now):
                best[end] = (*before, piece)
    found = best[-1]
    return found if found and len(found) <= 4 else (word,)


_NAME_INITIALS = {"f": "first", "l": "last", "m": "middle"}
_UNCOUNTABLE = frozenset("status series species news business address class process access sales gas bus basis analysis focus bonus campus census "
                         "virus data media equipment information inventory revenue staff weather traffic feedback premises headquarters".split())  # fmt: skip
_IRREGULAR = {"person": "people", "child": "children", "man": "men", "woman": "women", "foot": "feet", "mouse": "mice", "criterion": "criteria",
              "analysis": "analyses", "basis": "bases", "datum": "data", "index": "indexes", "bus": "buses", "gas": "gases", "bonus": "bonuses",
              "status": "statuses", "campus": "campuses", "virus": "viruses", "process": "processes", "address": "addresses",
              "business": "businesses", "class": "classes"}  # fmt: skip
_IRREGULAR_BACK = {v: k for k, v in _IRREGULAR.items()}


def singular(word: str) -> str:
    """
    >>> singular("categories"), singular("boxes"), singular("sales"), singular("status"), singular("people"), singular("movies")
    ('category', 'box', 'sale', 'status', 'person', 'movie')
    """
    if word == "sales":
        return "sale"
    if word in _IRREGULAR_BACK and word != "data":
        return _IRREGULAR_BACK[word]
    if word in _UNCOUNTABLE or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word in ("movies", "cookies", "ties", "pies"):
        return word[:-1]
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


_PARTICIPLES = frozenset("made paid sent sold bought held given taken lost won".split())


def is_participle(word: str) -> bool:
    """Whether the word is more likely a participle than a noun ("received")."""
    return word in _PARTICIPLES or (word.endswith("ed") and len(word) > 4)


def plural(phrase: str) -> str:
    """
    >>> plural("payment received"), plural("class of service")
    ('payments received', 'classes of service')
    >>> plural("category"), plural("order line"), plural("status"), plural("day"), plural("sale"), plural("person")
    ('categories', 'order lines', 'statuses', 'days', 'sales', 'people')
    """
    before, of, after = phrase.partition(" of ")
    if of:
        return f"{plural(before)} of {after}"
    head, _, word = phrase.rpartition(" ")
    if head and is_participle(word):
        return f"{plural(head)} {word}"
    lead = head + " " if head else ""
    if word in _IRREGULAR:
        return lead + _IRREGULAR[word]
    if word in _UNCOUNTABLE or word in _IRREGULAR_BACK:
        return phrase
    if singular(word) != word:
        return phrase
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return lead + word[:-1] + "ies"
    if word.endswith(("s", "x", "ch", "sh", "z")):
        return lead + word + "es"
    return lead + word + "s"


def singular_phrase(words: Sequence[str]) -> tuple[str, ...]:
    """The words with the noun in the singular (the last word, or the one before a participle: "payments received")."""
    if "of" in words[1:]:
        at = words.index("of", 1)
        return (*singular_phrase(words[:at]), *words[at:])
    if len(words) > 1 and is_participle(words[-1]):
        return (*singular_phrase(words[:-1]), words[-1])
    return (*words[:-1], singular(words[-1])) if words else ()


def title_words(text: str) -> tuple[str, ...]:
    """Lower-case words of running text, for vocabularies."""
    return tuple(re.findall(r"[a-z]{3,}", text.lower()))
