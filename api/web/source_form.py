"""A source as a form: the fields of each kind, and what they say as a `SourceBody`. Secrets go in and never come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from api.web.forms import Fields
from core.errors import Invalid
from core.store.sources import Source
from workers.sources.spec import SourceBody


@dataclass(frozen=True, slots=True)
class FormField:
    """name: of the form's field. key: of the connection. kinds: where it is asked for. like: an example, shown while it is empty."""

    name: str
    key: str
    label: str
    kinds: tuple[str, ...]
    like: str = ""
    note: str = ""
    required: bool = True
    secret: bool = False


KINDS: Mapping[str, tuple[str, str]] = {
    "postgresql": ("PostgreSQL", "A table or view of a PostgreSQL server."),
    "url": ("A file on the web", "CSV, TSV, JSON, Parquet or Excel behind http(s), zipped or not."),
    "s3": ("Files in a bucket", "Files of one format in an object store that speaks S3."),
    "iceberg": ("Iceberg table", "In an object store that speaks S3."),
    "delta": ("Delta table", "In an object store that speaks S3."),
    "mysql": ("MySQL", "A table or view of a MySQL server."),
    "mongodb": ("MongoDB", "A collection; you say which fields become columns."),
    "kafka": ("Kafka topic", "JSON messages, read on from where the last run stopped."),
}
_SERVERS, _BUCKETS = ("postgresql", "mysql", "mongodb"), ("s3", "iceberg", "delta")
FIELDS: tuple[FormField, ...] = (
    FormField("host", "host", "Host", _SERVERS, "db.example.com"),
    FormField("port", "port", "Port", _SERVERS, "the usual one", required=False),
    FormField("database", "database", "Database", _SERVERS, "shop"),
    FormField("schema_name", "schema_name", "Schema", ("postgresql",), "public", required=False),
    FormField("source_table", "table", "Table or view", ("postgresql", "mysql"), "orders"),
    FormField("collection", "collection", "Collection", ("mongodb",), "orders"),
    FormField("user", "user", "User", _SERVERS, "reader", "One that may only read."),
    FormField("auth_source", "auth_source", "Database that knows the user", ("mongodb",), "admin", "Empty: the one above.", required=False),
    FormField("brokers", "brokers", "Brokers", ("kafka",), "kafka-1.example.com:9093, kafka-2.example.com:9093"),
    FormField("topic", "topic", "Topic", ("kafka",), "orders"),
    FormField("kafka_user", "user", "User", ("kafka",), required=False),
    FormField("password", "password", "Password", (*_SERVERS, "kafka"), required=False, secret=True),
    FormField("url", "url", "Address", ("url", *_BUCKETS), "https://example.com/orders.csv", "In a bucket *, ? and {a,b} may stand in the path."),
    FormField("bearer_token", "bearer_token", "Bearer token", ("url",), required=False, secret=True),
    FormField("access_key", "access_key", "Access key", _BUCKETS, "", "Without keys it is read as a public bucket.", required=False),
    FormField("secret_key", "secret_key", "Secret key", _BUCKETS, required=False, secret=True),
)  # fmt: skip
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
FORMATS = ("CSVWithNames", "TSVWithNames", "JSONEachRow", "Parquet", "ORC", "Avro")
EVERY = {
    "": "only when asked",
    "15": "every 15 minutes",
    "60": "every hour",
    "360": "every 6 hours",
    "1440": "every day",
    "10080": "every week",
}
_EXPECTED = {
    "brokers": "hosts with ports such as kafka-1.example.com:9093",
    "topic": "letters, digits, dots, _ and -",
    "host": "a host's name such as db.example.com",
    "table": "small letters, digits and _, beginning with a letter",
    "port": "a number from 1 to 65535",
    "every_minutes": "from 5 minutes to 30 days",
    "look_back_days": "0 to 366 days",
    "database": "a name without spaces, quotes and (for MongoDB) / . ? & and the like",
    "auth_source": "a database's name such as admin",
    "access_key": "letters, digits and /_+=.-",
}


def source_body(form: Fields, known: Source | None = None, *, place_only: bool = False) -> SourceBody:
    """What the fields say; a kind and what the form does not show stay as they are in `known`.

    place_only: whatever is said of how it comes over, to test where it lies. Raises: Invalid that names the field.
    """
    kind = known.kind if known is not None else form("kind")
    if kind not in KINDS:
        raise Invalid("Choose what kind of source it is.", code="bad_form", path="kind")
    connection: dict[str, Any] = {"kind": kind}
    for field in FIELDS:
        if kind not in field.kinds:
            continue
        if field.required and not form.has(field.name):
            raise Invalid(f"{field.label}: say it{f', such as {field.like}' if field.like else ''}.", code="bad_form", path=field.name)
        if form.has(field.name):
            connection[field.key] = form(field.name)
    if kind == "s3":
        connection["format"] = form("format", FORMATS[0])
    if kind == "kafka":
        brokers = [part.strip() for part in form("brokers").split(",") if part.strip()]
        connection |= {"brokers": brokers, "mechanism": form("mechanism", MECHANISMS[0])}
    if kind in ("kafka", "mongodb"):
        connection["tls"] = form.has("tls")
    if kind == "mongodb" or (kind == "kafka" and form.has("fields")):
        connection["fields"] = [_typed(line) for line in filter(None, map(str.strip, form("fields").splitlines()))]
    if place_only:
        return _checked(
            {"name": "test", "connection": connection, "plan": {"table": "test", "mode": "stream" if kind == "kafka" else "full"}}
        )
    before = dict(known.plan) if known is not None else {}
    return _checked({"name": form("name"), "connection": connection, "plan": before | _plan(form, kind), "enabled": form.has("enabled")})


