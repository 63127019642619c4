"""`querent models`: check, register, list, promote, roll back."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.context import context
from api.cli.following import follow
from api.cli.output import NO, out, print_json, print_table, speaking
from api.model_views import brief, listed, log_of, slots_of, version_of, versions_of, whole
from core.errors import Invalid
from core.ids import new_id
from core.private import private_folder
from core.store import model_versions
from models.conformance import check_model
from models.conformance.report import Report
from models.sandbox.sandbox import Sandbox
from models.sandbox.subject import WalledModel
from models.sdk.package import CARD, inspect, pack, unmet, unpack
from workers.custom.accept import accept
from workers.custom.promotion import promote as promote_version
from workers.custom.promotion import rollback as rollback_model
from workers.custom.promotion import withdraw as withdraw_version

app = typer.Typer(no_args_is_help=True, help="Custom models: forecasters, detectors and explainers of your own.")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose models.")]
Name = Annotated[str, typer.Argument(help="Full name, as `querent models list` shows it.")]
As = Annotated[str, typer.Option("--as", help="E-mail of the person who answers for it.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Where = Annotated[Path, typer.Argument(exists=True, help="A package's folder, or the zip made of it.")]
TEMPLATES = Path(__file__).parents[2] / "models" / "templates"


@app.command()
def new(kind: Annotated[str, typer.Argument(help="statsmodels, prophet, scikit_learn, pyod, pyfunc or onnx.")], folder: Path) -> None:
    """Starts a package from a template."""
    with speaking():
        known = sorted(place.name for place in TEMPLATES.iterdir() if (place / CARD).is_file())
        if kind not in known:
            raise Invalid(f"There is no template {kind[:40]!r}.", code="unknown_template", suggestions=known)
        if folder.exists():
            raise Invalid(f"{folder} exists already; name a new folder.", code="folder_exists")
        shutil.copytree(TEMPLATES / kind, folder, ignore=shutil.ignore_patterns("__pycache__"))
        out.print(f"{folder} is ready: change source/model.py and {CARD}, then `querent models check {folder}`.")


@app.command()
def check(where: Where, as_json: Json = False, walls: Annotated[bool, typer.Option(help="Run it as the server does.")] = True) -> None:
    """Runs the conformance suite that the server runs; exit code 1 when the model is not accepted."""
    with speaking(as_json):
        report = _checked(where, walls)
        print_json(report.as_json()) if as_json else out.print(str(report), markup=False)
        if not report.passed:
            raise typer.Exit(NO)


@app.command()
def register(where: Where, tenant: Tenant, person: As, wait: bool = True, as_json: Json = False) -> None:
    """Hands a model in: it is checked, compared on real data, and becomes a challenger or is refused with reasons (exit code 1)."""
    with speaking(as_json):
        principal = context.principal(tenant, person)
        uploads = private_folder(context.services.uploads)
        draft = uploads / f"{new_id('mod')}.zip"
        draft.write_bytes(pack(where) if where.is_dir() else where.read_bytes())
        version = accept(context.core, principal, draft)
        if not wait:
            _say(brief(version), as_json, f"{version} is being checked by job {version.job_id}.")
            return
        follow(context.services, principal, str(version.job_id), quiet=as_json)
        with context.services.store.read() as connection:
            version = model_versions.get(connection, principal.tenant, version.id)
        _say(brief(version), as_json, f"{version} is {version.state.value}.")
        if version.reason:
            if not as_json:
                out.print(version.reason, markup=False)
            raise typer.Exit(NO)


@app.command("list")
def list_models(
    tenant: Tenant, name: Annotated[str | None, typer.Argument(help="Versions of one model.")] = None, as_json: Json = False
) -> None:
    """Models of a tenant and what they serve, or the versions of one."""
    with speaking(as_json):
        principal, services = context.principal(tenant), context.services
        if name is None:
            found = listed(services, principal.tenant)
            if as_json:
                print_json({"items": found, "serving": slots_of(services, principal.tenant)})
                return
            rows = [[f["name"], str(f["versions"]), f["newest"]["state"], str(f["champion"] or "")] for f in found]
            print_table(["model", "versions", "newest is", "serves"], rows)
            return
        versions = [brief(v) for v in versions_of(services, principal.tenant, name)]
        if as_json:
            print_json(versions)
            return
        print_table(
            ["version", "state", "registered", "why"],
            [[str(v["version"]), v["state"], str(v["created_at"])[:19], "; ".join(v["reasons"])] for v in versions],
        )


@app.command()
def show(tenant: Tenant, name: Name, version: Annotated[int, typer.Argument(min=1)]) -> None:
    """One version with card, checks, backtest, gate and lineage, as JSON."""
    with speaking(True):
        print_json(whole(context.services, version_of(context.services, context.principal(tenant).tenant, name, version)))


@app.command()
def promote(
    tenant: Tenant, name: Name, version: Annotated[int, typer.Argument(min=1)], person: As, note: str = "",
    revision: Annotated[int | None, typer.Option(help="Refuse when somebody changed what serves since this revision.")] = None,
) -> None:  # fmt: skip
    """Makes a challenger the champion; whoever registered it may not. The champion so far becomes `previous`."""
    with speaking():
        made = promote_version(context.core, context.principal(tenant, person), name, version, note=note, expected_revision=revision)
        out.print(f"{made} is the champion.")


@app.command()
def rollback(tenant: Tenant, name: Name, person: As, reason: str = "") -> None:
    """Brings back what served before."""
    with speaking():
        out.print(f"{rollback_model(context.core, context.principal(tenant, person), name, reason=reason)} serves again.")


@app.command()
def withdraw(tenant: Tenant, name: Name, version: Annotated[int, typer.Argument(min=1)], person: As, reason: str = "") -> None:
    """Takes a version out of use for good; its record stays."""
    with speaking():
        out.print(f"{withdraw_version(context.core, context.principal(tenant, person), name, version, reason=reason)} is withdrawn.")


@app.command()
def log(tenant: Tenant, name: Name, as_json: Json = False) -> None:
    """Who did what to a model, newest first."""
    with speaking(as_json):
        entries = log_of(context.services, context.principal(tenant).tenant, name, limit=1000)
        if as_json:
            print_json(entries)
            return
        rows = [
            [str(e["at"])[:19], str(e["version"]), e["action"], e["who"], json.dumps(e["evidence"], default=str)[:100]] for e in entries
        ]
        print_table(["at", "version", "action", "who", "evidence"], rows)


def _checked(where: Path, walls: bool) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "package.zip"
        packed.write_bytes(pack(where) if where.is_dir() else where.read_bytes())
        found = inspect(packed)
        missing = unmet(found.card)
        if missing:
            raise Invalid(f"The environment differs from the card's requirements: {'; '.join(missing)}.", code="environment_differs")
        place = Path(folder) / "package"
        unpack(packed, place)
        if not walls:
            return check_model(place, found.card)
        sandbox = Sandbox(Path(folder) / "sandbox")
        try:
            with WalledModel(sandbox, place, found.card) as subject:
                return check_model(subject, found.card)
        finally:
            sandbox.close()


def _say(value: dict[str, Any], as_json: bool, text: str) -> None:
    print_json(value) if as_json else out.print(text, markup=False)
