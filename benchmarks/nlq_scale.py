"""Understanding over a very large catalog: 500 metrics, 2,000 dimensions, a million stored values.

    python -m benchmarks.nlq_scale [--values 1000000] [--questions 300] [--seed 7]

Makes a catalog of 100 fact tables with 20 dimensions and 5 metrics each (names of two or three invented words, so that they overlap),
an index of random values, and asks questions made from them: exact, with typos, with values, with unknown words. Prints one JSON line:
what building took, CPU and wall milliseconds per question (p50, p95, p99), CPU of completing each of them while it is typed, memory, and outcomes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import resource
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from nlq.understand import Understander
from semantic.catalog.model import Catalog, CatalogField, Dataset, DatasetKind, FieldRole, FieldType, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind
from semantic.values.index import StoredValue, ValueIndex

_AS_OF = dt.datetime(2026, 5, 21, 12, tzinfo=dt.UTC)
# Questions that are typed letter by letter.
_TYPED = 60
_FACTS, _DIMENSIONS, _METRICS = 100, 20, 5
_ADJECTIVES = (
    "net gross billed open late early local global retail online internal external primary backup fixed active planned actual regional seasonal "
    "premium basic inbound outbound direct indirect manual automatic shared private"
).split()
_NOUNS = (
    "order claim shipment visit invoice payment refund ticket contract policy session campaign booking delivery return audit transfer deposit "
    "loan trade quote lead call meeting survey review inspection repair lease rental subscription licence grant donation permit meter sensor "
    "machine vehicle trip"
).split()
_TRAITS = "region channel segment status type class tier grade category brand team owner source stage priority method carrier plan country city".split()
_AMOUNTS = "amount cost fee margin volume weight duration discount score quantity".split()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.nlq_scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(argv)
    rng = random.Random(options.seed)
    catalog = large_catalog(rng)
    started = time.perf_counter()
    values, sample = _values(catalog, options.values, rng)
    indexed = time.perf_counter()
    understander = Understander(catalog, values)
    built = time.perf_counter()
    asked = list(questions(catalog, sample, options.questions, rng))
    cpu, wall, outcomes = _ask(understander, asked)
    print(
        json.dumps(
            {
                "metrics": len(catalog.metrics),
                "dimensions": sum(len(d.fields) for d in catalog.datasets),
                "values": len(values),
                "questions": len(cpu),
                "index_s": round(indexed - started, 2),
                "understander_s": round(built - indexed, 2),
                "cpu_ms": _spread(cpu),
                "wall_ms": _spread(wall),
                "suggest_cpu_ms": _spread(_type(understander, asked)),
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                **outcomes,
            }
        )
    )
    return 0


def large_catalog(rng: random.Random) -> Catalog:
    """100 fact tables; every name is different and most words occur in many of them."""
    datasets, metrics = [], []
    names = rng.sample([(a, n) for a in _ADJECTIVES for n in _NOUNS], _FACTS)
    for adjective, noun in names:
        name = f"{adjective}_{noun}"
        traits = [f"{a} {t}" for a, t in rng.sample([(a, t) for a in _ADJECTIVES for t in _TRAITS], _DIMENSIONS - 2)]
        amounts = rng.sample([f"{a} {m}" for a in _ADJECTIVES[:12] for m in _AMOUNTS], _METRICS)
        fields = [
            CatalogField(name="id", type=FieldType.INTEGER, role=FieldRole.KEY, label=f"{noun} id"),
            CatalogField(name="happened_on", type=FieldType.DATE, role=FieldRole.TIME, label=f"{noun} date"),
            *(_category(t) for t in traits),
            *(CatalogField(name=a.replace(" ", "_"), type=FieldType.DECIMAL, role=FieldRole.MEASURE, label=a) for a in amounts),
        ]
        datasets.append(
            Dataset(
                name=name,
                database="bench",
                table=name,
                label=f"{adjective} {noun}",
                kind=DatasetKind.FACT,
                primary_key=("id",),
                time="happened_on",
                fields=tuple(fields),
                row_count=1_000_000,
            )
        )
        metrics += [
            SimpleMetric(
                name=f"{name}_{a.replace(' ', '_')}",
                label=f"{adjective} {noun} {a}",
                dataset=name,
                aggregate=AggregateKind.SUM,
                of=FieldRef(dataset=name, field=a.replace(" ", "_")),
            )
            for a in amounts
        ]
    return Catalog(name="scale", datasets=tuple(datasets), metrics=tuple(metrics))


def _type(understander: Understander, asked: Sequence[str]) -> list[float]:
    """CPU milliseconds of each completion, as the questions are typed letter by letter."""
    understander.suggest("a")
    spent = []
    for question in asked[:_TYPED]:
        for end in range(1, len(question) + 1):
            started = time.process_time()
            understander.suggest(question[:end])
            spent.append((time.process_time() - started) * 1000.0)
    return spent


def _category(label: str) -> CatalogField:
    return CatalogField(name=label.replace(" ", "_"), type=FieldType.STRING, role=FieldRole.CATEGORY, label=label)


def _values(catalog: Catalog, count: int, rng: random.Random) -> tuple[ValueIndex, list[StoredValue]]:
    refs = [FieldRef(dataset=d.name, field=f.name) for d in catalog.datasets for f in d.fields if f.role is FieldRole.CATEGORY]
    parts = ["".join(rng.choices("bcdfglmnprstv", k=1) + rng.choices("aeiou", k=1)) for _ in range(400)]
    stored = [
        StoredValue(rng.choice(refs), f"{''.join(rng.choices(parts, k=3)).capitalize()} {''.join(rng.choices(parts, k=2)).capitalize()}")
        for _ in range(count)
    ]
    return ValueIndex(stored), rng.sample(stored, min(2_000, count))


def questions(catalog: Catalog, sample: Sequence[StoredValue], count: int, rng: random.Random) -> Iterator[str]:
    """Questions about the catalog's own names, some of them misspelt, some with words that nothing explains."""
    for number in range(count):
        metric = rng.choice(catalog.metrics)
        dataset = catalog.dataset(metric.name.rsplit("_", 2)[0])
        by = rng.choice([f.label for f in dataset.fields if f.role is FieldRole.CATEGORY])
        period = rng.choice(("last month", "in 2025", "this year", "over the last 8 weeks", "in Q1 2026 vs Q1 2025"))
        text = rng.choice(
            (
                f"{metric.label} by {by} {period}",
                f"total {metric.label} {period}",
                f"top 5 {by} by {metric.label} {period}",
                f"how many {dataset.label}s by {by} {period}",
                f"{metric.label} for {rng.choice(sample).value} {period}",
                f"monthly {metric.label} where {by} is {rng.choice(sample).value}",
                f"{metric.label} by wingspan {period}",
            )
        )
        yield _misspelt(text, rng) if number % 5 == 0 else text


