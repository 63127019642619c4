"""Questions that were asked, as they are kept: log, conversation, use of the day and audit entry, of many at once in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId
from core.store import audit, conversations, questions, usage
from core.store.audit import Happening
from core.store.conversations import Conversation
from core.store.questions import Question


@dataclass(frozen=True, slots=True)
class Turn:
    """The conversation that a question belongs to, whether it begins it, and the dialogue state after it."""

    conversation: Conversation
    begins: bool
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with what goes with it. used: what it adds to its user's use of that day."""

    question: Question
    happening: Happening
    used: Mapping[usage.Kind, int]
    turn: Turn | None = None


def keep(connection: Connection, tenant: TenantId, asked: Sequence[Asked]) -> None:
    """Keeps all or, when it raises, none. The audit chain comes last: until the transaction ends, nobody else of the tenant appends to it.

    Raises: NotFound when a conversation that goes on is gone.
    """
    begun = [one for one in asked if one.turn is not None and one.turn.begins]
    conversations.begin(connection, tenant, [(one.turn.conversation, one.question.id, one.turn.state) for one in begun if one.turn])
    # In one order, so that two processes that hold rows of the same conversations do not wait for each other.
    for turn, question in sorted(_going_on(asked), key=lambda pair: pair[0].conversation.id):
        conversations.add_turn(
            connection, tenant, turn.conversation, question_id=question.id, state=turn.state, now=question.created_at
        )  # fmt: skip
    questions.log_all(connection, tenant, [one.question for one in asked])
    for day, rows in sorted(_use(asked).items()):
        usage.add_all(connection, tenant, rows, day=day)
    audit.append_all(connection, tenant, [(one.happening, one.question.created_at) for one in asked])


def _going_on(asked: Sequence[Asked]) -> list[tuple[Turn, Question]]:
    return [(one.turn, one.question) for one in asked if one.turn is not None and not one.turn.begins]


def _use(asked: Sequence[Asked]) -> dict[date, Counter[tuple[UserId, usage.Kind]]]:
    found: dict[date, Counter[tuple[UserId, usage.Kind]]] = {}
    for one in asked:
        of_day = found.setdefault(one.question.created_at.date(), Counter())
        for kind, amount in one.used.items():
            of_day[one.question.user, kind] += amount
    return found
