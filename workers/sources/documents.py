"""A MongoDB collection as the engine reads it: typed fields, one connection, and of an incremental run only documents that may be new."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from urllib.parse import quote, urlencode

from semantic.warehouse.admin import quote_name
from workers.sources.reach import named, pinned
from workers.sources.reading import LOOKED_AT, Remote, Rows, Since, bound
from workers.sources.spec import MongoDB

# The driver would wait half a minute for a server, and follow a replica set to whatever hosts it names.
_OPTIONS: Mapping[str, str] = MappingProxyType(
    {"directConnection": "true", "connectTimeoutMS": "5000", "serverSelectionTimeoutMS": "5000", "appName": "querent"}
)
# How a field is read, and what becomes of it. The engine has no decimals of documents, and its dates end in 2149 unless they are wide ones.
_READ: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"Date": ("Date32", "{0}"), "Decimal": ("String", "toDecimal128({0}, 10)"), "UUID": ("UUID", "toString({0})")}
)
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_ID = "_id"
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Documents(Remote):
    """fields: declared types by name. values: of the call, in its order, up to the password."""

    fields: Mapping[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = field(default=(), repr=False)
    options: str = ""

    @property
    def look(self) -> str:
        held = ", ".join(f"countIf(isNotNull({quote_name(name)}))" for name in self.fields)
        return f"SELECT count(), {held} FROM (SELECT * FROM {self.call} LIMIT {LOOKED_AT})"

    @property
    def advice(self) -> str:
        return "declare fields whose values are of several types as String, and decimal numbers as Decimal"

    def newer(self, since: Since) -> Rows:
        """The engine hands on only conditions of its own narrow kind, so times are asked for by the second or day, and what it cannot hand on is judged here."""
        name = since.column
        if since.kind.startswith("Date"):
            whole, floor = _floor(since)
            typed = {name: whole} if whole == "DateTime" else _NONE
            call = _call(self.values, self.fields, self.options, f"{quote_name(name)} >= {{since:{whole}}}", typed)
            return Rows(call.text, {**call.params, "since": floor})
        above = f"{quote_name(name)} {since.sign} {{since:{since.kind}}}"
        handed_on = since.kind.startswith(("Int", "UInt")) or (name == _ID and self.fields.get(name) == "String")
        if not handed_on:
            return Rows(f"{self.call} WHERE {above}", {**self.params, "since": since.text})
        ids = _ID if _OBJECT_ID.fullmatch(since.text) else ""
        call = _call(self.values, self.fields, self.options, above, ids=ids)
        return Rows(call.text, {**call.params, "since": since.text})

    def strangers(self, since: Since) -> Rows | None:
        """Documents whose key is text where a number or time was declared: no condition on it would ever find them. None where none can be."""
        if since.kind == "String" or self.fields.get(since.column) in ("Decimal", "UUID"):
            return None
        call = _call(self.values, {since.column: "String"}, self.options, f"{quote_name(since.column)} >= {{since:String}}", ids="")
        return Rows(f"{call.text} LIMIT 1", {**call.params, "since": "\x01"})


def documents(address: MongoDB, allowed: Collection[str]) -> Documents:
    """allowed: hosts that the operator named; over TLS the host must be one, as the driver checks its certificate by the name. Raises: Invalid."""
    place = named(address.host, address.port, allowed) if address.tls else pinned(address.host, address.port, allowed)
    values = (place, address.database, address.collection, address.user, address.password.get_secret_value())
    fields = {f.name: f.type for f in address.fields}
    options = urlencode(
        {**_OPTIONS, "tls": str(address.tls).lower(), "authSource": address.auth_source or address.database}, quote_via=quote
    )
    call = _call(values, fields, options)
    return Documents(call.text, call.params, tuple(address.hidden.values()), fields=fields, values=values, options=options)


def _call(
    values: tuple[str, ...], fields: Mapping[str, str], options: str, condition: str = "", typed: Mapping[str, str] = _NONE, ids: str = _ID
) -> Rows:
    """typed: fields to read in another type than declared. ids: the fields whose texts in the condition are object ids."""
    read = {name: _READ.get(kind, (kind, "{0}")) for name, kind in fields.items()}
    read |= {name: (kind, "toDateTime64({0}, 3)") for name, kind in typed.items()}
    structure = ", ".join(f"{name} Nullable({kind})" for name, (kind, _) in read.items())
    listed = ", ".join(f"{how.format(quote_name(name))} AS {quote_name(name)}" for name, (_, how) in read.items())
    call, params = bound("mongodb", [*values, structure, options, ids])
    where = f" WHERE _documents.{condition}" if condition else ""
    return Rows(f"(SELECT {listed} FROM {call} AS _documents{where})", params)


def _floor(since: Since) -> tuple[str, str]:
    """The type that a condition may have, and the text from which on: a whole day or second at or before what is there."""
    back = timedelta(days=since.back_days)
    if since.kind.startswith("Date32") or since.kind == "Date":
        return "Date32", (date.fromisoformat(since.text[:10]) - back).isoformat()
    floor = datetime.fromisoformat(since.text[:19]) - back
    return "DateTime", max(floor, datetime(1970, 1, 2)).isoformat(sep=" ")
