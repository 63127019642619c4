"""General business English: words that mean nearly the same, abbreviations, and words that two tokens make together.

Nothing here belongs to one catalog; catalogs bring their own synonyms.
"""

from __future__ import annotations

from nlq.text import lemma

# Weight of a group: how sure it is that one word stands for the other.
_GROUPS: tuple[tuple[float, str], ...] = (
    (0.85, "customer client buyer shopper consumer patron"),
    (0.85, "product item article sku merchandise"),
    (0.85, "employee staff worker personnel"),
    (0.9, "salesperson salesman saleswoman seller salesrep rep"),
    (0.8, "revenue turnover income earnings proceeds"),
    (0.7, "revenue sale sales"),
    (0.85, "country nation"),
    (0.85, "city town municipality"),
    (0.8, "state province"),
    (0.9, "join signup register registration enroll enrol enrolment enrollment subscribe"),
    (0.6, "join signup register create creation created crtd add"),
    (0.85, "hire employ recruit onboard"),
    (0.85, "terminate termination fire dismiss layoff leave"),
    (0.9, "quantity qty unit units pieces"),
    (0.75, "amount value sum"),
    (0.85, "vendor supplier provider"),
    (0.85, "sale sell sold selling"),
    (0.8, "sale purchase buy order"),
    (0.9, "buy purchase"),
    (0.9, "email mail"),
    (0.9, "phone telephone mobile cell"),
    (0.9, "zip postal postcode zipcode"),
    (0.9, "gender sex"),
    (0.8, "make manufacturer brand maker"),
    (0.75, "type kind category class"),
    (0.85, "id identifier identification"),
    (0.7, "id identifier code key number"),
    (0.8, "begin start open opening commence"),
    (0.8, "end finish close closing expire expiration expiry"),
    (0.85, "birth born dob birthday birthdate"),
    (0.85, "film movie"),
    (0.85, "instructor teacher professor lecturer"),
    (0.85, "student pupil learner"),
    (0.85, "doctor physician"),
    (0.85, "altitude elevation height"),
    (0.8, "length long"),
    (0.75, "organization company firm organisation institution employer"),
    (0.8, "paper publication article"),
    (0.8, "shipment delivery"),
    (0.85, "ship deliver dispatch"),
    (0.85, "store shop outlet branch"),
    (0.85, "department division"),
    (0.85, "salary wage compensation"),
    (0.8, "earn salary wage income"),
    (0.85, "weigh weight"),
    (0.85, "employee workforce"),
    (0.85, "enter entered entry"),
    (0.85, "square sq"),
    (0.85, "foot feet ft"),
    (0.85, "cuisine food"),
    (0.7, "cost price fare fee charge"),
    (0.7, "cost expense spend spending expenditure"),
    (0.8, "inventory stock"),
    (0.8, "stock share"),
    (0.7, "ticker stock symbol"),
    (0.8, "predict expect estimate forecast"),
    (0.85, "admit admission"),
    (0.75, "capacity seat seats"),
    (0.7, "duration time elapsed length"),
    (0.8, "payment pay paid"),
    (0.85, "transaction trade deal"),
    (0.85, "rating score stars grade"),
    (0.8, "review feedback"),
    (0.85, "user member"),
    (0.75, "business company"),
    (0.85, "cite citation reference"),
    (0.9, "publish publication"),
    (0.75, "customer user"),
    (0.85, "depart departure leave origin from"),
    (0.85, "arrive arrival destination to land"),
    (0.8, "airline carrier"),
    (0.8, "plane airplane aircraft"),
    (0.85, "layover stopover stop"),
    (0.85, "car vehicle automobile auto"),
    (0.8, "house home property"),
    (0.8, "patient case"),
    (0.8, "visit session"),
    (0.85, "campaign promotion promo"),
    (0.85, "discount rebate markdown"),
    (0.85, "refund return returned"),
    (0.85, "cancel cancellation cancelled"),
    (0.85, "churn attrition"),
    (0.85, "profit earnings gain"),
    (0.85, "channel medium"),
    (0.8, "region territory zone"),
    (0.8, "segment tier"),
    (0.8, "job position occupation"),
    (0.8, "manager supervisor boss"),
    (0.8, "nation nationality"),
    (0.8, "warehouse depot"),
    (0.85, "policyholder insured holder"),
    (0.85, "settle settlement close"),
    (0.85, "author writer"),
    (0.85, "tax vat"),
    (0.85, "commission fee"),
    (0.75, "name title"),
    (0.8, "fund funding finance"),
    (0.8, "population inhabitants residents"),
    (0.8, "attend attendance"),
    (0.8, "win victory"),
    (0.8, "lose loss"),
    (0.85, "credit credits"),
    (0.8, "enrolled enroll enrollment"),
    (0.8, "serve service"),
    (0.85, "complete completion"),
    (0.85, "loan borrow"),
    (0.85, "delete deletion"),
    (0.85, "withdraw withdrawal"),
    (0.8, "offer offering"),
    (0.8, "sign signup"),
    (0.85, "resolve resolution"),
    (0.75, "consumption kwh"),
)  # fmt: skip

