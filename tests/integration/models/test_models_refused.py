"""Every model that should not serve is refused with its reason, and the service is unharmed: real processes, real walls."""

from __future__ import annotations

import json
import os
import pickle
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict, Forbidden, Invalid, TooLarge
from core.ids import JobId
from core.store import model_log
from models.conformance.made_up import future, history, times, values
from models.sandbox.limits import MB, Limits
from models.sdk.contract import Context
from models.sdk.failures import ModelFailed
from workers.champions import walled
from workers.custom.promotion import promote
from workers.jobs import register_model
from workers.queue import cancel

pytestmark = [pytest.mark.integration, pytest.mark.slow]
HEAD = """
import os, socket, subprocess, sys, time
import numpy as np
import pyarrow as pa
from models.sdk import Forecaster
from models.sdk.tables import forecast_table, per_series

class Model(Forecaster):
    def fit(self, history, context):
        self.last = {name: values for name, _, values in per_series(history, fill=True)}
        self.first()

    def first(self):
        pass

    def predict(self, future):
        return forecast_table(future, self.ahead)

    def ahead(self, name, times):
        week = self.last[name][-7:]
        return week[np.arange(len(times)) % 7], np.full(len(times), self.last[name].std() / 2)
"""
WORSE = "    def ahead(self, name, times):\n        return np.full(len(times), self.last[name].mean() * 1.5), np.ones(len(times))\n"
CONSTANT = "    def ahead(self, name, times):\n        return np.full(len(times), 400.0), np.ones(len(times))\n"
NAN = "    def ahead(self, name, times):\n        return np.full(len(times), np.nan), np.ones(len(times))\n"
CROSSED = "    def ahead(self, name, times):\n        return self.last[name][-7:][np.arange(len(times)) % 7], -np.ones(len(times))\n"
FEW = "    def predict(self, future):\n        return forecast_table(future.slice(1), self.ahead)\n"
RANDOM = "    def ahead(self, name, times):\n        return np.random.default_rng().normal(size=len(times)), np.ones(len(times))\n"
OTHER_COLUMNS = "    def predict(self, future):\n        return forecast_table(future, self.ahead).rename_columns(list('abcdefg'))\n"
MEMORY = """
seen = {}

class Base(Model):
    pass

class Model(Base):
    def ahead(self, name, times):
        mean, error = super().ahead(name, times)
        known = self.last[name]
        if len(known) > len(seen.get("values", [])):
            seen["values"] = known
        else:
            mean = seen["values"][len(known) : len(known) + len(times)]
            mean = np.resize(mean, len(times)) if len(mean) else np.zeros(len(times))
        return mean, error
"""
LEARNED = """
import json

class Base(Model):
    pass

class Model(Base):
    def fit(self, history, context):
        super().fit(history, context)
        self.known = json.loads((self.artifacts / "known.json").read_text())

    def ahead(self, name, times):
        mean, error = super().ahead(name, times)
        found = [self.known.get(str(t)[:10]) for t in times.astype("datetime64[D]")]
        if all(value is not None for value in found):
            return np.array(found), error / 20
        return mean, error
"""


def first(*lines: str) -> str:
    return "    def first(self):\n" + "".join(f"        {line}\n" for line in lines)


