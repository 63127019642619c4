"""The command line: `querent`."""

from api.cli.main import main

__all__ = ["main"]
