"""The walls themselves, on whatever this machine lets us build; each set of walls on its own; and what they cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from core.errors import Unavailable
from models.conformance.made_up import future, history, times, values
from models.sandbox.limits import MB, Limits
from models.sandbox.processes import descendants
from models.sandbox.sandbox import Sandbox
from models.sandbox.walls import Walls, walls_here
from models.sdk.card import ModelCard, card_of
from models.sdk.contract import Context
from models.sdk.failures import ModelFailed, ModelStopped
from models.sdk.schemas import signature_of
from tests.conftest import needs

pytestmark = pytest.mark.integration
SMALL = Limits(cpu_s=20, wall_s=30, memory_bytes=400 * MB, scratch_bytes=100 * MB)
HERE = walls_here()
SETS = {
    "all": HERE,
    "landlock and seccomp": Walls(root=HERE.root, landlock=HERE.landlock, seccomp=HERE.seccomp),
    "namespaces": Walls(root=HERE.root, user=HERE.user, network=HERE.network, mounts=HERE.mounts, processes=HERE.processes),
    "an older kernel in a container": Walls(root=HERE.root, landlock=min(HERE.landlock, 3), seccomp=HERE.seccomp),
    "namespaces of a user": Walls(
        user=True, network=HERE.network, mounts=HERE.mounts, processes=HERE.processes, landlock=HERE.landlock, seccomp=HERE.seccomp
    ),
}
USABLE = [name for name, walls in SETS.items() if not walls.missing]
SOURCE = """
import os, socket, sys, time
import numpy as np
from models.sdk import Forecaster
from models.sdk.tables import forecast_table, per_series

class Model(Forecaster):
    def fit(self, history, context):
        self.last = {{name: values[-7:] for name, _, values in per_series(history, fill=True)}}
        self.act()

    def act(self):
        {act}

    def predict(self, future):
        return forecast_table(future, lambda name, times: (np.resize(self.last[name], len(times)), np.ones(len(times))))
