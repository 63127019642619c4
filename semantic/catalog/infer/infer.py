"""`infer_catalog`: the steps in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import AppError
from semantic.catalog.infer.ages import ages
from semantic.catalog.infer.calendar_dates import with_calendar_dates
from semantic.catalog.infer.entities import display_fields, find_entities
from semantic.catalog.infer.fields import FieldContext, build_fields, safe_name
from semantic.catalog.infer.glossary import GlossaryEntry, apply_glossary
from semantic.catalog.infer.hierarchies import find_hierarchies
from semantic.catalog.infer.keys import primary_keys
from semantic.catalog.infer.kinds import by_table, table_kind
from semantic.catalog.infer.metrics import find_metrics
from semantic.catalog.infer.naming import TableName, name_tables
from semantic.catalog.infer.probe import Probe, TableStats
from semantic.catalog.infer.rates import find_rates
from semantic.catalog.infer.relationships import Link, find_links
from semantic.catalog.infer.schema import PhysicalSchema, PhysicalTable
from semantic.catalog.infer.segments import find_segments
from semantic.catalog.infer.split_dates import split_dates
from semantic.catalog.infer.times import primary_time
from semantic.catalog.model import Catalog, CatalogCalendar, Dataset, DatasetKind, Relationship


@dataclass(frozen=True, slots=True)
class InferenceOptions:
    name: str = "catalog"
    calendar: CatalogCalendar = field(default_factory=CatalogCalendar)


@dataclass(frozen=True, slots=True)
class InferredCatalog:
    """A draft that answers questions at once. `notes` say what was left out, and what is in doubt, one sentence each."""

    catalog: Catalog
    notes: tuple[str, ...]


def infer_catalog(
    schema: PhysicalSchema,
    probe: Probe,
    *,
    glossary: Sequence[GlossaryEntry] = (),
    tenant_column: str | None = None,
    options: InferenceOptions | None = None,
) -> InferredCatalog:
    """The catalog that the schema, its data and the glossary suggest. Deterministic for the same input.

    `tenant_column` names the column that holds the tenant in shared tables; without it the database belongs to one tenant.
    """
    chosen = options or InferenceOptions()
    notes: list[str] = []
    schema, stats = _read(schema, probe, notes)
    names = name_tables(schema)
    keys = primary_keys(schema, names, stats, probe)
    links, link_notes = find_links(schema, names, stats, keys, probe)
    notes += link_notes
    datasets = []
    foreign = by_table(links)
    for table in schema.tables:
        dataset, said = _dataset(schema, table, names[table.name], stats[table.name], keys[table.name], links, tenant_column)
        datasets.append(dataset)
        notes += said
    datasets = _told_apart(datasets, links)
    relationships = _relationships(links, datasets, names)
    metrics = find_metrics(datasets, names, relationships)
    catalog = Catalog(
        name=chosen.name,
        calendar=chosen.calendar,
        datasets=tuple(datasets),
        relationships=tuple(relationships),
        entities=tuple(find_entities(datasets, names, foreign)),
        metrics=(*metrics, *find_rates(datasets, names, metrics)),
        hierarchies=tuple(find_hierarchies(datasets, stats, probe)),
        segments=tuple(find_segments(datasets, names)),
    )
    catalog = with_calendar_dates(catalog)
    if glossary:
        catalog, glossary_notes = apply_glossary(catalog, glossary)
        notes += glossary_notes
    return InferredCatalog(catalog, tuple(notes))


def _read(schema: PhysicalSchema, probe: Probe, notes: list[str]) -> tuple[PhysicalSchema, dict[str, TableStats]]:
    """Statistics by table, and the schema without tables that cannot be read (a view over a table that is gone)."""
    stats: dict[str, TableStats] = {}
    for table in schema.tables:
        try:
            stats[table.name] = probe.table(table)
        except (AppError, RuntimeError) as error:
            if isinstance(error, AppError) and error.retryable:
                raise
            reason = str(error).strip().splitlines()
            notes.append(f"{table.name} cannot be read and was left out: {reason[0][:160] if reason else 'no reason given'}.")
    return PhysicalSchema(schema.database, tuple(t for t in schema.tables if t.name in stats)), stats


def _dataset(
    schema: PhysicalSchema,
    table: PhysicalTable,
    name: TableName,
    stats: TableStats,
    key: tuple[str, ...],
    links: Sequence[Link],
    tenant_column: str | None,
) -> tuple[Dataset, list[str]]:
    kind = table_kind(table, name, key, links, stats)
    own_tenant = tenant_column if tenant_column and table.has_column(tenant_column) else None
    context = FieldContext(
        table=table,
        name=name,
        stats=stats,
        key=key,
        foreign=by_table(links).get(table.name, frozenset()),
        on_fact=kind in (DatasetKind.FACT, DatasetKind.BRIDGE),
        is_snapshot=kind == DatasetKind.SNAPSHOT,
        tenant_column=own_tenant,
    )
    fields, notes = build_fields(context)
    if tenant_column and not own_tenant:
        notes.append(f"{table.name} has no tenant column {tenant_column!r}: it can only be read in a database of one tenant.")
    by_column = {f.column: f.name for f in fields}
    seen = {f.name: stats.columns[f.column] for f in fields if f.column and f.column in stats.columns}
    fields += split_dates(safe_name(table.name), fields, name, stats.columns)
    fields += ages(safe_name(table.name), fields)
    words = {f.name: name.columns[f.column].words if f.column else tuple(f.label.split()) for f in fields}
    dataset = Dataset(
        name=safe_name(table.name),
        database=schema.database,
        table=table.name,
        label=name.singular,
        description=table.comment,
        synonyms=tuple(dict.fromkeys((name.plural, *name.synonyms))),
        kind=kind,
        primary_key=tuple(by_column[c] for c in key if c in by_column),
        time=primary_time(fields, words, name.words, seen),
        tenant_column=own_tenant,
        fields=tuple(fields),
        row_count=stats.rows if stats.sampled else table.row_count,
    )
    return dataset, notes


def _told_apart(datasets: Sequence[Dataset], links: Sequence[Link]) -> list[Dataset]:
    """Without the thing's own name for codes that point to it, where the thing has a name to be shown by: "by reason" are reasons."""
    named = {d.table: {d.label, *d.synonyms} for d in datasets if display_fields(d) and display_fields(d) != d.primary_key}
    taken = {
        (k.table, k.columns[0]): named[k.ref_table]
        for k in links
        if len(k.columns) == 1 and k.ref_table in named and k.table != k.ref_table
    }
    taken |= {(d.table, d.primary_key[0]): named[d.table] for d in datasets if d.table in named and len(d.primary_key) == 1}
    return [
        d.model_copy(
            update={
                "fields": tuple(
                    f.model_copy(update={"synonyms": tuple(s for s in f.synonyms if s not in taken.get((d.table, f.column), ()))})
                    if f.column
                    else f
                    for f in d.fields
                )
            }
        )
        for d in datasets
    ]


def _relationships(links: Sequence[Link], datasets: Sequence[Dataset], names: dict[str, TableName]) -> list[Relationship]:
    by_table_name = {d.table: d for d in datasets}
    found: list[Relationship] = []
    taken: set[str] = set()
    for link in links:
        source, target = by_table_name[link.table], by_table_name[link.ref_table]
        from_fields = {f.column: f.name for f in source.fields}
        to_fields = {f.column: f.name for f in target.fields}
        if any(c not in from_fields for c in link.columns) or any(c not in to_fields for c in link.ref_columns):
            continue
        role = " ".join(link.role)
        base = safe_name("_".join((source.name, *link.role, target.name)))
        name, number = base, 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        said = names[link.ref_table].singular
        found.append(
            Relationship(
                name=name,
                from_dataset=source.name,
                from_fields=tuple(from_fields[c] for c in link.columns),
                to_dataset=target.name,
                to_fields=tuple(to_fields[c] for c in link.ref_columns),
                cardinality=link.cardinality,
                role=role or None,
                synonyms=(f"{role} {said}",) if role else (),
                default=link.default,
                source="values" if link.source == "part" else link.source,
            )
        )
    return found
