"""The distinct values of categorical fields per tenant, for grounding words of a question; PII is never in it."""

from semantic.values.build import build_value_index, is_indexable, visible_fields
from semantic.values.index import StoredValue, ValueIndex
from semantic.values.match import SpanMatch, ValueMatch

__all__ = ["SpanMatch", "StoredValue", "ValueIndex", "ValueMatch", "build_value_index", "is_indexable", "visible_fields"]
