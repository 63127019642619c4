"""Conversations: each turn's paraphrase tells what was kept, what was changed and what was dropped."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from nlq.types import DialogueState
from nlq.understand import Understander
from workers.demo.catalog import demo_catalog
from workers.demo.world import ACME

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "questions" / "dialogues.yaml").read_text(encoding="utf-8"))
NOW = dt.datetime.combine(DOCUMENT["as_of"], dt.time(12), dt.UTC)
STATE = TypeAdapter(DialogueState)


@pytest.fixture(scope="module")
def acme() -> Understander:
    return Understander(demo_catalog(ACME))


@pytest.mark.parametrize("turns", DOCUMENT["dialogues"], ids=lambda turns: " | ".join(said for said, _ in turns))
def test_dialogue(acme: Understander, turns: list[tuple[str, dict[str, Any]]]) -> None:
    state: DialogueState | None = None
    for said, wanted in turns:
        found = acme.understand(said, as_of=NOW, dialogue=state)
        assert found.outcome == wanted.get("outcome", "answer"), (said, found.message)
        if "outcome" not in wanted:
            reading = found.readings[0]
            assert reading.intent.value == wanted.get("intent", "ask"), said
            assert [text for text in wanted.get("has", ()) if text not in reading.paraphrase] == [], (said, reading.paraphrase)
            assert [text for text in wanted.get("not", ()) if text in reading.paraphrase] == [], (said, reading.paraphrase)
        assert found.dialogue is not None
        # Kept as JSON between requests.
        state = STATE.validate_python(STATE.dump_python(found.dialogue, mode="json"))


def test_there_are_many() -> None:
    assert len(DOCUMENT["dialogues"]) >= 35
