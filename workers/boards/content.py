"""What a board holds: pins in order, and filters for all of them. Frozen; changes make a new one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from semantic.query import SemanticQuery

MAX_PINS = 40
Width = Literal["third", "half", "full"]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pin(Part):
    """An answer by its query, so that it is computed anew with the rights of whoever looks. show: the chart, the table, or both."""

    id: Id
    title: str = Field(min_length=1, max_length=300)
    query: SemanticQuery
    width: Width = "half"
    show: Literal["chart", "table", "both"] = "chart"


class Filter(Part):
    """field: dataset.name."""

    field: str = Field(min_length=3, max_length=300)
    match: Literal["is", "not", "contains"] = "is"
    value: str = Field(min_length=1, max_length=200)


class Filters(Part):
    """For every pin. period: a name from the list of periods; empty leaves each pin its own time."""

    period: str = Field(default="", max_length=40)
    where: tuple[Filter, ...] = Field(default=(), max_length=10)


class Content(Part):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2_000)
    pins: tuple[Pin, ...] = Field(default=(), max_length=MAX_PINS)
    filters: Filters = Filters()

    def pin(self, key: str) -> Pin | None:
        return next((p for p in self.pins if p.id == key), None)
