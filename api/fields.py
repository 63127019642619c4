"""Fields as people type them: `region`, `countries.region`, a label or a synonym."""

from __future__ import annotations

from core.errors import Invalid, NotFound
from semantic.catalog.model import Catalog, FieldRole
from semantic.expr import FieldRef

_SPLITS = (FieldRole.CATEGORY, FieldRole.NAME, FieldRole.FLAG, FieldRole.KEY)


def field_named(text: str, catalog: Catalog, path: str = "/by") -> FieldRef:
    """The one field to split by that this text means.

    Raises: NotFound `unknown_field` with the nearest names; Invalid `ambiguous_field` when several fields have the name.
    """
    dataset, dot, name = text.strip().partition(".")
    if dot:
        ref = FieldRef(dataset=dataset, field=name)
        catalog.field(ref)
        return ref
    wanted = _plain(text)
    found = [
        (FieldRef(dataset=d.name, field=f.name), f.role)
        for d in catalog.datasets
        for f in d.fields
        if not f.hidden and wanted in {_plain(f.name), _plain(f.label), *(_plain(s) for s in f.synonyms)}
    ]
    split = [ref for ref, role in found if role in _SPLITS]
    chosen = split or [ref for ref, _ in found]
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        names = [str(ref) for ref in chosen]
        raise Invalid(
            f"{text[:60]!r} is the name of {len(names)} fields; say which.", code="ambiguous_field", path=path, suggestions=names[:10]
        )
    known = sorted({f.name for d in catalog.datasets for f in d.fields if not f.hidden and f.role is FieldRole.CATEGORY})
    raise NotFound(f"The catalog has no field {text[:60]!r} to split by.", code="unknown_field", suggestions=known[:12])


def _plain(text: str) -> str:
    return text.strip().lower().replace("_", " ")
