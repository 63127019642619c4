"""What is behind the words of insights as a registered version: weights, thresholds, templates and models, kept by MLflow."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from core.errors import AppError, Conflict, NotFound
from core.ids import TenantId
from core.store import fact_votes
from insights.narrative import TEMPLATES_VERSION, narrate
from insights.settings import words_settings
from insights.stored import fact_from_json
from models.lineage import Lineage, code_version
from models.names import ANY_METRIC, ModelName
from models.registry import RunRecord
from workers.bootstrap import Services

log = logging.getLogger(__name__)
NAME = "narrative"
FILE = "model/words.json"
NO_VERSION = "unregistered"


def words_of(services: Services, tenant: TenantId) -> str:
    """The version of today's words, registered the first time a tenant uses them: "acme.insight.*.narrative/3".

    Where MLflow is away it is "unregistered:<fingerprint>"; the next run registers it.
    """
    settings = words_settings()
    fingerprint = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    with services.store.read() as connection:
        known = fact_votes.word_version(connection, tenant, fingerprint)
    if known is not None:
        return known
    lineage = Lineage(query_hash="", catalog_version=0, data_version="", code_version=code_version(("insights",)))
    record = RunRecord(
        ModelName(tenant, "insight", ANY_METRIC, NAME), f"words-{fingerprint[:32]}", lineage,
        params={"templates_version": TEMPLATES_VERSION, "fingerprint": fingerprint}, files={FILE: settings},
    )  # fmt: skip
    try:
        version = str(services.registry.log_run(record))
    except AppError as error:
        log.warning("the words could not be registered (%s); they will be by a later run", error.code)
        return f"{NO_VERSION}:{fingerprint[:16]}"
    with services.store.write() as connection:
        fact_votes.put_word_version(connection, tenant, fingerprint, version, now=services.clock.now())
    return version


def registered_words(services: Services, tenant: TenantId, version: str) -> Mapping[str, Any]:
    """The settings of a version. Raises: NotFound; Unavailable."""
    name, _, number = version.rpartition("/")
    for found in services.registry.versions(tenant, name):
        if str(found.version) == number:
            settings: Mapping[str, Any] = services.registry.file(tenant, found, FILE)
            return settings
    raise NotFound(f"There is no version {version[:120]!r} of the words.", code="unknown_words")


def rebuilt(services: Services, tenant: TenantId, told: list[Mapping[str, Any]], version: str) -> list[str]:
    """The sentences of an old narrative, made again from its facts with the templates of its own version, and proven again.

    Raises: NotFound for a version that is not registered; Conflict where today's code knows a fact no more; NotProven.
    """
    templates = registered_words(services, tenant, version)["templates"]
    try:
        return narrate([fact_from_json(fact) for fact in told], templates)
    except KeyError as error:
        raise Conflict(
            f"The narrative was made by an older Querent, whose facts this one writes no more ({error}).", code="words_too_old"
        ) from error
