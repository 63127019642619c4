"""The words of one catalog: every name, label and synonym of its objects, indexed by lemma key. Built once per catalog version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nlq.fillers import OPPOSITES
from nlq.kind_words import type_words_of, without_type_word
from nlq.text import fold, keys_of, lemma, singular, words_of
from nlq.thesaurus import ABBREVIATIONS, MERGES, root, synonyms
from semantic.catalog.infer.vocabulary import PERSON, PERSON_PART
from semantic.catalog.model import (
    Catalog,
    CatalogField,
    Dataset,
    DatasetKind,
    Entity,
    FieldRole,
    FieldType,
    Metric,
    Relationship,
    SimpleMetric,
)
from semantic.expr import FieldRef

TargetKind = Literal["metric", "field", "dataset", "segment", "term", "display", "unflag"]

# Words that say little about which field is meant; they weigh less than the others of a label.
GENERIC = frozenset(
    lemma(w)
    for w in "id identifier code key number name date time timestamp type amount value description text status flag total title count of the is has".split()
)
# What an amount is kept in, at the end of its name ("refund cents"): nobody says it.
_KEPT_IN = frozenset(lemma(w) for w in "sec secs seconds second ms millis cents cent pence eur usd gbp".split())
_GENDER = frozenset(lemma(w) for w in ("gender", "sex"))
_GENDERS = {
    **dict.fromkeys(("f", "female", "woman", "w"), ("female", "females", "woman", "women", "girls")),
    **dict.fromkeys(("m", "male", "man"), ("male", "males", "man", "men", "boys")),
}
# Fields that only persons have.
_PERSON_FIELDS = frozenset(
    keys_of(w)
    for w in (
        "first name", "last name", "gender", "sex", "birth date", "date of birth", "birthday", "hire date", "hired on", "hired at", "salary",
        "job title", "full name", "birth year",
    )
)  # fmt: skip
_JOB_TITLE = keys_of("job title")
_STOP_IN_LABEL = frozenset(("of", "the", "a", "an", "in", "for", "to", "and", "or", "by", "at", "on"))


@dataclass(frozen=True, slots=True)
class Target:
    """A catalog object that words can mean."""

    kind: TargetKind
    name: str
    dataset: str | None = None
    field: str | None = None
    via: tuple[str, ...] = ()

    @property
    def ref(self) -> FieldRef:
        """The field in a query, over the relationship that its role names."""
        return FieldRef(dataset=self.dataset or "", field=self.field or "", via=self.via)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Alternate:
    """One way to say a target: keys in order, the weight of each key, and how good this wording is (label 1.0, synonym a little less)."""

    target: Target
    keys: tuple[str, ...]
    weights: tuple[float, ...]
    weight: float
    plain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalValue:
    dataset: str
    field: str
    value: str
    weight: float


class Lexicon:
    """Lookup tables over one catalog.

    alternates: every wording; by_key: vocabulary key -> positions of alternates; context: dataset -> keys that name it;
    type_words: target -> generic keys that fit its kind ("date" for a time field); values: folded text -> known values.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.alternates: list[Alternate] = []
        self.by_key: dict[str, list[int]] = {}
        self.context: dict[str, frozenset[str]] = {}
        self.type_words: dict[Target, frozenset[str]] = {}
        self.description: dict[Target, frozenset[str]] = {}
        self.values: dict[str, list[LocalValue]] = {}
        self.value_roots: dict[str, list[LocalValue]] = {}
        self._seen: set[tuple[Target, tuple[str, ...]]] = set()
        self._things = {keys_of(t) for d in catalog.datasets for t in (d.label, d.name, *d.synonyms)}
        self._things |= {keys_of(t) for e in catalog.entities for t in (e.label, e.plural, *e.synonyms) if t}
        entity_names = {e.dataset: (e.label, e.plural, *e.synonyms) for e in catalog.entities if is_main_entity(e, catalog)}
        for dataset in catalog.datasets:
            if not dataset.hidden:
                self._add_dataset(dataset, entity_names.get(dataset.name, ()))
        for entity in catalog.entities:
            target = Target("dataset", entity.dataset, entity.dataset)
            if not is_main_entity(entity, catalog) and len(entity.key) == 1:
                target = Target("field", f"{entity.dataset}.{entity.key[0]}", entity.dataset, entity.key[0])
            for text in (entity.label, entity.plural, entity.name):
                self._add(target, text, 1.0)
            for text in entity.synonyms:
                self._add(target, text, 0.97)
            if target.kind == "dataset":
                self._add_display(entity)
        self._add_roles()
        for metric in catalog.metrics:
            if metric.hidden or is_plain_inferred(metric, catalog):
                continue
            target = Target("metric", metric.name)
            for text, weight in ((metric.label, 1.02), (metric.name, 1.02), *((s, 1.0) for s in metric.synonyms)):
                self._add(target, text, weight)
            self.description[target] = frozenset(keys_of(metric.description))
        for segment in catalog.segments:
            target = Target("segment", segment.name, segment.dataset)
            for text, weight in ((segment.label, 1.0), (segment.name, 1.0), *((s, 0.98) for s in segment.synonyms)):
                self._add(target, text, weight)
        meant = {fold(t.term).strip() for t in catalog.glossary if t.means}
        for term in catalog.glossary:
            if not term.means and fold(term.term).strip() in meant:
                continue
            self._add_term(term.term, term.means, term.synonyms)
        self._add_revenue()
        self.synonyms = synonyms()
        self.vocabulary = tuple(self.by_key)
        self.thing_words = frozenset(k for words in self.context.values() for k in words)
        self.kind_words = frozenset(k for words in self.type_words.values() for k in words)
        self.by_root: dict[str, list[str]] = {}
        for key in self.vocabulary:
            self.by_root.setdefault(root(key), []).append(key)

    def _add_dataset(self, dataset: Dataset, entity_names: Iterable[str]) -> None:
        target = Target("dataset", dataset.name, dataset.name)
        names = [n for n in (dataset.label, dataset.name, dataset.table, *dataset.synonyms, *entity_names) if n]
        for i, text in enumerate(names):
            self._add(target, text, 1.0 if i == 0 else 0.98)
        context = frozenset(k for text in (dataset.label, *dataset.synonyms, *entity_names) for k in keys_of(text)) - _STOP_IN_LABEL
        self.context[dataset.name] = context
        self.description[target] = frozenset(keys_of(dataset.description))
        for field in dataset.fields:
            if not field.hidden:
                self._add_field(dataset, field, context)
        self._add_people(dataset)

    def _add_field(self, dataset: Dataset, field: CatalogField, context: frozenset[str]) -> None:
        target = Target("field", f"{dataset.name}.{field.name}", dataset.name, field.name)
        entity_words = {keys_of(t) for e in self.catalog.entities if e.dataset == dataset.name for t in (e.label, e.plural) if t}
        for text, weight in ((field.label, 1.0), (field.name, 0.99), *((s, 0.97) for s in field.synonyms)):
            if field.role is FieldRole.NAME and keys_of(text) in entity_words:
                continue
            self._add(target, text, weight, context)
            short = without_type_word(text, field)
            if short and keys_of(short) not in self._things and not set(keys_of(short)) <= context:
                self._add(target, short, weight * 0.97, context)
        if field.role is FieldRole.FLAG or field.type is FieldType.BOOLEAN:
            plain = {k for text in (field.label, *field.synonyms) for k in keys_of(text)} - {"is", "has"}
            for negative, positive in OPPOSITES.items():
                if lemma(positive) in plain:
                    self._add(Target("unflag", f"{dataset.name}.{field.name}", dataset.name, field.name), negative, 1.0)
            for word in words_of(field.label) if len(words_of(field.label)) < 3 else ():
                if word.endswith(("ed", "en", "id")) and len(word) > 4:
                    for lead in ("un", "non"):
                        self._add(Target("unflag", f"{dataset.name}.{field.name}", dataset.name, field.name), f"{lead}{word}", 1.0)
        if field.role is FieldRole.TIME and field.nullable:
            for word in words_of(field.label)[:1]:
                if word.endswith(("ed", "en", "id")) and len(word) > 3:  # "unpaid": not paid so far
                    self._add(Target("unflag", f"{dataset.name}.{field.name}", dataset.name, field.name), f"un{word}", 0.98)
        self.type_words[target] = type_words_of(field)
        self.description[target] = frozenset(keys_of(field.description)) - _STOP_IN_LABEL
        if field.role in (FieldRole.CATEGORY, FieldRole.NAME, FieldRole.FLAG, FieldRole.TEXT, FieldRole.ATTRIBUTE) and not field.pii:
            for value in field.values:
                self._add_value(LocalValue(dataset.name, field.name, value, 1.0), value)
            for value, others in field.value_synonyms.items():
                for other in others:
                    self._add_value(LocalValue(dataset.name, field.name, value, 0.97), other)
            if set(keys_of(field.label)) & _GENDER:
                for value in field.values:
                    for other in _GENDERS.get(fold(value).strip(), ()):
                        self._add_value(LocalValue(dataset.name, field.name, value, 0.97), other)

    def _add_people(self, dataset: Dataset) -> None:
        """ "people" and "headcount", where the rows are persons."""
        called = dataset.kind is DatasetKind.DIMENSION and words_of(dataset.label)[-1:] and words_of(dataset.label)[-1] in PERSON
        if called or has_person_fields(dataset):
            for text in ("people", "persons", "headcount"):
                self._add(Target("dataset", dataset.name, dataset.name), text, 0.9)

    def _add_roles(self) -> None:
        """ "destination country", "manager name": fields of a thing that several relationships reach, each by its role."""
        for relation in self.catalog.relationships:
            if relation.role is None:
                continue
            if not is_one_of_several(relation, self.catalog):
                self._add_part(relation)
                continue
            if (
                sum(
                    r.role is not None and keys_of(r.role) == keys_of(relation.role)
                    for r in self.catalog.relationships
                    if r.to_dataset == relation.to_dataset
                )
                > 1
            ):
                continue  # "citing" and "cited" look the same to a lexicon without endings
            if relation.from_dataset == relation.to_dataset and relation.role.lower().endswith(" by"):
                continue  # "referred visitors" are those who were referred, not those who did it
            thing = self.catalog.dataset(relation.to_dataset)
            context = self.context.get(thing.name, frozenset())
            for text in (thing.label, *(t for e in self.catalog.entities if e.dataset == thing.name for t in (e.label, e.plural) if t)):
                self._add(Target("dataset", thing.name, thing.name, None, (relation.name,)), f"{relation.role} {text}", 1.02)
            for field in thing.fields:
                if field.hidden or field.role not in (FieldRole.NAME, FieldRole.CATEGORY):
                    continue
                target = Target("field", f"{thing.name}.{field.name}", thing.name, field.name, (relation.name,))
                short = " ".join(w for w in words_of(field.label) if lemma(w) not in context)
                for text in {field.label, short} - {""}:
                    self._add(target, f"{relation.role} {text}", 1.02)

    def _add_part(self, relation: Relationship) -> None:
        """ "coach", "account manager": persons by the part that they play in one relationship, where nothing else is called so."""
        thing, role = self.catalog.dataset(relation.to_dataset), relation.role or ""
        keys = keys_of(role)
        if role.split()[-1] not in PERSON_PART or set(keys) & self.context.get(thing.name, frozenset()) or keys in self._things:
            return
        target = Target("dataset", thing.name, thing.name, None, (relation.name,))
        for text in (role, f"{role} {thing.label}"):
            self._add(target, text, 1.0)

    def _add_revenue(self) -> None:
        """Without a word for revenue in the catalog, the sum that is called sales is what people mean by it."""
        if any(k in self.by_key for k in ("revenu", "turnover", "incom")):
            return
        for metric in self.catalog.metrics:
            if not isinstance(metric, SimpleMetric) or metric.aggregate.value != "sum" or metric.hidden:
                continue
            names = [metric.label, *metric.synonyms, *(t.term for t in self.catalog.glossary if t.means == f"metric:{metric.name}")]
            if any(
                keys_of(n)
                in (
                    ("total", "sal"),
                    ("sal", "amount"),
                    ("sal", "total"),
                    ("total", "sal", "amount"),
                    ("sal",),
                    ("sal", "pric"),
                    ("total", "sal", "pric"),
                )
                for n in names
            ):
                for text in ("revenue", "total revenue", "sales revenue", "revenue amount", "total sales amount", "sales amount"):
                    self._add(Target("metric", metric.name), text, 0.98)

    def _add_display(self, entity: Entity) -> None:
        """ "name" and "customer name" where several columns make the name."""
        dataset = self.catalog.dataset(entity.dataset)
        if len(entity.display) < 2 or any(f.label == "name" or f.name == "name" for f in dataset.fields):
            return
        target = Target("display", entity.dataset, entity.dataset)
        for text in ("name", "names", "full name", "first and last name", f"{entity.label} name", f"{entity.label} full name"):
            self._add(target, text, 0.98)

    def _add_value(self, local: LocalValue, text: str) -> None:
        folded = fold(text).strip()
        if not folded or len(folded) > 80:
            return
        self.values.setdefault(folded, []).append(local)
        keys = keys_of(text)
        joined = " ".join(keys)
        if joined and joined != folded:
            self.values.setdefault(joined, []).append(LocalValue(local.dataset, local.field, local.value, local.weight * 0.96))
        if len(keys) == 1 and len(keys[0]) >= 3:
            self.value_roots.setdefault(root(keys[0]), []).append(LocalValue(local.dataset, local.field, local.value, local.weight * 0.85))

    def _add_term(self, term: str, means: str | None, others: Iterable[str]) -> None:
        if fold(term).strip() in ("note", "notes", ""):
            return
        target = Target("term", term)
        if means:
            kind, _, name = means.partition(":")
            if kind == "metric":
                target = Target("metric", name)
            elif kind == "field":
                dataset, _, field = name.partition(".")
                target = Target("field", name, dataset, field)
            elif kind == "entity":
                found = next((e.dataset for e in self.catalog.entities if e.name == name), None)
                target = Target("dataset", found, found) if found else target
            elif kind == "segment":
                target = Target("segment", name, next((s.dataset for s in self.catalog.segments if s.name == name), None))
        for text in (term, *others):
            self._add(target, text, 1.02)

    def _add(self, target: Target, text: str, weight: float, context: frozenset[str] = frozenset()) -> None:
        keys = merge_keys(tuple(k for k in keys_of(text) if k not in _STOP_IN_LABEL) or keys_of(text))
        if text.isalpha() and len(keys) > 1 and any(c.isupper() for c in text[1:]):
            self._add(target, fold(text), weight, context)
        if not keys or (target, keys) in self._seen:
            return
        self._seen.add((target, keys))
        plain = tuple(singular(w) for w in words_of(text) if lemma(w) not in _STOP_IN_LABEL) or tuple(singular(w) for w in words_of(text))
        expanded = tuple(lemma(ABBREVIATIONS[k]) if k in ABBREVIATIONS else k for k in keys)
        joined = ("".join(keys),) if len(keys) == 2 and min(map(len, keys)) >= 3 else keys
        for form in {keys, expanded, joined}:
            weights = tuple(
                0.25 if k in context or (k in _KEPT_IN and k == form[-1] != form[0]) else 0.6 if k in GENERIC else 1.0 for k in form
            )
            if all(k in context for k in form):
                weights = (1.0,) * len(form)
            position = len(self.alternates)
            self.alternates.append(Alternate(target, form, weights, weight, plain if len(plain) == len(form) else ()))
            for key in set(form):
                self.by_key.setdefault(key, []).append(position)


