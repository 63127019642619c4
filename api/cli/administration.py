"""`querent tenant`, `querent user`, `querent audit`: what an operator does on the machine itself."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from api import people
from api.cli.context import context
from api.cli.output import NO, err, out, print_json, print_table, speaking
from api.oidc import Provider, configure
from api.people import Change
from api.routes.admin import entry_view, person_view
from core.errors import Invalid, NotFound
from core.ids import TenantId, tenant_id
from core.principal import Role
from core.store import audit, tenants, users
from core.store.audit import Happening
from core.store.users import NewUser, User
from workers.leaving import remove_tenant
from workers.principals import SYSTEM_USER, system_principal

tenant_app = typer.Typer(no_args_is_help=True, help="Companies.")
user_app = typer.Typer(no_args_is_help=True, help="People of a company.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit log of a company.")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose.")]
Json = Annotated[bool, typer.Option("--json", help="The whole result as JSON.")]


@tenant_app.command("create")
def create_tenant(
    tenant: Annotated[str, typer.Argument(help="Short name: letters, digits and _.")],
    name: Annotated[str, typer.Option(help="The company's name as shown.")] = "",
    admin: Annotated[str, typer.Option(help="E-mail of its first administrator.")] = "",
    as_json: Json = False,
) -> None:
    """Makes a tenant and its first administrator, whose password is shown once."""
    with speaking(as_json):
        checked, store, now = tenant_id(tenant), context.services.store, context.core.clock.now()
        password = secrets.token_urlsafe(12)
        with store.write() as connection:
            tenants.create(connection, checked, name=name or tenant, now=now)
            audit.append(connection, checked, Happening(SYSTEM_USER, "company.create"), now=now)
        if admin:
            people.add(context.services, system_principal(checked), NewUser(admin, "", frozenset({Role.ADMIN, Role.ANALYST}), password))
        shown = {"tenant": checked, "admin": admin or None, "password": password if admin else None}
        if as_json:
            print_json(shown)
            return
        out.print(f"Tenant {checked} was made.")
        if admin:
            out.print(f"{admin} signs in with the password {password} (shown once).", markup=False)
        out.print(f"Next: querent catalog infer --tenant {checked}, or querent data load FILES --tenant {checked}", markup=False)


@tenant_app.command("list")
def list_tenants(as_json: Json = False) -> None:
    """All tenants of this installation."""
    with speaking(as_json):
        with context.services.store.read() as connection:
            found = tenants.list_all(connection)
        if as_json:
            print_json([{"tenant": t.id, "name": t.name, "disabled": t.disabled, "created_at": t.created_at} for t in found])
            return
        print_table(
            ["tenant", "name", "state", "since"],
            [[t.id, t.name, "disabled" if t.disabled else "active", f"{t.created_at:%Y-%m-%d}"] for t in found],
        )


@tenant_app.command("disable")
def disable_tenant(tenant: str, undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False) -> None:
    """Nobody of the tenant gets in and none of its jobs runs; nothing is removed."""
    with speaking(), context.services.store.write() as connection:
        tenants.set_disabled(connection, tenant_id(tenant), not undo)
        happening = Happening(SYSTEM_USER, "company.enable" if undo else "company.disable")
        audit.append(connection, tenant_id(tenant), happening, now=context.core.clock.now())
        out.print(f"Tenant {tenant} is {'active' if undo else 'disabled'}.")


@tenant_app.command("remove")
def remove(
    tenant: str,
    export: Annotated[Path, typer.Option(help="Folder for the audit log that is kept; must not exist.")],
    yes: Annotated[str, typer.Option("--yes", help="The tenant's name again, to be sure.")] = "",
    as_json: Json = False,
) -> None:
    """Off-boarding: its rows, catalog, people, models, files and own database go; its audit log is written to a folder first."""
    with speaking(as_json):
        if yes != tenant:
            raise Invalid(f"This cannot be undone. To remove {tenant} give --yes {tenant}.", code="not_confirmed")
        removed = remove_tenant(context.core, tenant_id(tenant), export)
        if as_json:
            print_json(removed)
        else:
            print_table(["what", "removed"], [[name, str(count)] for name, count in removed.items()])


@tenant_app.command("sign-in")
def sign_in(
    tenant: str,
    issuer: Annotated[str, typer.Option(help="Address of the OpenID provider, such as https://login.example.com.")],
    client_id: Annotated[str, typer.Option(help="As registered there.")],
    client_secret_file: Annotated[Path | None, typer.Option(help="File with the client's secret; none for a public client.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Group and role, such as finance=analyst; may be given again.")] = None,
    default_role: Annotated[list[str] | None, typer.Option(help="What everybody has who signs in.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="Attribute and claim, such as regions=user_regions.")] = None,
    groups_claim: str = "groups",
    audience: Annotated[str, typer.Option(help="Of access tokens that are sent as credentials; the client id by default.")] = "",
    new_people: Annotated[bool, typer.Option("--new-people/--known-people", help="Whether unknown people get an account.")] = True,
) -> None:
    """Lets a company's people sign in through their OpenID provider."""
    with speaking():
        secret = client_secret_file.read_text().strip() if client_secret_file else ""
        pairs = {one: tuple(_attributes(many).items()) for one, many in (("roles", group or []), ("attributes", attribute or []))}
        wanted = Provider(
            tenant=known(tenant), issuer=issuer.rstrip("/"), client_id=client_id, client_secret=secret, audience=audience, groups_claim=groups_claim,
            roles={name: values[0] for name, values in pairs["roles"]}, attributes={name: values[0] for name, values in pairs["attributes"]},
            default_roles=tuple(default_role or ()), creates_users=new_people,
        )  # fmt: skip
        configure(context.services, wanted.tenant, wanted)
        out.print(f"People of {tenant} sign in at {context.settings.resolved_base_url}/auth/oidc/{tenant}", markup=False)
        out.print(f"Register this redirect address at the provider: {context.settings.resolved_base_url}/auth/oidc/callback", markup=False)


