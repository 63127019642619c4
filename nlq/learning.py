"""What people say about answers, as changes to the catalog that an analyst may approve: synonyms and verified questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from core.errors import Conflict, Invalid
from nlq.text import fold
from nlq.verified import plain
from semantic.catalog.model import Catalog, CatalogField, VerifiedQuestion
from semantic.query import SemanticQuery

MAX_WORD = 80
_Named = TypeVar("_Named")


@dataclass(frozen=True, slots=True)
class Proposed:
    """payload: {"word", "means"} of a synonym, {"question", "query"} of a verified question. summary: for people."""

    kind: Literal["synonym", "verified"]
    payload: Mapping[str, Any]
    summary: str


def synonym(word: str, means: str, catalog: Catalog) -> Proposed:
    """`word` as another name of `means`: `metric:NAME`, `field:DATASET.FIELD`, `entity:NAME`, `dataset:NAME`, `segment:NAME` or
    `value:DATASET.FIELD=VALUE`.

    Raises: Invalid for an empty, long or already known word, or for what the catalog does not have.
    """
    said = " ".join(word.split())
    if not said or len(said) > MAX_WORD or not any(c.isalpha() for c in said):
        raise Invalid(
            f"A synonym is a word or phrase of at most {MAX_WORD} characters; found {word[:40]!r}.", code="bad_synonym", path="word"
        )
    label, known = _target(means, catalog)
    if fold(said) in {fold(k) for k in known}:
        raise Conflict(f"{said!r} is a name of {label!r} already.", code="known_synonym")
    return Proposed("synonym", {"word": said, "means": means}, f"“{said}” means {label}")


def verified(question: str, query: SemanticQuery) -> Proposed:
    """`question` with the query that answers it. Raises: Invalid for an empty question."""
    asked = " ".join(question.split())
    if not plain(asked) or len(asked) > 1_000:
        raise Invalid("A verified question has 1 to 1,000 characters.", code="bad_question", path="question")
    return Proposed("verified", {"question": asked, "query": query.model_dump(mode="json", exclude_none=True)}, f"Verify “{asked}”")


def applied(catalog: Catalog, kind: str, payload: Mapping[str, Any], *, approved_by: str, note: str = "") -> Catalog:
    """The catalog with an approved proposal in it. A verified question of the same words is replaced.

    Raises: Invalid for what no longer fits the catalog; Conflict for a synonym that is there by now.
    """
    if kind == "synonym":
        word, means = str(payload["word"]), str(payload["means"])
        synonym(word, means, catalog)
        return _with_synonym(catalog, word, means)
    try:
        query = SemanticQuery.model_validate(payload["query"])
    except ValidationError as error:
        raise Invalid("The proposed query is no SemanticQuery of this version.", code="bad_query") from error
    question = str(payload["question"])
    kept = tuple(v for v in catalog.verified if plain(v.question) != plain(question))
    added = VerifiedQuestion(question=question, query=query, approved_by=approved_by, note=note)
    return catalog.changed(verified=(*kept, added))


def without_verified(catalog: Catalog, question: str) -> Catalog:
    """Raises: Invalid when it is not among the verified questions."""
    kept = tuple(v for v in catalog.verified if plain(v.question) != plain(question))
    if len(kept) == len(catalog.verified):
        raise Invalid(f"{question[:80]!r} is not a verified question.", code="not_verified")
    return catalog.changed(verified=kept)


def _target(means: str, catalog: Catalog) -> tuple[str, tuple[str, ...]]:
    """The label of what is meant and its names until now. Raises: Invalid; NotFound."""
    kind, _, name = means.partition(":")
    if kind == "metric":
        metric = catalog.metric(name)
        return metric.label, (metric.label, metric.name, *metric.synonyms)
    if kind == "entity":
        entity = catalog.entity(name)
        return entity.label, (entity.label, entity.plural, *entity.synonyms)
    if kind == "dataset":
        dataset = catalog.dataset(name)
        return dataset.label, (dataset.label, *dataset.synonyms)
    if kind == "segment":
        segment = next((s for s in catalog.segments if s.name == name), None)
        if segment is not None:
            return segment.label, (segment.label, *segment.synonyms)
    if kind == "field" and "." in name:
        field = catalog.dataset(name.partition(".")[0]).field(name.partition(".")[2])
        return field.label, (field.label, *field.synonyms)
    if kind == "value" and "=" in name:
        place, _, value = name.partition("=")
        field = catalog.dataset(place.partition(".")[0]).field(place.partition(".")[2])
        if field.pii:
            raise Invalid("Values of personal fields get no synonyms.", code="personal_field", path="means")
        return f"{value} ({field.label})", (value, *field.value_synonyms.get(value, ()))
    raise Invalid(
        f"Expected metric:NAME, field:DATASET.FIELD, entity:NAME, dataset:NAME, segment:NAME or value:DATASET.FIELD=VALUE; found {means[:80]!r}.",
        code="bad_meaning",
        path="means",
    )


def _with_synonym(catalog: Catalog, word: str, means: str) -> Catalog:
    kind, _, name = means.partition(":")

    def add(item: Any) -> Any:
        return item.changed(synonyms=(*item.synonyms, word))

    if kind == "metric":
        return catalog.changed(metrics=_replaced(catalog.metrics, lambda m: m.name == name, add))
    if kind == "entity":
        return catalog.changed(entities=_replaced(catalog.entities, lambda e: e.name == name, add))
    if kind == "segment":
        return catalog.changed(segments=_replaced(catalog.segments, lambda s: s.name == name, add))
    if kind == "dataset":
        return catalog.changed(datasets=_replaced(catalog.datasets, lambda d: d.name == name, add))
    place, _, value = name.partition("=")
    dataset, _, field = place.partition(".")
    if kind == "value":

        def add_value(item: CatalogField) -> CatalogField:
            return item.changed(value_synonyms={**item.value_synonyms, value: (*item.value_synonyms.get(value, ()), word)})

        change: Callable[[Any], Any] = add_value
    else:
        change = add
    return catalog.changed(
        datasets=_replaced(
            catalog.datasets,
            lambda d: d.name == dataset,
            lambda d: d.changed(fields=_replaced(d.fields, lambda f: f.name == field, change)),
        )
    )


def _replaced(items: tuple[_Named, ...], chosen: Callable[[_Named], bool], change: Callable[[Any], Any]) -> tuple[_Named, ...]:
    return tuple(change(item) if chosen(item) else item for item in items)
