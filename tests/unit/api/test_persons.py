"""No table is forgotten when a person or a company leaves: the tables are walked, not remembered."""

from __future__ import annotations

from sqlalchemy import String

from api import persons
from core.store.tables import metadata
from core.store.tables.meta import ID_LENGTH

# Columns as wide as an id that hold no person's.
NO_PERSON = {
    "id", "secret_hash", "request_id", "previous_hash", "hash", "pin_id", "version", "job_id", "channel_id", "stream", "series_key",
    "data_hash", "forecast_id", "measure_key", "visibility", "key_hash", "request_hash", "insight_id", "delivery_id", "incident_id", "rule_id",
    "kind", "fingerprint", "name", "sha256", "run_id", "question_id", "conversation_id", "token_hash", "account", "lease_owner", "version_id",
    "made_by_key",
}  # fmt: skip
# Of nobody's company: what repeated requests were answered (sealed, gone after a day), failures by a hash of the address, the installation's keys.
WITHOUT_TENANT = {"tenants", "idempotent_answers", "sign_in_failures", "secrets"}


def test_every_column_that_may_hold_a_person_is_declared() -> None:
    undeclared = [
        f"{name}.{column.name}"
        for name, table in metadata.tables.items()
        for column in table.c
        if isinstance(column.type, String) and column.type.length == ID_LENGTH and column.name not in NO_PERSON
        and not any(key.column.table.name != "users" for key in column.foreign_keys)
        and column.name not in persons.COLUMNS.get(name, {})
    ]  # fmt: skip
    assert undeclared == [], "say in api.persons.COLUMNS what becomes of them"
    assert all(column in metadata.tables[name].c for name, columns in persons.COLUMNS.items() for column in columns)


def test_every_table_goes_with_its_company() -> None:
    stays = {
        name
        for name, table in metadata.tables.items()
        if not any(key.column.table.name == "tenants" and key.ondelete == "CASCADE" for key in table.foreign_keys)
    }
    assert stays == WITHOUT_TENANT
