"""How tables hang together, as forms: the tables themselves, their joins, the things people name, levels and named conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from api.web.catalog_forms.conditions import condition, written_line
from api.web.catalog_forms.kind import (
    Input,
    Kind,
    changed,
    chosen,
    dataset_choices,
    field_choices,
    field_refs,
    fields_of_one,
    lines,
    name_inputs,
    named,
    ref_key,
    said_label,
    several,
    spoken,
    table_of,
)
from api.web.forms import Fields, body
from core.errors import Invalid
from semantic.catalog.model import Catalog, Dataset, DatasetKind, Entity, FieldRole, Hierarchy, Relationship, Segment
from semantic.expr import FieldRef, Has
from semantic.query import Aggregate, AggregateKind, ByEntity, ByField, SemanticQuery

BACK = ("/catalog/structure", "Tables and joins")
_CALLED = Input("synonyms", "Also called, one a line", "lines", note="Questions may use these words instead.")
_ABOUT = Input("description", "What it means", wide=True)
_KINDS = {
    DatasetKind.FACT: "facts: what happened, a row each", DatasetKind.DIMENSION: "things: customers, products, places",
    DatasetKind.BRIDGE: "pairs of things", DatasetKind.SNAPSHOT: "states at points in time, such as stock", DatasetKind.SUBTYPE: "more about some rows of another table",
}  # fmt: skip
_CARDINALITIES = (
    ("many_to_one", "many rows to one: orders to their customer"),
    ("one_to_one", "one row to one"),
    ("many_to_many", "many rows to many"),
)


class DatasetKindForm(Kind):
    name, part, title, back, makes, runs = "dataset", "datasets", "table", BACK, False, True
    about = "What a table is called and what its rows are. Tables come with data: uploads, sources, or a warehouse that is read."

    def removable(self, item: Any) -> bool:
        return False

    def drop(self, catalog: Catalog, key: str) -> Catalog:
        raise Invalid("A table is hidden, not removed: inference would bring it again.", code="not_removed")

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        own = [(f.name, f.label) for f in item.fields]
        times = [(f.name, f.label) for f in item.fields if f.role is FieldRole.TIME]
        return (
            *name_inputs(item, "order lines", "order_lines"),
            _ABOUT,
            _CALLED,
            Input("kind", "Its rows are", "choice", choices=tuple((k.value, words) for k, words in _KINDS.items())),
            Input("time", "Its date", "choice", choices=(("", "none"), *times), note="What “last month” means when nobody names a date. A field with the role time."),
            Input("primary_key", "What tells its rows apart", "several", choices=own),
            Input("filter", "Only rows where", wide=True, like="is_test = false", note="A condition as in SQL; everybody sees only these rows. Empty for all."),
            Input("hidden", "Hidden from questions", "check"),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        return {key: getattr(item, key) or "" for key in ("name", "label", "description", "time", "hidden")} | {
            "synonyms": "\n".join(item.synonyms), "kind": item.kind.value, "primary_key": list(item.primary_key),
            "filter": written_line(item.filter, catalog, item.name),
        }  # fmt: skip

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        if item is None:
            raise Invalid("Tables come with data: upload a file, or connect a source.", code="bad_form", suggestions=("/data", "/sources"))
        said = {
            "label": said_label(form), "description": form("description"), "synonyms": lines(form, "synonyms"), "kind": form("kind"),
            "time": chosen(form, "time"), "primary_key": several(form, "primary_key"), "hidden": form.has("hidden"),
            "filter": condition(form, "filter", catalog, item.name, item.filter),
        }  # fmt: skip
        return body(Dataset, changed(item, said))

    def beyond(self, item: Any, catalog: Catalog) -> list[str]:
        return ["its condition"] if item.filter is not None and not written_line(item.filter, catalog, item.name) else []

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        return None if item.hidden else SemanticQuery(metrics=(_count(item.name),))


class JoinKind(Kind):
    name, part, title, back, runs = "join", "relationships", "join", BACK, True
    about = "Which fields of one table point to rows of another. Questions walk along joins; no join ever multiplies rows."

    def label_of(self, item: Any) -> str:
        return spoken(item.name)

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        fields = field_choices(catalog)
        return (
            Input("name", "Name", like="orders_to_customers", note="Letters, digits and _; empty: made of the tables. It stays.", fixed=item is not None),
            Input("cardinality", "It leads from", "choice", choices=_CARDINALITIES),
            Input("from", "Rows with", "several", choices=fields, note="More than one where only several fields together name the other row."),
            Input("to", "Point to rows with", "several", choices=fields, note="In the same order."),
            Input("role", "What it leads to is called", like="departure", note="Only where several joins lead to one table: departure, arrival."),
            _CALLED,
            Input("default", "Taken when a question does not say which of several", "check"),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return {"from": [], "to": [], **given}
        return {
            "name": item.name, "cardinality": item.cardinality, "role": item.role or "", "synonyms": "\n".join(item.synonyms), "default": item.default,
            "from": [f"{item.from_dataset}.{f}" for f in item.from_fields], "to": [f"{item.to_dataset}.{f}" for f in item.to_fields],
        }  # fmt: skip

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        (start, ours), (end, theirs) = (
            fields_of_one(form, key, text, catalog) for key, text in (("from", "Rows with"), ("to", "Point to"))
        )
        if not ours or len(ours) != len(theirs):
            raise Invalid(
                f"Choose as many fields on both sides, at least one; found {len(ours)} and {len(theirs)}.", code="bad_form", path="to"
            )
        said = {
            "name": item.name if item is not None else form("name") or f"{start}_to_{end}", "from_dataset": start, "from_fields": ours,
            "to_dataset": end, "to_fields": theirs, "cardinality": form("cardinality", "many_to_one"), "role": chosen(form, "role"),
            "synonyms": lines(form, "synonyms"), "default": form.has("default"),
        }  # fmt: skip
        return body(Relationship, changed(item, said))

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        """How many rows there are on both sides, how many find no partner, how many different ones there are to find."""
        start, end = catalog.dataset(item.from_dataset), catalog.dataset(item.to_dataset)
        lonely = Has(dataset=end.name, via=(item.name,), negate=True)
        found = [
            _count(start.name, f"{start.label}, rows"),
            Aggregate(aggregate=AggregateKind.COUNT, dataset=start.name, where=lonely, alias=f"without {end.label}"),
        ]
        if start is not end:
            found.append(_count(end.name, f"{end.label}, rows"))
        if len(item.to_fields) == 1:
            only = FieldRef(dataset=end.name, field=item.to_fields[0])
            said = f"different {end.field(only.field).label}"
            found.append(Aggregate(aggregate=AggregateKind.COUNT_DISTINCT, dataset=end.name, of=only, alias=said))
        return SemanticQuery(metrics=tuple(found))


class EntityKind(Kind):
    name, part, title, back, runs = "thing", "entities", "thing", BACK, True
    meant = "entity"
    about = "What people name: a customer, a product, a store. “Top customers” lists them by what tells them apart and shows what they are called."

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        fields = field_choices(catalog)
        return (
            *name_inputs(item, "customer", "customer"),
            Input("plural", "Several of them", like="customers"),
            _CALLED,
            Input("key", "What tells them apart", "several", choices=fields),
            Input("display", "What is shown", "several", choices=fields, note="Of the same table; nothing: what tells them apart."),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return {"key": [], "display": [], **given}
        return {
            "name": item.name, "label": item.label, "plural": item.plural, "synonyms": "\n".join(item.synonyms),
            "key": [f"{item.dataset}.{f}" for f in item.key], "display": [f"{item.dataset}.{f}" for f in item.display],
        }  # fmt: skip

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        home, key = fields_of_one(form, "key", "What tells them apart", catalog)
        there, display = fields_of_one(form, "display", "What is shown", catalog)
        if not key:
            raise Invalid("Choose the field that tells them apart.", code="bad_form", path="key")
        if there and there != home:
            raise Invalid(f"What is shown must be of {catalog.dataset(home).label}.", code="bad_form", path="display")
        said = {"name": named(form, item), "label": said_label(form), "plural": form("plural"), "synonyms": lines(form, "synonyms")}
        return body(Entity, changed(item, said | {"dataset": home, "key": key, "display": display}))

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        return SemanticQuery(metrics=(_count(item.dataset),), by=(ByEntity(entity=item.name),), limit=20)


class HierarchyKind(Kind):
    name, part, title, back, runs = "levels", "hierarchies", "hierarchy", BACK, True
    about = "Levels from coarse to fine, such as region, country, city: where a click on a mark leads, and what “break it down” means."

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        return (
            *name_inputs(item, "geography", "geography"),
            Input("levels", "Levels, the coarsest first", "several", choices=field_choices(catalog)),
        )

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return {"levels": [], **given}
        return {"name": item.name, "label": item.label, "levels": [ref_key(ref) for ref in item.levels]}

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        levels = field_refs(form, "levels", "Levels", catalog, item.levels if item is not None else ())
        if len(levels) < 2:
            raise Invalid("Choose at least two levels, the coarsest first.", code="bad_form", path="levels")
        return body(Hierarchy, changed(item, {"name": named(form, item), "label": said_label(form), "levels": levels}))

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        groups = tuple(ByField(field=level) for level in item.levels)
        return SemanticQuery(metrics=(_count(item.levels[-1].dataset),), by=groups, limit=20)


class SegmentKind(Kind):
    name, part, title, back, runs = "segment", "segments", "segment", BACK, True
    about = "A named condition on rows: “revenue of active customers” takes only those."

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        return (
            *name_inputs(item, "active customers", "active_customers"),
            _ABOUT,
            _CALLED,
            Input("dataset", "Rows of", "choice", choices=dataset_choices(catalog)),
            Input("where", "For which", wide=True, like="status = 'active' AND orders > 3", note="A condition as in SQL, over the table's fields."),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return dict(given)
        return {key: getattr(item, key) for key in ("name", "label", "description", "dataset")} | {
            "synonyms": "\n".join(item.synonyms), "where": written_line(item.where, catalog, item.dataset),
        }  # fmt: skip

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        home = table_of(form, catalog)
        known = item.where if item is not None and item.dataset == home else None
        where = condition(form, "where", catalog, home, known)
        if where is None:
            raise Invalid("Say which rows belong to it.", code="bad_form", path="where")
        said = {
            "name": named(form, item),
            "label": said_label(form),
            "description": form("description"),
            "synonyms": lines(form, "synonyms"),
        }
        return body(Segment, changed(item, said | {"dataset": home, "where": where}))

    def beyond(self, item: Any, catalog: Catalog) -> list[str]:
        return [] if written_line(item.where, catalog, item.dataset) else ["its condition"]

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        return SemanticQuery(metrics=(_count(item.dataset),), where=item.where)


def _count(dataset: str, alias: str | None = None) -> Aggregate:
    return Aggregate(aggregate=AggregateKind.COUNT, dataset=dataset, alias=alias)
