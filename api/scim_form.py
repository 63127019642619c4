"""SCIM 2.0's own forms: resources, lists, filters and patches, to and from ours. Source: RFC 7643 and RFC 7644."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from api.provisioning import GroupChange
from core.errors import UserError
from core.ids import UserId
from core.store.directory import Group
from core.store.users import User

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"
_FILTER = re.compile(r'\s*(userName|externalId|displayName)\s+eq\s+"((?:[^"\\]|\\.){0,320})"\s*\Z', re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?:urn:[A-Za-z0-9:._-]{1,200}:)?[A-Za-z][\w$-]{0,99}(?:\[[^\]]{1,200}\])?(?:\.[A-Za-z][\w$-]{0,99})?\Z")
_ONE_MEMBER = re.compile(r'members\[value eq "([^"]{1,64})"\]\Z', re.IGNORECASE)


class _Given(BaseModel):
    """Directories send more than we keep; the rest is read over, as RFC 7644 says of attributes that are not known."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        """Null is an attribute that is not there (RFC 7643, 2.5)."""
        return {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else given


class Name(_Given):
    formatted: str = Field(default="", max_length=200)
    givenName: str = Field(default="", max_length=100)
    familyName: str = Field(default="", max_length=100)

    def said(self) -> str:
        return self.formatted or f"{self.givenName} {self.familyName}".strip()


class UserIn(_Given):
    userName: str = Field(min_length=3, max_length=320, description="The e-mail address that the person signs in with.")
    displayName: str = Field(default="", max_length=200)
    name: Name = Name()
    externalId: str | None = Field(default=None, max_length=255)
    active: bool = True

    def said(self) -> str:
        return self.displayName or self.name.said()


class MemberIn(_Given):
    value: str = Field(min_length=1, max_length=64)


class GroupIn(_Given):
    displayName: str = Field(min_length=1, max_length=300)
    externalId: str | None = Field(default=None, max_length=255)
    members: list[MemberIn] = Field(default=[], max_length=10_000)

    def users(self) -> frozenset[UserId]:
        return frozenset(UserId(member.value) for member in self.members)


class Operation(_Given):
    op: Annotated[str, Field(pattern="^(?i:add|remove|replace)$")]
    path: str = Field(default="", max_length=400)
    value: Any = None


class PatchIn(_Given):
    Operations: list[Operation] = Field(min_length=1, max_length=100)


def filtered(text: str | None) -> tuple[str, str] | None:
    """The attribute in lower case and the value it must equal. Raises: UserError (400) for another form of filter."""
    if not text:
        return None
    found = _FILTER.match(text)
    if found is None:
        raise UserError(f'A filter such as userName eq "ada@example.com" was expected; found {text[:80]!r}.', code="bad_filter")
    return found[1].lower(), re.sub(r"\\(.)", r"\1", found[2])


def user_view(user: User, base: str) -> dict[str, Any]:
    return {
        "schemas": [CORE + "User"], "id": user.id, "userName": user.email, "displayName": user.display_name, "active": not user.disabled,
        "name": {"formatted": user.display_name}, "emails": [{"value": user.email, "primary": True}],
        "roles": [{"value": role} for role in sorted(user.roles)], "meta": _meta("User", f"{base}/Users/{user.id}", user.created_at.isoformat()),
    }  # fmt: skip


def group_view(group: Group, base: str) -> dict[str, Any]:
    return {
        "schemas": [CORE + "Group"], "id": group.id, "displayName": group.display_name, "members": [{"value": user} for user in group.members],
        "meta": _meta("Group", f"{base}/Groups/{group.id}", group.created_at.isoformat()),
    } | ({"externalId": group.external_id} if group.external_id else {})  # fmt: skip


def listing(total: int, start: int, items: list[dict[str, Any]]) -> dict[str, Any]:
    shown = {"totalResults": total, "startIndex": start, "itemsPerPage": len(items), "Resources": items}
    return {"schemas": [MESSAGES + "ListResponse"], **shown}


def patched_user(patch: PatchIn) -> tuple[str | None, bool | None]:
    """The new name and whether the person is active; None for what stays. Raises: UserError for what cannot be patched."""
    name, active = None, None
    for one in patch.Operations:
        values = one.value if not one.path and isinstance(one.value, dict) else {one.path: one.value}
        if one.op.lower() == "remove" and one.path.lower() in {"", "active", "displayname", "username"}:
            raise _unknown(one.path)
        for path, value in values.items():
            match path.lower():
                case "active":
                    active = _truth(value)
                case "displayname" | "name.formatted":
                    name = _text(value, path)
                case "roles" | "groups" | "password" | "":
                    raise _unknown(path)
                case _ if _ATTRIBUTE.match(path):
                    continue  # sent along by directories, as titles are; e-mail and external id stay what they were
                case _:
                    raise _unknown(path)
    return name, active


def patched_group(patch: PatchIn) -> GroupChange:
    """Raises: UserError for what cannot be patched."""
    name: str | None = None
    members: frozenset[UserId] | None = None
    added, removed = set[UserId](), set[UserId]()
    for one in patch.Operations:
        values = one.value if not one.path and isinstance(one.value, dict) else {one.path: one.value}
        for path, value in values.items():
            single = _ONE_MEMBER.match(path)
            match (one.op.lower(), "members" if single else path.lower()):
                case ("replace" | "add", "displayname"):
                    name = _text(value, path)
                case ("replace", "members"):
                    members, added, removed = _users(value), set(), set()
                case ("add", "members"):
                    added |= _users(value)
                    removed -= _users(value)
                case ("remove", "members") if single:
                    removed.add(UserId(single[1]))
                    added.discard(UserId(single[1]))
                case ("remove", "members") if value is not None:
                    removed |= _users(value)
                case ("remove", "members"):
                    members, added = frozenset(), set()
                case ("replace" | "add", "externalid" | "id"):
                    continue
                case _:
                    raise _unknown(path)
    return GroupChange(name, members, frozenset(added), frozenset(removed))


def _users(value: Any) -> frozenset[UserId]:
    items = value if isinstance(value, list) else [value]
    try:
        return GroupIn.model_validate({"displayName": "x", "members": items}).users()
    except ValidationError as error:
        raise UserError('members are a list of {"value": id}, at most 10,000 at once.', code="bad_value") from error


def _truth(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:  # as Entra ID sends it
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise UserError(f"active is true or false; found {str(value)[:40]!r}.", code="bad_value")
    return value


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 300:
        raise UserError(f"{path} is a text of at most 300 characters.", code="bad_value")
    return value


def _unknown(path: str) -> UserError:
    return UserError(f"{path[:80]!r} cannot be changed here.", code="bad_path")


def _meta(kind: str, location: str, created: str) -> dict[str, str]:
    return {"resourceType": kind, "location": location, "created": created}
