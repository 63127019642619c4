"""Questions on a made-up business with the SQL that answers them, or None where its data cannot: wording varies, words are missing or misspelt."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.ids import TenantId, tenant_database
from nlq.calibration.noise import disturbed
from nlq.calibration.worlds import Column, Table, World, domains

_UNKNOWN_SHARE = 0.2
_SYNONYM_SHARE = 0.3
_PART_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Case:
    """`sql` None: there is no right answer. `keys`: the same with keys for names, which is as good an answer. `shape`: for reports."""

    question: str
    sql: str | None
    shape: str
    ordered: bool = False
    keys: str | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """A condition in words that follow the counted noun, and in SQL."""

    words: str
    sql: str
    is_time: bool = False


class _Query:
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


class Asker:
    """Makes questions about one world. Same seed, same questions."""

    def __init__(self, world: World, tenant: TenantId, seed: str) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self._database = tenant_database(tenant)
        self._lost: str | None = None
        self._may_lose = False

    def cases(self, count: int) -> Iterator[Case]:
        made = 0
        for _ in range(count * 20):
            case = self._one()
            if case is not None:
                made += 1
                yield case
            if made == count:
                return

    # ---------------------------------------------------------------- one question

    def _one(self) -> Case | None:
        """A shape filled in; sometimes one of its words is something that this business does not have."""
        shape, make = self.rng.choice(SHAPES)
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

    def _label(self, column: Column) -> str:
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

    def _noun(self, table: Table, *, many: bool = True) -> str:
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

    def query(self, base: Table) -> _Query:
        return _Query(self.world, self._database, base)

    def amount(self, q: _Query) -> tuple[str, str] | None:
        """A number of the events to add up: (words, column SQL)."""
        column = self.pick(q.base, "money", "number")
        return None if column is None else (self._label(column), q.column(q.base, column))

    def group(self, q: _Query) -> tuple[str, str] | None:
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
            return self._noun(table, many=False), q.column(table, column)
        words = self._label(column)
        own = any(c.label == column.label for c in q.base.columns)
        if table is not q.base and (own or self.rng.random() < 0.3):
            words = f"{table.label} {words}"
        return words, q.column(table, column)

    def condition(self, q: _Query) -> _Said | None:
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
            return _Said(words, f"{q.column(thing, names)} = '{name}'")
        tables = [q.base, *(self.things() if q.base is self.world.events else ())]
        table = self.rng.choice(tables)
        column = self.pick(table, "category")
        if column is None:
            return None
        if table is not q.base and any(c.label == column.label for c in q.base.columns):
            return None
        sql = q.column(table, column)
        value = self.rng.choice(column.values)
        label = self._label(column)
        if kind == "not":
            words = self.rng.choice(("excluding {v}", "without {v}", "where {l} is not {v}", "other than {v}", "except for {v}"))
            return _Said(words.format(v=value, l=label), f"({sql} != '{value}' OR {sql} IS NULL)")
        if kind == "either" and len(column.values) > 1:
            second = self.rng.choice([v for v in column.values if v != value])
            words = self.rng.choice(("for {v} or {w}", "where {l} is {v} or {w}", "in {v} and {w}", "for {v} and {w}"))
            return _Said(words.format(v=value, w=second, l=label), f"{sql} IN ('{value}', '{second}')")
        words = self.rng.choice(("for {v}", "in {v}", "where {l} is {v}", "where {l} = {v}", "with {l} {v}", "from {v}", "only {v}"))
        return _Said(words.format(v=value, l=label), f"{sql} = '{value}'")

    def _number_condition(self, q: _Query, *, between: bool) -> _Said | None:
        column = self.pick(q.base, "number", "money", "rate")
        if column is None:
            return None
        found = sorted(row[column.physical] for row in q.base.rows if row[column.physical] is not None)
        sql, label = q.column(q.base, column), self._label(column)
        low = round(found[len(found) // 3])
        if between:
            high = round(found[2 * len(found) // 3]) + 1
            return _Said(f"with {label} between {low} and {high}", f"{sql} BETWEEN {low} AND {high}")
        words, op = self.rng.choice(
            (("over", ">"), ("more than", ">"), ("at least", ">="), ("below", "<"), ("less than", "<"), ("at most", "<="), (">", ">"))
        )
        return _Said(f"with {label} {words} {low}", f"{sql} {op} {low}")

    def period(self, q: _Query) -> _Said | None:
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
        return _Said(words, f"({sql} >= '{low}' AND {sql} < '{high}')", is_time=True)

    def maybe(self, q: _Query, chance: float) -> tuple[str, str]:
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


_PERIODS = (
    ("in 2023", "2023-01-01", "2024-01-01"), ("in 2022", "2022-01-01", "2023-01-01"), ("last year", "2023-01-01", "2024-01-01"),
    ("this year", "2024-01-01", "2025-01-01"), ("last month", "2024-04-01", "2024-05-01"), ("this month", "2024-05-01", "2024-06-01"),
    ("last quarter", "2024-01-01", "2024-04-01"), ("in March 2023", "2023-03-01", "2023-04-01"), ("in Q2 2023", "2023-04-01", "2023-07-01"),
    ("since 2023", "2023-01-01", "2200-01-01"), ("between 1 March 2023 and 30 June 2023", "2023-03-01", "2023-07-01"),
    ("before 2023", "1900-01-01", "2023-01-01"), ("in the first half of 2023", "2023-01-01", "2023-07-01"), ("year to date", "2024-01-01", "2024-05-16"),
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

_Made = tuple[str, str, bool] | None


def _total(a: Asker) -> _Made:
    q = a.query(a.world.events)
    amount = a.amount(q)
    if amount is None:
        return None
    aggregate, words = a.rng.choice((
        ("sum", "total {m}"), ("sum", "sum of {m}"), ("sum", "how much {m} did we have"), ("avg", "average {m}"), ("avg", "mean {m}"),
        ("max", "highest {m}"), ("max", "maximum {m}"), ("min", "lowest {m}"), ("median", "median {m}"), ("avg", "what is the average {m}"),
        ("sum", "what was the total {m}"), ("sum", "what is the overall {m} of all {n}"), ("avg", "what is the average {m} of all {n} recorded"),
        ("sum", "how much {m} was made"), ("avg", "average {m} across all {n}"), ("sum", "total {m} of the {n} that were recorded"),
        ("max", "what is the largest {m} among the {n}"), ("avg", "typical {m}"), ("avg", "average {m} value"),
    ))  # fmt: skip
    said, where = a.maybe(q, 0.6)
    words = words.format(m=amount[0], n=a._noun(a.world.events))
    return words + said, f"SELECT {aggregate}({amount[1]}) FROM {q.source()}{where}", False


def _count(a: Asker) -> _Made:
    table = a.rng.choice((a.world.events, a.world.events, *a.things()))
    q = a.query(table)
    said, where = a.maybe(q, 0.7)
    words = a.say("how many {n}", "number of {n}", "count of {n}", "how many {n} are there", "count {n}", "what is the total number of {n}",
        "how many {n} were recorded", "how many {n} took place", "how many {n} were made", "number of {n} in the database", "how many {n} in total",
        "what is the number of existing {n}", n=a._noun(table))  # fmt: skip
    return words + said, f"SELECT count() FROM {q.source()}{where}", False


def _count_by(a: Asker) -> _Made:
    table = a.rng.choice((a.world.events, a.world.events, *a.things()))
    q = a.query(table)
    group = a.group(q)
    if group is None:
        return None
    said, where = a.maybe(q, 0.35)
    words = a.say(
        "{n} by {g}", "number of {n} per {g}", "how many {n} in each {g}", "count of {n} by {g}", "how many {n} do we have per {g}",
        "for each {g}, how many {n} are there", "what is the number of {n} recorded for each {g}", "list each {g} and its number of {n}",
        "what is the total number of {n} for every {g}? Return the {g} and the number of {n}", "show the breakdown of {n} by {g}",
        "how many {n} were made per {g}", "show the distribution of {n} by {g}", n=a._noun(table), g=group[0],
    )  # fmt: skip
    return words + said, f"SELECT {group[1]} AS g, count() FROM {q.source()}{where} GROUP BY g", False


def _sum_by(a: Asker) -> _Made:
    q = a.query(a.world.events)
    amount, group = a.amount(q), a.group(q)
    if amount is None or group is None:
        return None
    said, where = a.maybe(q, 0.5)
    aggregate, words = a.rng.choice((
        ("sum", "total {m} by {g}"), ("sum", "{m} by {g}"), ("avg", "average {m} per {g}"), ("sum", "{m} for each {g}"), ("sum", "show me {m} per {g}"),
        ("avg", "what is the average {m} for each {g}"), ("max", "highest {m} by {g}"), ("sum", "total {m} across {g}"), ("sum", "{g} wise total {m}"),
        ("sum", "for each {g}, what is the total {m}"), ("avg", "for every {g}, return the {g} and the average {m}"),
        ("sum", "list each {g} along with its total {m}"), ("sum", "show the breakdown of total {m} by {g}"),
        ("sum", "what is the total {m} generated by each {g}? Return the {g} and total {m}"), ("avg", "which is the average {m} found in each {g}"),
        ("sum", "total {m} earned per {g} in descending order"), ("sum", "give me a report of the total {m} for the different {g} groups"),
    ))  # fmt: skip
    sql = f"SELECT {group[1]} AS g, {aggregate}({amount[1]}) FROM {q.source()}{where} GROUP BY g"
    return words.format(m=amount[0], g=group[0]) + said, sql, False


def _by_month(a: Asker) -> _Made:
    q = a.query(a.world.events)
    amount = a.amount(q)
    dates = [c for c in a.world.events.columns if c.kind == "date"]
    if amount is None or not dates:
        return None
    grain, function = a.rng.choice((("month", "toStartOfMonth"), ("quarter", "toStartOfQuarter"), ("year", "toStartOfYear")))
    column = q.column(a.world.events, dates[0])
    words = a.say("total {m} by {t}", "{m} per {t}", "{t}ly {m}", "total {m} for each {t}", m=amount[0], t=grain)
    where = ""
    if grain == "month" and a.rng.random() < 0.6:
        words, where = f"{words} in 2023", f" WHERE {column} >= '2023-01-01' AND {column} < '2024-01-01'"
    return words, f"SELECT {function}({column}) AS g, sum({amount[1]}) FROM {q.source()}{where} GROUP BY g", False


def _top(a: Asker) -> _Made:
    q = a.query(a.world.events)
    amount = a.amount(q)
    thing = a.rng.choice(a.things())
    names = next((c for c in thing.columns if c.kind == "name"), None)
    if amount is None or names is None:
        return None
    n = a.rng.choice((1, 3, 5, 10))
    said, where = a.maybe(q, 0.35)
    down = a.rng.random() < 0.75
    if n == 1:
        words = a.say(
            "which {s} has the {h} total {m}", "{s} with the {h} total {m}", s=thing.label, m=amount[0], h="highest" if down else "lowest"
        )
    else:
        words = a.say(
            "{h} {k} {t} by total {m}", "{h} {k} {t} by {m}", h="top" if down else "bottom", k=str(n), t=a._noun(thing), m=amount[0]
        )
    shown = q.column(thing, names)
    sql = f"SELECT {shown} AS g FROM {q.source()}{where} GROUP BY g ORDER BY sum({amount[1]}) {'DESC' if down else 'ASC'} LIMIT {n}"
    return words + said, sql, True


def _having(a: Asker) -> _Made:
    thing = a.rng.choice(a.things())
    names = next((c for c in thing.columns if c.kind == "name"), None)
    q = a.query(a.world.events)
    if names is None:
        return None
    key = next(k for label, k in a.world.events.refs if label == thing.label)
    counts: dict[int, int] = {}
    for row in a.world.events.rows:
        counts[row[key]] = counts.get(row[key], 0) + 1
    limit = sorted(counts.values())[len(counts) // 2]
    words = a.say(
        "{t} with more than {n} {e}", "which {t} have more than {n} {e}", t=a._noun(thing), n=str(limit), e=a._noun(a.world.events)
    )
    shown = q.column(thing, names)
    return words, f"SELECT {shown} AS g FROM {q.source()} GROUP BY g HAVING count() > {limit}", False


def _without(a: Asker) -> _Made:
    thing = a.rng.choice(a.things())
    names = next((c for c in thing.columns if c.kind == "name"), None)
    if names is None:
        return None
    key = next(k for label, k in a.world.events.refs if label == thing.label)
    q, events = a.query(thing), a.query(a.world.events)
    negate = a.rng.random() < 0.7
    form = ("{t} without {e}", "which {t} have no {e}", "{t} that have no {e}") if negate else ("{t} with {e}", "which {t} have {e}")
    said, where = "", ""
    if a.rng.random() < 0.3:
        period = a.period(events)
        if period is not None:
            said, where = f" {period.words}", f" WHERE {period.sql}"
    words = a.say(*form, t=a._noun(thing), e=a._noun(a.world.events)) + said
    inner = f"SELECT `{key}` FROM {events.source()}{where}"
    return (
        words,
        f"SELECT {q.column(thing, names)} FROM {q.source()} WHERE {q.alias(thing)}.`{thing.key}` {'NOT ' if negate else ''}IN ({inner})",
        False,
    )


def _per_thing(a: Asker) -> _Made:
    thing = a.rng.choice(a.things())
    q = a.query(a.world.events)
    key = next(k for label, k in a.world.events.refs if label == thing.label)
    words = a.say(
        "how many different {t} have {e}",
        "number of distinct {t} with {e}",
        "how many {t} had {e} recorded",
        "what is the number of unique {t} that have {e}",
        t=a._noun(thing),
        e=a._noun(a.world.events),
    )
    said, where = "", ""
    period = a.period(q)
    if period is not None and a.rng.random() < 0.5:
        said, where = f" {period.words}", f" WHERE {period.sql}"
    return words + said, f"SELECT uniqExact(`{key}`) FROM {q.source()}{where}", False


def _share(a: Asker) -> _Made:
    q = a.query(a.world.events)
    amount, group = a.amount(q), a.group(q)
    if amount is None or group is None:
        return None
    words = a.say("share of total {m} by {g}", "percentage of {m} by {g}", "{m} share per {g}", m=amount[0], g=group[0])
    inner = f"SELECT {group[1]} AS g, sum({amount[1]}) AS s FROM {q.source()} GROUP BY g"
    return words, f"SELECT g, s / sum(s) OVER () * 100 FROM ({inner})", False


def _versus(a: Asker) -> _Made:
    q = a.query(a.world.events)
    amount = a.amount(q)
    dates = [c for c in a.world.events.columns if c.kind == "date"]
    if amount is None or not dates:
        return None
    column = q.column(a.world.events, dates[0])
    words = a.say("{m} in 2023 vs 2022", "total {m} 2023 compared to 2022", "compare {m} in 2023 with 2022", m=amount[0])
    parts = [f"sumIf({amount[1]}, toYear({column}) = {year})" for year in (2023, 2022)]
    return words, f"SELECT {', '.join(parts)} FROM {q.source()}", False


def _list(a: Asker) -> _Made:
    table = a.rng.choice(a.things())
    q = a.query(table)
    names = next((c for c in table.columns if c.kind == "name"), None)
    said = a.condition(q)
    if names is None or said is None:
        return None
    words = a.say(
        "list {t}", "show the names of {t}", "which {t} are there", "names of the {t}", "return the names of all {t}", "what are the names of the {t}",
        "find the {t}", "give me a list of the {t} recorded", "what are the details of {t}", t=a._noun(table),
    )  # fmt: skip
    return f"{words} {said.words}", f"SELECT {q.column(table, names)} FROM {q.source()} WHERE {said.sql}", False


def _above(a: Asker) -> _Made:
    table = a.rng.choice(a.things())
    q = a.query(table)
    names, number = next((c for c in table.columns if c.kind == "name"), None), a.pick(table, "number", "rate", "money")
    if names is None or number is None:
        return None
    column = q.column(table, number)
    words = a.say("{t} with {m} above the average", "which {t} have an above average {m}", t=a._noun(table), m=a._label(number))
    return words, f"SELECT {q.column(table, names)} FROM {q.source()} WHERE {column} > (SELECT avg({column}) FROM {q.source()})", False


def _extreme(a: Asker) -> _Made:
    table = a.rng.choice(a.things())
    q = a.query(table)
    names, number = next((c for c in table.columns if c.kind == "name"), None), a.pick(table, "number", "rate", "money")
    if names is None or number is None:
        return None
    down = a.rng.random() < 0.6
    words = a.say(
        "{s} with the {h} {m}",
        "which {s} has the {h} {m}",
        s=a._noun(table, many=False),
        h="highest" if down else "lowest",
        m=a._label(number),
    )
    column = q.column(table, number)
    best = f"(SELECT {'max' if down else 'min'}({column}) FROM {q.source()})"
    return words, f"SELECT {q.column(table, names)} FROM {q.source()} WHERE {column} = {best}", False


def _latest(a: Asker) -> _Made:
    table = a.rng.choice(a.world.tables)
    q = a.query(table)
    dates = [c for c in table.columns if c.kind == "date"]
    if not dates:
        return None
    last = a.rng.random() < 0.6
    words = a.say("when was the {h} {n}", "date of the {h} {n}", h="most recent" if last else "first", n=a._noun(table, many=False))
    return words, f"SELECT {'max' if last else 'min'}({q.column(table, dates[0])}) FROM {q.source()}", False


def _several(a: Asker) -> _Made:
    q = a.query(a.world.events)
    amount, group = a.amount(q), a.group(q)
    if amount is None or group is None:
        return None
    words = a.say(
        "number of {e} and total {m} by {g}",
        "count of {e} and average {m} per {g}",
        "for each {g}, return the number of {e} and the total {m}",
        "what are the number of {e} and the average {m} for each {g}? Return the {g}, the number of {e}, and the average {m}",
        e=a._noun(a.world.events),
        m=amount[0],
        g=group[0],
    )
    aggregate = "avg" if "average" in words else "sum"
    return words, f"SELECT {group[1]} AS g, count(), {aggregate}({amount[1]}) FROM {q.source()} GROUP BY g", False


def _two_groups(a: Asker) -> _Made:
    q = a.query(a.world.events)
    amount, one, two = a.amount(q), a.group(q), a.group(q)
    if amount is None or one is None or two is None or one[1] == two[1]:
        return None
    said, where = a.maybe(q, 0.3)
    words = a.say("total {m} by {g} and {h}", "{m} per {g} and {h}", m=amount[0], g=one[0], h=two[0]) + said
    return words, f"SELECT {one[1]} AS g, {two[1]} AS h, sum({amount[1]}) FROM {q.source()}{where} GROUP BY g, h", False


def _flagged(a: Asker) -> _Made:
    events = a.world.events
    q = a.query(events)
    flag = a.pick(events, "flag")
    if flag is None:
        return None
    amount = a.amount(q)
    on = q.column(events, flag)
    if amount is not None and a.rng.random() < 0.5:
        words = a.say("total {m} of {f} {e}", "{m} from {f} {e}", m=amount[0], f=a._label(flag), e=a._noun(events))
        return words, f"SELECT sum({amount[1]}) FROM {q.source()} WHERE {on}", False
    words = a.say("how many {e} are {f}", "number of {f} {e}", "how many {f} {e}", e=a._noun(events), f=a._label(flag))
    return words, f"SELECT count() FROM {q.source()} WHERE {on}", False


SHAPES: tuple[tuple[str, Callable[[Asker], _Made]], ...] = (
    ("total", _total), ("total", _total), ("count", _count), ("count", _count), ("count_by", _count_by), ("sum_by", _sum_by), ("sum_by", _sum_by),
    ("by_month", _by_month), ("top", _top), ("top", _top), ("having", _having), ("without", _without), ("distinct", _per_thing), ("share", _share),
    ("versus", _versus), ("list", _list), ("list", _list), ("above", _above), ("extreme", _extreme), ("latest", _latest), ("several", _several),
    ("two_groups", _two_groups), ("flagged", _flagged),
)  # fmt: skip
