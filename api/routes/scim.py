"""SCIM 2.0 provisioning: a company's directory keeps people and groups here with an API key whose scope is `provision`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator
from starlette.concurrency import run_in_threadpool

from api import provisioning
from api.credentials import Caller
from api.provisioning import GroupChange
from api.scim_form import CORE, GroupIn, PatchIn, UserIn, filtered, group_view, listing, patched_group, patched_user, user_view
from api.services import services_of
from core.errors import UserError
from core.ids import UserId
from core.store import directory, users

MEDIA_TYPE = "application/scim+json"
router = APIRouter(prefix="/scim/v2", tags=["provisioning"])
Filter = Annotated[str | None, Query(max_length=400)]
# RFC 7644 (3.4.2.4): what is below the least is the least; a server may send fewer than asked for.
Start = Annotated[int, Query(alias="startIndex"), AfterValidator(lambda start: min(max(start, 1), 10**7))]
Count = Annotated[int, Query(), AfterValidator(lambda count: min(max(count, 0), 500))]


class Scim(JSONResponse):
    media_type = MEDIA_TYPE


@router.get("/ServiceProviderConfig", summary="What this service can do", response_class=Scim)
async def config(caller: Caller) -> Any:
    supported = {name: {"supported": name in {"patch", "filter"}} for name in ("patch", "filter", "bulk", "changePassword", "sort", "etag")}
    supported["filter"]["maxResults"] = 500  # type: ignore[assignment]
    scheme = {"type": "oauthbearertoken", "name": "API key", "description": "An API key with the scope provision"}
    return Scim({"schemas": [CORE + "ServiceProviderConfig"], **supported, "authenticationSchemes": [scheme]})


@router.get("/Users", summary="People, by e-mail", response_class=Scim)
async def list_users(request: Request, caller: Caller, filter: Filter = None, start: Start = 1, count: Count = 100) -> Any:
    wanted = filtered(filter)
    if wanted is not None and wanted[0] == "displayname":
        raise UserError("People are found by userName or externalId.", code="bad_filter")
    email, external = (wanted[1] if wanted and wanted[0] == kind else None for kind in ("username", "externalid"))
    total, found = await run_in_threadpool(provisioning.find_people, services_of(request), caller, email, external, start, count)
    return Scim(listing(total, start, [user_view(user, _base(request)) for user in found]))


@router.post("/Users", status_code=201, summary="Add a person, who has no rights until a group gives them", response_class=Scim)
async def add_user(request: Request, body: UserIn, caller: Caller) -> Any:
    made = await run_in_threadpool(
        provisioning.add_person, services_of(request), caller, body.userName, body.said(), body.externalId, body.active
    )
    view = user_view(made, _base(request))
    return Scim(view, 201, headers={"Location": view["meta"]["location"]})


@router.get("/Users/{user_id}", summary="One person", response_class=Scim)
async def get_user(request: Request, user_id: str, caller: Caller) -> Any:
    services = services_of(request)

    def read() -> users.User:
        with services.store.read() as connection:
            return users.get(connection, caller.tenant, UserId(user_id))

    return Scim(user_view(await run_in_threadpool(read), _base(request)))


@router.put("/Users/{user_id}", summary="Change a person's name, or whether they are active", response_class=Scim)
async def replace_user(request: Request, user_id: str, body: UserIn, caller: Caller) -> Any:
    return await _changed_user(request, caller, user_id, body.said() or None, body.active)


@router.patch("/Users/{user_id}", summary="Change a person's name, or whether they are active", response_class=Scim)
async def patch_user(request: Request, user_id: str, body: PatchIn, caller: Caller) -> Any:
    return await _changed_user(request, caller, user_id, *patched_user(body))


@router.delete("/Users/{user_id}", status_code=204, summary="Disable a person; what they made stays")
async def delete_user(request: Request, user_id: str, caller: Caller) -> Response:
    await _changed_user(request, caller, user_id, None, False)
    return Response(status_code=204)


@router.get("/Groups", summary="Groups, by name", response_class=Scim)
async def list_groups(request: Request, caller: Caller, filter: Filter = None, start: Start = 1, count: Count = 100) -> Any:
    services, wanted = services_of(request), filtered(filter)
    if wanted is not None and wanted[0] == "username":
        raise UserError("Groups are found by displayName or externalId.", code="bad_filter")

    def read() -> tuple[directory.Group, ...]:
        with services.store.read() as connection:
            return directory.list_all(connection, caller.tenant)

    found = [g for g in await run_in_threadpool(read) if wanted is None or wanted[1] in (g.display_name, g.external_id)]
    shown = found[start - 1 : start - 1 + count]
    return Scim(listing(len(found), start, [group_view(group, _base(request)) for group in shown]))


@router.post("/Groups", status_code=201, summary="Add a group", response_class=Scim)
async def add_group(request: Request, body: GroupIn, caller: Caller) -> Any:
    made = await run_in_threadpool(provisioning.add_group, services_of(request), caller, body.displayName, body.externalId, body.users())
    view = group_view(made, _base(request))
    return Scim(view, 201, headers={"Location": view["meta"]["location"]})


@router.get("/Groups/{group_id}", summary="One group", response_class=Scim)
async def get_group(request: Request, group_id: str, caller: Caller) -> Any:
    services = services_of(request)

    def read() -> directory.Group:
        with services.store.read() as connection:
            return directory.get(connection, caller.tenant, group_id)

    return Scim(group_view(await run_in_threadpool(read), _base(request)))


@router.put("/Groups/{group_id}", summary="Change a group's name and members", response_class=Scim)
async def replace_group(request: Request, group_id: str, body: GroupIn, caller: Caller) -> Any:
    return await _changed_group(request, caller, group_id, GroupChange(body.displayName, body.users()))


@router.patch("/Groups/{group_id}", summary="Change a group's name or some members", response_class=Scim)
async def patch_group(request: Request, group_id: str, body: PatchIn, caller: Caller) -> Any:
    return await _changed_group(request, caller, group_id, patched_group(body))


@router.delete("/Groups/{group_id}", status_code=204, summary="Remove a group; its members lose its role")
async def delete_group(request: Request, group_id: str, caller: Caller) -> Response:
    await run_in_threadpool(provisioning.remove_group, services_of(request), caller, group_id)
    return Response(status_code=204)


async def _changed_user(request: Request, caller: Caller, user_id: str, name: str | None, active: bool | None) -> Scim:
    changed = await run_in_threadpool(provisioning.change_person, services_of(request), caller, UserId(user_id), name, active)
    return Scim(user_view(changed, _base(request)))


async def _changed_group(request: Request, caller: Caller, group_id: str, wanted: GroupChange) -> Scim:
    return Scim(
        group_view(await run_in_threadpool(provisioning.change_group, services_of(request), caller, group_id, wanted), _base(request))
    )


def _base(request: Request) -> str:
    return f"{services_of(request).settings.resolved_base_url}/scim/v2"