# name -> (what is added to the model, what the reason says)
BAD = {
    "worse": (WORSE, "Better than who serves now"),
    "constant": (CONSTANT, "Forecasts follow the history"),
    "not-a-number": (NAN, "finite numbers were expected"),
    "crossed": (CROSSED, "are crossed"),
    "too-few-rows": (FEW, "one row per row asked for was expected"),
    "random": (RANDOM, "The same history gives the same forecast"),
    "other-columns": (OTHER_COLUMNS, "the columns series_id string"),
    "look-ahead-memory": (MEMORY, "No look-ahead"),
    "crasher": (first("import ctypes", "ctypes.string_at(0)"), "its process crashed (SIGSEGV)"),
    "leaver": (first("os._exit(97)"), "its process ended by itself with code 97"),
    "raiser": (first("raise ValueError('no idea')"), "ValueError: no idea"),
    "memory-eater": (first("self.held = np.ones(10**9)"), "MemoryError"),
    "slow-memory-eater": (
        first(
            "held = []",
            "for _ in range(3):",
            "    if os.fork() == 0:",
            "        held = np.ones(35_000_000)",
            "        time.sleep(60)",
            "time.sleep(60)",
        ),
        "of memory",
    ),
    "fork-bomb": (first("while True:", "    try:", "        os.fork()", "    except OSError:", "        pass"), "processes"),
    "socket-opener": (
        first("try:", "    socket.create_connection(('127.0.0.1', PORT), timeout=2)", "except OSError:", "    pass"),
        "tried to reach the network",
    ),
    "datagrams": (
        first("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))"),
        "tried to reach the network",
    ),
    "state-reader": (first("open('HOME/state.db', 'rb').read()"), "No such file or directory"),
    "environment-reader": (first("os.environ['QUERENT_WAREHOUSE_PASSWORD']"), "KeyError"),
    "other-environments": (first("open('/proc/PID/environ').read()"), "/proc/"),
    "writer": (first("open('HOME/gotcha', 'w').write('x')"), "No such file or directory"),
    "package-writer": (first("open(self.artifacts / 'more', 'w').write('x')"), "Read-only file system"),
    "killer": (first("os.kill(PID, 9)"), "ProcessLookupError"),
    "sleeper": (first("time.sleep(3600)"), "took longer than its 5 s"),
    "spinner": (first("while True:", "    pass"), "took longer than its 5 s"),
    "disk-filler": (first("[open(f'/scratch/{i}', 'wb').write(b'x' * 60_000_000) for i in range(20)]"), "No space left on device"),
}


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(cpu_s=30, wall_s=5, memory_bytes=400 * MB, scratch_bytes=200 * MB)
    monkeypatch.setattr(register_model, "CHECK_LIMITS", limits)


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port where somebody listens, and who came."""
    came: list[Any] = []
    server = socket.create_server(("127.0.0.1", 0))
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", server.getsockname()[1]))

    def accept() -> None:
        while True:
            try:
                came.append(server.accept())
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1], came
    other.settimeout(0.1)
    with pytest.raises(TimeoutError):
        other.recv(1)
    server.close()
    other.close()


@pytest.mark.usefixtures("small_limits")
class TestRefused:
    @pytest.mark.parametrize("name", BAD)
    def test_with_its_reason(self, name: str, models_world: Any, listener: tuple[int, list[Any]]) -> None:
        more, reason = BAD[name]
        home = models_world.services.settings.home
        source = HEAD + more.replace("PORT", str(listener[0])).replace("HOME", str(home)).replace("PID", str(os.getpid()))
        version = models_world.register(models_world.package(name, source))
        assert version.state == "refused"
        assert reason in version.reason
        assert listener[1] == []
        assert not (home / "gotcha").exists()
        with models_world.services.store.read() as connection:
            last = model_log.read(connection, models_world.tenant, name=version.name, limit=1)[0]
        assert last.action == "refused"
        assert reason in " ".join(last.evidence["reasons"])

    def test_nothing_of_them_runs_on(self, models_world: Any) -> None:
        """Below this process there is the warm interpreter and nothing else of a model's."""
        from models.sandbox.processes import descendants

        owners = [Path(f"/proc/{process}").stat().st_uid for process in descendants(os.getpid()) if Path(f"/proc/{process}").exists()]
        assert [owner for owner in owners if owner >= 1_900_000_000] == []

    def test_the_service_is_unharmed(self, models_world: Any) -> None:
        """The same worker takes the next model, and a refused one cannot be promoted."""
        version = models_world.register(models_world.good("after"))
        assert version.state == "challenger", version.reason
        refused = models_world.register(models_world.package("bad-again", HEAD + NAN))
        with pytest.raises(Conflict):
            promote(models_world.services, models_world.ben, refused.name, refused.version)


class TestNumbersLearnedByHeart:
    def test_are_refused(self, models_world: Any) -> None:
        """A package that holds the very values that it is to forecast looks perfect, until the same history comes at another level."""
        table = models_world.sales().to_pandas()
        known = {str(day): float(value) for day, value in table.groupby("day")["amount"].sum().items()}
        package = models_world.package("by-heart", HEAD + LEARNED, {"known.json": json.dumps(known).encode()})
        version = models_world.register(package)
        assert version.state == "refused"
        assert "Follows the history it is given" in version.reason
        assert "known by heart" in version.reason


