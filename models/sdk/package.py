"""The package of a model: a zip with `model.yaml`, `source/`, `artifacts/`. Looking at one never runs it; `instantiate` does."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import io
import stat
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from core.errors import Invalid, TooLarge
from models.sdk.card import MAX_CARD_BYTES, ModelCard, read_card
from models.sdk.contract import Detector, Explainer, Forecaster, Model

CARD, SOURCE, ARTIFACTS, LOCK, MLFLOW = "model.yaml", "source", "artifacts", "requirements.lock", "mlflow"
MAX_FILES = 2_000
MAX_UNPACKED_BYTES = 1024**3
MAX_RATIO = 200
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PICKLE_NAMES = (".pkl", ".pickle", ".joblib", ".cloudpickle", ".dill", ".pt", ".pth", ".skops")
_KINDS: dict[str, type[Model]] = {"forecaster": Forecaster, "detector": Detector, "explainer": Explainer}


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a look at the bytes shows. pickles: files whose loading runs code of their author's."""

    card: ModelCard
    sha256: str
    size_bytes: int
    files: tuple[str, ...]
    pickles: tuple[str, ...]


def pack(folder: Path) -> bytes:
    """A folder as a package; the same files give the same bytes. Raises: Invalid without a usable card, and for links."""
    read_card(_card_of(folder))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.rglob("*")):
            if "__pycache__" in path.parts or path.is_dir():
                continue
            if path.is_symlink():
                raise Invalid(f"A package holds no links; found {path.name!r}.", code="bad_package")
            out.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return held.getvalue()


def inspect(path: Path) -> Inspected:
    """Checks a package without running anything of it. Raises: Invalid (`bad_package`, `bad_model_card`, ...); TooLarge."""
    with _opened(path) as archive:
        infos = _checked(archive)
        files = tuple(info.filename for info in infos)
        if CARD not in files:
            raise Invalid(f"A package has a {CARD} at its root; found {', '.join(files[:5]) or 'nothing'}.", code="bad_package")
        card = read_card(_read(archive, archive.getinfo(CARD), MAX_CARD_BYTES).decode("utf-8", "replace"))
        module = f"{SOURCE}/{card.entry.partition(':')[0].replace('.', '/')}"
        if f"{module}.py" not in files and f"{module}/__init__.py" not in files:
            raise Invalid(f"The card's entry {card.entry!r} needs {module}.py, which is not in the package.", code="bad_package")
        if card.format == "mlflow":
            _check_mlflow(archive, files)
        pickles = tuple(info.filename for info in infos if _is_pickle(archive, info))
    return Inspected(card, digest(path), path.stat().st_size, files, pickles)


def unpack(path: Path, folder: Path) -> None:
    """Writes a package's files below `folder`, readable and not executable; `artifacts/` is always there. Raises: Invalid, TooLarge."""
    (folder / ARTIFACTS).mkdir(parents=True, exist_ok=True)
    with _opened(path) as archive:
        for info in _checked(archive):
            target = folder / PurePosixPath(info.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_read(archive, info, MAX_UNPACKED_BYTES))
            target.chmod(0o644)


