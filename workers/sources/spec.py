"""What an admin declares: where the data lies, and how it is brought over. Every field is a value of a narrow shape; none is SQL."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from core.errors import Invalid

Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
Broker = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?:[0-9]{1,5}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f`'\"\\]{1,128}$")]
# Stands in an address, where other characters would be options of the driver.
DocumentDatabase = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x20\x7f/\\.\"$*<>:|?#%&@'`;,=+]{1,63}$")]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,79}$")]
Secret = Annotated[SecretStr, Field(max_length=4_000)]
FileFormat = Literal["CSVWithNames", "TSVWithNames", "JSONEachRow", "Parquet", "ORC", "Avro"]
_GLOBS = frozenset("{}*?|")


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(Part):
    """A connection; `secrets` names the fields that are never shown and stored only encrypted."""

    secrets: ClassVar[tuple[str, ...]] = ("password",)

    @property
    def shown(self) -> dict[str, Any]:
        """Everything but the secrets."""
        return self.model_dump(mode="json", exclude=set(self.secrets))

    @property
    def hidden(self) -> dict[str, str]:
        values = {name: getattr(self, name) for name in self.secrets}
        return {name: value.get_secret_value() for name, value in values.items() if value is not None and value.get_secret_value()}


class Server(Address):
    """A database server. What travels to it is as safe as its own settings make it: see docs/sources.md."""

    host: Host
    port: int = Field(ge=1, le=65_535)
    database: Word
    user: Word
    password: Secret = SecretStr("")

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"


class PostgreSQL(Server):
    kind: Literal["postgresql"] = "postgresql"
    port: int = Field(default=5432, ge=1, le=65_535)
    schema_name: Word = "public"
    table: Word

    @property
    def origin(self) -> str:
        return f"postgresql://{self.place}/{self.schema_name}.{self.table}"


class MySQL(Server):
    kind: Literal["mysql"] = "mysql"
    port: int = Field(default=3306, ge=1, le=65_535)
    table: Word

    @property
    def origin(self) -> str:
        return f"mysql://{self.place}.{self.table}"


class Field_(Part):
    """A field of a document, and the type that its column gets."""

    name: FieldName
    type: Literal["String", "Int64", "Float64", "Bool", "Date", "DateTime64(3)"]


class DocumentField(Part):
    """Of a collection: also decimals (ten places) and ids of 128 bits."""

    name: FieldName
    type: Literal["String", "Int64", "Float64", "Decimal", "Bool", "Date", "DateTime64(3)", "UUID"]


class MongoDB(Server):
    """Documents have no schema of their own, so `fields` says which become columns. auth_source: the database that knows the user, else this one."""

    kind: Literal["mongodb"] = "mongodb"
    port: int = Field(default=27017, ge=1, le=65_535)
    database: DocumentDatabase
    collection: Word
    auth_source: DocumentDatabase | Literal[""] = ""
    tls: bool = True
    fields: tuple[DocumentField, ...] = Field(min_length=1, max_length=500)

    @field_validator("fields")
    @classmethod
    def _each_once(cls, fields: tuple[DocumentField, ...]) -> tuple[DocumentField, ...]:
        twice = sorted({f.name for f in fields if sum(f.name == other.name for other in fields) > 1})
        if twice:
            raise ValueError(f"each field once; {', '.join(twice)[:100]} is there twice")
        return fields

    @property
    def times(self) -> frozenset[str]:
        return frozenset(f.name for f in self.fields if f.type.startswith("Date"))

    @property
    def origin(self) -> str:
        return f"mongodb://{self.place}.{self.collection}"


class Kafka(Address):
    """A topic of JSON objects. `fields` gives types to those whose first values do not say it, such as dates in words of their own."""

    kind: Literal["kafka"] = "kafka"
    brokers: tuple[Broker, ...] = Field(min_length=1, max_length=20)
    topic: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    fields: tuple[Field_, ...] = Field(default=(), max_length=500)
    user: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,200}$")] = ""
    password: Secret = SecretStr("")
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    tls: bool = True

    @model_validator(mode="after")
    def _kept_secret(self) -> Kafka:
        if self.user and self.mechanism == "PLAIN" and not self.tls:
            raise ValueError("PLAIN sends the password as it is: turn tls on, or choose SCRAM-SHA-512")
        return self

    @property
    def origin(self) -> str:
        return f"kafka://{','.join(self.brokers)}/{self.topic}"


class _Bucket(Address):
    """Without keys the bucket is read as a public one; the server's own credentials are never used."""

    secrets: ClassVar[tuple[str, ...]] = ("secret_key",)
    url: Annotated[str, Field(max_length=1_000)]
    access_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_/+=.-]{0,200}$")] = ""
    secret_key: Secret = SecretStr("")

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        return _checked_url(url)

    @model_validator(mode="after")
    def _both_keys(self) -> _Bucket:
        if bool(self.access_key) != bool(self.secret_key.get_secret_value()):
            raise ValueError("give access_key and secret_key, or neither for a public bucket")
        return self

    @property
    def origin(self) -> str:
        return self.url


