from __future__ import annotations

import pytest

from core.errors import Invalid
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.limits import BY_ROLE, HTTP_TIMEOUT_S, Limits, limit_settings, limits_for


def caller(*roles: Role) -> Principal:
    return Principal(TenantId("acme"), UserId("u"), frozenset(roles))


class TestLimits:
    def test_every_role_has_its_own_and_ends_before_the_http_timeout(self) -> None:
        assert set(BY_ROLE) == set(Role)
        assert all(limits.execution_s < HTTP_TIMEOUT_S for limits in BY_ROLE.values())

    @pytest.mark.parametrize("bad", [{"result_rows": 0}, {"memory_bytes": -1}, {"execution_s": HTTP_TIMEOUT_S}])
    def test_a_cap_that_means_nothing_is_refused(self, bad: dict[str, int]) -> None:
        with pytest.raises(Invalid):
            Limits(**bad)


class TestLimitsFor:
    def test_the_most_generous_role_counts(self) -> None:
        assert limits_for(caller(Role.VIEWER, Role.DATA_SCIENTIST)) == BY_ROLE[Role.DATA_SCIENTIST]

    def test_a_caller_without_roles_gets_the_viewers(self) -> None:
        assert limits_for(caller()) == BY_ROLE[Role.VIEWER]


class TestLimitSettings:
    def test_going_over_is_an_error_never_a_silent_cut(self) -> None:
        settings = limit_settings(Limits(result_rows=10))
        assert {settings[key] for key in settings if key.endswith("_overflow_mode")} == {"throw"}

    def test_the_row_that_tells_of_a_cut_fits(self) -> None:
        assert int(limit_settings(Limits(result_rows=10))["max_result_rows"]) > 10 + 1
