"""Public links: a signed token names the company and the link; the link says the board, its end and whose rights count."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from api.services import Services
from core.errors import NotFound
from core.ids import tenant_id
from core.principal import Principal
from core.rights import Right, may
from core.store import boards, tenants, users
from core.store.boards import BoardLink, StoredBoard
from workers.boards.access import owns

_GONE = "This link does not work: it was mistyped, has run out, or was taken back. Ask whoever sent it for a new one."


@dataclass(frozen=True, slots=True)
class Opened:
    """principal: the rights of the person who made the link, as they are now."""

    board: StoredBoard
    link: BoardLink
    principal: Principal


def token(key: str, tenant: str, link_id: str) -> str:
    """tenant.link.signature; the signature covers both."""
    return f"{tenant}.{link_id}.{_signature(key, tenant, link_id)}"


def opened(services: Services, text: str) -> Opened:
    """Raises: NotFound, with the same words whatever is wrong."""
    parts = text.split(".")
    if len(parts) != 3 or not hmac.compare_digest(parts[2].encode(), _signature(services.core.session_key, parts[0], parts[1]).encode()):
        raise NotFound(_GONE, code="unknown_link")
    tenant = tenant_id(parts[0])
    with services.store.read() as connection:
        try:
            link = boards.link(connection, tenant, parts[1])
            board = boards.get(connection, tenant, link.board_id)
            maker = users.get(connection, tenant, link.created_by)
            closed = tenants.get(connection, tenant).disabled
        except NotFound as error:
            raise NotFound(_GONE, code="unknown_link") from error
    caller = maker.principal()
    over = link.revoked_at is not None or link.expires_at <= services.clock.now()
    if over or closed or maker.disabled or not (owns(caller, board) and may(caller, Right.SHARE)):  # who may no longer make one has none
        raise NotFound(_GONE, code="unknown_link")
    return Opened(board, link, caller)


def _signature(key: str, tenant: str, link_id: str) -> str:
    digest = hmac.new(key.encode(), f"board-link/{tenant}/{link_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()
