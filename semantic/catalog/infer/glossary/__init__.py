"""A glossary in the source's own words, SQL or formulas, carried into metrics, fields, segments, derived datasets and synonyms."""

from semantic.catalog.infer.glossary.apply import apply_glossary
from semantic.catalog.infer.glossary.entry import GlossaryEntry

__all__ = ["GlossaryEntry", "apply_glossary"]
