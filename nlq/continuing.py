"""A question that goes on from the one before: merged with its reading."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

from pydantic import ValidationError

from nlq import dialogue as talk
from nlq.assign import Assignment, assignments
from nlq.candidates import Candidates, copied
from nlq.changes import like_with_like, moved_having
from nlq.chips import chips_of, paraphrase
from nlq.composing.composer import Composer
from nlq.composing.time_groups import auto_grain
from nlq.frame import Frame, MeasureItem, MovedItem
from nlq.intents import Routed
from nlq.predicates import Unbuildable
from nlq.turns import PLAIN, Turn
from nlq.types import Intent, Reading, Understanding
from semantic.query import ComparePeriod, SemanticQuery

# "only those that fell", "which ones grew?": of the rows of the answer before.
_MOVED = re.compile(
    r"^\s*(?:(?:and|but|only|just|show(?:\s+me)?|now)\s+)*(?:those|the\s+ones|ones|which(?:\s+(?:ones|of\s+(?:them|those|these)))?)\s+(?:that\s+|which\s+|have\s+|are\s+)*"
    r"(?:(?P<up>grew|grown|rose|risen|increased|growing|rising|went\s+up|improved)|fell|fallen|dropped|declined|decreased|falling|declining|shrinking|shrank|went\s+down)\W*$",
    re.IGNORECASE,
)


def continued(
    of: Candidates, question: str, routed: Routed, frame: Frame, before: Reading, as_of: dt.datetime, named: bool, turn: Turn = PLAIN
) -> Understanding | None:
    """The reading before, changed by this question; None when that gives nothing that can be run."""
    total = talk.asks_total(question) and not named and not (frame.transforms or frame.groups or frame.grain)
    delta = copied(frame)
    for mention in delta.outputs:
        mention.sole = True
    if before.query.metrics and not named:
        delta.groups = [*delta.groups, *delta.outputs]
        delta.outputs = []
    moved = _MOVED.match(question) if before.query.metrics and before.query.by else None
    if moved is not None:
        delta.moved, delta.compare = [], "previous_period" if before.query.compare is None else None
    shown = delta.grain == "auto" and before.intent in (Intent.WHY, Intent.UNUSUAL)  # "trend": the figures themselves
    errors: list[str] = []
    for assignment in assignments(delta, of.kinds, of.graph, 3):
        query = _merged(of, delta, assignment, before.query, as_of, named=named, total=total, errors=errors, turn=turn)
        if query is None:
            continue
        if moved is not None:
            having = moved_having(MovedItem(moved["up"] is not None, ">", 0.0, True), before.query.metrics[0])
            query = query.model_copy(update={"having": (*query.having, having)})
        query = like_with_like(query, as_of, of.catalog.calendar)
        if query == before.query and routed.intent is Intent.ASK and not shown:
            continue
        if not query.by and any(t.kind == "share" for t in query.transform):
            continue  # one figure is all of itself
        problem = of.problem(query, as_of)
        if problem is not None:
            errors.append(problem)
            continue
        intent = routed.intent if routed.intent is not Intent.ASK or before.intent is Intent.ASK or shown else before.intent
        shaped = of.shaped(query, replace(routed, intent=intent))
        chips = chips_of(shaped, of.wording, intent, {})
        return Understanding(question, "answer", (Reading(intent, shaped, chips, 0.85, paraphrase(chips), horizon_steps=routed.horizon),))
    return None


def _merged(
    of: Candidates,
    delta: Frame,
    assignment: Assignment,
    before: SemanticQuery,
    as_of: dt.datetime,
    *,
    named: bool,
    total: bool,
    errors: list[str],
    turn: Turn,
) -> SemanticQuery | None:
    frame = copied(delta)
    if frame.grain == "auto" and not frame.times and before.time is not None:
        frame.grain = auto_grain([before.time.window])
    if before.metrics and not named:
        frame.measures = [MeasureItem("given", given=m) for m in before.metrics]
    try:
        composer = Composer(of.catalog, of.kinds, of.graph, frame, assignment, as_of)
        changed = composer.over_rows(before) if before.rows_of and not named else composer.compose().query
        if delta.compare == "vs" and len(delta.times) == 1:
            changed = changed.model_copy(update={"time": None, "compare": ComparePeriod(to="window", window=delta.times[0].window)})
        if delta.compare == "previous_period" and not delta.times and before.time is not None:
            changed = changed.model_copy(update={"time": None})  # it moved over the period of the answer before
        if before.metrics and not named and len(changed.metrics) > len(before.metrics):
            return None  # "split by new vs existing customers": figures are no groups
        return talk.merge(before, changed, measures=named, total=total, adds=turn.adds, against=turn.against)
    except (Unbuildable, ValidationError, ValueError) as error:
        errors.append(str(error)[:200])
        return None
