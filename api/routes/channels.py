"""Channels with a test button, dead letters, and the in-app inbox."""

from __future__ import annotations

import base64
import os
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.alert_schemas import ChannelBody, ChannelSwitch, ChatConfig, EmailConfig, WebhookConfig
from api.alert_views import channel_view, delivery_view, shown_address
from api.credentials import Caller
from api.paging import Cursor, NameCursor, PageSize
from api.preconditions import IfMatch, etag_of, hold, refuse_changed, tagged
from api.services import Services, services_of
from core.errors import Forbidden, Invalid, NotFound
from core.principal import Principal
from core.rights import Right, may
from core.store import audit, channels, deliveries, inbox
from core.store.audit import Happening
from core.store.channels import Channel, NewChannel
from core.store.deliveries import DeliveryStatus
from workers.alerts.deliver import send_test
from workers.alerts.sealing import seal
from workers.alerts.services_allowed import is_allowed_chat, scheme_of
from workers.queue import wake_sender

router = APIRouter(prefix="/v1", tags=["alerts"])


@router.get("/channels", summary="Channels, by name")
async def list_channels(request: Request, caller: Caller, cursor: NameCursor = None, limit: PageSize = 200) -> schemas.Page:
    """Without anybody's secrets, and without other people's inboxes."""
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = channels.list_all(connection, caller.tenant, after=cursor or "", limit=limit)
        return schemas.Page(
            items=[channel_view(c) | {"etag": _etag(c)} for c in found if _is_mine(c, caller)],
            next=found[-1].name if len(found) == limit else None,
        )

    return await run_in_threadpool(read)


