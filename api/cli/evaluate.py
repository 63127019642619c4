"""`querent evaluate` and `querent calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import context
from api.cli.output import NO, err, out, print_json, print_table, speaking
from workers.calibrate import calibrate as rebuild_and_log
from workers.evaluation.run import evaluate as run_questions
from workers.evaluation.run import save


def evaluate(
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="Whose verified questions.")],
    version: Annotated[int | None, typer.Option(min=1, help="Catalog version to run them with; the current one when not given.")] = None,
    base: Annotated[int | None, typer.Option(min=1, help="Catalog version to compare with; the one before when not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole report as JSON.")] = False,
) -> None:
    """Runs the verified questions again and says what changed. Exit code 1 when one of them got worse."""
    with speaking(as_json):
        principal = context.principal(tenant)
        report = run_questions(context.services.core, principal, version=version, base=base, progress=lambda done, total: None)
        save(context.services.core, principal, report, None)
        if as_json:
            print_json(report.as_json())
        else:
            against = f" against version {report.base}" if report.base else ""
            out.print(f"Catalog version {report.version}{against}: {len(report.items)} questions, {report.regressions} regressions.")
            rows = [[i.verdict, i.new.reads if i.new else "", i.question, (i.new.error if i.new else "")[:80]] for i in report.items]
            if rows:
                print_table(["verdict", "reads", "question", "error"], rows)
        if report.regressions:
            raise typer.Exit(NO)


def calibrate(
    seed: Annotated[int, typer.Option(help="Same seed, same model.")] = 7,
    businesses: Annotated[int, typer.Option(min=15, help="Made-up businesses to learn from.")] = 98,
    held_out: Annotated[int, typer.Option(min=5, help="Made-up businesses of other domains to measure on.")] = 30,
    questions: Annotated[int, typer.Option(min=10, help="Questions for each.")] = 60,
    to: Annotated[Path, typer.Option("--out", help="Folder for confidence.json, report.json and reliability.svg.")] = Path("calibration"),
    written: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of questions with hand-written SQL, to measure on too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Learns the confidence of readings anew from made-up questions, and logs model and figures to MLflow."""
    with speaking(as_json):
        version, report = rebuild_and_log(
            context.core.registry, seed=seed, businesses=businesses, held_out=held_out, questions=questions, folder=to, written=written,
            progress=lambda text: err.print(text, style="dim"),
        )  # fmt: skip
        if as_json:
            print_json({"version": str(version), **report})
        else:
            found = report["held_out"]
            out.print(
                f"{version}: {found['count']} held-out readings, {found['right']:.1%} right, expected calibration error {found['ece']:.3f}."
            )
