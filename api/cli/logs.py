"""How a command logs: for reading beside one's own output, or as a service does."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

from core.errors import Invalid
from core.settings import Settings, settings

# A line for each tick of each schedule, twice: some ten thousand a day that say nothing. A job has a line of its own (workers/run.py).
_TICKING = ("celery.app.trace", "celery.worker.strategy", "celery.beat")


class _Unfailing:
    """A stream whose lines are lost while they cannot be written (its disk is full): what is logged goes on. The standard library's handlers do so
    by themselves."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def log_as_a_service() -> Settings:
    """By QUERENT_LOG_LEVEL and QUERENT_LOG_FORMAT; gives the settings."""
    configuration = settings()
    configure_logging(configuration.log_level, json=configuration.log_format == "json")
    for name in _TICKING if configuration.log_level == "INFO" else ():
        logging.getLogger(name).setLevel(logging.WARNING)
    return configuration


def level_of(given: str) -> str:
    """WARNING when none is given. Raises: Invalid."""
    level = (given or "WARNING").upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise Invalid(f"--log-level takes DEBUG, INFO, WARNING or ERROR; found {given!r}.")
    return level


def configure_logging(level: str, *, json: bool) -> None:
    """structlog and the standard library's loggers to standard error, as JSON lines or for reading."""
    renderer = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Unfailing(sys.stderr))),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    logging.basicConfig(level=number, handlers=[handler], force=True)
