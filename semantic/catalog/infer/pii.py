"""Which columns tell who a person is."""

from __future__ import annotations

from collections.abc import Mapping

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.personal_values import kind_of_values
from semantic.catalog.infer.probe import ColumnStats
from semantic.catalog.model import DataClass, PersonalKind

_NAMED: Mapping[str, PersonalKind] = {"contact": "contact", "identity": "national_id", "secret": "secret"}
# What an analyst is asked to confirm: numbers that open accounts or are the person are for few, the rest for those who work with people.
_RESTRICTED: frozenset[PersonalKind] = frozenset({"iban", "card", "national_id", "secret"})


def proposed_class(kind: PersonalKind) -> DataClass:
    return DataClass.RESTRICTED if kind in _RESTRICTED else DataClass.CONFIDENTIAL


def personal_kind(words: tuple[str, ...], table: tuple[str, ...], is_text: bool, stats: ColumnStats | None) -> PersonalKind | None:
    """What a column tells of a person, None when nothing.

    By its values, else by its name: contact data, identity numbers, birth dates and secrets anywhere; names and street addresses in tables of
    private persons.

    Counts ("emails sent") are not: only text columns and dates of birth qualify, and values of a kind that has a form always do.
    """
    said = set(words)
    if said & v.PII_WORDS["birth"]:
        return "birth"
    if not is_text:
        return None
    by_values = kind_of_values(stats.values) if stats else None
    if by_values is not None:
        return by_values
    if said & {"ip", "mac"} and not said & {"address", "id"} and len(words) > 2:
        said -= {"ip", "mac"}
    for kind in ("contact", "identity", "secret"):
        if said & v.PII_WORDS[kind]:
            return None if said & {"type", "status", "flag", "domain", "campaign"} else _NAMED[kind]
    if said & v.PII_WORDS["address"]:
        lives = set(table) & (v.PERSON | v.PERSON_PUBLIC) or said & v.PERSON
        return "address" if lives and not said & {"type", "id"} else None
    if "name" in said or said <= {"firstname", "lastname", "fullname", "surname", "forename"}:
        if said & {"first", "last", "middle", "maiden", "surname", "firstname", "lastname", "fullname"}:
            return "name" if set(table) & v.PERSON or not set(table) & v.PERSON_PUBLIC else None
        own = said - {"name", "full"}
        is_person = bool(own & v.PERSON and not own - v.PERSON) or (not own and bool(set(table[-1:]) & v.PERSON))
        return "name" if is_person and not _are_organisations(stats) else None
    return None


# The last word of what firms, authorities and institutions are called.
_ORGANISED = frozenset(
    "ltd limited inc incorporated llc llp lp plc gmbh ag kg ohg se sa sas sarl srl spa bv nv ab oy aps pty corp corporation co company group holding "
    "holdings partners associates bank insurance university college school hospital council estates industries solutions systems services technologies "
    "logistics foods retail stores hotels airlines trust foundation institute agency consulting ventures capital international enterprises".split()
)
_MOSTLY = 0.5


def _are_organisations(stats: ColumnStats | None) -> bool:
    """Whether clients are firms: at least half of the names that are seen end as those of firms do."""
    names = [words for x in (stats.values if stats else ()) if (words := x.lower().replace(".", "").split())]
    return bool(names) and sum(len(w) > 1 and w[-1] in _ORGANISED for w in names) >= _MOSTLY * len(names)
