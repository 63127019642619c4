"""Which columns tell who a person is."""

from __future__ import annotations

import re

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.probe import ColumnStats

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}\Z", re.IGNORECASE)
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}\Z")


def is_pii(words: tuple[str, ...], table: tuple[str, ...], is_text: bool, stats: ColumnStats | None) -> bool:
    """Contact data, identity numbers, birth dates, street addresses and secrets anywhere; names in tables of private persons.

    Counts ("emails sent") are not: only text columns and dates of birth qualify, and values that look like e-mail, phone or SSN always do.
    """
    said = set(words)
    if said & v.PII_WORDS["birth"]:
        return True
    if not is_text:
        return False
    if _looks(stats):
        return True
    if said & {"ip", "mac"} and not said & {"address", "id"} and len(words) > 2:
        said -= {"ip", "mac"}
    if any(said & v.PII_WORDS[kind] for kind in ("contact", "identity", "secret")):
        return not said & {"type", "status", "flag", "domain", "campaign"}
    if said & v.PII_WORDS["address"]:
        return bool(set(table) & (v.PERSON | v.PERSON_PUBLIC) or said & v.PERSON) and not said & {"type", "id"}
    if "name" in said or said <= {"firstname", "lastname", "fullname", "surname", "forename"}:
        if said & {"first", "last", "middle", "maiden", "surname", "firstname", "lastname", "fullname"}:
            return bool(set(table) & v.PERSON) or not set(table) & v.PERSON_PUBLIC
        own = said - {"name", "full"}
        return bool(own & v.PERSON and not own - v.PERSON) or (not own and bool(set(table[-1:]) & v.PERSON))
    return False


def _looks(stats: ColumnStats | None) -> bool:
    if not stats or len(stats.top) < 3:
        return False
    values = stats.values
    return any(sum(1 for x in values if pattern.match(x)) >= 0.8 * len(values) for pattern in (_EMAIL, _SSN))
