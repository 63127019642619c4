"""A metric as a form: an aggregate, a ratio, arithmetic over metrics, or a running figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from api.web.catalog_forms.conditions import condition, written_line
from api.web.catalog_forms.kind import (
    Input,
    Kind,
    changed,
    chosen,
    dataset_choices,
    field_choices,
    field_refs,
    lines,
    metric_choices,
    name_inputs,
    named,
    ref_key,
    said_label,
    spoken,
    table_of,
)
from api.web.forms import Fields, body
from core.errors import Invalid
from core.formats import current
from core.timeseries import Grain
from core.typed_numbers import typed
from semantic.catalog.model import (
    Catalog,
    CumulativeMetric,
    DerivedMetric,
    FieldRole,
    MetricBase,
    RatioMetric,
    SimpleMetric,
)
from semantic.catalog.written import read_expression, written_expression
from semantic.query import AggregateKind, MetricRef, SemanticQuery

_TYPES: Mapping[str, type[MetricBase]] = {
    "simple": SimpleMetric, "ratio": RatioMetric, "derived": DerivedMetric, "cumulative": CumulativeMetric,
}  # fmt: skip
TYPE_WORDS = (
    ("simple", "one figure of a table: a sum, a count, an average"),
    ("ratio", "one metric divided by another"),
    ("derived", "arithmetic over metrics"),
    ("cumulative", "a metric added up over time"),
)
AGGREGATES = {
    "sum": "sum", "count": "count of rows", "count_distinct": "count of different values", "avg": "average", "median": "median",
    "quantile": "quantile", "min": "smallest", "max": "largest", "stddev": "standard deviation",
}  # fmt: skip
FORMATS = (("", "number"), ("percent", "percent (0.25 is 25%)"), ("percent_points", "percent (25 is 25%)"))
DIRECTIONS = (("", "no matter"), ("up", "up"), ("down", "down"))
_GRAINS = (("", "the question decides"), *((g.value, g.value) for g in Grain if g.value != "minute"))
_COMMON = ("label", "description", "unit", "format", "good_direction", "default_grain", "owner", "certified", "hidden")


class MetricKind(Kind):
    name, part, title, runs = "metric", "metrics", "metric", True
    about = "A figure that can be asked for by its name and synonyms, always computed the same way."

    def inputs(self, catalog: Catalog, item: Any, roles: Sequence[str]) -> Sequence[Input]:
        metrics = metric_choices(catalog)
        times = [(f"{d.name}.{f.name}", f"{d.label}: {f.label}") for d in catalog.datasets for f in d.fields if f.role is FieldRole.TIME]
        units = (("", "–"), *((g.value, g.value) for g in Grain if g.value not in ("minute", "hour")))
        return (
            *name_inputs(item, "average order value", "average_order_value"),
            Input("description", "What it means", wide=True, like="Net revenue per completed order."),
            Input("synonyms", "Also called, one a line", "lines", note="Questions may use these words instead."),
            Input("type", "It is", "choice", choices=TYPE_WORDS, wide=True),
            Input("dataset", "Of which table", "choice", choices=dataset_choices(catalog), when=("simple",)),
            Input("aggregate", "Which figure", "choice", choices=tuple(AGGREGATES.items()), when=("simple",)),
            Input("of", "Of what", when=("simple",), like="quantity * unit_price", note="A field, or arithmetic over fields; empty for a count of rows."),
            Input("quantile", "Which quantile", when=("simple",), like=typed(0.95, current()), note="Between 0 and 1; only for quantiles."),
            Input("where", "Only rows where", when=("simple",), wide=True, like="status = 'completed'", note="A condition as in SQL; empty for all rows."),
            Input("time_field", "Counted on", "choice", choices=(("", "the table's own date"), *times), when=("simple",)),
            Input("numerator", "Divide", "choice", choices=metrics, when=("ratio",)),
            Input("denominator", "By", "choice", choices=metrics, when=("ratio",)),
            Input("scale", "Times", when=("ratio",), like="1", note="Such as 1000 for “per thousand”."),
            Input("expression", "Formula", when=("derived",), wide=True, like="(revenue - cost_of_goods) / orders", note="Metrics, numbers, + - * / and brackets."),
            Input("metric", "Which metric", "choice", choices=metrics, when=("cumulative",)),
            Input("window_count", "Over the last", when=("cumulative",), like="28", note="Together with a unit, or leave both out and choose “since”."),
            Input("window_unit", "Unit", "choice", choices=units, when=("cumulative",)),
            Input("grain_to_date", "Or since the start of the", "choice", choices=units, when=("cumulative",)),
            Input("format", "Shown as", "choice", choices=_with(FORMATS, item.format if item is not None else None)),
            Input("unit", "Unit", like="EUR", note="A currency's code, or a word such as “kg”."),
            Input("good_direction", "It is good when it goes", "choice", choices=DIRECTIONS),
            Input("default_grain", "Shown over time by", "choice", choices=_GRAINS),
            Input("non_additive", "Is not added up over", "several", choices=field_choices(catalog), note="A balance is not added up over days: the last counts."),
            Input("owner", "Who answers for it", like="finance@example.com"),
            Input("certified", "Certified: the definition that counts", "check"),
            Input("hidden", "Hidden: only other metrics use it", "check"),
        )  # fmt: skip

    def values(self, catalog: Catalog, item: Any, given: Mapping[str, str]) -> dict[str, Any]:
        if item is None:
            return {"type": "simple", "aggregate": "sum", "scale": "1", **given}
        made: dict[str, Any] = {key: getattr(item, key) for key in ("name", *_COMMON)} | {
            "type": item.type,
            "synonyms": "\n".join(item.synonyms),
            "non_additive": [ref_key(ref) for ref in item.non_additive],
        }
        if isinstance(item, SimpleMetric):
            made |= {
                "dataset": item.dataset, "aggregate": item.aggregate.value, "quantile": _typed(item.quantile),
                "time_field": f"{item.time_field.dataset}.{item.time_field.field}" if item.time_field else "",
                "of": _of_line(item, catalog), "where": written_line(item.where, catalog, item.dataset),
            }  # fmt: skip
        elif isinstance(item, RatioMetric):
            made |= {"numerator": item.numerator, "denominator": item.denominator, "scale": _typed(item.scale)}
        elif isinstance(item, DerivedMetric):
            made["expression"] = item.expression
        elif isinstance(item, CumulativeMetric):
            made |= {
                "metric": item.metric,
                "window_count": item.window_count,
                "window_unit": item.window_unit,
                "grain_to_date": item.grain_to_date,
            }
        return {key: "" if value is None else value for key, value in made.items()}

    def read(self, form: Fields, catalog: Catalog, item: Any) -> BaseModel:
        kind = form("type", "simple")
        model = _TYPES.get(kind)
        if model is None:
            raise Invalid(f"There is no type of metric {kind[:20]!r}.", code="bad_form", path="type")
        texts = {key: chosen(form, key) for key in ("unit", "format", "good_direction", "default_grain", "owner")}
        said = texts | {
            "type": kind, "name": named(form, item), "label": said_label(form), "description": form("description"),
            "synonyms": lines(form, "synonyms"), "certified": form.has("certified"), "hidden": form.has("hidden"),
            "non_additive": field_refs(form, "non_additive", "Is not added up over", catalog, item.non_additive if item is not None else ()),
        }  # fmt: skip
        kept = changed(item, said)
        made = {key: value for key, value in kept.items() if key in model.model_fields}
        return body(model, made | _of_type(kind, form, catalog, item))

    def beyond(self, item: Any, catalog: Catalog) -> list[str]:
        if not isinstance(item, SimpleMetric):
            return []
        found = ["what it is computed of"] if item.of is not None and not _of_line(item, catalog) else []
        return found + (["its condition"] if item.where is not None and not written_line(item.where, catalog, item.dataset) else [])

    def query(self, item: Any, catalog: Catalog) -> SemanticQuery | None:
        return SemanticQuery(metrics=(MetricRef(metric=item.name),)) if not item.hidden else None


def _of_type(kind: str, form: Fields, catalog: Catalog, item: Any) -> dict[str, Any]:
    if kind == "ratio":
        return {"numerator": form("numerator"), "denominator": form("denominator"), "scale": form.number("scale", "Times") or 1.0}
    if kind == "derived":
        return {"expression": form("expression")}
    if kind == "cumulative":
        count = form.whole("window_count", "Over the last", 0) or None
        return {
            "metric": form("metric"),
            "window_count": count,
            "window_unit": chosen(form, "window_unit"),
            "grain_to_date": chosen(form, "grain_to_date"),
        }
    dataset, of = table_of(form, catalog), form("of")
    known = item if isinstance(item, SimpleMetric) and item.dataset == dataset else None
    before = _of_line(known, catalog) if known is not None else ""
    home, dot, field = form("time_field").partition(".")
    aggregate = form("aggregate", AggregateKind.SUM.value)
    if not of and aggregate != AggregateKind.COUNT and not (known is not None and known.of is not None and not before):
        raise Invalid(f"Of what? The {AGGREGATES.get(aggregate, aggregate)} needs a field of the table.", code="bad_form", path="of")
    kept_of = known.of if known is not None and of == before else read_expression(of, catalog, dataset) if of else None
    where = condition(form, "where", catalog, dataset, known.where if known is not None else None)
    return {
        "dataset": dataset, "aggregate": aggregate, "of": kept_of, "where": where, "quantile": form.number("quantile", "Quantile"),
        "time_field": {"dataset": home, "field": field} if dot else None,
    }  # fmt: skip


def _of_line(item: SimpleMetric, catalog: Catalog) -> str:
    """What is summed as a line; empty also for what no line says, which stays while its line is empty."""
    return (written_expression(item.of, catalog, item.dataset) or "") if item.of is not None else ""


def _with(choices: tuple[tuple[str, str], ...], known: str | None) -> tuple[tuple[str, str], ...]:
    """With a value that is there and not among the usual ones."""
    return (
        choices
        if not known or known in dict(choices)
        else (*choices, (known, f"currency ({known[9:]})" if known.startswith("currency:") else spoken(known)))
    )


def _typed(value: float | None) -> str:
    return "" if value is None else typed(float(f"{value:.15g}"), current())
