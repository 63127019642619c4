"""What channels are called in pages: the one to one's own e-mail address by that, and those to other people's not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.ids import UserId
from workers.digests.addresses import PERSONAL


def shown_channels(found: Iterable[Mapping[str, Any]], user: UserId) -> list[dict[str, Any]]:
    """found: as the API lists them."""
    mine = f"{PERSONAL}{user}"
    made = [{**one, "name": "My e-mail address"} if str(one["name"]).startswith(mine) else dict(one) for one in found]
    return [one for one in made if not str(one["name"]).startswith(PERSONAL)]