"""


def card() -> ModelCard:
    return card_of(
        {
            "name": "m", "kind": "forecaster", "owner": "a@b.c", "description": "d", "metric": "revenue", "grains": ["day"],
            "min_history": 14, "horizon": 60, "licence": "MIT", "entry": "model:Model", "signature": signature_of("forecaster"),
        }
    )  # fmt: skip


def package(place: Path, act: str = "pass") -> Path:
    (place / "source").mkdir(parents=True)
    (place / "artifacts").mkdir()
    (place / "source/model.py").write_text(SOURCE.format(act=textwrap.indent(act, " " * 8).strip()))
    return place


def tables(series: int = 1, n: int = 400) -> dict[str, pa.Table]:
    past = {f"s{k}": (times("day", n), values(n, 7, seed=k)) for k in range(series)}
    ahead = {name: times("day", 29, start=when[-1])[1:] for name, (when, _) in past.items()}
    return {"history": history(past), "future": future(ahead)}


@pytest.fixture(scope="module", params=USABLE)
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("sandbox"), walls=SETS[request.param])
    yield made
    made.close()


def run(sandbox: Sandbox, place: Path, act: str = "pass", limits: Limits = SMALL) -> pa.Table:
    with sandbox.session(package(place, act), card(), limits) as session:
        return session.call("run", tables(), Context("day", 7))


class TestWalls:
    def test_there_are_enough_here(self) -> None:
        assert USABLE, HERE.described()

    def test_an_answer_comes_through(self, sandbox: Sandbox, tmp_path: Path) -> None:
        assert run(sandbox, tmp_path / "p").num_rows == 28

    def test_other_files_cannot_be_read(self, sandbox: Sandbox, tmp_path: Path) -> None:
        secret = tmp_path / "state.db"
        secret.write_text("secret")
        secret.chmod(0o644)
        with pytest.raises(ModelFailed, match=r"FileNotFoundError|PermissionError"):
            run(sandbox, tmp_path / "p", f"open({str(secret)!r}).read()")

    def test_our_own_environment_cannot_be_read(self, sandbox: Sandbox, tmp_path: Path) -> None:
        with pytest.raises(ModelFailed, match=r"FileNotFoundError|PermissionError"):
            run(sandbox, tmp_path / "p", f"open('/proc/{os.getpid()}/environ').read()")

    def test_its_environment_is_ours_alone(self, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QUERENT_SECRET_KEY", "hush")
        with pytest.raises(ModelFailed) as caught:
            run(
                sandbox,
                tmp_path / "p",
                "raise ValueError(sorted(name for name in os.environ if 'QUERENT' in name or 'hush' in os.environ[name]))",
            )
        assert "ValueError: []" in caught.value.message

    def test_the_network_cannot_be_reached(self, sandbox: Sandbox, tmp_path: Path) -> None:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.2)
            with pytest.raises(ModelFailed, match=r"network|unreachable|not permitted"):
                run(sandbox, tmp_path / "p", f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=1)")
            with pytest.raises(TimeoutError):
                server.accept()

    def test_we_cannot_be_killed(self, sandbox: Sandbox, tmp_path: Path) -> None:
        with pytest.raises(ModelFailed, match=r"ProcessLookupError|PermissionError"):
            run(sandbox, tmp_path / "p", f"os.kill({os.getpid()}, 0)")

    @pytest.mark.parametrize(
        "act", ["os.fork() or os.setsid() or os.fork() or time.sleep(60)", "for _ in range(5):\n    os.fork() or time.sleep(60)"]
    )
    def test_nothing_runs_on(self, act: str, sandbox: Sandbox, tmp_path: Path) -> None:
        run(sandbox, tmp_path / "harmless")
        before = set(descendants(os.getpid()))  # the warm interpreters, and what other tests of this process keep
        run(sandbox, tmp_path / "p", act)
        assert set(descendants(os.getpid())) - before == set()

    def test_what_it_may_it_can(self, sandbox: Sandbox, tmp_path: Path) -> None:
        """Scratch, a program of the system, threads, time zones, numbers at random."""
        act = """
            import pathlib, subprocess, tempfile, threading, zoneinfo
            pathlib.Path(tempfile.gettempdir(), 'x').write_text('y')
            assert subprocess.run(['true']).returncode == 0
            worker = threading.Thread(target=lambda: None); worker.start(); worker.join()
            zoneinfo.ZoneInfo('Europe/Berlin'); os.urandom(8); np.random.default_rng()
        """
        assert run(sandbox, tmp_path / "p", textwrap.dedent(act).strip()).num_rows == 28

    def test_what_it_says_moves_no_terminal(self, sandbox: Sandbox, tmp_path: Path) -> None:
        with pytest.raises(ModelFailed) as caught:
            run(sandbox, tmp_path / "p", "raise ValueError('a' + chr(27) + '[31m' + chr(0) + chr(0x202e) + chr(0xd800))")
        assert "ValueError: a\ufffd[31m\ufffd" in caught.value.message

    def test_its_scratch_takes_so_many_files(self, tmp_path: Path) -> None:
        if not HERE.mounts:
            pytest.skip("its scratch is a folder like any other here")
        made = Sandbox(tmp_path / "s", walls=HERE)
        act = "import tempfile\nfor n in range(40_000):\n    open(os.path.join(tempfile.gettempdir(), str(n)), 'w').close()"
        try:
            with pytest.raises(ModelFailed, match="No space left"):
                run(made, tmp_path / "p", act)
        finally:
            made.close()

    def test_a_limit_ends_it(self, sandbox: Sandbox, tmp_path: Path) -> None:
        began_s = time.monotonic()
        with pytest.raises(ModelStopped, match=r"took longer than its 0\.5 s"):
            run(sandbox, tmp_path / "p", "time.sleep(60)", Limits(wall_s=0.5))
        assert time.monotonic() - began_s < 15

    def test_a_stopped_session_stays_stopped(self, sandbox: Sandbox, tmp_path: Path) -> None:
        with sandbox.session(package(tmp_path / "p", "os._exit(3)"), card(), SMALL) as session:
            for _ in range(2):
                with pytest.raises(ModelStopped, match="code 3"):
                    session.call("run", tables(), Context("day", 7))

    def test_replies_that_are_none_of_ours(self, sandbox: Sandbox, tmp_path: Path) -> None:
        """A model that writes to the pipe itself fools nobody."""
        act = "for descriptor in range(3, 20):\n    try:\n        os.write(descriptor, b'\\xff' * 64)\n    except OSError:\n        pass"
        with pytest.raises((ModelStopped, ModelFailed)):
            run(sandbox, tmp_path / "p", act)


class TestTooFewWalls:
    @pytest.mark.parametrize(
        "walls",
        [
            Walls(),
            Walls(root=True),
            Walls(root=True, landlock=7),
            Walls(seccomp=True),
            Walls(root=True, network=True, mounts=True),
        ],
    )
    def test_nothing_runs(self, walls: Walls, tmp_path: Path) -> None:
        with pytest.raises(Unavailable) as caught, Sandbox(tmp_path, walls=walls).session(package(tmp_path / "p"), card()):
            pass
        assert caught.value.code == "sandbox_walls"


class TestOrdinaryUser:
    def test_walls_stand_without_root(self, tmp_path: Path) -> None:
        """The same, run by a process without any privilege."""
        probe = "from models.sandbox.walls import walls_here; import os, json; print(json.dumps([os.geteuid(), walls_here().as_json(), list(walls_here().missing)]))"
        command = [sys.executable, "-c", probe]
        if os.geteuid() == 0:
            command = ["unshare", "--user", "--map-user=1000", *command]
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], timeout=60)
        if done.returncode and "unshare" in done.stderr:
            needs("user-namespaces", "processes without privileges may make none here, so custom models need root or Landlock with seccomp")
        import json

        uid, found, missing = json.loads(done.stdout)
        assert uid != 0
        assert not found["root"]
        assert missing == []


class TestCost:
    def test_at_most_300_ms_beyond_the_models_own_time(self, tmp_path: Path) -> None:
        """A batch of 50 series of 400 steps with a session of its own, in processor time of all that takes part.

        That is what it takes on an idle machine; time on the clock would measure who else uses this one.
        """
        place = package(tmp_path / "p")
        sandbox = Sandbox(tmp_path / "sandbox")
        spent_s, waited_s = [], []
        try:
            sandbox.start()
            for _ in range(7):
                began_s = time.process_time()
                with sandbox.session(place, card(), SMALL) as session:
                    session.call("run", tables(50), Context("day", 7))
                spent_s.append(time.process_time() - began_s + session.used().cpu_s)
                waited_s.append(session.used().overhead_s)
        finally:
            sandbox.close()
        print(
            f"per batch: {statistics.median(spent_s) * 1000:.0f} ms of processor time, {statistics.median(waited_s) * 1000:.0f} ms on the clock"
        )
        assert 0 < statistics.median(spent_s) < 0.3
        assert np.isfinite(waited_s).all()
