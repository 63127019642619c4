"""Scan job: anything one should know of a period, over several metrics, with few false findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from core.errors import NotEnoughData, UserError
from core.store import findings
from core.store.findings import InsightEntry
from insights.narrative import TEMPLATES_VERSION, narrate
from insights.next_steps import next_steps
from insights.past import MetricPast
from insights.periods import during
from insights.ranking import Ranked, ranked, worth_sending
from insights.reader import Reader
from insights.scan import scan_all
from insights.scan_chart import fact_charts
from insights.summary import standing, summary_facts
from insights.types import Fact
from semantic.catalog.model import Catalog, RatioMetric, SimpleMetric
from semantic.catalog.visible import visible_to
from workers.context import JobContext
from workers.jobs.budget import BudgetSpent, InsightSettings, Run, insight_settings, refuse_if_off, spent_note
from workers.jobs.known_insights import fingerprint, known_result
from workers.jobs.other_words import in_other_words
from workers.jobs.pasts import Asked, past_of
from workers.jobs.querying import receipt_of
from workers.jobs.readers import reader_of
from workers.jobs.words import words_of
from workers.kinds import ScanParams

MAX_METRICS = 8
MAX_RATES = 3
MAX_CHARTS = 3


def run(context: JobContext) -> dict[str, Any]:
    """{"headline", "narrative", "told", "tested", "receipts", "receipt", ...}; the narrative is empty when nothing is worth saying.

    Raises: NotEnoughData when no metric has a value; Forbidden where insights are off; UserError for what cannot be asked; Unavailable.
    """
    params = ScanParams.model_validate(context.job.params)
    reader = reader_of(context.services.store, context.tenant, context.principal.user)
    refuse_if_off(insight_settings(context.services.store, context.tenant), params.metrics)
    known = known_result(context, fingerprint(context, params, context.services.catalog(context.tenant), reader))
    return known if known is not None else keep(context, looked(context, params, reader), params)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a scan found. told: in order; the first `summary` of them say how metrics stand."""

    result: dict[str, Any]
    found: Ranked
    fingerprint: str
    words: str

    @property
    def is_worth_sending(self) -> bool:
        return worth_sending(self.found.told)


def looked(context: JobContext, params: ScanParams, reader: Reader) -> Looked:
    """Looks at everything asked, within the tenant's budget, and says what is worth saying to this reader."""
    services = context.services
    settings = insight_settings(services.store, context.tenant)
    refuse_if_off(settings, params.metrics)
    catalog = services.catalog(context.tenant)
    visible = visible_to(catalog, context.principal)
    names = chosen_metrics(params, visible, settings)
    asked = Run(context, catalog, visible, settings)
    pasts, notes = _pasts(context, params, asked, names)
    if not asked.ran:
        raise NotEnoughData("No metric has a value to look at.", code="no_rows")
    context.progress("scan", 0, 1)
    found = ranked(scan_all(pasts), params.limit, reader=reader, parts={past.quantity.name: past.parts for past in pasts})
    summary = summary_facts(pasts) if params.summary else ()
    told = _once((*summary, *found.told))
    own = narrate(told)
    said = in_other_words(context, settings, own, told)
    sentences, notes = said.sentences, [*notes, *said.notes]
    words = words_of(services, context.tenant)
    receipt = receipt_of(context, catalog, asked.ran).as_json()
    headline = sentences[0] if sentences else _nothing(pasts, len(names))
    result = {
        "headline": headline,
        "narrative": [*sentences[1:], *dict.fromkeys(notes)],
        "told": [fact.as_json() for fact in told],
        "sentences": sentences,
        "own_sentences": own,
        "rephrased": said.mark,
        "passed": [fact.as_json() for fact in found.passed[:20]],
        "next": next_steps(told, visible),
        "fact_charts": fact_charts(told, pasts, MAX_CHARTS),
        "view_table": standing(pasts) if params.summary else None,
        "tested": found.tested,
        "metrics": list(names),
        "period": pasts[0].periods[-1].label if pasts else None,
        "templates_version": TEMPLATES_VERSION,
        "words": words,
        "receipts": asked.receipts(),
        "receipt": receipt,
    }
    return Looked(result, found, fingerprint(context, params, catalog, reader), words)


def _nothing(pasts: Sequence[MetricPast], metrics: int) -> str:
    when = f" {during(pasts[0].periods[-1])}" if pasts else ""
    return f"Nothing unusual{when} in {metrics} {'metric' if metrics == 1 else 'metrics'}."


def _once(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    return tuple({fact.key: fact for fact in facts}.values())


def _pasts(context: JobContext, params: ScanParams, asked: Run, names: Sequence[str]) -> tuple[list[MetricPast], list[str]]:
    pasts: list[MetricPast] = []
    notes: list[str] = []
    for index, name in enumerate(names):
        context.progress("fetch", index, len(names))
        try:
            found = past_of(asked, Asked(params.where, params.grain, params.period), name)
        except BudgetSpent:
            notes.append(spent_note(asked.visible.metric(other).label for other in names[index:]))
            break
        except UserError as error:
            if len(names) == 1:
                raise
            if params.where is None:
                notes.append(f"{asked.visible.metric(name).label}: {error.message}")
            continue
        if found is not None:
            pasts.append(found.past)
            notes += found.notes
    return pasts, notes


def chosen_metrics(params: ScanParams, visible: Catalog, settings: InsightSettings) -> tuple[str, ...]:
    """The asked ones, else the certified, else all; at most eight, three of them rates. Raises: NotFound; Forbidden."""
    if params.metrics:
        return tuple(visible.metric(name).name for name in dict.fromkeys(params.metrics))
    shown = [metric for metric in visible.metrics if not metric.hidden and metric.name not in settings.off_metrics]
    able = [m for m in shown if m.certified] or shown
    rates = [m.name for m in able if isinstance(m, RatioMetric)]
    amounts = _in_turn([m for m in able if isinstance(m, SimpleMetric)])
    others = [m.name for m in able if not isinstance(m, RatioMetric | SimpleMetric)]
    first = [*amounts[: MAX_METRICS - min(MAX_RATES, len(rates))], *rates[:MAX_RATES]]
    return tuple(dict.fromkeys([*first, *amounts, *rates, *others]))[:MAX_METRICS]


def _in_turn(metrics: Sequence[SimpleMetric]) -> list[str]:
    """One of each dataset in turn: eight views of one table tell less than one of each of four."""
    by_dataset: dict[str, list[str]] = {}
    for metric in metrics:
        by_dataset.setdefault(metric.dataset, []).append(metric.name)
    return [name for names in zip_longest(*by_dataset.values()) for name in names if name is not None]


def keep(context: JobContext, found: Looked, params: ScanParams) -> dict[str, Any]:
    """Writes the insight into the index; the result with its id."""
    result = found.result
    facts = {name: result[name] for name in ("told", "tested", "sentences", "own_sentences", "narrative", "templates_version")}
    entry = InsightEntry(
        context.job_id,
        ", ".join(result["metrics"])[:200],
        "scan",
        result["headline"],
        facts,
        context.job.user,
        found.words,
        found.fingerprint,
    )
    with context.services.store.write() as connection:
        insight = findings.put(connection, context.tenant, entry, now=context.services.clock.now())
    return result | {"insight_id": insight}
