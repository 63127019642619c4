"""`check_model`: every check of a model's kind, one after the other, with a report that can be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.conformance.detectors import DETECTOR_CHECKS
from models.conformance.explainers import EXPLAINER_CHECKS
from models.conformance.forecasters import FORECASTER_CHECKS
from models.conformance.report import Check, Report
from models.conformance.subject import LocalSubject, Subject
from models.conformance.trial import Skipped, Trial, Wrong
from models.sdk.card import ModelCard, read_card
from models.sdk.contract import Model
from models.sdk.failures import ModelFailed, ModelStopped
from models.sdk.package import CARD

SUITES = {"forecaster": FORECASTER_CHECKS, "detector": DETECTOR_CHECKS, "explainer": EXPLAINER_CHECKS}
MAX_SECONDS = 20.0
"""For one batch of three series with 400 steps; a model that is slower cannot serve the 2,000 series of a job."""


def check_model(
    model: Model | Path | Subject,
    card: ModelCard | None = None,
    *,
    max_seconds: float = MAX_SECONDS,
    on_check: Callable[[int, int], None] | None = None,
) -> Report:
    """Whether a model keeps the contract.

    model: an object, a package's folder (its card is read there; its code runs here), or a subject behind walls. max_seconds: for a
    batch of three series of 400 steps. on_check(done, total) is called after each check and may raise to stop.
    Raises: ValueError without a card; Unavailable when a sandbox is away.
    """
    if isinstance(model, Path):
        card = card or read_card((model / CARD).read_text(encoding="utf-8"))
        subject: Subject = LocalSubject.from_folder(model)
    else:
        subject = LocalSubject(model) if isinstance(model, Model) else model
    if card is None:
        raise ValueError("a model's card was expected; pass `card` or a package's folder")
    began_s = time.perf_counter()
    trial = Trial(subject, card, max_seconds)
    suite = SUITES[card.kind]
    found: list[Check] = []
    stopped = False
    for name, check in suite.items():
        found.append(replace(_UNRUN, name=name) if stopped else _run(name, check, trial))
        stopped = stopped or trial.stopped
        if on_check is not None:
            on_check(len(found), len(suite))
    return Report(tuple(found), time.perf_counter() - began_s)


_UNRUN = Check("", "skipped", "not tried, as the model had to be stopped", 0.0)


def _run(name: str, check: Callable[[Trial], str], trial: Trial) -> Check:
    began_s = time.perf_counter()

    def done(outcome: str, detail: str) -> Check:
        return Check(name, outcome, detail[:800], round(time.perf_counter() - began_s, 3))  # type: ignore[arg-type]

    try:
        trial.subject.fresh()
        with np.errstate(all="ignore"):
            return done("passed", check(trial))
    except Skipped as why:
        return done("skipped", str(why))
    except ModelStopped as error:
        trial.stopped = True
        return done("failed", error.message)
    except ModelFailed as error:
        return done("failed", error.message)
    except Wrong as error:
        return done("failed", str(error))