@user_app.command("add")
def add_user(
    email: str,
    role: Annotated[
        list[str],
        typer.Option(help="executive, manager, analyst, data_scientist, viewer, operator, admin or one of your own; may be given twice."),
    ],
    tenant: Tenant = "acme",
    name: str = "",
    attribute: Annotated[list[str] | None, typer.Option(help="For row policies, such as regions=EMEA,APAC.")] = None,
    as_json: Json = False,
) -> None:
    """Adds a person with a password that is shown once."""
    with speaking(as_json):
        password = secrets.token_urlsafe(12)
        principal = system_principal(known(tenant))
        made = people.add(context.services, principal, NewUser(email, name, frozenset(role), password, _attributes(attribute or [])))
        if as_json:
            print_json(person_view(made).model_dump(mode="json") | {"password": password})
        else:
            out.print(f"{made.email} ({', '.join(sorted(made.roles))}) signs in with the password {password} (shown once).", markup=False)


@user_app.command("list")
def list_users(tenant: Tenant = "acme", as_json: Json = False) -> None:
    """The people of a tenant."""
    with speaking(as_json):
        with context.services.store.read() as connection:
            found = users.list_all(connection, known(tenant), limit=1000)
        if as_json:
            print_json([person_view(u).model_dump(mode="json") for u in found])
            return
        rows = [[u.email, ", ".join(sorted(u.roles)), "disabled" if u.disabled else "active", _day(u)] for u in found]
        print_table(["e-mail", "roles", "state", "last sign-in"], rows)


