"""Every template passes the suite that the server runs, behind walls."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.timeseries import Grain
from models.conformance import check_model
from models.sandbox.limits import Limits
from models.sandbox.sandbox import Sandbox
from models.sandbox.subject import WalledModel
from models.sdk.card import ModelCard, read_card
from models.sdk.package import CARD, inspect, pack, unmet, unpack

pytestmark = pytest.mark.integration
TEMPLATES = Path(__file__).parents[3] / "models" / "templates"
NAMES = sorted(path.parent.name for path in TEMPLATES.glob(f"*/{CARD}"))
PYFUNC = """
import mlflow
import numpy as np
import pandas as pd


class LastWeek(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        known = model_input["value"].dropna().to_numpy()
        mean = model_input["value"].to_numpy().copy()
        ahead = len(mean) - len(known)
        mean[len(known) :] = np.resize(known[-7:], ahead)
        return pd.DataFrame({"mean": mean, "spread": np.full(len(mean), known.std())})


mlflow.models.set_model(LastWeek())
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield made
    made.close()


class OneProcess(WalledModel):
    """One process for all checks: these models remember nothing, and each imports a heavy library."""

    def fresh(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        super().fresh()


def complete(name: str, place: Path) -> None:
    """What an author adds to a template: a trained model."""
    if name == "pyfunc":
        import mlflow.pyfunc
        import pandas as pd
        from mlflow.models import infer_signature

        given = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=3), "value": [1.0, 2.0, 3.0]})
        script = place.parent / "last_week.py"
        script.write_text(PYFUNC)
        signature = infer_signature(given, pd.DataFrame({"mean": [1.0], "spread": [1.0]}))
        mlflow.pyfunc.save_model(str(place / "mlflow"), python_model=str(script), signature=signature, pip_requirements=["mlflow"])
    if name == "onnx":
        import onnx
        from onnx import TensorProto, helper

        window = helper.make_tensor_value_info("window", TensorProto.FLOAT, [1, 28])
        out = helper.make_tensor_value_info("step", TensorProto.FLOAT, [1, 1])
        mean = helper.make_node("ReduceMean", ["window"], ["step"], axes=[1], keepdims=1)
        graph = helper.make_graph([mean], "mean", [window], [out])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=13)  # as the template says
        (place / "artifacts").mkdir(exist_ok=True)
        onnx.save(made, str(place / "artifacts/model.onnx"))


@pytest.mark.parametrize("name", NAMES)
class TestTemplate:
    def test_card(self, name: str) -> None:
        card = read_card((TEMPLATES / name / CARD).read_text())
        assert set(card.grains) <= {grain.value for grain in Grain}

    @pytest.mark.filterwarnings("ignore")
    def test_passes_the_suite_behind_walls(self, name: str, sandbox: Sandbox, tmp_path: Path) -> None:
        place = tmp_path / name
        shutil.copytree(TEMPLATES / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        complete(name, place)
        packed = tmp_path / "package.zip"
        packed.write_bytes(pack(place))
        card: ModelCard = inspect(packed).card
        assert unmet(card) == ()
        unpack(packed, tmp_path / "unpacked")
        with OneProcess(sandbox, tmp_path / "unpacked", card, Limits()) as subject:
            report = check_model(subject, card, max_seconds=120)
        assert report.passed, str(report)
