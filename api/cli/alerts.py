"""`querent alerts preview|list|incidents`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from api.alert_views import incident_row
from api.cli.context import context
from api.cli.output import out, print_json, print_table, speaking
from api.routes.alerts import checked, parsed
from core.errors import Invalid
from core.store import alert_rules, incidents
from workers.alerts.preview import preview

app = typer.Typer(no_args_is_help=True, help="Alert rules: what they would have told, what there is.")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose data.")]
AsUser = Annotated[str | None, typer.Option("--as", help="E-mail of the person whose rights count.")]
Json = Annotated[bool, typer.Option("--json", help="The whole result as JSON.")]
MAX_RULES_SHOWN = 1000


@app.command("preview")
def preview_rule(
    metric: Annotated[str | None, typer.Argument(help="Name of a metric; or give --rule.")] = None,
    tenant: Tenant = "acme",
    rule: Annotated[Path | None, typer.Option(help="A JSON file with the rule's definition.")] = None,
    sensitivity: Annotated[float | None, typer.Option(help="False alarms a year that one can bear.")] = None,
    grain: str | None = None,
    direction: str | None = None,
    by: Annotated[list[str] | None, typer.Option(help="Also each value of this field (dataset.field); may be given twice.")] = None,
    as_user: AsUser = None,
    as_json: Json = False,
) -> None:
    """When a rule would have fired, by the code that evaluates rules."""
    with speaking(as_json):
        definition = _definition(rule) | ({"metric": metric} if metric else {})
        more = {"sensitivity": sensitivity, "grain": grain, "direction": direction, "segments": [_field(text) for text in by or ()] or None}
        definition |= {name: value for name, value in more.items() if value is not None}
        principal = context.principal(tenant, as_user)
        services = context.services
        found = preview(services.core, principal, checked(services, principal, definition), now=services.clock.now())
        if as_json:
            print_json(found)
            return
        out.print(found["headline"], markup=False)
        rows = [
            [e["start"][:16], e["end"][:16], e["scope"], e["direction"], e["kind"], f"{e['severity']:.0f}", f"{e['expected']:,.4g}", f"{e['actual']:,.4g}"]
            for e in found["events"]
        ]  # fmt: skip
        if rows:
            print_table(["start", "end", "where", "direction", "kind", "severity", "expected", "actual"], rows, frozenset({5, 6, 7}))


@app.command("list")
def list_rules(tenant: Tenant = "acme", as_json: Json = False) -> None:
    """The tenant's alert rules."""
    with speaking(as_json):
        principal = context.principal(tenant)
        with context.services.store.read() as connection:
            rows = alert_rules.list_all(connection, principal.tenant, limit=MAX_RULES_SHOWN)
        if as_json:
            print_json([{"id": r.id, "name": r.name, "enabled": r.enabled, "definition": dict(r.definition)} for r in rows])
            return
        shown = []
        for row in rows:
            rule = parsed(row)
            state = "off" if not row.enabled else "error" if row.last_error else "on"
            last = row.last_run_at.isoformat(timespec="minutes") if row.last_run_at else "never"
            shown.append([row.name, row.metric, rule.kind if rule else "?", state, last, row.last_error or ""])
        print_table(["name", "metric", "kind", "state", "last run", "error"], shown)


@app.command("incidents")
def list_incidents(tenant: Tenant = "acme", limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, as_json: Json = False) -> None:
    """The latest incidents."""
    with speaking(as_json):
        principal = context.principal(tenant)
        with context.services.store.read() as connection:
            rows = [incident_row(i) for i in incidents.list_all(connection, principal.tenant, limit=limit)]
        if as_json:
            print_json(rows)
            return
        columns = ["id", "label", "scope", "direction", "status", "started_at"]
        print_table(columns, [[str(row[name] or "") for name in columns] for row in rows])


def _definition(path: Path | None) -> dict[str, Any]:
    """Raises: Invalid."""
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} is not a readable JSON file: {error}.", code="bad_rule_file") from error
    if not isinstance(found, dict):
        raise Invalid(f"{path} holds {type(found).__name__}; one JSON object with a rule's definition was expected.", code="bad_rule_file")
    return found


def _field(text: str) -> dict[str, str]:
    dataset, dot, field = text.partition(".")
    if not dot:
        raise Invalid(f"--by takes dataset.field; found {text[:60]!r}.", code="bad_field")
    return {"dataset": dataset, "field": field}
