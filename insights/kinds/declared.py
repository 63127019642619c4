"""What declares a kind of fact: the statements it allows, its sentences, and what a reader may do next. One place per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from insights.claims import Claim
from insights.types import Fact

NextStep = Literal["drill", "watch", "check_load", "ask_owner", "forecast", "none"]
Slots = tuple[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """claims: the statements that the fact allows, for the verifier. slots: which of `templates` to take, and the texts of its slots.

    templates are data (variant -> text with {slots}) and are kept with each registered version, so that an old narrative can be made again.
    observed: true without a test (a day without data is seen, not inferred).
    """

    claims: Callable[[Fact], tuple[Claim, ...]]
    slots: Callable[[Fact], Slots]
    templates: Mapping[str, str]
    next_step: NextStep = "none"
    observed: bool = False