ABBREVIATIONS: dict[str, str] = {
    "qty": "quantity", "amt": "amount", "cust": "customer", "addr": "address", "dept": "department", "dob": "birth", "emp": "employee",
    "prod": "product", "txn": "transaction", "tx": "transaction", "trx": "transaction", "num": "number", "no": "number", "nr": "number",
    "desc": "description", "cat": "category", "avg": "average", "pct": "percent", "tel": "phone", "acct": "account", "inv": "invoice",
    "org": "organization", "mgr": "manager", "yr": "year", "mth": "month", "wk": "week", "hr": "hour", "min": "minute", "sec": "second",
    "ccy": "currency", "curr": "currency", "dt": "date", "ts": "timestamp", "crtd": "created", "dest": "destination", "dep": "departure",
    "arr": "arrival", "pop": "population", "lat": "latitude", "lon": "longitude", "lng": "longitude", "ctry": "country", "conv": "conversion",
    "rev": "revenue", "temp": "temperature",
}  # fmt: skip

# Two or three words that act as one.
MERGES: dict[tuple[str, ...], str] = {
    ("sign", "up"): "signup", ("sign", "ups"): "signup", ("signed", "up"): "signup", ("signing", "up"): "signup", ("signs", "up"): "signup",
    ("sales", "rep"): "salesperson", ("sales", "reps"): "salesperson", ("sales", "representative"): "salesperson", ("sales", "representatives"): "salesperson",
    ("sales", "person"): "salesperson", ("sales", "people"): "salesperson", ("sales", "persons"): "salesperson", ("sales", "agent"): "salesperson",
    ("check", "in"): "checkin", ("check", "ins"): "checkin", ("check", "-", "in"): "checkin", ("check", "-", "ins"): "checkin",
    ("log", "in"): "login", ("logged", "in"): "login", ("logs", "in"): "login", ("logging", "in"): "login", ("log", "ins"): "login",
    ("e", "-", "mail"): "email", ("e", "mail"): "email", ("e", "-", "mails"): "email", ("zip", "code"): "zip", ("zip", "codes"): "zip",
    ("top", "up"): "topup", ("top", "ups"): "topup", ("topped", "up"): "topup", ("topping", "up"): "topup",
    ("laid", "off"): "fire", ("policy", "holder"): "policyholder", ("policy", "holders"): "policyholder", ("key", "word"): "keyword",
}  # fmt: skip


def group_texts() -> tuple[str, ...]:
    """The groups of words that mean nearly the same."""
    return tuple(text for _, text in _GROUPS)


def synonyms() -> dict[str, dict[str, float]]:
    """Lemma key -> {near lemma key: weight}, symmetric, strongest weight kept. Built anew on each call; callers keep it."""
    table: dict[str, dict[str, float]] = {}
    for weight, text in _GROUPS:
        keys = {lemma(w) for w in text.split()}
        for a in keys:
            row = table.setdefault(a, {})
            for b in keys - {a}:
                row[b] = max(row.get(b, 0.0), weight)
    for short, full in ABBREVIATIONS.items():
        a, b = lemma(short), lemma(full)
        table.setdefault(a, {})[b] = 0.9
        table.setdefault(b, {})[a] = 0.9
    return table


_SUFFIXES = (
    "fulness",
    "fully",
    "ation",
    "ate",
    "ment",
    "tion",
    "sion",
    "ness",
    "ful",
    "ity",
    "ure",
    "ion",
    "ant",
    "ent",
    "ive",
    "al",
    "er",
    "or",
    "ly",
    "y",
)


def root(key: str) -> str:
    """A coarser key than the lemma: common derivational endings off ("successful", "success"; "payment", "pay").

    >>> root("successful"), root("payment"), root("failur")
    ('success', 'pay', 'fail')
    """
    if key.endswith("scrib"):
        return key[:-1] + "p"  # describe, description
    for suffix in _SUFFIXES:
        clipped = suffix[:-1] if suffix.endswith("e") else suffix
        if key.endswith(clipped) and len(key) - len(clipped) >= 3 and len(clipped) >= 2:
            found = key[: -len(clipped)]
            return found[:-1] if suffix in ("er", "or") and found[-1] == found[-2] and found[-1] not in "lsz" else found  # referrer
    return key
