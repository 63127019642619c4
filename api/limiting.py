"""How often one may ask: a rate per caller and one per tenant."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import limits
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from core.errors import RateLimited
from core.principal import Principal
from core.settings import Settings


class TooManyRequests(RateLimited):
    """retry_after_s: when one request will pass again."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller has left; becomes the RateLimit headers."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """The fields of the IETF draft "RateLimit header fields for HTTP"."""
        return {"RateLimit-Policy": f'"requests";q={self.limit};w=60', "RateLimit": f'"requests";r={self.remaining};t={self.reset_s}'}


class RequestRates:
    """Counts in Redis where there is one, so that all API processes share a count; else in this process. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        url = settings.redis_url
        storage = storage_from_string(url) if url else MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._caller = settings.rate_per_minute
        self._tenant = settings.tenant_rate_per_minute

    def take(self, principal: Principal) -> Standing | None:
        """Counts one request. None without a limit, and when the counter does not answer (a broken Redis stops nobody).

        Raises: TooManyRequests.
        """
        standing: Standing | None = None
        for limit, keys, whose in (
            (self._tenant, ("tenant", principal.tenant), "your company's"),
            (self._caller, ("user", principal.tenant, principal.user), "your"),
        ):
            if not limit:
                continue
            item = limits.RateLimitItemPerMinute(limit)
            try:
                passed = self._limiter.hit(item, *keys)
                window = self._limiter.get_window_stats(item, *keys)
            except Exception:
                continue
            reset_s = max(1, math.ceil(window.reset_time - time.time()))
            if not passed:
                raise TooManyRequests(f"That is more than {whose} {limit:,} requests a minute; try again in {reset_s} s.", reset_s)
            standing = Standing(limit, max(0, window.remaining), reset_s)
        return standing
