"""Who sees what, as forms: rows by role, fields by role, classes by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from api.web.catalog_forms.conditions import condition, written_line
from api.web.catalog_forms.kind import Choices, Input, Kind, changed, dataset_choices, field_choices, one_of, spoken, table_of
from api.web.forms import Fields, body
from core.errors import Invalid
from semantic.catalog.model import Catalog, Clearance, ColumnRule, DataClass, RowPolicy

_BACK = ("/catalog/policies", "Who sees what")
ACTIONS = (("hide", "hidden: they do not know of it"), ("mask", "masked: a placeholder"), ("hash", "a pseudonym that stays the same"))


class RowPolicyKind(Kind):
    name, part, title, back = "policy", "row_policies", "row policy", _BACK
    about = "Narrows which rows of a table the holders of some roles see, everywhere: in answers, boards, alerts, files and SQL."

    def label_of(self, item: Any) -> str:
        return spoken(item.name)

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        return (
            Input("name", "Name", like="orders_region", note="Letters, digits and _.", required=True, fixed=item is not None),
            Input("roles", "Holders of", "ticks", choices=_roles(roles, item.roles if item is not None else ()), wide=True),
            Input("dataset", "See of the table", "choice", choices=dataset_choices(catalog)),
            Input("by", "Only rows", "choice", choices=(("field", "whose field is among a value of the person"), ("where", "that satisfy a condition"))),
            Input("field", "Field", "choice", choices=field_choices(catalog), when=("field",)),
            Input("attribute", "The person's attribute", when=("field",), like="regions", note="As under Administration, People. Who has none sees nothing."),
            Input("where", "Condition", when=("where",), wide=True, like="status <> 'draft'"),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return {"by": "field", "roles": [], **given}
        return {
            "name": item.name, "roles": list(item.roles), "dataset": item.dataset, "by": "field" if item.field is not None else "where",
            "field": f"{item.dataset}.{item.field}" if item.field else "", "attribute": item.attribute or "", "where": written_line(item.where, catalog, item.dataset),
        }  # fmt: skip

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        if not form.all("roles"):
            raise Invalid("Choose whose rows it narrows.", code="bad_form", path="roles")
        dataset = table_of(form, catalog)
        said: dict[str, Any] = {
            "name": item.name if item is not None else form("name"),
            "roles": tuple(form.all("roles")),
            "dataset": dataset,
        }
        if form("by") == "where":
            where = condition(form, "where", catalog, dataset, item.where if item is not None and item.dataset == dataset else None)
            if where is None:
                raise Invalid("Write the condition that the rows must satisfy.", code="bad_form", path="where")
            said |= {"field": None, "attribute": None, "where": where}
        else:
            home, field = one_of(catalog, form("field"), "Field")
            if home != dataset:
                raise Invalid(
                    f"The field {field!r} is of {catalog.dataset(home).label}; choose one of {catalog.dataset(dataset).label}.",
                    code="bad_form",
                    path="field",
                )
            if not form.has("attribute"):
                raise Invalid("Say which attribute of the person holds the values.", code="bad_form", path="attribute")
            said |= {"field": field, "attribute": form("attribute"), "where": None}
        return body(RowPolicy, changed(item, said))

    def beyond(self, item: Any, catalog: Catalog) -> list[str]:
        return ["its condition"] if item.where is not None and not written_line(item.where, catalog, item.dataset) else []


class ColumnRuleKind(Kind):
    name, part, title, back = "column", "column_rules", "column rule", _BACK
    about = "Hides a field from some roles, or shows something else in its place."

    def key_of(self, item: Any, place: int) -> str:
        return f"{item.dataset}.{item.field}.{item.action}.{'-'.join(item.roles)}"

    def label_of(self, item: Any) -> str:
        return f"{item.dataset}.{item.field}"

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        return (
            Input("field", "The field", "choice", choices=field_choices(catalog)),
            Input("action", "Is", "choice", choices=ACTIONS),
            Input("roles", "For holders of", "ticks", choices=_roles(roles, item.roles if item is not None else ()), wide=True),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return {"roles": [], "action": "hide", **given}
        return {"field": f"{item.dataset}.{item.field}", "action": item.action, "roles": list(item.roles)}

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        dataset, field = one_of(catalog, form("field"), "The field")
        if not form.all("roles"):
            raise Invalid("Choose for whom.", code="bad_form", path="roles")
        return body(ColumnRule, {"dataset": dataset, "field": field, "action": form("action"), "roles": tuple(form.all("roles"))})


class ClearanceKind(Kind):
    name, part, title, back = "clearance", "clearances", "clearance", _BACK
    about = "Up to which class holders of a role see fields. Without one: viewers and operators up to internal, everybody else up to confidential."

    def key_of(self, item: Any, place: int) -> str:
        return str(item.role)

    def label_of(self, item: Any) -> str:
        return spoken(item.role)

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        return (
            Input("role", "Holders of", "choice", choices=_roles(roles, (item.role,) if item is not None else ()), fixed=item is not None),
            Input("up_to", "See fields up to", "choice", choices=tuple((c.value, c.value) for c in DataClass)),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        return {"role": item.role, "up_to": item.up_to.value} if item is not None else {"up_to": "confidential", **given}

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        role = item.role if item is not None else form("role")
        if any(c.role == role and c is not item for c in catalog.clearances):
            raise Invalid(f"{spoken(role).capitalize()} has a clearance already; change that one.", code="clearance_exists", path="role")
        return body(Clearance, {"role": role, "up_to": form("up_to")})


def _roles(known: Sequence[str], named: Sequence[str]) -> Choices:
    """All roles, and those that are named though they are not there (any more)."""
    return [(name, spoken(name)) for name in dict.fromkeys((*known, *named))]