class S3(_Bucket):
    """Files of one format; `*`, `?` and `{a,b}` may stand in the path, not in the host."""

    kind: Literal["s3"] = "s3"
    format: FileFormat


class Iceberg(_Bucket):
    kind: Literal["iceberg"] = "iceberg"


class Delta(_Bucket):
    kind: Literal["delta"] = "delta"


class WebFile(Address):
    """A file behind http(s), of the formats of `querent data load`, found by the name's ending or the content."""

    secrets: ClassVar[tuple[str, ...]] = ("bearer_token",)
    kind: Literal["url"] = "url"
    url: Annotated[str, Field(max_length=2_000)]
    bearer_token: Secret = SecretStr("")

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        checked = _checked_url(url)
        if _GLOBS & set(urlsplit(checked).path):
            raise ValueError("one file was expected; { } * ? | cannot stand in its path")
        return checked

    @property
    def origin(self) -> str:
        return self.url.partition("?")[0]

    @property
    def shown(self) -> dict[str, Any]:
        """Without what follows the `?`: that is where signed addresses carry their secret."""
        return {"kind": self.kind, "url": self.origin}

    @property
    def hidden(self) -> dict[str, str]:
        token = self.bearer_token.get_secret_value()
        return ({"url": self.url} if self.url != self.origin else {}) | ({"bearer_token": token} if token else {})


AnyAddress = Annotated[PostgreSQL | MySQL | MongoDB | Kafka | S3 | Iceberg | Delta | WebFile, Field(discriminator="kind")]
_ADDRESS: TypeAdapter[AnyAddress] = TypeAdapter(AnyAddress)


class Plan(Part):
    """How the rows come over.

    table: where to, in the tenant's own database. full: the whole table is swapped for a new copy. incremental: only rows whose `key` (a
    column that only grows) is above the largest that is there. With `identity` (columns that tell rows apart) a row that comes again
    replaces the one before, and rows as far back as `look_back_days` come again, so that late changes are seen. stream: the messages of a
    topic that have not been read.
    every_minutes: None runs only when asked. on_drift: `stop` changes nothing when the source's columns changed; `adopt` takes new columns
    over always, and removed or retyped ones with a full refresh.
    """

    table: TableName
    mode: Literal["full", "incremental", "stream"] = "full"
    key: Word | None = None
    identity: tuple[Word, ...] = Field(default=(), max_length=8)
    look_back_days: int = Field(default=0, ge=0, le=366)
    every_minutes: int | None = Field(default=None, ge=5, le=43_200)
    on_drift: Literal["adopt", "stop"] = "adopt"
    infer_catalog: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Plan:
        if (self.mode == "incremental") != (self.key is not None):
            raise ValueError("an incremental source needs a key, and others have none")
        if self.mode != "incremental" and (self.identity or self.look_back_days):
            raise ValueError("identity and look_back_days belong to incremental sources")
        if self.look_back_days and not self.identity:
            raise ValueError("rows that come again need an identity, else they would be there twice")
        return self


class SourceBody(Part):
    """A source as it is declared. Secrets that are left out of a change stay as they were."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    connection: AnyAddress
    plan: Plan
    enabled: bool = True

    @model_validator(mode="after")
    def _fits(self) -> SourceBody:
        if self.connection.kind == "url" and self.plan.mode != "full":
            raise ValueError("a file is always taken as a whole: mode full")
        if (self.connection.kind == "kafka") != (self.plan.mode == "stream"):
            raise ValueError("a topic is read on from where it was left: mode stream, which nothing else has")
        at = self.connection
        if isinstance(at, MongoDB) and self.plan.key in at.times and not self.plan.identity:
            raise ValueError(
                "documents are asked for by whole seconds of a time, so some come again: name what tells them apart as identity, such as _id"
            )
        return self


def read_address(shown: dict[str, Any], hidden: dict[str, str]) -> AnyAddress:
    """The connection as stored, with its secrets. Raises: Invalid when it was written by another version and no longer fits."""
    try:
        return _ADDRESS.validate_python({**shown, **hidden})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(f"The source's connection is not usable ({first['msg']}); change the source.", code="bad_source") from error


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or not url.isprintable():
        raise ValueError("an address such as https://host/path was expected, without a user name")
    if _GLOBS & set(parts.netloc):
        raise ValueError("the host must be written out")
    return url
