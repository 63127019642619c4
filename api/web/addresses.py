"""Addresses that came with a request."""

from __future__ import annotations


def local(target: str) -> str:
    """Only a path of this site; anything else leads home."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"
