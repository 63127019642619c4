"""Packages and cards: looked at without running anything, refused with what was expected and found."""

from __future__ import annotations

import pickle
import stat
import zipfile
from pathlib import Path

import pytest

from core.errors import Invalid, TooLarge
from models.sdk.card import card_of, read_card
from models.sdk.package import inspect, load_folder, pack, unmet, unpack
from models.sdk.schemas import signature_of

CARD = {
    "name": "naive", "kind": "forecaster", "owner": "a@b.c", "description": "d", "metric": "revenue", "grains": ["day"], "min_history": 10,
    "horizon": 30, "licence": "MIT", "entry": "model:Naive", "signature": signature_of("forecaster"),
}  # fmt: skip
SOURCE = "raise RuntimeError('an import runs this')\n"


def folder(place: Path, card: dict[str, object] | None = None, source: str = SOURCE) -> Path:
    import yaml

    (place / "source").mkdir(parents=True)
    (place / "artifacts").mkdir()
    (place / "model.yaml").write_text(yaml.safe_dump(card or CARD))
    (place / "source" / "model.py").write_text(source)
    return place


def zipped(place: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name, content)
    return place


class TestCard:
    def test_a_good_one(self) -> None:
        card = card_of(dict(CARD))
        assert (card.name, card.kind, card.format, card.requirements) == ("naive", "forecaster", "python", ())

    def test_survives_json(self) -> None:
        card = card_of(dict(CARD))
        assert card_of({**card.as_json(), "grains": list(card.grains), "requirements": []}) == card

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"kind": "oracle"}, "kind"),
            ({"name": "../x"}, "name"),
            ({"metric": "a b"}, "metric"),
            ({"grains": []}, "grains"),
            ({"grains": ["fortnight"]}, "grains"),
            ({"grains": "day"}, "grains"),
            ({"min_history": 0}, "min_history"),
            ({"min_history": True}, "min_history"),
            ({"horizon": 0}, "horizon"),
            ({"entry": "model"}, "entry"),
            ({"entry": "os:system; rm"}, "entry"),
            ({"requirements": ["numpy>=1"]}, "requirements"),
            ({"surprise": 1}, "surprise"),
            ({"owner": ""}, "owner"),
            ({"format": "exe"}, "format"),
        ],
    )
    def test_what_is_wrong_is_named(self, change: dict[str, object], said: str) -> None:
        with pytest.raises(Invalid, match=said):
            card_of({**CARD, **change})

    def test_without_signature_it_is_refused(self) -> None:
        with pytest.raises(Invalid) as caught:
            card_of({name: value for name, value in CARD.items() if name != "signature"})
        assert caught.value.code == "no_signature"

    def test_a_signature_of_another_kind_is_refused(self) -> None:
        with pytest.raises(Invalid) as caught:
            card_of({**CARD, "signature": signature_of("detector")})
        assert caught.value.code == "bad_signature"

    @pytest.mark.parametrize("text", ["", "- a", "x: [", "!!python/object/apply:os.system ['true']", "a: 1\n" * 20_000])
    def test_hostile_yaml_is_refused(self, text: str) -> None:
        with pytest.raises(Invalid):
            read_card(text)


class TestPackage:
    def test_the_same_files_give_the_same_bytes(self, tmp_path: Path) -> None:
        assert pack(folder(tmp_path / "a")) == pack(folder(tmp_path / "b"))

    def test_looking_runs_nothing(self, tmp_path: Path) -> None:
        place = tmp_path / "p.zip"
        place.write_bytes(pack(folder(tmp_path / "a")))
        found = inspect(place)
        assert found.card.name == "naive"
        assert found.files == ("model.yaml", "source/model.py")
        assert found.pickles == ()
        with pytest.raises(RuntimeError, match="an import runs this"):
            load_folder(tmp_path / "a")

    def test_round_trip(self, tmp_path: Path) -> None:
        place = tmp_path / "p.zip"
        place.write_bytes(pack(folder(tmp_path / "a")))
        unpack(place, tmp_path / "out")
        assert (tmp_path / "out/source/model.py").read_text() == SOURCE
        assert (tmp_path / "out/artifacts").is_dir()
        assert stat.S_IMODE((tmp_path / "out/source/model.py").stat().st_mode) == 0o644

    @pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "a\\b", "C:x", "x" * 300])
    def test_names_that_lead_elsewhere(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(Invalid):
            unpack(zipped(tmp_path / "p.zip", {"model.yaml": b"x", name: b"x"}), tmp_path / "out")
        assert not (tmp_path / "up").exists()

    def test_links(self, tmp_path: Path) -> None:
        info = zipfile.ZipInfo("artifacts/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "p.zip", "w") as out:
            out.writestr(info, "/etc/passwd")
        with pytest.raises(Invalid, match="no links"):
            inspect(tmp_path / "p.zip")

    def test_the_same_name_twice_in_other_case(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="once"):
            inspect(zipped(tmp_path / "p.zip", {"model.yaml": b"x", "MODEL.yaml": b"y"}))

    def test_too_many_files(self, tmp_path: Path) -> None:
        with pytest.raises(TooLarge):
            inspect(zipped(tmp_path / "p.zip", {f"f{i}": b"" for i in range(2_001)}))

    def test_a_bomb(self, tmp_path: Path) -> None:
        with pytest.raises(TooLarge):
            inspect(zipped(tmp_path / "p.zip", {"zeros": b"\0" * 50_000_000}))

    @pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + b"\0" * 100])
    def test_no_zip(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "p.zip").write_bytes(content)
        with pytest.raises(Invalid):
            inspect(tmp_path / "p.zip")

    def test_pickles_are_seen_by_name_and_by_content(self, tmp_path: Path) -> None:
        place = folder(tmp_path / "a")
        (place / "artifacts/weights.bin").write_bytes(pickle.dumps({"a": 1}))
        (place / "artifacts/model.joblib").write_bytes(b"anything")
        (place / "artifacts/data.csv").write_bytes(b"a,b\n")
        (tmp_path / "p.zip").write_bytes(pack(place))
        assert set(inspect(tmp_path / "p.zip").pickles) == {"artifacts/weights.bin", "artifacts/model.joblib"}

    def test_an_mlflow_model_without_signature(self, tmp_path: Path) -> None:
        place = folder(tmp_path / "a", {**CARD, "format": "mlflow"})
        (place / "mlflow").mkdir()
        (place / "mlflow/MLmodel").write_text("flavors: {}\n")
        (tmp_path / "p.zip").write_bytes(pack(place))
        with pytest.raises(Invalid) as caught:
            inspect(tmp_path / "p.zip")
        assert caught.value.code == "no_signature"

    def test_an_entry_that_is_not_there(self, tmp_path: Path) -> None:
        place = folder(tmp_path / "a", {**CARD, "entry": "other:Naive"})
        (tmp_path / "p.zip").write_bytes(pack(place))
        with pytest.raises(Invalid, match=r"other\.py"):
            inspect(tmp_path / "p.zip")

    def test_unmet_requirements_are_named(self) -> None:
        found = unmet(card_of({**CARD, "requirements": ["numpy==0.1", "no-such-thing==1.0"]}))
        assert len(found) == 2
        assert "numpy 0.1 is required and" in found[0]
        assert "not installed" in found[1]
