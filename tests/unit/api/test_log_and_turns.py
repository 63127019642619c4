"""Who waits for the log of questions holds no turn, unless their company floods."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.answering import _in_turn
from api.turns import Turns
from core.ids import TenantId, UserId
from core.principal import Principal

ANN = Principal(TenantId("acme"), UserId("usr_ann"), frozenset(), {}, frozenset({"*"}))


@pytest.mark.parametrize(("floods", "begun"), [(False, 2), (True, 1)])
def test_others_go_on_while_a_log_is_written(floods: bool, begun: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turns, "is_held_back", lambda *_: floods)

    async def scenario() -> int:
        services, written, order = SimpleNamespace(turns=Turns(at_once=1)), asyncio.Event(), list[str]()

        class Log:
            async def kept(self) -> str:
                await written.wait()
                return "answer"

        async def work() -> Any:
            order.append("begun")
            return Log()

        asked = [asyncio.create_task(_in_turn(cast(Any, services), ANN, work)) for _ in range(2)]
        for _ in range(10):
            await asyncio.sleep(0)
        found = len(order)
        written.set()
        await asked[0]
        for one in asked[1:]:
            one.cancel()  # it rests
        await asyncio.gather(*asked, return_exceptions=True)
        return found

    assert asyncio.run(scenario()) == begun