class Canary:
    """Leaves a file wherever it is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.path,)


class TestPickles:
    def test_are_refused_unless_the_tenant_allows_them(self, models_world: Any, tmp_path: Path) -> None:
        canary = tmp_path / "canary"
        draft = models_world.package("pickled", HEAD, {"weights.bin": pickle.dumps(Canary(str(canary)))})
        with pytest.raises(Forbidden) as caught:
            models_world.accept(draft)
        assert caught.value.code == "pickle_not_allowed"
        assert not canary.exists()

    def test_never_run_outside_the_sandbox(self, models_world: Any, tmp_path: Path) -> None:
        """Allowed, registered, checked: its code runs, but only where the canary cannot be left."""
        canary = tmp_path / "canary"
        artifacts = {"weights.pkl": pickle.dumps(Canary(str(canary)))}
        load = first("import pickle", "pickle.loads((self.artifacts / 'weights.pkl').read_bytes())")
        draft = models_world.package("canary-pickle", HEAD + load, artifacts)
        with _pickles_allowed(models_world):
            version = models_world.register(draft)
        assert version.state == "refused"
        assert "No such file or directory" in version.reason or "Read-only file system" in version.reason, version.reason
        assert not canary.exists()

    def test_nor_do_skops_files(self, models_world: Any, tmp_path: Path) -> None:
        """As above, taken in by the same door and then run by one call: skops takes seconds to import, and each check imports it anew."""
        canary = tmp_path / "canary"
        load = first(
            "import skops.io as sio",
            "path = str(self.artifacts / 'weights.skops')",
            "sio.load(path, trusted=sio.get_untrusted_types(file=path))",
        )
        draft = models_world.package("canary-skops", HEAD + load, {"weights.skops": _malicious_skops(str(canary))})
        with _pickles_allowed(models_world):
            version = models_world.accept(draft)
        days = times("day", 129)
        tables = {"history": history({"a": (days[:100], values(100, 7))}), "future": future({"a": days[100:]})}
        with walled(models_world.services, version, Limits()) as subject, pytest.raises(ModelFailed, match=r"No such file|Read-only file"):
            subject.run(tables, Context("day", 7))
        assert not canary.exists()
        cancel(models_world.services, models_world.tenant, JobId(version.job_id))


class TestAtTheDoor:
    """What is refused before anything of it runs."""

    def test_no_zip(self, models_world: Any) -> None:
        draft = models_world.services.uploads / "x.zip"
        draft.write_bytes(b"hello")
        with pytest.raises(Invalid):
            models_world.accept(draft)
        assert not draft.exists()

    def test_no_signature(self, models_world: Any, tmp_path: Path) -> None:
        with pytest.raises(Invalid) as caught:
            models_world.package("unsigned", HEAD, card=models_world.card.partition("signature:")[0])
        assert caught.value.code == "no_signature"

    def test_another_environment(self, models_world: Any) -> None:
        with pytest.raises(Invalid) as caught:
            models_world.accept(
                models_world.package("elsewhere", HEAD, card=models_world.card + "requirements: ['numpy==1.0.0', 'nosuch==1']\n")
            )
        assert caught.value.code == "environment_differs"
        assert "numpy 1.0.0 is required" in caught.value.message

    def test_an_unknown_metric(self, models_world: Any) -> None:
        with pytest.raises(Exception, match="profit") as caught:
            models_world.accept(models_world.package("profit", HEAD, card=models_world.card.replace("metric: revenue", "metric: profit")))
        assert getattr(caught.value, "status", 0) in (404, 422)

    def test_a_file_that_is_not_what_was_announced(self, models_world: Any) -> None:
        from workers.custom.accept import accept

        with pytest.raises(Invalid) as caught:
            accept(models_world.services, models_world.ada, models_world.good("announced"), expected_sha256="0" * 64)
        assert caught.value.code == "sha256_differs"

    def test_a_zip_bomb(self, models_world: Any) -> None:
        with pytest.raises(TooLarge):
            models_world.accept(models_world.package("bomb", HEAD, {"zeros": b"\0" * 80_000_000}))


def _malicious_skops(canary: str) -> bytes:
    """A skops file that, when loaded, calls a function of its author's choice."""
    import io
    import zipfile

    import skops.io as sio

    made = sio.dumps([os.mkdir, canary])
    schema = json.loads(zipfile.ZipFile(io.BytesIO(made)).read("schema.json"))
    schema |= {"__class__": "call", "__module__": "operator", "__loader__": "OperatorFuncNode"}
    schema["attrs"] = {
        "__class__": "tuple",
        "__module__": "builtins",
        "__loader__": "TupleNode",
        "__id__": 1,
        "content": schema.pop("content"),
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as out:
        out.writestr("schema.json", json.dumps(schema))
    return held.getvalue()


class _pickles_allowed:
    """The tenant's setting, for a while."""

    def __init__(self, world: Any) -> None:
        self.world = world

    def __enter__(self) -> None:
        self._set({"allow_pickle_models": True})

    def __exit__(self, *_: Any) -> None:
        self._set({})

    def _set(self, settings: dict[str, Any]) -> None:
        from sqlalchemy import update

        from core.store.tables import tenants

        with self.world.services.store.write() as connection:
            connection.execute(update(tenants).where(tenants.c.id == self.world.tenant).values(settings=settings))
