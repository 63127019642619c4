"""What each part moved by on its own. `artifacts/one_off.json` may list parts (their names) whose swings mean nothing.

A part's contribution is its share of the whole change, by its size, and what it moved by itself beyond that. For parts that are listed the
second is nothing: their swings are spread over all by size, so that contributions still add up.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from models.sdk import Context, Explainer
from models.sdk.schemas import CONTRIBUTIONS


class OnItsOwn(Explainer):
    def explain(self, parts: pa.Table, context: Context) -> pa.Table:
        before, after = (np.nan_to_num(parts.column(name).to_numpy(zero_copy_only=False).astype(float)) for name in ("before", "after"))
        own = np.where(np.isin(parts.column("part").to_pylist(), self._one_off()), 0.0, after - before)
        weight = np.abs(before) if np.abs(before).any() else np.ones(len(before))
        size = weight / weight.sum()
        contributions = own + size * ((after - before).sum() - own.sum())
        return pa.Table.from_arrays([parts.column("part"), pa.array(contributions)], schema=CONTRIBUTIONS)

    def _one_off(self) -> list[str]:
        place = self.artifacts / "one_off.json"
        return list(json.loads(place.read_text())) if place.exists() else []