@user_app.command("change")
def change_user(
    email: str,
    tenant: Tenant = "acme",
    role: Annotated[list[str] | None, typer.Option(help="The roles from now on.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="The attributes from now on, such as regions=EMEA.")] = None,
    disable: Annotated[bool | None, typer.Option("--disable/--enable")] = None,
    new_password: Annotated[bool, typer.Option("--new-password", help="Makes a password and shows it once; ends a lock-out.")] = False,
) -> None:
    """Changes rights, disables, or gives a new password. The person's sessions end."""
    with speaking():
        principal, user = system_principal(known(tenant)), _find(tenant, email)
        wanted = Change(roles=frozenset(role) if role else None, attributes=_attributes(attribute) if attribute else None, disabled=disable)
        people.change(context.services, principal, user.id, wanted)
        if new_password:
            password = secrets.token_urlsafe(12)
            people.set_password(context.services, principal, user.id, password)
            out.print(f"{email} signs in with the password {password} (shown once).", markup=False)
        else:
            out.print(f"{email} was changed.", markup=False)


@user_app.command("export")
def export_user(email: str, tenant: Tenant = "acme") -> None:
    """Everything that is known of a person, as JSON."""
    with speaking(True):
        print_json(people.known_of(context.services, system_principal(known(tenant)), _find(tenant, email).id))


@user_app.command("erase")
def erase_user(
    email: str, tenant: Tenant = "acme", yes: Annotated[str, typer.Option("--yes", help="The e-mail again, to be sure.")] = ""
) -> None:
    """Takes away what tells who the person was. Cannot be undone."""
    with speaking():
        if yes != email:
            raise Invalid(f"This cannot be undone. To erase {email} give --yes {email}.", code="not_confirmed")
        people.erase(context.services, system_principal(known(tenant)), _find(tenant, email).id)
        out.print("The person was erased.")


@audit_app.command("show")
def show_audit(
    tenant: Tenant = "acme",
    action: Annotated[str, typer.Option(help="How the action begins.")] = "",
    limit: int = 30,
    as_json: Json = False,
) -> None:
    """The newest entries."""
    with speaking(as_json):
        with context.services.store.read() as connection:
            found = audit.read(connection, known(tenant), limit=limit, sought=audit.Sought(action=action or None))
        if as_json:
            print_json([entry_view(e) for e in found])
            return
        rows = [[str(e.sequence), f"{e.at:%Y-%m-%d %H:%M:%S}", e.actor, e.action, e.target, e.outcome] for e in found]
        print_table(["#", "at (UTC)", "who", "what", "on", "outcome"], rows, frozenset({0}))


@audit_app.command("check")
def check_audit(
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help="One tenant; all by default.")] = None, as_json: Json = False
) -> None:
    """Whether entries were changed or removed. Exit code 1 when one was."""
    with speaking(as_json):
        with context.services.store.read() as connection:
            chosen = [known(tenant)] if tenant else [t.id for t in tenants.list_all(connection)]
            broken = {one: audit.first_broken(connection, one) for one in chosen}
        if as_json:
            print_json({one: {"intact": at is None, "first_broken": at} for one, at in broken.items()})
        else:
            print_table(["tenant", "log"], [[one, "intact" if at is None else f"BROKEN at entry {at}"] for one, at in broken.items()])
    if any(at is not None for at in broken.values()):
        raise typer.Exit(NO)


@audit_app.command("export")
def export_audit(file: Path, tenant: Tenant = "acme") -> None:
    """All entries as JSON lines, oldest first; each line carries its hash and the one before."""
    with speaking():
        if file.exists():
            raise Invalid(f"{file} exists already; give another name.", code="file_exists")
        with context.services.store.read() as connection:
            count = audit.write_lines(connection, known(tenant), file)
        err.print(f"{count:,} entries written to {file}")


def known(tenant: str) -> TenantId:
    """Raises: Invalid; NotFound."""
    checked = tenant_id(tenant)
    with context.services.store.read() as connection:
        tenants.get(connection, checked)
    return checked


def _find(tenant: str, email: str) -> User:
    with context.services.store.read() as connection:
        found = users.by_email(connection, known(tenant), email)
    if found is None:
        raise NotFound(f"Tenant {tenant!r} has no user {email!r}.", code="unknown_user")
    return found


def _attributes(pairs: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, equals, values = pair.partition("=")
        if not equals or not name.isidentifier():
            raise Invalid(f"An attribute such as regions=EMEA,APAC was expected; found {pair[:60]!r}.", code="bad_attribute")
        found[name] = tuple(v.strip() for v in values.split(",") if v.strip())
    return found


def _day(user: User) -> str:
    return f"{user.last_login_at:%Y-%m-%d}" if user.last_login_at else "never"
