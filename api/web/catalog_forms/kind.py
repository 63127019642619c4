"""What a form of a catalog object is made of: its inputs, and the way from the object to them and back."""

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from api.web.forms import Fields
from core.errors import Invalid, NotFound
from semantic.catalog.model import Catalog
from semantic.expr import FieldRef
from semantic.query import SemanticQuery

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form. shape: how it is drawn; `several` are choices in an order, with room for more.

    when: types of the object for which it is shown; empty: always. fixed: cannot be changed any more. wide: over the whole line.
    """

    name: str
    label: str
    shape: Literal["text", "lines", "choice", "check", "ticks", "several"] = "text"
    note: str = ""
    like: str = ""
    choices: Choices = ()
    when: tuple[str, ...] = ()
    required: bool = False
    fixed: bool = False
    wide: bool = False


class Kind(ABC):
    """A kind of catalog object. Whatever the form does not show stays as it was.

    makes: new ones can be made by a form. runs: has figures to show. try_like: a question such as one tries with a draft of it.
    meant: what words call the kind that they mean, where that is not its name.
    """

    name: ClassVar[str]
    part: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str] = ""
    back: ClassVar[tuple[str, str]] = ("/catalog", "Catalog")
    makes: ClassVar[bool] = True
    runs: ClassVar[bool] = False
    meant: ClassVar[str] = ""
    try_like: ClassVar[str] = "revenue by region last quarter"

    def key_of(self, item: Any, place: int) -> str:
        """What addresses name it by."""
        return str(item.name)

    def label_of(self, item: Any) -> str:
        return str(item.label)

    def all(self, catalog: Catalog) -> Iterable[Any]:
        """Every object of the kind, in the catalog's order."""
        return tuple(getattr(catalog, self.part))

    def keyed(self, catalog: Catalog) -> Iterable[tuple[str, Any]]:
        """Each under the key that addresses name it by."""
        return [(self.key_of(item, i), item) for i, item in enumerate(self.all(catalog))]

    def with_all(self, catalog: Catalog, items: Sequence[Any]) -> Catalog:
        return catalog.model_copy(update={self.part: tuple(items)})

    def find(self, catalog: Catalog, key: str) -> Any:
        """Raises: NotFound."""
        found = next((item for known, item in self.keyed(catalog) if known == key), None)
        if found is None:
            raise NotFound(f"The catalog has no {self.title} {key[:80]!r} (any more).", code="unknown_object")
        return found

    def new_key(self, form: Fields) -> str:
        """What `put` takes for a new one."""
        return ""

    def put(self, catalog: Catalog, key: str, item: Any) -> Catalog:
        """With `item` in the place of what `key` names, or as a new one. Raises: NotFound."""
        old = self.find(catalog, key) if key else None
        items = [item if one is old else one for one in self.all(catalog)]
        return self.with_all(catalog, items if key else [*items, item])

    def drop(self, catalog: Catalog, key: str) -> Catalog:
        """Raises: NotFound."""
        old = self.find(catalog, key)
        return self.with_all(catalog, [one for one in self.all(catalog) if one is not old])

    def removable(self, item: Any) -> bool:
        return True

    @abstractmethod
    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        """item: None for a new one. roles: names of all roles."""

    @abstractmethod
    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        """Under the names of the inputs. given: of the address, for a new one."""

    @abstractmethod
    def read(self, form: Fields, catalog: Catalog, item: Any) -> Any:
        """The object that the form says. Raises: Invalid."""

    def beyond(self, item: Any, catalog: Catalog) -> list[str]:
        """What of the object the form cannot show; it stays as it is."""
        return []

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        """What is compiled to see whether it works; None where there is nothing to compile."""
        return None

    def says(self, item: Any, now: dt.datetime) -> list[str]:
        """What it means as of `now`, in sentences, where figures would not show it."""
        return []


def lines(form: Fields, name: str) -> tuple[str, ...]:
    """Each line once, without empty ones."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, form(name).splitlines()))))


def several(form: Fields, name: str) -> tuple[str, ...]:
    """What was chosen, each once, in its order."""
    return tuple(dict.fromkeys(filter(None, form.all(name))))


def named(form: Fields, item: Any) -> str:
    """The name that it has; of a new one the given, else one made of the label."""
    return str(item.name) if item is not None else form("name") or re.sub(r"\W+", "_", form("label").casefold()).strip("_")


def said_label(form: Fields) -> str:
    """Raises: Invalid when nothing is said."""
    if not form.has("label"):
        raise Invalid("Say what people call it.", code="bad_form", path="label")
    return form("label")


def name_inputs(item: Any, like: str, name_like: str) -> tuple[Input, Input]:
    """What people call it, and what queries do."""
    note = "Letters, digits and _; empty: made of the other. It stays."
    return (
        Input("label", "Name that people read", like=like, required=True),
        Input("name", "Name in queries", like=name_like, note=note, fixed=item is not None),
    )


def chosen(form: Fields, name: str) -> str | None:
    return form(name) or None


def changed(item: BaseModel | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the object says, with `values` over it."""
    return (item.model_dump() if item is not None else {}) | dict(values)


def one_of(catalog: Catalog, text: str, label: str) -> tuple[str, str]:
    """A field written as dataset.field. Raises: Invalid; NotFound."""
    dataset, dot, field = text.partition(".")
    if not dot:
        raise Invalid(f"{label}: choose a field.", code="bad_form")
    catalog.dataset(dataset).field(field)
    return dataset, field


def table_of(form: Fields, catalog: Catalog) -> str:
    """The name of the table that was chosen. Raises: Invalid when none was; NotFound."""
    if not form.has("dataset"):
        raise Invalid("Choose a table. Tables come with data: upload a file, or connect a source.", code="bad_form", path="dataset")
    return catalog.dataset(form("dataset")).name


def dataset_choices(catalog: Catalog) -> Choices:
    return sorted(((d.name, d.label) for d in catalog.datasets), key=lambda pair: pair[1].casefold())


def metric_choices(catalog: Catalog) -> Choices:
    return sorted(((m.name, m.label) for m in catalog.metrics), key=lambda pair: pair[1].casefold())


def field_choices(catalog: Catalog) -> Choices:
    return [(f"{d.name}.{f.name}", f"{d.label}: {f.label}") for d in catalog.datasets for f in d.fields]


def field_refs(form: Fields, name: str, label: str, catalog: Catalog, known: Sequence[FieldRef] = ()) -> tuple[FieldRef, ...]:
    """The fields chosen; one that was known keeps its way there. Raises: Invalid; NotFound."""
    old = {ref_key(ref): ref for ref in known}
    made = []
    for text in several(form, name):
        dataset, field = one_of(catalog, text, label)
        made.append(old.get(text) or FieldRef(dataset=dataset, field=field))
    return tuple(made)


def fields_of_one(form: Fields, name: str, label: str, catalog: Catalog) -> tuple[str, tuple[str, ...]]:
    """The table and the names of the fields chosen. Raises: Invalid unless all are of one table; NotFound."""
    refs = field_refs(form, name, label, catalog)
    homes = {ref.dataset for ref in refs}
    if len(homes) > 1:
        said = " and ".join(sorted(catalog.dataset(home).label for home in homes))
        raise Invalid(f"{label}: choose fields of one table; found {said}.", code="bad_form", path=name)
    return (refs[0].dataset if refs else ""), tuple(ref.field for ref in refs)


def ref_key(ref: FieldRef) -> str:
    return f"{ref.dataset}.{ref.field}"


def spoken(name: str) -> str:
    return name.replace("_", " ")
