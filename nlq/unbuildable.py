"""What is raised where a question's parts do not fit together."""

from __future__ import annotations


class Unbuildable(Exception):
    """A part of a reading cannot be expressed over this catalog; the reading is dropped."""
