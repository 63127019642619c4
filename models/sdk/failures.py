"""What can be wrong with a model's answer."""

from __future__ import annotations

from core.errors import UserError


class ModelFailed(UserError):
    """The model did not answer as it must: it raised, or its answer does not fit the contract. The message says how."""

    code = "model_failed"
    status = 422


class NothingKept(UserError):
    """The model was to be saved and loaded, and does not declare that it can (`Saving`)."""

    code = "nothing_kept"
    status = 422


class ModelStopped(ModelFailed):
    """It broke a limit or its process ended; it was stopped and answers no more."""

    code = "model_stopped"
