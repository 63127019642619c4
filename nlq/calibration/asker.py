"""Questions on a made-up business, or None where its data cannot answer: wording varies, words are missing or misspelt."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from core.ids import TenantId, tenant_database
from nlq.calibration.cases import Case, Made, Query, Said
from nlq.calibration.noise import disturbed
from nlq.calibration.worlds import Column, Table, World, domains

_UNKNOWN_SHARE = 0.2
_SYNONYM_SHARE = 0.3
_PART_SHARE = 0.2
_PERIODS = (
    ("in 2023", "2023-01-01", "2024-01-01"), ("in 2022", "2022-01-01", "2023-01-01"), ("last year", "2023-01-01", "2024-01-01"),
    ("this year", "2024-01-01", "2025-01-01"), ("last month", "2024-04-01", "2024-05-01"), ("this month", "2024-05-01", "2024-06-01"),
    ("last quarter", "2024-01-01", "2024-04-01"), ("in March 2023", "2023-03-01", "2023-04-01"), ("in Q2 2023", "2023-04-01", "2023-07-01"),
    ("since 2023", "2023-01-01", "2200-01-01"), ("between 1 March 2023 and 30 June 2023", "2023-03-01", "2023-07-01"),
    ("before 2023", "1900-01-01", "2023-01-01"), ("in the first half of 2023", "2023-01-01", "2023-07-01"), ("year to date", "2024-01-01", "2024-05-16"),
    ("ytd", "2024-01-01", "2024-05-16"), ("MTD", "2024-05-01", "2024-05-16"), ("last 30 days", "2024-04-15", "2024-05-16"),
    ("last 12 months", "2023-05-15", "2024-05-16"), ("yesterday", "2024-05-14", "2024-05-15"), ("this year so far", "2024-01-01", "2024-05-16"),
    ("in August 2022", "2022-08-01", "2022-09-01"), ("from January to March 2023", "2023-01-01", "2023-04-01"),
)  # fmt: skip
_PLACES = ("Atlantis", "the Moon", "Narnia", "Sector 7", "El Dorado")
_ADJECTIVES = (
    "loyal",
    "risky",
    "profitable",
    "vip",
    "difficult",
    "trustworthy",
    "seasonal",
    "premium tier",
    "recently audited",
    "carbon neutral",
)


class Asker:
    """Makes questions about one world. Same seed, same questions."""

    def __init__(self, world: World, tenant: TenantId, seed: str) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self._database = tenant_database(tenant)
        self._lost: str | None = None
        self._may_lose = False

    def cases(self, count: int, shapes: Sequence[tuple[str, Callable[[Asker], Made]]]) -> Iterator[Case]:
        """Up to `count` questions, each of a shape drawn from `shapes`."""
        made = 0
        for _ in range(count * 20):
            case = self._one(shapes)
            if case is not None:
                made += 1
                yield case
            if made == count:
                return

    # ---------------------------------------------------------------- one question

    def _one(self, shapes: Sequence[tuple[str, Callable[[Asker], Made]]]) -> Case | None:
        """A shape filled in; sometimes one of its words is something that this business does not have."""
        shape, make = self.rng.choice(shapes)
        self._begin()
        made = make(self)
        if made is None:
            return None
        words, sql, ordered = made
        if self._lost is not None and self._lost not in words:
            self._lost = None
        if self._may_lose and self._lost is None:
            words = self._with_stranger(words)
        unanswerable = self._lost is not None
        if unanswerable:
            return Case(disturbed(words, self.rng), None, "unanswerable", ordered)
        return Case(disturbed(words, self.rng), sql, shape, ordered, self._by_keys(sql))

    def _begin(self) -> None:
        self._lost = None
        self._may_lose = self.rng.random() < _UNKNOWN_SHARE

    def _by_keys(self, sql: str) -> str | None:
        """The query with the keys of things where it shows or groups by their names."""
        out = sql
        for number, table in enumerate(self.world.tables):
            for column in table.columns:
                name = f"t{number}.`{column.physical}`"
                if column.kind == "name" and f"{name} = " not in sql:
                    out = out.replace(name, f"t{number}.`{table.key}`")
        return out if out != sql else None

    def _with_stranger(self, words: str) -> str:
        """A condition that nothing in the data explains."""
        self._lost = "stranger"
        other = self._stranger_column()
        choices = [f"{words} in {self.rng.choice(_PLACES)}", f"{words} for {self.rng.choice(_ADJECTIVES)} {self.world.events.plural}"]
        if other is not None:
            choices += [f"{words} by {other.label}", f"{words} where {other.label} is {self.rng.choice(other.values or ('high', '12'))}"]
        return self.rng.choice(choices)

    def _stranger_column(self) -> Column | None:
        """A column that was dropped from this business, or one of another."""
        mine = [c for t in self.world.tables for c in t.dropped]
        if mine and self.rng.random() < 0.6:
            return self.rng.choice(mine)
        own = {w for t in self.world.tables for c in t.columns for w in (c.label, *c.others)}
        other = self.rng.choice([d for d in domains() if d["name"] != self.world.name])
        every = [str(name) for columns in other["tables"].values() for name in columns if name != "refs"]
        strange = [n for n in every if n not in own and n != "name" and not any(set(n.split()) & set(o.split()) for o in own)]
        return Column(self.rng.choice(strange), "number") if strange else None

    def label(self, column: Column) -> str:
        """The column in words; now and then another word for it, or a column that is not there."""
        if self._may_lose and self._lost is None and self.rng.random() < 0.5:
            stranger = self._stranger_column()
            if stranger is not None:
                self._lost = stranger.label
                return stranger.label
        if column.others and self.rng.random() < _SYNONYM_SHARE:
            return self.rng.choice(column.others)
        words = column.label.split()
        if len(words) > 1 and self.rng.random() < _PART_SHARE and not self._said_by_others(words[-1], column):
            return words[-1]
        return column.label

    def _said_by_others(self, word: str, column: Column) -> bool:
        return any(word in c.label.split() for t in self.world.tables for c in t.columns if c.label != column.label)

    def noun(self, table: Table, *, many: bool = True) -> str:
        if table.others and self.rng.random() < _SYNONYM_SHARE * 0.6:
            word = self.rng.choice(table.others)
            return word + "s" if many and not word.endswith(("s", "y")) else word
        return table.plural if many else table.label

    # ---------------------------------------------------------------- parts

    def pick(self, table: Table, *kinds: str) -> Column | None:
        found = [c for c in table.columns if c.kind in kinds]
        return self.rng.choice(found) if found else None

    def things(self) -> tuple[Table, ...]:
        """What the events point to."""
        return tuple(self.world.table(label) for label, _ in self.world.events.refs)

    def query(self, base: Table) -> Query:
        return Query(self.world, self._database, base)

    def amount(self, q: Query) -> tuple[str, str] | None:
        """A number of the events to add up: (words, column SQL)."""
        column = self.pick(q.base, "money", "number")
        return None if column is None else (self.label(column), q.column(q.base, column))

    def group(self, q: Query) -> tuple[str, str] | None:
        """What to split by: an own category, or a category or the name of a thing pointed to."""
        choices: list[tuple[str, Table, Column]] = [(c.label, q.base, c) for c in q.base.columns if c.kind == "category"]
        for thing in self.things() if q.base is self.world.events else ():
            for c in thing.columns:
                if c.kind == "category" or c.kind == "name":
                    choices.append(("", thing, c))
        if not choices:
            return None
        _, table, column = self.rng.choice(choices)
        if column.kind == "name":
            return self.noun(table, many=False), q.column(table, column)
        words = self.label(column)
        own = any(c.label == column.label for c in q.base.columns)
        if table is not q.base and (own or self.rng.random() < 0.3):
            words = f"{table.label} {words}"
        return words, q.column(table, column)

    def condition(self, q: Query) -> Said | None:
        """One restriction of the rows of `q`."""
        kind = self.rng.choice(("value", "value", "value", "not", "either", "more", "between", "time", "time", "thing"))
        if kind == "time":
            return self.period(q)
        if kind in ("more", "between"):
            return self._number_condition(q, between=kind == "between")
        if kind == "thing" and q.base is self.world.events:
            thing = self.rng.choice(self.things())
            names = next((c for c in thing.columns if c.kind == "name"), None)
            if names is None:
                return None
            name = self.rng.choice(thing.rows)[names.physical]
            words = self.rng.choice(("for {n}", "for {t} {n}", "of {n}", 'for "{n}"')).format(n=name, t=thing.label)
            return Said(words, f"{q.column(thing, names)} = '{name}'")
        tables = [q.base, *(self.things() if q.base is self.world.events else ())]
        table = self.rng.choice(tables)
        column = self.pick(table, "category")
        if column is None:
            return None
        if table is not q.base and any(c.label == column.label for c in q.base.columns):
            return None
        sql = q.column(table, column)
        value = self.rng.choice(column.values)
        label = self.label(column)
        if kind == "not":
            words = self.rng.choice(("excluding {v}", "without {v}", "where {l} is not {v}", "other than {v}", "except for {v}"))
            return Said(words.format(v=value, l=label), f"({sql} != '{value}' OR {sql} IS NULL)")
        if kind == "either" and len(column.values) > 1:
            second = self.rng.choice([v for v in column.values if v != value])
            words = self.rng.choice(("for {v} or {w}", "where {l} is {v} or {w}", "in {v} and {w}", "for {v} and {w}"))
            return Said(words.format(v=value, w=second, l=label), f"{sql} IN ('{value}', '{second}')")
        words = self.rng.choice(("for {v}", "in {v}", "where {l} is {v}", "where {l} = {v}", "with {l} {v}", "from {v}", "only {v}"))
        return Said(words.format(v=value, l=label), f"{sql} = '{value}'")

    def _number_condition(self, q: Query, *, between: bool) -> Said | None:
        column = self.pick(q.base, "number", "money", "rate")
        if column is None:
            return None
        found = sorted(row[column.physical] for row in q.base.rows if row[column.physical] is not None)
        sql, label = q.column(q.base, column), self.label(column)
        low = round(found[len(found) // 3])
        if between:
            high = round(found[2 * len(found) // 3]) + 1
            return Said(f"with {label} between {low} and {high}", f"{sql} BETWEEN {low} AND {high}")
        words, op = self.rng.choice(
            (("over", ">"), ("more than", ">"), ("at least", ">="), ("below", "<"), ("less than", "<"), ("at most", "<="), (">", ">"))
        )
        return Said(f"with {label} {words} {low}", f"{sql} {op} {low}")

    def period(self, q: Query) -> Said | None:
        """A time window on the first date of the events; on another date when it is said."""
        dates = [c for c in q.base.columns if c.kind == "date"]
        if not dates:
            return None
        column = dates[0]
        sql = q.column(q.base, column)
        words, low, high = self.rng.choice(_PERIODS)
        if len(dates) > 1 and self.rng.random() < 0.25:
            column = dates[1]
            sql = q.column(q.base, column)
            words = f"with {column.label} {words}"
        return Said(words, f"({sql} >= '{low}' AND {sql} < '{high}')", is_time=True)

    def maybe(self, q: Query, chance: float) -> tuple[str, str]:
        """A condition or none, as text to append and a WHERE clause."""
        said = self.condition(q) if self.rng.random() < chance else None
        if said is None:
            return "", ""
        if not said.is_time and self.rng.random() < 0.25:
            more = self.period(q)
            if more is not None:
                return f" {said.words} {more.words}", f" WHERE {said.sql} AND {more.sql}"
        return f" {said.words}", f" WHERE {said.sql}"

    def say(self, *forms: str, **parts: str) -> str:
        return self.rng.choice(forms).format(**parts)
