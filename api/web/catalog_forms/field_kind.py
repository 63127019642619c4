"""A field as a form: what a column means, what it is called, what is done with it; or a new one that is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from api.web.catalog_forms.kind import Choices, Input, Kind, changed, chosen, dataset_choices, lines, named, said_label, table_of
from api.web.catalog_forms.metrics import AGGREGATES, DIRECTIONS, FORMATS, _with
from api.web.forms import Fields, body
from core.errors import Conflict, Invalid, NotFound
from semantic.catalog.model import Catalog, CatalogField, DataClass, Dataset, FieldRole, FieldType
from semantic.catalog.written import read_expression, written_expression
from semantic.expr import FieldRef
from semantic.query import Aggregate, AggregateKind, ByField, SemanticQuery

_ROLES: Mapping[FieldRole, str] = {
    FieldRole.CATEGORY: "category: few values, groups", FieldRole.MEASURE: "measure: is added up or averaged", FieldRole.TIME: "time",
    FieldRole.NAME: "name: shows what a row is", FieldRole.KEY: "key: tells rows apart or points to others",
    FieldRole.ATTRIBUTE: "attribute: shown, not added up", FieldRole.FLAG: "flag: yes or no", FieldRole.TEXT: "free text",
}  # fmt: skip
_EPOCHS = (("", "no: they are dates"), ("s", "seconds since 1970"), ("ms", "milliseconds since 1970"), ("us", "microseconds since 1970"))
_CHOSEN = ("format", "unit", "good_direction", "aggregate", "time_format", "epoch")
_GROUPS = {FieldRole.CATEGORY, FieldRole.NAME, FieldRole.FLAG}


class FieldKind(Kind):
    name, part, title, runs = "field", "datasets", "field", True
    about = "What a column means. Its words are what questions may say; its role decides whether it groups, is added up or is a time."

    def keyed(self, catalog: Catalog) -> Iterable[tuple[str, Any]]:
        return [(f"{d.name}.{f.name}", f) for d in catalog.datasets for f in d.fields]

    def removable(self, item: Any) -> bool:
        return bool(item.expression) and item.column is None

    def find(self, catalog: Catalog, key: str) -> Any:
        dataset, field = self.home(catalog, key)
        return dataset.field(field)

    def home(self, catalog: Catalog, key: str) -> tuple[Dataset, str]:
        """Raises: NotFound."""
        dataset, dot, field = key.partition(".")
        if not dot:
            raise NotFound(f"A field is named as dataset.field; found {key[:80]!r}.", code="unknown_object")
        found = catalog.dataset(dataset)
        found.field(field)
        return found, field

    def new_key(self, form: Fields) -> str:
        return form("dataset")

    def put(self, catalog: Catalog, key: str, item: Any) -> Catalog:
        dataset, field = self.home(catalog, key) if "." in key else (catalog.dataset(key), "")
        if not field and dataset.has_field(item.name):
            raise Conflict(f"{dataset.label} has a field {item.name!r} already; give another name.", code="field_exists")
        fields = tuple(item if f.name == field else f for f in dataset.fields) + (() if field else (item,))
        return self._with(catalog, dataset, fields)

    def drop(self, catalog: Catalog, key: str) -> Catalog:
        dataset, field = self.home(catalog, key)
        if not self.removable(dataset.field(field)):
            raise Invalid("A column of a table is hidden, not removed: inference would bring it again.", code="not_removed")
        return self._with(catalog, dataset, tuple(f for f in dataset.fields if f.name != field))

    def _with(self, catalog: Catalog, dataset: Dataset, fields: tuple[CatalogField, ...]) -> Catalog:
        new = dataset.model_copy(update={"fields": fields})
        return catalog.model_copy(update={"datasets": tuple(new if d.name == dataset.name else d for d in catalog.datasets)})

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        aggregates: Choices = (("", "none"), *((key, words) for key, words in AGGREGATES.items() if key != "quantile"))
        computed = item is None or bool(self._text(item, catalog))
        own = (
            (
                Input("dataset", "Of which table", "choice", choices=dataset_choices(catalog)),
                Input(
                    "name",
                    "Name in queries",
                    like="order_size",
                    note="Letters, digits and _; empty: made of the other. It stays.",
                ),
            )
            if item is None
            else ()
        )
        formula = (
            Input(
                "expression", "Computed as", wide=True, like="CASE WHEN amount > 100 THEN 'large' ELSE 'small' END",
                note="Arithmetic or CASE WHEN over the table's fields.",
            ),
        ) if computed else ()  # fmt: skip
        return (
            *own,
            Input("label", "Name that people read", like="order size", required=True),
            *formula,
            Input("description", "What it means", wide=True),
            Input("synonyms", "Also called, one a line", "lines", note="Questions may use these words instead."),
            Input("value_synonyms", "Other words for its values", "lines", like="DE: Germany, German", note="A line per value: the value, a colon, the words."),
            Input("role", "It is a", "choice", choices=tuple((role.value, words) for role, words in _ROLES.items())),
            Input("type", "Type", "choice", choices=tuple((t.value, t.value) for t in FieldType)),
            Input("aggregate", "Usual aggregate", "choice", choices=aggregates, note="What “total” or “average” of it means when nobody says."),
            Input("format", "Shown as", "choice", choices=_with(FORMATS, item.format if item is not None else None)),
            Input("unit", "Unit", like="EUR"),
            Input("good_direction", "It is good when it goes", "choice", choices=DIRECTIONS),
            Input("data_class", "Who may see it", "choice", choices=tuple((c.value, c.value) for c in DataClass), note="Clearances say which roles see which."),
            Input("time_format", "How its text is read as a time", like="%d/%m/%Y", note="Only for text: %Y year, %m month, %d day, %H:%i:%S the time.", when=("time",)),
            Input("epoch", "Or its numbers count", "choice", choices=_EPOCHS, when=("time",)),
            Input("additive", "Its values may be added up (not a rate, a price or a balance)", "check"),
            Input("hidden", "Hidden from questions", "check"),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return {"role": "category", "type": "string", "data_class": "internal", "additive": True, **given}
        texts = ("name", "label", "description", "format", "unit", "good_direction", "time_format", "epoch")
        return {key: getattr(item, key) or "" for key in texts} | {
            "synonyms": "\n".join(item.synonyms), "role": item.role.value, "type": item.type.value, "data_class": item.data_class.value,
            "aggregate": item.aggregate.value if item.aggregate is not None else "", "additive": item.additive, "hidden": item.hidden,
            "value_synonyms": "\n".join(f"{value}: {', '.join(words)}" for value, words in item.value_synonyms.items()),
            "expression": self._text(item, catalog),
        }  # fmt: skip

    def _text(self, item: CatalogField, catalog: Catalog) -> str:
        """Its expression as a line; empty when it has none, or none that can be written so."""
        home = next((d.name for d in catalog.datasets if any(f is item for f in d.fields)), "")
        return (written_expression(item.expression, catalog, home) or "") if item.expression is not None and home else ""

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        said: dict[str, Any] = {key: chosen(form, key) for key in _CHOSEN} | {
            "label": said_label(form), "description": form("description"), "synonyms": lines(form, "synonyms"), "role": form("role"),
            "type": form("type"), "additive": form.has("additive"), "hidden": form.has("hidden"), "data_class": form("data_class"),
            "value_synonyms": dict(map(_value_words, lines(form, "value_synonyms"))),
        }  # fmt: skip
        text, before = form("expression"), self._text(item, catalog) if item is not None else ""
        if item is None:
            if not text:
                raise Invalid("Say how the field is computed. Columns of tables are known already.", code="bad_form", path="expression")
            said |= {
                "name": named(form, None),
                "expression": read_expression(text, catalog, table_of(form, catalog)),
            }
        elif item.expression is not None and text != before and text:
            home = next(d.name for d in catalog.datasets if any(f is item for f in d.fields))
            said["expression"] = read_expression(text, catalog, home)
        return body(CatalogField, changed(item, said))

    def beyond(self, item: Any, catalog: Catalog) -> list[str]:
        return ["what it is computed of"] if item.expression is not None and not self._text(item, catalog) else []

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        home = next((d for d in catalog.datasets if any(f is item for f in d.fields)), None)
        if home is None or item.hidden:
            return None
        ref = FieldRef(dataset=home.name, field=item.name)
        if item.role in _GROUPS:
            count = Aggregate(aggregate=AggregateKind.COUNT, dataset=home.name)
            return SemanticQuery(metrics=(count,), by=(ByField(field=ref),), limit=20)
        kind = item.aggregate or (AggregateKind.SUM if item.role is FieldRole.MEASURE else AggregateKind.COUNT_DISTINCT)
        return SemanticQuery(metrics=(Aggregate(aggregate=kind, dataset=home.name, of=ref),))


def _value_words(line: str) -> tuple[str, tuple[str, ...]]:
    value, colon, words = line.rpartition(":")
    if not colon or not value.strip() or not words.strip():
        raise Invalid(
            f"Words for values are lines such as “DE: Germany, German”; found {line[:60]!r}.", code="bad_form", path="value_synonyms"
        )
    return value.strip(), tuple(word.strip() for word in words.split(",") if word.strip())
