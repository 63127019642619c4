"""The OpenAPI document: what FastAPI finds in the routes, with how one signs in, which problems may come back, and an example of every body and answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import problem_reference
from api.deprecations import OPERATIONS, PARAMETERS
from api.examples import EXAMPLES
from api.examples import answers as example_answers
from api.problems import MEDIA_TYPE, Problem
from api.rights import OPEN, needed

# Status, what it means, and codes that are often met with it.
PROBLEMS: Mapping[int, tuple[str, tuple[str, ...]]] = {
    400: ("Not understood", ("bad_request",)),
    401: ("No credential, or one that is not valid", ("unauthenticated", "bad_api_key", "bad_token", "bad_credentials")),
    403: ("Not allowed with these roles or scopes", ("forbidden", "scope_missing", "cross_site_request", "not_yours")),
    404: ("Not there, or another tenant's", ("not_found", "unknown_metric", "unknown_field", "unknown_job")),
    409: ("Does not fit what is there now", ("conflict", "catalog_changed", "user_exists", "last_administrator")),
    412: ("Somebody changed it since (If-Match)", ("changed_since",)),
    413: ("Too large", ("too_large",)),
    422: ("Well-formed, but not valid here", ("invalid_request", "invalid", "query_rejected", "query_too_expensive", "not_enough_data")),
    429: ("Too many requests, or a quota is used up", ("rate_limited", "quota_used_up")),
    503: ("A part that is needed does not answer now; try again", ("unavailable", "state_unavailable", "warehouse_down")),
}
_SCIM_PROBLEM = {
    "description": "RFC 7644, section 3.12, with our `code`",
    "content": {"application/scim+json": {"schema": {"type": "object", "required": ["schemas", "status", "detail", "code"]}}},
}
_CHANGES = {"post", "put", "patch", "delete"}
_TAGS = {
    "provisioning": "SCIM 2.0 for a company's directory (RFC 7643, RFC 7644); takes an API key with the scope provision.",
    "ask": "Questions in plain English, typed queries and analysts' SQL.", "jobs": "Long work: its state, progress and cancelling.",
    "identity": "Signing in, who one is, API keys.", "administration": "People, roles, the audit log, use and quotas.",
    "catalog": "What there is to ask about, and uploads.", "operations": "What load balancers and monitoring look at.",
}  # fmt: skip


def describe(app: FastAPI) -> None:
    """Makes `app.openapi()` give the complete document; it is made once, when first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            tags = [{"name": name, "description": text} for name, text in _TAGS.items()]
            app.openapi_schema = _complete(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes, tags=tags)
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    components = document["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"].update(components["schemas"]["Problem"].pop("$defs", {}))
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for name, example in EXAMPLES.items():
        if name in components["schemas"]:
            components["schemas"][name].setdefault("examples", [example])
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key (qk_...), or a token of your sign-in provider."},
        "session": {"type": "apiKey", "in": "cookie", "name": "querent_session", "description": "What POST /v1/login sets."},
    }
    codes = problem_reference.known()
    components["responses"] = {f"Problem{status}": _response(status, codes.get(status, ())) for status in PROBLEMS}
    document["security"] = [{"bearer": []}, {"session": []}]
    for path, method, operation in _operations(document):
        answers = operation["responses"]
        for status in [s for s in answers if s.startswith(("4", "5")) and "json" in str(answers[s].get("content", {}))]:
            if path.startswith("/v1/"):
                del answers[status]
        if path.startswith("/v1/"):
            answers.update({str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in _possible(path, method, operation)})
        _mark_deprecated(path, method, operation)
        if path.startswith("/scim/"):
            answers.pop("422", None)
            answers.update({str(s): _SCIM_PROBLEM for s in (400, 401, 403, 404, 409, 413, 422, 429, 503)})
        if path in OPEN:
            operation["security"] = []
        elif (right := needed(method.upper(), path)) is not None:
            operation["x-right"] = right.value
    _show_answers(document)
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _show_answers(document: Mapping[str, Any]) -> None:
    """Each operation of /v1 gets its own example of what comes when all is well, else one of another operation that answers in the same form."""
    examples = example_answers()
    said = {
        f"{method.upper()} {path}": content
        for path, method, operation in _operations(document)
        for status, answer in operation["responses"].items()
        if status.startswith("2") and (content := answer.get("content", {}).get("application/json")) is not None
    }
    named = {name: content["schema"].get("$ref", "").rpartition("/")[2] for name, content in said.items()}
    forms = {form: examples[name] for name, form in named.items() if name in examples and form not in ("", "Page")}  # pages hold anything
    for name, content in said.items():
        example = examples.get(name, forms.get(named[name]))
        if example is not None:
            content["example"] = example


def _mark_deprecated(path: str, method: str, operation: dict[str, Any]) -> None:
    if (found := OPERATIONS.get((method.upper(), path))) is not None:
        operation["deprecated"] = True
        operation["x-sunset"] = found.sunset.date().isoformat()
    for parameter in operation.get("parameters", ()):
        if (found := PARAMETERS.get((method.upper(), path, parameter["name"]))) is not None:
            parameter["deprecated"] = True
            parameter["x-sunset"] = found.sunset.date().isoformat()


def _possible(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[int]:
    """Which problems an operation can answer with: who asks is checked everywhere, what is given only where something is given."""
    yield from (401, 403, 429, 503)
    if operation.get("parameters") or operation.get("requestBody"):
        yield from (400, 404, 422)
    if method in _CHANGES:
        yield from (409, 412, 413, 422)
    elif path.startswith(("/v1/catalog", "/v1/metrics")):
        yield 404


def _response(status: int, every: Sequence[str]) -> dict[str, Any]:
    """every: all codes with this status, as the code raises them; the ones in PROBLEMS are met most."""
    meaning, codes = PROBLEMS[status]
    examples = {
        code: {"value": Problem(title=meaning, status=status, detail="What was expected, what was found, what to do next.", code=code,
                                request_id="req_01m7zzwyhs86sg9gjm1774ahaa").model_dump()}
        for code in codes
    }  # fmt: skip
    return {
        "description": f"{meaning}. `code` is one of: {', '.join(every)}.",
        "x-codes": list(every),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }
