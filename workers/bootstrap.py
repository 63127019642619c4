"""Builds the services from settings, once per process; the API, the command line and the workers all start here."""

from __future__ import annotations

from functools import cached_property

from celery import Celery

from core.clock import Clock, SystemClock
from core.settings import Settings, settings
from core.store.migrate import migrate
from core.store.store import Store
from workers.broker import make_app


class Services:
    """What running code needs from outside. Each part opens on first use; nothing connects before."""

    def __init__(self, configuration: Settings, clock: Clock) -> None:
        self.settings = configuration
        self.clock = clock

    @cached_property
    def store(self) -> Store:
        return Store.open(self.settings.resolved_state_url)

    @cached_property
    def celery(self) -> Celery:
        """For sending messages; the tasks themselves are in workers.app."""
        return make_app(self.settings)

    def migrate(self) -> None:
        """Brings the state store's schema up to date; safe when several processes do it at once."""
        migrate(self.store.engine)

    def close(self) -> None:
        """Gives back what was opened."""
        if "store" in self.__dict__:
            self.store.close()
        if "celery" in self.__dict__:
            self.celery.close()


def build_services(configuration: Settings | None = None, clock: Clock | None = None) -> Services:
    """Services from the given settings, else the process's own, on the system clock unless told otherwise."""
    return Services(configuration or settings(), clock or SystemClock())
