"""Series -> scores -> thresholds -> incidents. Pure numbers: no I/O, strictly causal.

`detect` judges a whole series, `State` one row at a time with the same scores. Nothing heavy is loaded until the first call.
"""

from anomaly.detection import detect, detect_many
from anomaly.state import State
from anomaly.types import DetectInput, Detection, Incident

__all__ = ["DetectInput", "Detection", "Incident", "State", "detect", "detect_many"]
