"""A network in ONNX (`artifacts/model.onnx`: input `window` (1, 28) float32, output (1, 1)): the next step from the last 28, repeated.

The pinned onnxruntime reads IR versions up to 13; exporters that write a newer one are told so with `model.ir_version = 13`.
"""

from __future__ import annotations

import numpy as np
import onnxruntime
import pyarrow as pa

from models.sdk import Context, Forecaster
from models.sdk.tables import forecast_table, per_series

WINDOW = 28


class Onnx(Forecaster):
    def fit(self, history: pa.Table, context: Context) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._network = onnxruntime.InferenceSession(str(self.artifacts / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self._past = {name: values for name, _, values in per_series(history, fill=True)}

    def predict(self, future: pa.Table) -> pa.Table:
        return forecast_table(future, self._ahead)

    def _ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y = self._past[name]
        level, spread = float(y[-WINDOW:].mean()), max(float(y[-WINDOW:].std()), 1e-9)
        window = list((y[-WINDOW:] - level) / spread)
        mean = []
        for _ in times:
            step = float(self._network.run(None, {"window": np.array([window], np.float32)})[0][0, 0])
            mean.append(step)
            window = [*window[1:], step]
        return np.array(mean) * spread + level, spread * np.sqrt(1 + 0.1 * np.arange(len(mean)))