def digest(path: Path) -> str:
    """sha256 of a file, as hex."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def unmet(card: ModelCard) -> tuple[str, ...]:
    """Requirements of the lock that this environment does not meet exactly, as sentences."""
    found = []
    for pin in card.requirements:
        name, _, version = pin.partition("==")
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} {version} is required and not installed here")
            continue
        if here != version:
            found.append(f"{name} {version} is required and {here} is installed here")
    return tuple(found)


def instantiate(folder: Path, card: ModelCard) -> Model:
    """A new object of the card's class. This runs the author's code: on the author's machine or in the sandbox only.

    Raises: Invalid when the entry is no model of the card's kind; whatever the author's code raises.
    """
    source = str(folder / SOURCE)
    if source not in sys.path:
        sys.path.insert(0, source)
    module, _, name = card.entry.partition(":")
    made = getattr(importlib.import_module(module), name, None)
    base = _KINDS[card.kind]
    if not (isinstance(made, type) and issubclass(made, base)):
        raise Invalid(f"{card.entry} must be a subclass of models.sdk.{base.__name__}; found {made!r:.80}.", code="bad_entry")
    return made(folder / ARTIFACTS)


def load_folder(folder: Path) -> tuple[Model, ModelCard]:
    """The model of an unpacked package, for its author. Runs its code. Raises: Invalid."""
    card = read_card(_card_of(folder))
    return instantiate(folder.resolve(), card), card


def _card_of(folder: Path) -> str:
    path = folder / CARD
    if not path.is_file():
        raise Invalid(f"A model's folder has a {CARD}; {folder} has none.", code="bad_package")
    return path.read_text(encoding="utf-8", errors="replace")


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Invalid(f"A package is a zip file; this one cannot be read ({error}).", code="bad_package") from error


def _checked(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The archive's files. Raises: Invalid for names that lead elsewhere, links, repeats and encryption; TooLarge for bombs."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MAX_FILES:
        raise TooLarge(f"A package has at most {MAX_FILES:,} files; found {len(infos):,}.", code="package_too_large")
    total = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if total > MAX_UNPACKED_BYTES or total > MAX_RATIO * max(packed, 50_000):
        raise TooLarge(
            f"A package unpacks to at most {MAX_UNPACKED_BYTES:,} bytes and {MAX_RATIO} times its size; found {total:,} from {packed:,}.",
            code="package_too_large",
        )
    names = [info.filename for info in infos]
    if len({name.casefold() for name in names}) != len(names):
        raise Invalid("A package names each file once; found one twice.", code="bad_package")
    for info in infos:
        parts = PurePosixPath(info.filename).parts
        is_link = stat.S_ISLNK(info.external_attr >> 16)
        odd = info.filename.startswith("/") or ".." in parts or "\\" in info.filename or "\0" in info.filename or ":" in info.filename
        if odd or is_link or len(info.filename) > 240 or not info.filename.isprintable() or info.flag_bits & 0x1:
            raise Invalid(f"Relative names, no links, no encryption were expected; found {info.filename[:80]!r}.", code="bad_package")
    return infos


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> bytes:
    """The content, never more than was declared and allowed, whatever the archive claims."""
    if info.file_size > max_bytes:
        raise TooLarge(f"{info.filename[:80]!r} may have {max_bytes:,} bytes; found {info.file_size:,}.", code="package_too_large")
    try:
        with archive.open(info) as file:
            content = file.read(info.file_size + 1)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise Invalid(f"{info.filename[:80]!r} cannot be unpacked ({error}).", code="bad_package") from error
    if len(content) != info.file_size:
        raise Invalid(f"{info.filename[:80]!r} is not as long as the package says.", code="bad_package")
    return content


def _is_pickle(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """By its name or its first bytes: a pickle of protocol 2 or later, or an archive of one (PyTorch, skops)."""
    if info.filename.lower().endswith(_PICKLE_NAMES):
        return True
    with archive.open(info) as file:
        start = file.read(4096)
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    return start[:2] == b"PK" and (b".pkl" in start or b"schema.json" in start)


def _check_mlflow(archive: zipfile.ZipFile, files: tuple[str, ...]) -> None:
    place = f"{MLFLOW}/MLmodel"
    if place not in files:
        raise Invalid(f"A package of format mlflow holds the model's folder as {MLFLOW}/, with {place}.", code="bad_package")
    try:
        found = yaml.safe_load(_read(archive, archive.getinfo(place), MAX_CARD_BYTES))
    except yaml.YAMLError as error:
        raise Invalid(f"{place} is no YAML.", code="bad_package") from error
    if not isinstance(found, dict) or not found.get("signature"):
        raise Invalid(f"{place} has no signature; log the model with one (mlflow.models.infer_signature).", code="no_signature")
