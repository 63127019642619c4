"""`querent ask`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from api import answering, schemas
from api.cli.context import context, day
from api.cli.following import follow
from api.cli.output import NO, out, print_json, print_table, speaking
from api.cli.telling import tell
from core.principal import Principal
from insights.wording import cell
from semantic.states import OutputColumn

SHOWN = 30


def ask(
    question: Annotated[str, typer.Argument(help="A question in plain English.")],
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="Whose data.")],
    as_of: Annotated[str | None, typer.Option(help="Answer as if today were this date (YYYY-MM-DD).")] = None,
    as_user: Annotated[str | None, typer.Option(help="E-mail of the user whose rights apply.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole answer as JSON.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Only the SQL that ran, with its parameters.")] = False,
) -> None:
    """Answers a question, asks back, or says what it does not know. Exit code 1 when there is no answer."""
    with speaking(as_json):
        request = schemas.AskRequest(question=question, as_of=day(as_of))
        principal = context.principal(tenant, as_user)
        answer = asyncio.run(_ask(request, principal))
        if answer.outcome == "job" and answer.job is not None:
            result = follow(context.services, principal, answer.job.id, quiet=as_json)
            if as_json:
                print_json({**answer.model_dump(mode="json"), "result": result})
            elif sql:
                out.print(str((result.get("receipt") or {}).get("sql", "")), markup=False)
            else:
                tell(answer.job.kind, result, answer.message)
            return
        if as_json:
            print_json(answer.model_dump(mode="json", exclude_none=True))
        elif sql:
            out.print(_sql(answer), markup=False)
        else:
            _show(answer)
        if answer.outcome in {"refuse", "clarify"}:
            raise typer.Exit(NO)


async def _ask(request: schemas.AskRequest, principal: Principal) -> schemas.Answer:
    try:
        return await answering.ask(context.services, principal, request)
    finally:
        await context.services.close()


def _sql(answer: schemas.Answer) -> str:
    if answer.receipt is None:
        return answer.message
    values = "".join(f"\n-- {name} = {value!r}" for name, value in answer.receipt.parameters.items())
    return answer.receipt.sql + values


def _show(answer: schemas.Answer) -> None:
    if answer.headline:
        out.print(answer.headline, style="bold", markup=False)
    if answer.message:
        out.print(answer.message, markup=False)
    if answer.chips:
        out.print("Understood: " + " · ".join(f"{c.kind}: {c.label}" for c in answer.chips), style="dim", markup=False)
    if answer.columns:
        columns = [OutputColumn(c.name, c.label, c.role, unit=c.unit, format=c.format, grain=c.grain) for c in answer.columns]  # type: ignore[arg-type]
        rows = [[cell(_typed(value, column), column) for value, column in zip(row, columns, strict=True)] for row in answer.rows[:SHOWN]]
        print_table([c.label for c in columns], rows, frozenset(i for i, c in enumerate(columns) if c.role in {"measure", "change"}))
        if answer.row_count > SHOWN:
            out.print(f"... {answer.row_count:,} rows in all; --json shows {len(answer.rows):,}.", style="dim")
    for choice in answer.choices:
        out.print(f"  {choice.index + 1}. {choice.label}", markup=False)
    for word in answer.unknown:
        near = f"; did you mean {', '.join(word.nearest)}?" if word.nearest else ""
        out.print(f"Not understood: {word.text}{near}", markup=False)
    if answer.receipt is not None:
        r = answer.receipt
        windows = "; ".join(dict.fromkeys(w.label for w in r.windows))
        out.print(
            f"{windows + '. ' if windows else ''}Read {r.rows_read:,} rows in {r.duration_ms:.0f} ms; answered in {answer.ms:.0f} ms.",
            style="dim",
            markup=False,
        )
    if answer.outcome != "answer":
        for suggestion in answer.suggestions:
            out.print(f"  - {suggestion}", markup=False)


def _typed(value: Any, column: OutputColumn) -> Any:
    """Dates come as ISO text."""
    import datetime as dt

    if isinstance(value, str) and column.role == "time":
        try:
            return dt.datetime.fromisoformat(value) if "T" in value else dt.date.fromisoformat(value)
        except ValueError:
            return value
    return value
