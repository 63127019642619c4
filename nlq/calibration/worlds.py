"""Made-up businesses with a database of their own: tables, columns in some naming style, rows. Everything follows from a seed."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

AS_OF = dt.datetime(2024, 5, 15, 12, tzinfo=dt.UTC)
_FIRST_DAY = dt.date(2022, 1, 1)
_DAYS = (AS_OF.date() - _FIRST_DAY).days
_EVENTS, _THINGS = 420, (14, 40)
_DROPPED_SHARE = 0.22
_PADDED_SHARE = 0.4
_PADDING = {
    "money": (("gross", "booked", "base", "reported", "original"), ("usd", "eur", "booked", "posted", "local")),
    "number": (("recorded", "measured", "current", "net"), ("recorded", "measured", "raw", "actual")),
    "rate": (("current", "base", "standard", "nominal"), ("standard", "effective", "nominal")),
    "category": (("current", "primary", "main", "assigned"), ("code", "name", "label", "group", "assigned")),
    "flag": (("is", "was"), ("flag", "ind", "marker")),
}
_SHORT = {
    "customer": "cust", "product": "prod", "amount": "amt", "quantity": "qty", "date": "dt", "number": "no", "department": "dept", "category": "cat",
    "average": "avg", "account": "acct", "transaction": "txn", "employee": "emp", "employees": "emp_cnt", "price": "prc", "status": "stat",
    "region": "reg", "country": "ctry", "manufacturer": "mfr", "payment": "pmt", "birth": "bth", "name": "nm", "delivery": "dlv",
    "minutes": "mins", "opened": "opnd", "description": "descr", "balance": "bal", "commission": "comm",
}  # fmt: skip
_EXTRA = {"amount": "total", "status": "code", "channel": "type", "cost": "amount", "price": "amount", "age": "years"}
_SATELLITES: tuple[tuple[str, dict[str, str]], ...] = (
    ("payment", {"payment date": "date", "amount": "money", "method": "category cash,card,transfer"}),
    ("review", {"review date": "date", "rating": "rate", "language": "category English,German,French"}),
    ("message", {"sent date": "date", "length": "rate", "channel": "category mail,chat,phone"}),
    ("complaint", {"filed date": "date", "severity": "category minor,major", "cost": "money", "days open": "rate"}),
    ("audit", {"audit date": "date", "score": "rate", "status": "category passed,failed"}),
)
_SYLLABLES = "ba be bo da de do fa fi ga ge ka ki ko la le lo ma mi mo na ne no pa pe po ra ri ro sa se so ta te to va vi zo".split()

ColumnKind = Literal["money", "number", "rate", "category", "flag", "date", "name"]
Style = Literal["snake", "camel", "prefixed", "short", "singular", "coded", "wordy"]
STYLES: tuple[Style, ...] = ("snake", "camel", "prefixed", "short", "singular", "coded", "wordy")


@dataclass(frozen=True, slots=True)
class Column:
    """What people call it (`label`, `others`) and what the database does (`physical`)."""

    label: str
    kind: ColumnKind
    others: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    physical: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    label: str
    plural: str
    others: tuple[str, ...]
    physical: str
    key: str
    columns: tuple[Column, ...]
    dropped: tuple[Column, ...]
    refs: tuple[tuple[str, str], ...]
    rows: tuple[dict[str, Any], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class World:
    """The first table holds the events. `comments` says whether columns carry a comment."""

    name: str
    style: Style
    tables: tuple[Table, ...]
    comments: bool
    held_out: bool

    def table(self, label: str) -> Table:
        return next(t for t in self.tables if t.label == label)

    @property
    def events(self) -> Table:
        return self.tables[0]


@lru_cache(maxsize=1)
def domains() -> tuple[dict[str, Any], ...]:
    raw = yaml.safe_load((Path(__file__).parent / "domains.yaml").read_text(encoding="utf-8"))
    return tuple(raw)


def worlds(seed: int, count: int, *, held_out: bool) -> Iterator[World]:
    """`count` businesses, each domain in turn, in changing styles. Held-out domains are never among the others."""
    chosen = [d for d in domains() if bool(d.get("held_out")) == held_out]
    for number in range(count):
        domain = chosen[number % len(chosen)]
        rng = random.Random(f"{seed}/{held_out}/{number}")
        yield make_world(domain, rng, STYLES[(number // len(chosen) + number) % len(STYLES)])


def make_world(domain: dict[str, Any], rng: random.Random, style: Style) -> World:
    tables: list[Table] = []
    described = dict(domain["tables"])
    things = [head.partition("~")[0].strip() for head in described][1:]
    for name, columns in rng.sample(_SATELLITES, rng.choice((0, 0, 1, 1, 2))):
        if all(name not in head for head in described):
            described[name] = {**columns, "refs": [rng.choice(things)]}
    for place, (head, columns) in enumerate(described.items()):
        label, _, others = (part.strip() for part in head.partition("~"))
        tables.append(_table(label, _words(others), columns, rng, style, is_event=place == 0 or place > len(things)))
    _add_twins(tables, rng, style)
    sizes = {t.label: rng.randint(*_THINGS) for t in tables}
    filled = [Table(**{**_parts(t), "rows": tuple(_rows(t, sizes, rng))}) for t in tables]
    return World(domain["name"], style, tuple(filled), rng.random() < 0.3, bool(domain.get("held_out")))


def _add_twins(tables: list[Table], rng: random.Random, style: Style) -> None:
    """Columns of the same name in two tables, as real databases have them ("status" of the order, "status" of the customer)."""
    for _ in range(rng.choice((0, 1, 1, 2))):
        source, target = rng.sample(range(len(tables)), 2)
        choices = [
            c
            for c in tables[source].columns
            if c.kind in ("category", "date", "flag", "rate") and all(c.label != o.label for o in tables[target].columns)
        ]
        if choices:
            twin = rng.choice(choices)
            label = tables[target].label
            copied = Column(twin.label, twin.kind, twin.others, twin.values, _physical(twin.label, label, style))
            tables[target] = Table(**{**_parts(tables[target]), "columns": (*tables[target].columns, copied)})


def plural(noun: str) -> str:
    """
    >>> plural("delivery"), plural("batch"), plural("sales rep")
    ('deliveries', 'batches', 'sales reps')
    """
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _table(label: str, others: tuple[str, ...], columns: dict[str, Any], rng: random.Random, style: Style, *, is_event: bool) -> Table:
    refs = tuple(columns.get("refs", ()))
    every = [_column(name, str(text)) for name, text in columns.items() if name != "refs"]
    kept: list[Column] = []
    dropped: list[Column] = []
    for position, column in enumerate(every):
        needed = column.kind == "name" or (
            is_event and (position == 0 or (column.kind == "money" and not any(k.kind == "money" for k in kept)))
        )
        (kept if needed or rng.random() > _DROPPED_SHARE else dropped).append(column)
    named = tuple(Column(c.label, c.kind, c.others, c.values, _physical(_padded(c, rng), label, style)) for c in kept)
    key = _physical("id", label, style) if style in ("singular",) else _physical(f"{label} id", label, style)
    keys = tuple((r, _physical(f"{r} id", label, style)) for r in refs)
    return Table(label, plural(label), others, _physical_table(label, style, is_event=is_event), key, named, tuple(dropped), keys, ())


def _column(name: str, text: str) -> Column:
    said, _, others = (part.strip() for part in text.partition("~"))
    kind, _, values = said.partition(" ")
    return Column(name, kind, _words(others), _words(values))  # type: ignore[arg-type]


def _words(text: str) -> tuple[str, ...]:
    return tuple(w.strip() for w in text.split(",") if w.strip())


def _physical(label: str, table: str, style: Style) -> str:
    words: list[str] = re.findall(r"[a-z0-9]+", label.lower())
    if style == "camel":
        return words[0] + "".join(w.capitalize() for w in words[1:])
    if style == "short":
        return "_".join(_SHORT.get(w, w) for w in words)
    if style == "coded":
        return _code(table) + "".join(_SHORT.get(w, w).capitalize() for w in words)
    if style == "wordy" and words[-1] not in ("id", "name"):
        return "_".join([*words, _EXTRA.get(words[-1], "value")] if len(words) == 1 else words)
    if style == "prefixed" and words[0] != table.split()[0]:
        return "_".join([table.split()[0], *words])
    return "_".join(words)


def _padded(column: Column, rng: random.Random) -> str:
    """The label as databases have it: often with a word more than people say ("order status code", "base price", "city name")."""
    if column.kind in ("name", "date") or rng.random() > _PADDED_SHARE:
        return column.label
    before, after = _PADDING[column.kind]
    if rng.random() < 0.5:
        return f"{rng.choice(before)} {column.label}"
    return f"{column.label} {rng.choice(after)}"


def _code(table: str) -> str:
    """The two letters that start every column of a table, as old systems have them."""
    letters = table.replace(" ", "")
    return letters[0] + next((c for c in letters[1:] if c not in "aeiou"), "x")


def _physical_table(label: str, style: Style, *, is_event: bool) -> str:
    words = label.lower().split()
    if style == "coded":
        return _code(label) + "".join(w.capitalize() for w in words)
    if style == "camel":
        return "".join(w.capitalize() for w in words)
    if style == "prefixed":
        return ("fact_" if is_event else "dim_") + "_".join(words)
    if style == "singular":
        return "_".join(words)
    return "_".join(plural(label).lower().split())


def _rows(table: Table, sizes: dict[str, int], rng: random.Random) -> Iterator[dict[str, Any]]:
    """The last three things of a kind have no events."""
    count = _EVENTS if table.refs else sizes[table.label]
    sparse = rng.choice(table.columns).label if rng.random() < 0.4 else ""
    scale = {c.label: rng.choice((1, 10, 100)) for c in table.columns}
    names: set[str] = set()
    for number in range(1, count + 1):
        row: dict[str, Any] = {table.key: number}
        for label, column in table.refs:
            row[column] = rng.randint(1, sizes[label] - 3)
        for c in table.columns:
            missing = c.label == sparse and c.kind in ("category", "number") and rng.random() < 0.06
            row[c.physical] = None if missing else _value(c, rng, scale[c.label], names)
        yield row


def _value(column: Column, rng: random.Random, scale: int, names: set[str]) -> Any:
    if column.kind == "category":
        return rng.choice(column.values)
    if column.kind == "flag":
        return rng.random() < 0.3
    if column.kind == "date":
        return _FIRST_DAY + dt.timedelta(days=rng.randrange(_DAYS))
    if column.kind == "number":
        return rng.randint(1, 90)
    if column.kind == "name":
        while True:
            name = " ".join("".join(rng.choice(_SYLLABLES) for _ in range(rng.choice((2, 3)))).capitalize() for _ in range(2))
            if name not in names:
                names.add(name)
                return name
    return round(rng.uniform(1, 100) * scale, 2)


def _parts(table: Table) -> dict[str, Any]:
    return {name: getattr(table, name) for name in Table.__slots__}
