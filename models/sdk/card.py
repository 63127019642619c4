"""The model card: `model.yaml` at the root of a package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import yaml

from core.errors import Invalid
from core.timeseries import Grain
from models.sdk.schemas import INPUTS, signature_of

KINDS = tuple(INPUTS)
FORMATS = ("python", "mlflow", "onnx")
ANY_METRIC = "*"
MAX_CARD_BYTES = 64 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_METRIC = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_ENTRY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,200}:[A-Za-z_][A-Za-z0-9_]{0,100}\Z")
_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}==[A-Za-z0-9][A-Za-z0-9._+!-]{0,60}\Z")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """name: short, the owner's choice. metric: the metric it serves, or "*" for all. entry: `module:Class` below `source/`.

    min_history: steps it needs before a forecast or a first score. horizon: most steps it may be asked for (forecasters).
    requirements: `name==version` of what it imports beyond numpy and pyarrow. signature: what `signature_of(kind)` gives.
    """

    name: str
    kind: str
    owner: str
    description: str
    metric: str
    grains: tuple[str, ...]
    min_history: int
    licence: str
    entry: str
    signature: Mapping[str, Any]
    horizon: int = 0
    seed: int = 0
    format: str = "python"
    requirements: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_card(text: str) -> ModelCard:
    """A card from YAML. Raises: Invalid (`bad_model_card`, `no_signature`) with what was expected and what was found."""
    if len(text.encode()) > MAX_CARD_BYTES:
        raise _bad(f"at most {MAX_CARD_BYTES:,} bytes were expected; found {len(text.encode()):,}")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _bad(f"YAML was expected; {str(error)[:200]}") from error
    return card_of(value)


def card_of(value: object) -> ModelCard:
    """A card from plain values. Raises: Invalid."""
    if not isinstance(value, dict):
        raise _bad(f"a mapping of names to values was expected; found {type(value).__name__}")
    known = {field.name for field in fields(ModelCard)}
    unknown = sorted(str(name)[:40] for name in value if name not in known)
    if unknown:
        raise _bad(f"unknown fields {', '.join(unknown[:10])}; known are {', '.join(sorted(known))}")
    if "signature" not in value:
        raise Invalid(
            "The model card has no signature; a model without one is refused. Add what models.sdk.schemas.signature_of(kind) gives.",
            code="no_signature", path="/signature",
        )  # fmt: skip
    missing = sorted(name for name in known - {"horizon", "seed", "format", "requirements"} if name not in value)
    if missing:
        raise _bad(f"fields {', '.join(missing)} are missing")
    texts = {name: _text(value, name) for name in ("name", "kind", "owner", "description", "metric", "licence", "entry")}
    card = ModelCard(
        **texts,
        grains=_texts(value, "grains"),
        min_history=_number(value, "min_history", 1, 1_000_000),
        horizon=_number(value, "horizon", 0, 1000),
        seed=_number(value, "seed", 0, 2**31 - 1),
        format=_text(value, "format") if "format" in value else "python",
        requirements=_texts(value, "requirements"),
        signature=value["signature"] if isinstance(value["signature"], dict) else {},
    )
    _check(card)
    return card


def _check(card: ModelCard) -> None:
    _expect(card.kind in KINDS, "kind", f"one of {', '.join(KINDS)}", card.kind)
    _expect(bool(_NAME.match(card.name)), "name", "1-64 of a-z, 0-9, _ and -", card.name)
    _expect(bool(_METRIC.match(card.metric)) or card.metric == ANY_METRIC, "metric", "a metric's name or *", card.metric)
    _expect(bool(_ENTRY.match(card.entry)), "entry", "module:Class", card.entry)
    _expect(card.format in FORMATS, "format", f"one of {', '.join(FORMATS)}", card.format)
    grains = [grain.value for grain in Grain]
    _expect(
        bool(card.grains) and set(card.grains) <= set(grains), "grains", f"some of {', '.join(grains)}", ", ".join(card.grains) or "none"
    )
    _expect(card.kind != "forecaster" or card.horizon >= 1, "horizon", "1 or more for a forecaster", str(card.horizon))
    for pin in card.requirements:
        _expect(bool(_PIN.match(pin)), "requirements", "name==version", pin)
    expected = signature_of(card.kind)
    if dict(card.signature) != expected:
        raise Invalid(
            f"The card's signature does not fit a {card.kind}: expected {expected}; found {str(dict(card.signature))[:300]}.",
            code="bad_signature", path="/signature",
        )  # fmt: skip


def _text(value: Mapping[Any, Any], name: str) -> str:
    found = value[name]
    _expect(isinstance(found, str) and 0 < len(found) <= 2000, name, "a text of 1-2,000 characters", str(found)[:60])
    return str(found)


def _texts(value: Mapping[Any, Any], name: str) -> tuple[str, ...]:
    found = value.get(name, [])
    fits = isinstance(found, list) and len(found) <= 200 and all(isinstance(item, str) for item in found)
    _expect(fits, name, "a list of at most 200 texts", str(found)[:60])
    return tuple(found)


def _number(value: Mapping[Any, Any], name: str, low: int, high: int) -> int:
    found = value.get(name, low)
    fits = isinstance(found, int) and not isinstance(found, bool) and low <= found <= high
    _expect(fits, name, f"a whole number from {low} to {high:,}", str(found)[:60])
    return int(found)


def _expect(fits: bool, name: str, expected: str, found: str) -> None:
    if not fits:
        raise _bad(f"{name}: {expected} was expected; found {found[:80]!r}", path=f"/{name}")


def _bad(what: str, path: str | None = None) -> Invalid:
    return Invalid(f"The model card (model.yaml) is not usable: {what}.", code="bad_model_card", path=path)
