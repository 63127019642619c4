"""Names behind codes that everybody shares: countries (ISO 3166), states of the USA, genders, currencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

_US_STATES = (
    "AL Alabama,AK Alaska,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,FL Florida,GA Georgia,HI Hawaii,ID Idaho,"
    "IL Illinois,IN Indiana,IA Iowa,KS Kansas,KY Kentucky,LA Louisiana,ME Maine,MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,"
    "MS Mississippi,MO Missouri,MT Montana,NE Nebraska,NV Nevada,NH New Hampshire,NJ New Jersey,NM New Mexico,NY New York,NC North Carolina,"
    "ND North Dakota,OH Ohio,OK Oklahoma,OR Oregon,PA Pennsylvania,RI Rhode Island,SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,"
    "UT Utah,VT Vermont,VA Virginia,WA Washington,WV West Virginia,WI Wisconsin,WY Wyoming,DC District of Columbia"
)
_COUNTRY_EXTRA: Mapping[str, tuple[str, ...]] = {
    "US": ("USA", "United States", "United States of America", "America", "US"),
    "GB": ("UK", "United Kingdom", "Great Britain", "Britain"),
    "KR": ("South Korea", "Korea"),
    "RU": ("Russia",),
    "CZ": ("Czech Republic", "Czechia"),
    "AE": ("UAE", "United Arab Emirates"),
    "NL": ("Netherlands", "Holland"),
    "CN": ("China",),
    "VN": ("Vietnam",),
    "IR": ("Iran",),
}
_GENDER: Mapping[str, tuple[str, ...]] = {"m": ("male", "men", "man"), "f": ("female", "women", "woman")}
_MIN_SHARE = 0.8


def code_names(words: tuple[str, ...], values: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Synonyms for values that are codes of the kind that the name says; nothing unless most values are such codes."""
    said = set(words)
    if "country" in said or "nationality" in said:
        return _known(values, _countries())
    if said & {"state", "province"}:
        return _known(values, _states())
    if said & {"gender", "sex"}:
        return _known(values, {k.upper(): v for k, v in _GENDER.items()} | dict(_GENDER))
    return {}


def _known(values: Sequence[str], names: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found = {x: tuple(n for n in names[x] if n != x) for x in values if x in names}
    return found if values and len(found) >= _MIN_SHARE * len(values) else {}


@lru_cache(maxsize=1)
def _states() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in _US_STATES.split(","):
        code, name = entry.split(" ", 1)
        found[code], found[name] = (name,), (code,)
    return found


@lru_cache(maxsize=1)
def _countries() -> dict[str, tuple[str, ...]]:
    """Alpha-2, alpha-3 and English names, each to the others."""
    from babel import Locale
    from holidays.registry import COUNTRIES

    territories = Locale("en").territories
    found: dict[str, tuple[str, ...]] = {}
    for entry in COUNTRIES.values():
        alpha2 = next((c for c in entry if len(c) == 2), None)
        alpha3 = next((c for c in entry if len(c) == 3 and c.isupper()), None)
        if alpha2 is None:
            continue
        every = [*_COUNTRY_EXTRA.get(alpha2, ()), str(territories.get(alpha2, "")), alpha2, *([alpha3] if alpha3 else [])]
        every = list(dict.fromkeys(x for x in every if x))
        for known in every:
            found.setdefault(known, tuple(x for x in every if x != known))
    return found
