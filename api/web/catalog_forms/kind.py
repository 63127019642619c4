"""What a form of a catalog object is made of: its inputs, and the way from the object to them and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from api.web.forms import Fields
from core.errors import Invalid, NotFound
from semantic.catalog.model import Catalog
from semantic.query import SemanticQuery

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form. shape: how it is drawn. when: types of the object for which it is shown; empty: always.

    fixed: cannot be changed any more. wide: over the whole line.
    """

    name: str
    label: str
    shape: Literal["text", "lines", "choice", "check", "ticks"] = "text"
    note: str = ""
    like: str = ""
    choices: Choices = ()
    when: tuple[str, ...] = ()
    required: bool = False
    fixed: bool = False
    wide: bool = False


class Kind(ABC):
    """A kind of catalog object. Whatever the form does not show stays as it was."""

    name: ClassVar[str]
    part: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str] = ""
    back: ClassVar[tuple[str, str]] = ("/catalog", "Catalog")

    def key_of(self, item: Any, place: int) -> str:
        """What addresses name it by."""
        return str(item.name)

    def label_of(self, item: Any) -> str:
        return str(item.label)

    def find(self, catalog: Catalog, key: str) -> Any:
        """Raises: NotFound."""
        found = next((item for i, item in enumerate(getattr(catalog, self.part)) if self.key_of(item, i) == key), None)
        if found is None:
            raise NotFound(f"The catalog has no {self.title} {key[:80]!r} (any more).", code="unknown_object")
        return found

    def new_key(self, form: Fields) -> str:
        """What `put` takes for a new one."""
        return ""

    def put(self, catalog: Catalog, key: str, item: Any) -> Catalog:
        """With `item` in the place of what `key` names, or as a new one. Raises: NotFound."""
        items = list(getattr(catalog, self.part))
        if not key:
            return catalog.model_copy(update={self.part: (*items, item)})
        old = self.find(catalog, key)
        place = next(i for i, one in enumerate(items) if one is old)
        return catalog.model_copy(update={self.part: (*items[:place], item, *items[place + 1 :])})

    def drop(self, catalog: Catalog, key: str) -> Catalog:
        """Raises: NotFound."""
        old = self.find(catalog, key)
        return catalog.model_copy(update={self.part: tuple(one for one in getattr(catalog, self.part) if one is not old)})

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


def lines(form: Fields, name: str) -> tuple[str, ...]:
    """Each line once, without empty ones."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, form(name).splitlines()))))


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


def dataset_choices(catalog: Catalog) -> Choices:
    return sorted(((d.name, d.label) for d in catalog.datasets), key=lambda pair: pair[1].casefold())


def metric_choices(catalog: Catalog) -> Choices:
    return sorted(((m.name, m.label) for m in catalog.metrics), key=lambda pair: pair[1].casefold())


def field_choices(catalog: Catalog) -> Choices:
    return [(f"{d.name}.{f.name}", f"{d.label}: {f.label}") for d in catalog.datasets for f in d.fields]


def spoken(name: str) -> str:
    return name.replace("_", " ")