@router.post("/channels", status_code=201, summary="Make a channel; a made webhook secret is shown once")
async def create_channel(request: Request, body: ChannelBody, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def make() -> dict[str, Any]:
        new, shown_once = _new(services, body, caller)
        now = services.clock.now()
        with services.store.write() as connection:
            made = channels.create(connection, caller.tenant, new, now=now)
            audit.append(connection, caller.tenant, Happening(caller.user, "channel.create", made.id, details={"kind": made.kind}), now=now)
        return tagged(request, _etag(made), channel_view(made) | shown_once)

    return await run_in_threadpool(make)


@router.get("/channels/{channel_id}", summary="One channel")
async def get_channel(request: Request, channel_id: str, caller: Caller) -> dict[str, Any]:
    found = await run_in_threadpool(_load, services_of(request), caller, channel_id)
    return tagged(request, _etag(found), channel_view(found))


@router.put("/channels/{channel_id}", summary="Change a channel; its secret is given anew")
async def replace_channel(request: Request, channel_id: str, body: ChannelBody, caller: Caller, if_match: IfMatch = None) -> dict[str, Any]:
    services = services_of(request)

    def change() -> dict[str, Any]:
        known = _load(services, caller, channel_id)
        if known.kind != body.config.kind:
            raise Invalid(f"This channel is of kind {known.kind}; make a new one for {body.config.kind}.", code="channel_kind")
        new, shown_once = _new(services, body, caller)
        now = services.clock.now()
        with services.store.write() as connection:
            hold(connection, if_match, "channels", caller.tenant, channel_id)
            _refuse_changed(channels.get(connection, caller.tenant, channel_id), if_match)
            made = channels.replace(connection, caller.tenant, channel_id, new, now=now)
            audit.append(connection, caller.tenant, Happening(caller.user, "channel.change", made.id), now=now)
        return tagged(request, _etag(made), channel_view(made) | shown_once)

    return await run_in_threadpool(change)


@router.patch("/channels/{channel_id}", summary="Switch a channel on or off")
async def switch_channel(
    request: Request, channel_id: str, body: ChannelSwitch, caller: Caller, if_match: IfMatch = None
) -> dict[str, Any]:
    services = services_of(request)

    def change() -> dict[str, Any]:
        _load(services, caller, channel_id)
        with services.store.write() as connection:
            hold(connection, if_match, "channels", caller.tenant, channel_id)
            known = channels.get(connection, caller.tenant, channel_id)
            _refuse_changed(known, if_match)
            new = NewChannel(known.name, known.kind, known.config, known.sealed, known.created_by, body.enabled)
            made = channels.replace(connection, caller.tenant, channel_id, new, now=services.clock.now())
        return tagged(request, _etag(made), channel_view(made))

    return await run_in_threadpool(change)


@router.delete("/channels/{channel_id}", status_code=204, summary="Remove a channel with its subscriptions")
async def delete_channel(request: Request, channel_id: str, caller: Caller, if_match: IfMatch = None) -> None:
    services = services_of(request)

    def remove() -> None:
        _load(services, caller, channel_id)
        with services.store.write() as connection:
            hold(connection, if_match, "channels", caller.tenant, channel_id)
            _refuse_changed(channels.get(connection, caller.tenant, channel_id), if_match)
            channels.delete(connection, caller.tenant, channel_id)
            audit.append(connection, caller.tenant, Happening(caller.user, "channel.delete", channel_id), now=services.clock.now())

    await run_in_threadpool(remove)


@router.post("/channels/{channel_id}/test", summary="Send a test message now")
async def test_channel(request: Request, channel_id: str, caller: Caller) -> dict[str, Any]:
    """How it went: `status` sent, or dead with the reason."""
    services = services_of(request)

    def send() -> dict[str, Any]:
        channel = _load(services, caller, channel_id)
        if channel.kind != "inbox" and not may(caller, Right.CHANNELS):
            raise Forbidden("Analysts and admins test channels.")
        return delivery_view(send_test(services.core, channel, caller.user))

    return await run_in_threadpool(send)


@router.get("/deliveries", summary="What was sent, waits, or could not be sent (status=dead)")
async def list_deliveries(
    request: Request,
    caller: Caller,
    status: DeliveryStatus | None = None,
    channel_id: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = deliveries.list_all(
                connection, caller.tenant, status=status, channel_id=channel_id, before_id=cursor, limit=limit
            )  # fmt: skip
        return schemas.Page(items=[delivery_view(d) for d in found], next=found[-1].id if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.post("/deliveries/{delivery_id}/resend", summary="Send a dead letter again")
async def resend(request: Request, delivery_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def again() -> dict[str, Any]:
        with services.store.write() as connection:
            found = deliveries.resend(connection, caller.tenant, delivery_id, now=services.clock.now())
        wake_sender(services.core)
        return delivery_view(found)

    return await run_in_threadpool(again)


@router.get("/inbox", summary="Your messages, newest first")
async def read_inbox(request: Request, caller: Caller, unread: bool = False, cursor: Cursor = None, limit: PageSize = 50) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = inbox.list_all(connection, caller.tenant, caller.user, unread_only=unread, before_id=cursor, limit=limit)
        names = "id incident_id title body created_at read_at".split()
        items = [{name: getattr(message, name) for name in names} for message in found]
        return schemas.Page(items=items, next=found[-1].id if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.post("/inbox/read", summary="Mark one message, or all, as read")
async def mark_read(request: Request, caller: Caller, message_id: Annotated[str | None, Query(max_length=64)] = None) -> dict[str, int]:
    services = services_of(request)

    def mark() -> int:
        with services.store.write() as connection:
            return inbox.mark_read(connection, caller.tenant, caller.user, message_id, now=services.clock.now())

    return {"marked": await run_in_threadpool(mark)}


def _etag(channel: Channel) -> str:
    """Of what people change, its secret too."""
    return etag_of(channel.name, channel.kind, dict(channel.config), channel.enabled, channel.sealed)


def _refuse_changed(channel: Channel, expected: str | None) -> None:
    refuse_changed(expected, _etag(channel), channel_view(channel))


def _load(services: Services, caller: Principal, channel_id: str) -> Channel:
    with services.store.read() as connection:
        channel = channels.get(connection, caller.tenant, channel_id)
    if not _is_mine(channel, caller):
        raise NotFound(f"There is no channel {channel_id[:60]!r}.", code="unknown_channel")
    return channel


def _is_mine(channel: Channel, caller: Principal) -> bool:
    return channel.kind != "inbox" or channel.config.get("user") == caller.user


def _new(services: Services, body: ChannelBody, caller: Principal) -> tuple[NewChannel, dict[str, str]]:
    """The channel to store, and what its maker sees this once."""
    config, key = body.config, services.core.secret("channel_key")
    if isinstance(config, EmailConfig):
        return NewChannel(body.name, "email", {"to": list(config.to)}, None, caller.user, body.enabled), {}
    url = config.url.get_secret_value().strip()
    shown = {"address": shown_address(url)}
    if isinstance(config, ChatConfig):
        if not is_allowed_chat(url, services.settings.outbound_hosts):
            raise Invalid(
                f"Chat addresses such as slack://, discord:// or workflows:// (Teams) were expected; {scheme_of(url)[:20]!r} is not on the "
                "list, or its host is not one that the operator allowed (QUERENT_OUTBOUND_HOSTS).",
                code="bad_chat_address", path="/config/url",
            )  # fmt: skip
        return NewChannel(body.name, "apprise", shown, seal({"url": url}, key), caller.user, body.enabled), {}
    return _webhook(body, config, url, shown, key, caller)


def _webhook(
    body: ChannelBody, config: WebhookConfig, url: str, shown: dict[str, str], key: str, caller: Principal
) -> tuple[NewChannel, dict[str, str]]:
    if not url.lower().startswith(("https://", "http://")):
        raise Invalid("A webhook's address starts with https:// or http://.", code="bad_webhook", path="/config/url")
    given = config.secret.get_secret_value() if config.secret is not None else None
    if given is not None and not _is_signing_secret(given):
        raise Invalid(
            "The secret must be whsec_ and the base64 of 24 to 64 bytes; or leave it out.", code="bad_secret", path="/config/secret"
        )
    secret = given or "whsec_" + base64.b64encode(os.urandom(32)).decode()
    sealed = seal({"url": url, "secret": secret}, key)
    new = NewChannel(body.name, "webhook", shown, sealed, caller.user, body.enabled)
    return new, {} if given else {"secret": secret}


def _is_signing_secret(text: str) -> bool:
    try:
        return text.startswith("whsec_") and 24 <= len(base64.b64decode(text[6:], validate=True)) <= 64
    except ValueError:
        return False
