"""A select under construction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from semantic.compile.functions import both
from semantic.compile.idents import again, aliased, column, derived


@dataclass(slots=True)
class Layer:
    """A select under construction, and what can be read in it. `grouped`: conditions on its columns belong to HAVING."""

    select: exp.Select
    columns: dict[str, exp.Expression]
    grouped: bool = False

    def read(self, name: str) -> exp.Expression:
        return again(self.columns[name])

    def keep(self, condition: exp.Expression) -> None:
        """Only rows that meet `condition`."""
        place: type[exp.Having] | type[exp.Where] = exp.Having if self.grouped else exp.Where
        key = "having" if self.grouped else "where"
        known = self.select.args.get(key)
        self.select.set(key, place(this=both(known.this, condition) if known is not None else condition))

    def closed(self) -> exp.Select:
        """The select with every column under its own name."""
        self.select.set("expressions", [aliased(node, name) for name, node in self.columns.items()])
        return self.select

    def wrapped(self, alias: str) -> Layer:
        """A new select over this one."""
        outer = exp.Select()
        outer.set("from_", exp.From(this=derived(self.closed(), alias)))
        return Layer(outer, {name: column(alias, name) for name in self.columns})
