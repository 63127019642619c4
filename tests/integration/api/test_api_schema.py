"""The API keeps to its own description: generated requests to every operation get declared answers of the declared form, never a 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis import checks
from schemathesis.python import asgi

from api.app import create_app
from api.examples import EXAMPLES as EXAMPLES_BY_NAME
from api.examples import answers
from api.openapi import PROBLEMS
from api.services import Services
from core.ids import TenantId
from core.principal import Role
from core.store import api_keys, catalogs, tenants, users
from core.store.users import NewUser
from workers.bootstrap import Services as CoreServices

EXAMPLES = 4  # per operation, beside the documented ones
FUZZ = TenantId("fuzz")
REACH_OUT = {"POST /v1/sources", "POST /v1/sources/test"}  # to generated addresses
_KEPT = (
    checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance,
    checks.response_headers_conformance,
)  # fmt: skip
_ONCE = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip


@pytest.fixture(scope="module")
def app(services: Services) -> Iterator[Any]:
    """An application without rates over the same state."""
    unlimited = services.settings.model_copy(update={"rate_per_minute": 0, "tenant_rate_per_minute": 0})
    yield create_app(Services(CoreServices(unlimited, services.clock)))
    asgi.shutdown_lifespans()


@pytest.fixture(scope="module")
def key(services: Services) -> str:
    """Of the administrator of a company of its own, which has the catalog of another and no rows."""
    now = services.clock.now()
    with services.store.write() as connection:
        tenants.create(connection, FUZZ, name="Fuzz", now=now)
        admin = users.create(connection, FUZZ, NewUser("admin@fuzz.example", "", frozenset({Role.ADMIN})), now=now)
        document = catalogs.current(connection, TenantId("acme")).document
        catalogs.append(connection, FUZZ, catalogs.NewCatalog(document=document, author=admin.id), now=now)
        return api_keys.create(connection, FUZZ, admin.id, name="fuzz", now=now)[1]


def test_every_operation_answers_as_described(app: Any, key: str) -> None:
    wrong: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {key}"}
    for found in schemathesis.openapi.from_asgi("/v1/openapi.json", app).get_all_operations():
        operation = found.ok()
        if operation.label in REACH_OUT:
            continue

        @_ONCE
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            case.validate_response(case.call(headers=headers), checks=_KEPT)

        try:
            check()
        except (Exception, BaseExceptionGroup) as error:
            parts = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
            wrong[operation.label] = "\n".join(f"{type(part).__name__}: {part}"[:1500] for part in parts)
    assert not wrong, "\n\n".join(f"{label}\n{what}" for label, what in wrong.items())


class TestDocument:
    def test_every_body_has_an_example_that_fits_it(self, app: Any) -> None:
        document = app.openapi()
        schemas = document["components"]["schemas"]
        bodies = {
            part["$ref"].rpartition("/")[2]
            for item in document["paths"].values() for operation in item.values()
            for content in [operation.get("requestBody", {}).get("content", {}).get("application/json")] if content
            for part in (content["schema"], *content["schema"].get("anyOf", ())) if "$ref" in part
        }  # fmt: skip
        assert len(bodies) > 40
        assert set(EXAMPLES_BY_NAME) <= set(schemas)
        for name in bodies:
            assert schemas[name].get("examples"), name
        for name, schema in schemas.items():
            for example in schema.get("examples", ()):
                Draft202012Validator({**schema, "components": document["components"]}).validate(example), name

    def test_every_answer_has_an_example_that_fits_it(self, app: Any) -> None:
        document = app.openapi()
        schemas, seen = document["components"]["schemas"], set()
        for path, item in document["paths"].items():
            for method, operation in item.items():
                for status, answer in operation["responses"].items():
                    content = answer.get("content", {}).get("application/json")
                    if content is None or not (path.startswith("/v1/") and status.startswith("2")):
                        continue
                    name, example = f"{method.upper()} {path}", content.get("example")
                    seen.add(name)
                    assert example or name.endswith("directory-roles"), name
                    Draft202012Validator({**content["schema"], "components": document["components"]}).validate(example), name
                    known = schemas.get(content["schema"].get("$ref", "").rpartition("/")[2], {}).get("properties")
                    assert known is None or set(example) <= set(known), name  # nothing that is not told any more
                    if name.startswith("GET ") and known is schemas["Page"]["properties"]:
                        assert example["items"], name
        assert set(answers()) <= seen

    def test_problems_have_a_form_and_codes(self, app: Any) -> None:
        document = app.openapi()
        for status in PROBLEMS:
            content = document["components"]["responses"][f"Problem{status}"]["content"]["application/problem+json"]
            for code, example in content["examples"].items():
                assert example["value"]["code"] == code
                Draft202012Validator({**content["schema"], "components": document["components"]}).validate(example["value"])
        ask = document["paths"]["/v1/ask"]["post"]
        assert {"401", "403", "404", "422", "429", "503"} <= set(ask["responses"])
        assert ask["x-right"] == "ask"
        assert document["paths"]["/v1/login"]["post"]["security"] == []
