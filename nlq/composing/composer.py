"""Frame + assignment -> SemanticQuery: rows or aggregates, what groups, what is shown, in which order."""

from __future__ import annotations

import datetime as dt

from nlq.assign import Assignment
from nlq.changes import settle_changes
from nlq.composing.aggregates import aggregate_rows
from nlq.composing.coverage import find_unexplained
from nlq.composing.draft import Composed, Draft
from nlq.composing.held_dates import hold_dates
from nlq.composing.labels import refuse_shared_label
from nlq.composing.money import settle_money
from nlq.composing.nonsense import refuse_nonsense
from nlq.composing.outputs import expand_display, settle_outputs
from nlq.composing.rows import list_rows, over_rows
from nlq.composing.shape import is_aggregated
from nlq.composing.shares import settle_share
from nlq.composing.superlatives import settle_adjective, settle_highest
from nlq.composing.things import per_thing
from nlq.frame import Frame
from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.parsing.aggregates import UNSURE_OF_EACH
from nlq.parsing.bounds import UNSURE_WORTH
from nlq.parsing.shares import UNSURE_WHOLE
from semantic.catalog.model import Catalog
from semantic.query import SemanticQuery


class Composer:
    """Composes one frame under one assignment. Raises Unbuildable when the parts do not fit together."""

    def __init__(self, catalog: Catalog, kinds: Kinds, graph: JoinGraph, frame: Frame, assignment: Assignment, as_of: dt.datetime) -> None:
        self._draft = Draft(catalog, kinds, graph, frame, assignment, as_of)

    def compose(self) -> Composed:
        draft, f = self._draft, self._draft.frame
        f.outputs = expand_display(draft, f.outputs)
        f.groups = expand_display(draft, f.groups)
        if not f.times and f.term_times:
            f.times = f.term_times[:1]
        hold_dates(draft)
        settle_changes(f, draft.as_of, draft.catalog.calendar)
        draft.relations.split_both()
        measures = settle_highest(draft, [m for m in f.measures if m.shown])
        settle_money(draft, measures)
        settle_adjective(draft)
        refuse_shared_label(draft)
        settle_outputs(draft, measures)
        per_thing(draft, measures)
        settle_share(draft, measures)
        for note in dict.fromkeys(n for n in f.notes if n in (UNSURE_WHOLE, UNSURE_WORTH, UNSURE_OF_EACH)):
            draft.guess(0.45, note)
        query = aggregate_rows(draft, measures) if is_aggregated(draft, measures) else list_rows(draft)
        refuse_nonsense(draft, query)
        return Composed(query, draft.penalty, draft.notes, find_unexplained(draft, query))

    def over_rows(self, before: SemanticQuery) -> SemanticQuery:
        """What this frame adds to a listing: conditions, time, order and limit over the same rows."""
        return over_rows(self._draft, before)
