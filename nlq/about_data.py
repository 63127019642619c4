"""Questions about the data itself: what is known of customers, what splits revenue, which measures there are by region, what that number means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from nlq.candidates import Candidates
from nlq.define import called, definition_of
from nlq.lexicon import Target
from nlq.linking import Linker
from nlq.types import Reading
from semantic.catalog.model import Catalog, FieldRole
from semantic.expr import FieldRef
from semantic.query import ByField, MetricRef, SemanticQuery

_CUT = r"(?:slice[d]?|split|break\s+down|broken\s+down|break|group(?:ed)?|cut|filter(?:ed)?|see|view(?:ed)?|look\s+at|drill)"
_BY_WHICH = re.compile(
    rf"^\W*(?:which|what)\s+(?:metrics?|measures?|kpis?|numbers|figures)\s+(?:can|could)\s+(?:(?:i|we|you|be)\s+)?{_CUT}\s+(?:by|per|across|for)\s+(?P<x>[\w\s'-]+?)\W*$",
    re.IGNORECASE,
)
_SPLITS = re.compile(
    rf"^\W*(?:(?:how|by\s+what)\s+(?:can|could)\s+(?:i|we|you)\s+{_CUT}\s+(?P<a>[\w\s'-]+?)(?:\s+(?:down|by))?"
    rf"|how\s+can\s+(?P<b>[\w\s'-]+?)\s+be\s+{_CUT}(?:\s+by)?"
    rf"|(?:which|what)\s+(?:dimensions?|breakdowns?|splits?|groupings?|attributes|filters)\s+(?:can\s+(?:i|we)\s+use\s+(?:with|for|on)|are\s+(?:there|available)\s+for|does|do|exist\s+for)\s+(?P<c>[\w\s'-]+?)(?:\s+have)?"
    rf"|what\s+can\s+(?:i|we)\s+{_CUT}\s+(?P<d>[\w\s'-]+?)\s+by)\W*$",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    r"^\W*(?:what\s+(?:data|info(?:rmation)?|details|facts)\s+(?:do\s+(?:you|we)\s+have|is\s+there|are\s+there|is\s+available|exists?)\s+(?:on|about|for|regarding)\s+(?P<a>[\w\s'-]+?)"
    r"|what\s+do\s+(?:you|we)\s+(?:know|have|store|keep)\s+(?:about|on)\s+(?P<b>[\w\s'-]+?)"
    r"|(?:what|which)\s+(?:columns|fields|attributes|properties)\s+(?:does|do|are\s+in|are\s+there\s+(?:in|for)|has|have)\s+(?:the\s+|an?\s+)?(?P<c>[\w\s'-]+?)(?:\s+(?:have|has|table))?"
    r"|what(?:'s|\s+is)\s+in\s+(?:the\s+)?(?P<d>[\w\s'-]+?)\s+(?:table|dataset|data)"
    r"|describe\s+(?:the\s+)?(?P<e>[\w\s'-]+?)(?:\s+(?:table|dataset|data))?"
    r"|what(?:'s|\s+is)\s+the\s+(?:definition|meaning)\s+of\s+(?P<f>[\w\s'-]+?)|explain\s+(?P<g>[\w'-]+(?:\s+[\w'-]+){0,2}?)(?:\s+to\s+me)?)\W*$",
    re.IGNORECASE,
)
_IT = re.compile(
    r"^\W*(?:(?:and|but|so)\s+)*(?:what\s+(?:does|do)\s+(?:it|that|this|they|these)\s+(?:\w+\s+)?mean|what\s+is\s+meant(?:\s+by\s+(?:it|that|this))?|define\s+(?:it|that|this)|explain\s+(?:it|that|this)"
    r"|how\s+(?:is|are)\s+(?:it|that|this|they)\s+(?:calculated|computed|defined|measured)"
    r"|(?:is|are|was|were)\s+(?:it|that|this|they|those)\s+(?:already\s+)?(?:including|inclusive\s+of|excluding|exclusive\s+of|net\s+of|gross\s+of|before|after|with|without|net|gross)(?:\s+[\w-]+){0,3}"
    r"|(?:does|do)\s+(?:it|that|this|they|those)\s+(?:already\s+)?(?:include|exclude|contain|count)(?:\s+[\w-]+){1,3})(?:\s+here)?\W*$",
    re.IGNORECASE,
)
_MOST_SHOWN = 15
_MOST_TRIED = 60


def about_data(question: str, of: Candidates, linker: Linker, before: Reading | None, as_of: dt.datetime) -> str | None:
    """What the catalog says, or None for a question that is not about the data itself or names nothing that is known."""
    if before is not None and before.query.metrics and _IT.match(question):
        return definition_of(of.wording.measure(before.query.metrics[0]), of.catalog, linker)
    by_which = _BY_WHICH.match(question)
    if by_which:
        return _measures_by(by_which["x"], of, linker, as_of)
    splits = _SPLITS.match(question)
    if splits:
        return _splits_of(_heard(splits), of, linker, as_of)
    known = _KNOWN.match(question)
    kind = "dataset" if known and not (known["f"] or known["g"]) else None
    return definition_of(_heard(known), of.catalog, linker, kind) if known else None


def _heard(match: re.Match[str]) -> str:
    return next((g for g in match.groups() if g), "").strip()


def _splits_of(subject: str, of: Candidates, linker: Linker, as_of: dt.datetime) -> str | None:
    named = _named(subject, "metric", linker)
    if named is None:
        return None
    metric = of.catalog.metric(named.name)
    found = [label for label, ref in _dimensions(of.catalog).items() if _runs(MetricRef(metric=metric.name), ref, of, as_of)]
    return f"{metric.label} can be split by {_listed(found)}." if found else f"{metric.label} cannot be split by anything."


def _measures_by(subject: str, of: Candidates, linker: Linker, as_of: dt.datetime) -> str | None:
    named = _named(subject, "field", linker)
    if named is None or named.dataset is None or named.field is None:
        return None
    ref = FieldRef(dataset=named.dataset, field=named.field)
    found = [m.label for m in of.catalog.metrics if not m.hidden and _runs(MetricRef(metric=m.name), ref, of, as_of)]
    label = of.wording.field(ref)
    return f"By {label} there are {_listed(found)}." if found else f"Nothing can be split by {label}."


def _named(subject: str, kind: str, linker: Linker) -> Target | None:
    return next((k.target for k in called(subject, linker) if k.target.kind == kind), None)


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _MOST_SHOWN} more" if len(labels) > _MOST_SHOWN else ""
    return ", ".join(labels[:_MOST_SHOWN]) + more


def _dimensions(catalog: Catalog) -> dict[str, FieldRef]:
    """Labels of what people group by, the first field of each name."""
    found: dict[str, FieldRef] = {}
    for dataset in catalog.datasets:
        for field in dataset.fields:
            if not dataset.hidden and not field.hidden and field.role in (FieldRole.CATEGORY, FieldRole.FLAG):
                found.setdefault(field.label, FieldRef(dataset=dataset.name, field=field.name))
    return dict(list(found.items())[:_MOST_TRIED])


def _runs(metric: MetricRef, by: FieldRef, of: Candidates, as_of: dt.datetime) -> bool:
    return of.problem(SemanticQuery(metrics=(metric,), by=(ByField(field=by),)), as_of) is None
