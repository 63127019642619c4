"""The second factor at sign-in: time-based codes (RFC 6238, by pyotp) or one of ten recovery codes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pyotp

from api.services import Services
from core.errors import Conflict, Invalid, Unauthenticated
from core.principal import Principal
from core.store import audit, lockouts, second_factors, users
from core.store.audit import Happening
from core.store.credentials import hash_token
from core.store.users import User
from workers.alerts.sealing import seal, unseal

NEEDED = "second_factor_needed"
STEP_S = 30
_DRIFT_STEPS = 1  # a phone's clock may be half a minute off
_RECOVERY_CODES = 10
_KEY = "second_factor_key"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """secret: to type into an authenticator; uri: the same as otpauth://, for a QR code. Neither can be read again."""

    secret: str
    uri: str


def refuse_without_code(services: Services, user: User, code: str | None) -> None:
    """Raises: Unauthenticated when the user has a second factor and `code` is missing, wrong, or was used before."""
    with services.store.read() as connection:
        factor = second_factors.find(connection, user.tenant, user.id)
    if factor is None or factor.confirmed_at is None:
        return
    if not code:
        raise Unauthenticated("Enter the six-digit code of your authenticator, or a recovery code.", code=NEEDED)
    step = _step_of(services, factor.sealed, code)
    with services.store.write() as connection:
        if step is not None and second_factors.take_step(connection, user.tenant, user.id, step):
            return
        if second_factors.take_recovery(connection, user.tenant, user.id, hash_token(_plain(code))):
            audit.append(connection, user.tenant, Happening(user.id, "second_factor.recovery_used"), now=services.clock.now())
            return
    raise Unauthenticated("The code is wrong or was used before; wait for the next one.", code="bad_second_factor")


def begin(services: Services, caller: Principal) -> Enrolment:
    """A secret that counts once `confirm` has seen a code made with it. Raises: Conflict when a second factor is on."""
    secret = pyotp.random_base32(32)
    sealed = seal({"secret": secret}, _key(services))
    with services.store.write() as connection:
        known = second_factors.find(connection, caller.tenant, caller.user)
        if known is not None and known.confirmed_at is not None:
            raise Conflict("You have a second factor already; remove it first.", code="second_factor_on")
        me = users.get(connection, caller.tenant, caller.user)
        second_factors.begin(connection, caller.tenant, caller.user, sealed, now=services.clock.now())
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=me.email, issuer_name="Querent"))


def confirm(services: Services, caller: Principal, code: str) -> tuple[str, ...]:
    """Turns the second factor on; the recovery codes, shown once. Raises: Invalid for a wrong code or when none was begun."""
    with services.store.read() as connection:
        factor = second_factors.find(connection, caller.tenant, caller.user)
    if factor is None or factor.confirmed_at is not None:
        raise Invalid("There is no second factor to confirm; begin with a new one.", code="no_second_factor")
    step = _step_of(services, factor.sealed, code)
    if step is None:
        raise Invalid(
            "The code does not fit; check the clock of your phone and enter the code that it shows now.", code="bad_second_factor"
        )
    codes = tuple(f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(_RECOVERY_CODES))
    now = services.clock.now()
    with services.store.write() as connection:
        second_factors.confirm(connection, caller.tenant, caller.user, step, tuple(hash_token(_plain(one)) for one in codes), now=now)
        audit.append(connection, caller.tenant, Happening(caller.user, "second_factor.on"), now=now)
    return codes


def remove(services: Services, caller: Principal, code: str) -> None:
    """Turns it off, given a code; wrong ones count like failed sign-ins, so that nobody with an open session tries them all.

    Raises: Unauthenticated for a wrong code; RateLimited after many; NotFound for an unknown user.
    """
    now = services.clock.now()
    with services.store.read() as connection:
        me = users.get(connection, caller.tenant, caller.user)
        lockouts.refuse_locked(connection, me.email, now=now)
    try:
        refuse_without_code(services, me, code)
    except Unauthenticated:
        with services.store.write() as connection:
            lockouts.failed(connection, me.email, now=now)
        raise
    with services.store.write() as connection:
        second_factors.remove(connection, caller.tenant, caller.user)
        audit.append(connection, caller.tenant, Happening(caller.user, "second_factor.off"), now=services.clock.now())


def _step_of(services: Services, sealed: str, code: str) -> int | None:
    """The 30-second step whose code this is, None when it is no step's near now."""
    given = _plain(code)
    if not (len(given) == 6 and given.isdigit()):
        return None
    totp = pyotp.TOTP(unseal(sealed, _key(services))["secret"])
    now_step = int(services.clock.now().timestamp()) // STEP_S
    for step in range(now_step - _DRIFT_STEPS, now_step + _DRIFT_STEPS + 1):
        if secrets.compare_digest(totp.at(step * STEP_S), given):
            return step
    return None


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _key(services: Services) -> str:
    return services.core.secret(_KEY)
