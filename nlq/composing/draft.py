"""The state of one composition: a frame under one assignment, and what had to be guessed so far."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from nlq.assign import Assignment
from nlq.frame import Condition, Frame, MeasureItem, Mention
from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.lexicon import Target, is_main_entity
from nlq.linking import ValueLink
from nlq.predicates import Predicates
from nlq.relations import Relations
from semantic.catalog.model import Catalog, Entity
from semantic.expr import FieldRef
from semantic.query import SemanticQuery


@dataclass(slots=True)
class Composed:
    """A query and how well the frame supports it. `penalty` grows with every guess that had to be made; `notes` name the guesses."""

    query: SemanticQuery
    penalty: float
    notes: list[str] = field(default_factory=list)
    unexplained: list[Mention] = field(default_factory=list)


class Draft:
    """One frame under one assignment, on its way to a query.

    entities: dataset -> the entity that its rows are. twins: items that were found to compute what another item computes.
    parts: mentions made on the way, kept alive because meanings are known by identity.
    held_date: the date whose periods are compared. explained: mentions that a predicate stands for.
    """

    def __init__(self, catalog: Catalog, kinds: Kinds, graph: JoinGraph, frame: Frame, assignment: Assignment, as_of: dt.datetime) -> None:
        self.catalog = catalog
        self.kinds = kinds
        self.graph = graph
        self.frame = frame
        self.assignment = assignment
        self.as_of = as_of
        self.relations = Relations(catalog, graph, frame, assignment)
        self.predicates = Predicates(catalog, kinds, graph, assignment, as_of)
        self.penalty = 0.0
        self.notes: list[str] = []
        self.parts: list[Mention] = []
        self.window_done = False
        self.held_date: FieldRef | None = None
        self.split_group: tuple[str | None, str | None] | None = None
        self.explained: set[int] = set()
        self.twins: dict[int, MeasureItem] = {}
        self.entities: dict[str, Entity] = {e.dataset: e for e in catalog.entities if is_main_entity(e, catalog)}

    def target(self, mention: Mention | None) -> Target | None:
        """What a mention means."""
        return self.assignment.target(mention)

    def value(self, condition: Condition) -> ValueLink | None:
        """Which stored value a condition means."""
        return self.assignment.value(condition)

    def settle(self, mention: Mention, target: Target) -> None:
        """Gives a mention made on the way its meaning."""
        self.assignment.targets[id(mention)] = target
        self.parts.append(mention)

    def guess(self, cost: float, note: str) -> None:
        self.penalty += cost
        self.notes.append(note)
