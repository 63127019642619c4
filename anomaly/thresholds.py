"""From what a person can bear to the score above which a row is flagged."""

from __future__ import annotations

import math

from core.errors import Invalid


def score_threshold(sensitivity: float) -> float:
    """The score that is reached about `sensitivity` times a year by chance.

    Raises: Invalid unless sensitivity is a positive finite number.
    """
    if not (math.isfinite(sensitivity) and sensitivity > 0):
        raise Invalid(
            f"sensitivity is the number of false alarms a year you can bear: expected more than 0; found {sensitivity}.",
            code="bad_sensitivity",
        )
    return 6.0 - 2.0 * math.log10(sensitivity / 12.0)
