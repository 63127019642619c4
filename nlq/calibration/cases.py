"""A made-up question with the SQL that answers it, and the SQL's parts."""

from __future__ import annotations

from dataclasses import dataclass

from nlq.calibration.worlds import Column, Table, World

# Words, SQL, and whether rows come in an order; None where the business has no columns for it.
Made = tuple[str, str, bool] | None


@dataclass(frozen=True, slots=True)
class Case:
    """`sql` None: there is no right answer. `keys`: the same with keys for names, which is as good an answer. `shape`: for reports."""

    question: str
    sql: str | None
    shape: str
    ordered: bool = False
    keys: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A condition in words that follow the counted noun, and in SQL."""

    words: str
    sql: str
    is_time: bool = False


class Query:
    """SQL over one table and the tables it points to. Joins appear when a column of another table is used."""

    def __init__(self, world: World, database: str, base: Table) -> None:
        self.world, self.base, self._database = world, base, database
        self._joined: dict[str, str] = {}

    def column(self, table: Table, column: Column) -> str:
        if table.label != self.base.label:
            key = next(k for label, k in self.base.refs if label == table.label)
            self._joined[table.label] = key
        return f"{self.alias(table)}.`{column.physical}`"

    def alias(self, table: Table) -> str:
        return f"t{[t.label for t in self.world.tables].index(table.label)}"

    def source(self) -> str:
        text = f"`{self._database}`.`{self.base.physical}` AS {self.alias(self.base)}"
        for label, key in self._joined.items():
            other = self.world.table(label)
            text += f" LEFT JOIN `{self._database}`.`{other.physical}` AS {self.alias(other)}"
            text += f" ON {self.alias(self.base)}.`{key}` = {self.alias(other)}.`{other.key}`"
        return text
