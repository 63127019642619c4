"""A refused question read by a language model, where the operator connected one: only as a SemanticQuery, checked and marked."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from api.catalogs import VisibleCatalog
from api.services import Services
from core.errors import UserError
from core.principal import Principal
from nlq.chips import chips_of, paraphrase
from nlq.llm.reader import read
from nlq.types import Intent, Reading, Understanding
from nlq.wording import Wording
from workers.language_model import ChatModel, mode, spend_call

# Not calibrated: nobody measured how often this model is right on this catalog.
CONFIDENCE = 0.5
MARK = "Read by a language model: "


def by_language_model(
    services: Services, principal: Principal, visible: VisibleCatalog, question: str, understood: Understanding, as_of: dt.datetime
) -> Understanding:
    """`understood` as it is, unless a model is connected and the grammar refused (or the tenant wants the model first): then its reading, marked.

    When the model is away, says nonsense, asks for what the caller may not see or is over its budget, the refusal stands and says so.
    """
    wanted = mode(services.core, principal)
    if wanted == "off" or not (understood.outcome == "refuse" or (wanted == "first" and understood.outcome in ("answer", "clarify"))):
        return understood
    if understood.readings and understood.readings[0].intent is not Intent.ASK and understood.outcome != "refuse":
        return understood
    if not spend_call(services.core, principal):
        return _still(understood, "The language model's budget of today is used up.")
    s = services.settings
    found = read(
        question, visible.catalog, ChatModel(s), as_of=as_of, with_values=s.llm_sees_values, budget_s=float(s.llm_timeout_s)
    )  # fmt: skip
    if found.query is None:
        return _still(understood, found.why)
    try:
        chips = chips_of(found.query, Wording(visible.catalog), Intent.ASK, {})
    except UserError as error:
        return _still(understood, error.message)
    reading = Reading(Intent.ASK, found.query, chips, CONFIDENCE, MARK + paraphrase(chips))
    return replace(understood, outcome="answer", readings=(reading,), unknown=(), message="")


def _still(understood: Understanding, why: str) -> Understanding:
    """Keeps what the grammar said; a refusal also says why the model did not help."""
    if understood.outcome != "refuse":
        return understood
    return replace(understood, message=f"{understood.message} {why}".strip())