def is_one_of_several(relation: Relationship, catalog: Catalog) -> bool:
    """Whether a relationship leads where another one from the same rows leads too, or back to its own dataset."""
    if relation.from_dataset == relation.to_dataset:
        return True
    ends = (relation.from_dataset, relation.to_dataset)
    return sum((r.from_dataset, r.to_dataset) == ends for r in catalog.relationships) > 1


def has_person_fields(dataset: Dataset) -> bool:
    """Whether a dataset has fields that only persons have."""
    if dataset.kind not in (DatasetKind.DIMENSION, DatasetKind.FACT):
        return False
    found = [f for f in dataset.fields if keys_of(f.label)[-2:] in _PERSON_FIELDS]
    named = any(f.role is FieldRole.NAME and f not in found for f in dataset.fields)  # an opening has a job title, and no name
    return any(named or keys_of(f.label)[-2:] != _JOB_TITLE for f in found)


def is_main_entity(entity: Entity, catalog: Catalog) -> bool:
    """Whether the rows of the entity's dataset are this entity (an id column that points nowhere names another one)."""
    dataset = catalog.dataset(entity.dataset)
    return (
        entity.key == dataset.primary_key
        or entity.label == dataset.label
        or not any(e.dataset == entity.dataset and e.key == dataset.primary_key for e in catalog.entities)
    )


def is_plain_inferred(metric: Metric, catalog: Catalog) -> bool:
    """Whether inference made this metric as a bare aggregate of one column or of rows: the grammar builds those itself, with better context."""
    return (
        metric.source.startswith("infer")
        and isinstance(metric, SimpleMetric)
        and metric.where is None
        and (metric.of is None or (isinstance(metric.of, FieldRef) and metric.of.dataset == metric.dataset))
    )


def merge_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Neighbouring keys that act as one word, joined ("sign", "up" -> "signup")."""
    out: list[str] = []
    i = 0
    while i < len(keys):
        for n in (4, 3, 2):
            merged = _KEY_MERGES.get(keys[i : i + n])
            if merged:
                out.append(merged)
                i += n
                break
        else:
            out.append(keys[i])
            i += 1
    return tuple(out)


_KEY_MERGES = {tuple(lemma(w) for w in words): lemma(merged) for words, merged in MERGES.items()}
