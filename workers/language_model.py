"""Calls an OpenAI-compatible chat endpoint: checked address, no redirects, bounded time and size, the key only in its header."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence

from core.errors import RateLimited
from core.principal import Principal
from core.settings import Settings
from core.store import tenants, usage
from nlq.llm.reader import ModelAway
from workers.alerts.addresses import Blocked
from workers.alerts.outbound import Failed, exchange
from workers.bootstrap import Services

log = logging.getLogger(__name__)
MAX_REPLY_BYTES = 256 * 1024
MODES = ("off", "refusals", "first")


class ChatModel:
    """`base_url` as OpenAI's clients take it (".../v1"). Use from one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, conversation: Sequence[dict[str, str]], *, timeout_s: float) -> str:
        """The reply's text. Raises: ModelAway."""
        s = self._settings
        body = json.dumps(
            {"model": s.llm_model, "messages": list(conversation), "temperature": 0, "max_tokens": s.llm_max_tokens, "response_format": {"type": "json_object"}}
        ).encode()  # fmt: skip
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "querent"}
        if s.llm_api_key.get_secret_value():
            headers["Authorization"] = f"Bearer {s.llm_api_key.get_secret_value()}"
        url = s.llm_base_url.rstrip("/") + "/chat/completions"
        started = time.monotonic()
        try:
            status, read = exchange(url, body, headers, allowed=s.outbound_hosts, total_s=timeout_s, max_bytes=MAX_REPLY_BYTES)
        except Blocked as error:
            log.warning("the language model's address is not allowed; add its host to QUERENT_OUTBOUND_HOSTS if it is meant")
            raise ModelAway("The language model's address is not allowed.") from error
        except Failed as error:
            raise ModelAway("The language model did not answer in time.") from error
        log.info("language model answered %s in %.0f ms", status, (time.monotonic() - started) * 1000)
        if status != 200:
            raise ModelAway(f"The language model answered with status {status}.")
        try:
            text = json.loads(read)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise ModelAway("The language model's reply could not be read.") from error
        if not isinstance(text, str) or not text.strip():
            raise ModelAway("The language model said nothing.")
        return text


def mode(services: Services, principal: Principal) -> str:
    """off, refusals (only where the grammar refuses) or first; the tenant's own setting `llm` before the installation's."""
    s = services.settings
    if not s.llm_base_url or not s.llm_model:
        return "off"
    with services.store.read() as connection:
        own = tenants.get(connection, principal.tenant).settings.get("llm") if tenants.exists(connection, principal.tenant) else None
    return own if own in MODES else s.llm_mode


def spend_call(services: Services, principal: Principal) -> bool:
    """Counts one question for the model; False when the tenant used up today's."""
    try:
        services.quotas.refuse_over(principal.tenant, "llm_calls")
    except RateLimited:
        return False
    with services.store.write() as connection:
        usage.add(connection, principal.tenant, principal.user, "llm_calls", 1, day=services.clock.now().date())
    return True