def source_values(known: Source | None) -> dict[str, Any]:
    """Under the names of the form's fields; secrets are never among them."""
    names = [*(f.name for f in FIELDS if not f.secret), "format", "fields", "name", "table", "key", "identity", "look_back_days"]
    usual: dict[str, Any] = dict.fromkeys(names, "") | {
        "kind": "postgresql", "mode": "full", "every_minutes": "1440", "on_drift": "adopt", "infer_catalog": True, "enabled": True,
        "mechanism": MECHANISMS[0], "tls": True,
    }  # fmt: skip
    if known is None:
        return usual
    plan = dict(known.plan)
    return usual | {f.name: known.connection.get(f.key, "") for f in FIELDS if not f.secret} | {
        "kind": known.kind, "name": known.name, "enabled": known.enabled, "format": known.connection.get("format", ""),
        "brokers": ", ".join(known.connection.get("brokers", ())), "mechanism": known.connection.get("mechanism", MECHANISMS[0]),
        "tls": known.connection.get("tls", True), "fields": "\n".join(f"{f['name']}: {f['type']}" for f in known.connection.get("fields", ())),
        "table": known.table_name, "mode": plan.get("mode", "full"), "key": plan.get("key") or "", "identity": ", ".join(plan.get("identity", ())),
        "look_back_days": plan.get("look_back_days") or "", "every_minutes": str(plan.get("every_minutes") or ""),
        "on_drift": plan.get("on_drift", "adopt"), "infer_catalog": plan.get("infer_catalog", True),
    }  # fmt: skip


def given_values(form: Fields) -> dict[str, Any]:
    """What was filled in, without secrets."""
    texts = {f.name: form(f.name) for f in FIELDS if not f.secret}
    names = (
        "kind",
        "name",
        "format",
        "mechanism",
        "fields",
        "table",
        "mode",
        "key",
        "identity",
        "look_back_days",
        "every_minutes",
        "on_drift",
    )
    return texts | {name: form(name) for name in names} | {name: form.has(name) for name in ("infer_catalog", "enabled", "tls")}


def every_said(minutes: int | None) -> str:
    """How often in words: every 90 minutes, every day."""
    key = str(minutes or "")
    return EVERY.get(key) or (f"every {minutes // 60} hours" if minutes and minutes % 60 == 0 else f"every {minutes} minutes")


def _plan(form: Fields, kind: str) -> dict[str, Any]:
    incremental = form("mode") == "incremental" and kind not in ("url", "kafka")
    return {
        "table": form("table"),
        "mode": "stream" if kind == "kafka" else "incremental" if incremental else "full",
        "key": form("key") or None if incremental else None,
        "identity": [name.strip() for name in form("identity").split(",") if name.strip()] if incremental else [],
        "look_back_days": form.whole("look_back_days", "Days to look back", 0) if incremental else 0,
        "every_minutes": form.whole("every_minutes", "How often", 0) or None,
        "on_drift": form("on_drift", "adopt"),
        "infer_catalog": form.has("infer_catalog"),
    }


def _typed(line: str) -> dict[str, str]:
    name, colon, kind = line.partition(":")
    if not colon:
        raise Invalid(f"Fields are lines such as “amount: Float64”; found {line[:60]!r}.", code="bad_form", path="fields")
    return {"name": name.strip(), "type": kind.strip()}


def _checked(document: Mapping[str, Any]) -> SourceBody:
    try:
        return SourceBody.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = next((str(part) for part in reversed(first["loc"]) if isinstance(part, str)), "")
        in_plan = first["loc"][:1] == ("plan",)
        label = (
            "Table in Querent"
            if in_plan and key == "table"
            else next((f.label for f in FIELDS if f.key == key), key.replace("_", " ").capitalize())
        )
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "value_error" or key in KINDS:
            said = message[:1].upper() + message[1:]
        elif key in _EXPECTED and (in_plan or key != "table"):
            said = f"{label}: expected {_EXPECTED[key]}"
        else:
            said = f"{label or 'The form'}: {message[:1].lower()}{message[1:]}"
        raise Invalid(f"{said}.", code="bad_form", path=key) from error
