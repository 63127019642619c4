"""Words of the business, and questions whose answer somebody approved, as forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from api.web.catalog_forms.kind import Input, Kind, changed, chosen, lines
from api.web.forms import Fields, body
from core.errors import Invalid
from semantic.catalog.model import Catalog, GlossaryTerm, VerifiedQuestion
from semantic.query import SemanticQuery


class TermKind(Kind):
    name, part, title = "term", "glossary", "word"
    about = "A word of your business. Tied to a metric, a field or a segment, questions understand it and its synonyms."

    def key_of(self, item: Any, place: int) -> str:
        return str(item.term)

    def label_of(self, item: Any) -> str:
        return str(item.term)

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        means = [("", "nothing that can be asked for; it is only explained")]
        means += [(f"metric:{m.name}", f"Metric: {m.label}") for m in catalog.metrics]
        means += [(f"segment:{s.name}", f"Segment: {s.label}") for s in catalog.segments]
        means += [(f"entity:{e.name}", f"Thing: {e.label}") for e in catalog.entities]
        means += [(f"field:{d.name}.{f.name}", f"Field: {d.label}, {f.label}") for d in catalog.datasets for f in d.fields if not f.hidden]
        return (
            Input("term", "The word", like="churn", required=True),
            Input("means", "Means", "choice", choices=means),
            Input("definition", "What it is, in a sentence", required=True, wide=True, like="Subscriptions that were cancelled."),
            Input("synonyms", "Also called, one a line", "lines"),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return dict(given)
        return {"term": item.term, "definition": item.definition, "means": item.means or "", "synonyms": "\n".join(item.synonyms)}

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        if not form.has("term") or not form.has("definition"):
            raise Invalid("Say the word, and what it is.", code="bad_form", path="term")
        taken = any(t.term.casefold() == form("term").casefold() and t is not item for t in catalog.glossary)
        if taken:
            raise Invalid(f"{form('term')[:60]!r} is explained already; change that one.", code="term_exists", path="term")
        said = {"term": form("term"), "definition": form("definition"), "synonyms": lines(form, "synonyms"), "means": chosen(form, "means")}
        return body(GlossaryTerm, changed(item, said))


class VerifiedKind(Kind):
    name, part, title, runs = "verified", "verified", "verified question", True
    about = "A question with the query that you approve: it is always answered this way, and asked again after each change of the catalog."
    back = ("/evaluation", "Evaluation")

    def key_of(self, item: Any, place: int) -> str:
        return str(item.question)

    def label_of(self, item: Any) -> str:
        return str(item.question)

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        return (
            Input("question", "The question", required=True, wide=True, like="how did we do last quarter"),
            Input("as", "Answer it like", wide=True, like="revenue by region last quarter compared to the year before", note=(
                "A question that is understood as you mean it; leave it empty to keep the query that it has." if item is not None
                else "A question that is understood as you mean it; empty: as the question itself is understood."
            )),
            Input("note", "Note", wide=True, like="Agreed with finance in May"),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        return {"question": item.question, "note": item.note, "as": ""} if item is not None else dict(given)

    def read(self, form: Fields, catalog: Catalog, item: Any) -> VerifiedQuestion:
        """item: of a new one, made of the question and what it is understood as."""
        if not form.has("question"):
            raise Invalid("Write the question.", code="bad_form", path="question")
        said: dict[str, Any] = {"question": form("question"), "note": form("note")}
        return body(VerifiedQuestion, changed(item, said))

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        return item.query if isinstance(item, VerifiedQuestion) else None