def _misspelt(text: str, rng: random.Random) -> str:
    """One letter left out of one long word."""
    long = [w for w in text.split() if len(w) > 6]
    if not long:
        return text
    word = rng.choice(long)
    at = rng.randrange(2, len(word) - 1)
    return text.replace(word, word[:at] + word[at + 1 :], 1)


def _ask(understander: Understander, texts: Sequence[str]) -> tuple[list[float], list[float], dict[str, int]]:
    cpu, wall = [], []
    outcomes: Counter[str] = Counter()
    for text in texts:
        started, used = time.perf_counter(), time.process_time()
        found = understander.understand(text, as_of=_AS_OF)
        cpu.append((time.process_time() - used) * 1000)
        wall.append((time.perf_counter() - started) * 1000)
        outcomes[found.outcome] += 1
    return cpu, wall, dict(sorted(outcomes.items()))


def _spread(ms: Sequence[float]) -> dict[str, float]:
    ordered = sorted(ms)
    at = {"p95": int(0.95 * len(ordered)), "p99": int(0.99 * len(ordered))}
    return {"p50": round(statistics.median(ordered), 2), **{k: round(ordered[min(i, len(ordered) - 1)], 2) for k, i in at.items()}}


if __name__ == "__main__":
    raise SystemExit(main())
