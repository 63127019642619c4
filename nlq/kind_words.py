"""Words for the kind of a field, which people add to its name or leave out."""

from __future__ import annotations

from nlq.text import lemma, words_of
from semantic.catalog.model import CatalogField, FieldRole, FieldType


def without_type_word(text: str, field: CatalogField) -> str:
    """ "category" for "category name", where nothing but the word for its kind is left out."""
    words = words_of(text)
    if (
        field.role not in (FieldRole.NAME, FieldRole.CATEGORY)
        or len(words) < 2
        or words[-1] not in ("name", "description", "label", "desc", "nm")
    ):
        return ""
    if words[-2] in ("full", "first", "last", "middle", "short", "long", "display", "given", "family", "official", "user", "nick"):
        return ""
    return " ".join(words[:-1])


def type_words_of(field: CatalogField) -> frozenset[str]:
    """The words that may stand beside a field's name because of what it is ("date", "code", "amount")."""
    words: str
    if field.role is FieldRole.TIME or field.type in (FieldType.DATE, FieldType.DATETIME):
        words = "date time day when datetime timestamp"
    elif field.role is FieldRole.KEY:
        words = "id identifier code key"
    elif field.role is FieldRole.NAME:
        words = "name"
    elif field.role is FieldRole.MEASURE:
        words = "amount value level"
    elif field.role is FieldRole.FLAG:
        words = "flag whether status"
    elif field.role is FieldRole.CATEGORY:
        words = "type name kind"
    else:
        words = ""
    return frozenset(lemma(w) for w in words.split())
